// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a prepared data set says about itself: the file `manifest.json`.
///
/// The same inputs and options give the same manifest, byte for byte: it holds no time and no place.
public struct DatasetManifest: Codable, Equatable, Sendable {
  static let fileName = "manifest.json"
  static let tokenizerFileName = "tokenizer.json"
  static let currentFormat = "assay-dataset"
  static let currentVersion = 1

  /// The tokenizer in short; the whole of it lies beside the manifest as `tokenizer.json`.
  public struct TokenizerSummary: Codable, Equatable, Sendable {
    /// Where the vocabulary comes from.
    public var kind: Tokenizer.Kind
    /// Number of ids.
    public var vocabularySize: Int
    /// The token that stands before every document.
    public var endOfText: Int32
    /// ``Tokenizer/hashText``.
    public var hash: String
  }

  /// A shard of a part.
  public struct Shard: Codable, Equatable, Sendable {
    /// Name of the file within the folder.
    public var file: String
    /// Number of tokens.
    public var tokens: Int
    /// Checksum of the payload, sixteen hexadecimal digits.
    public var checksum: String
  }

  /// The training or the validation part.
  public struct Part: Codable, Equatable, Sendable {
    /// Number of documents.
    public var documents: Int
    /// Number of tokens, one end of text per document among them.
    public var tokens: Int
    /// Bytes of text that the tokens stand for.
    public var textBytes: Int
    /// `textBytes / tokens`: what turns nats per token into bits per byte,
    /// `loss / (log(2) * bytesPerToken)`.
    ///
    /// 0 for synthetic text, which stands for no bytes.
    public var bytesPerToken: Double
    /// The files, in order.
    public var shards: [Shard]
  }

  /// How the data set was made.
  public struct Origin: Codable, Equatable, Sendable {
    /// Number of input files.
    public var files: Int
    /// Seed of the choice of held-out documents.
    public var seed: UInt64
    /// Share of documents to hold out; absent when files for validation were named.
    public var validationFraction: Double?
    /// Whether few, large documents were cut into pieces to hold some out.
    public var documentsWereCut: Bool
    /// Bytes outside valid UTF-8 that were kept as they are.
    public var invalidBytes: Int
  }

  /// What is known about synthetic text beside its tokens.
  public struct Synthetic: Codable, Equatable, Sendable {
    /// The process that wrote it.
    public var process: SyntheticProcess.Options
    /// Its entropy rate in nats per token: the lowest expected loss of any model.
    public var entropyRate: Double
    /// Entropy of single words in nats: the best loss without looking at words before.
    public var unigramEntropy: Double
    /// Loss of the process itself on the held-out tokens, in nats per token.
    public var validationLoss: Double
    /// Standard error of ``validationLoss``, as if losses of tokens were independent.
    public var validationStandardError: Double
  }

  /// Always `assay-dataset`.
  public var format: String
  /// Version of the format.
  public var version: Int
  /// The tokenizer in short.
  public var tokenizer: TokenizerSummary
  /// The part to train on.
  public var train: Part
  /// The held-out part.
  public var validation: Part
  /// How the data set was made.
  public var origin: Origin
  /// The process behind synthetic text; nil for text that people wrote.
  public var synthetic: Synthetic?
  /// Identity of the tokens: over the tokenizer's hash and all shards' sizes and checksums.
  public var contentHash: String

  init(tokenizer: Tokenizer, train: Part, validation: Part, origin: Origin) {
    format = Self.currentFormat
    version = Self.currentVersion
    self.tokenizer = TokenizerSummary(
      kind: tokenizer.kind, vocabularySize: tokenizer.vocabularySize,
      endOfText: tokenizer.endOfText, hash: tokenizer.hashText)
    self.train = train
    self.validation = validation
    self.origin = origin
    contentHash = ""
    contentHash = computedHash
  }

  /// What ``contentHash`` must be.
  private var computedHash: String {
    var text = tokenizer.hash
    for part in [train, validation] {
      text += "|"
      for shard in part.shards { text += "\(shard.tokens):\(shard.checksum);" }
    }
    return Checksum.hexadecimal(Array(text.utf8).withUnsafeBytes { Checksum.of($0) })
  }

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return encoder
  }

  /// Writes the manifest, atomically.
  func write(to path: String) throws {
    try AtomicFile.write(Self.encoder.encode(self) + [0x0A], to: path)
  }

  /// Reads the manifest of a data set.
  ///
  /// - Parameter folder: Folder of the data set.
  /// - Returns: The manifest, checked against its own hash.
  /// - Throws: ``DataError`` `unreadableFile`, `wrongFormat`, `wrongVersion` or `corruptData`.
  public static func read(folder: String) throws(DataError) -> DatasetManifest {
    let path = folder + "/" + fileName
    guard FileManager.default.fileExists(atPath: path) else {
      throw DataError(
        .unreadableFile,
        "'\(folder)' is not a prepared data set: it has no '\(fileName)', and no llm.c shards either. Prepare or fetch one first."
      )
    }
    struct Kind: Codable {
      var format: String
      var version: Int
    }
    let data = try FileBytes(path: path).withBytes { Data($0) }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let kind = try? decoder.decode(Kind.self, from: data), kind.format == currentFormat else {
      throw DataError(.wrongFormat, "'\(path)' is not the manifest of an Assay data set.")
    }
    guard kind.version == currentVersion else {
      throw DataError(
        .wrongVersion,
        "'\(path)' has version \(kind.version) of the data set format; this Assay reads "
          + "\(currentVersion). Prepare the data again.")
    }
    let manifest: DatasetManifest
    do {
      manifest = try decoder.decode(DatasetManifest.self, from: data)
    } catch {
      throw DataError(.corruptData, "'\(path)' is corrupt: \(error). Prepare the data again.")
    }
    guard manifest.contentHash == manifest.computedHash else {
      throw DataError(
        .corruptData,
        "'\(path)' is corrupt: its shards hash to \(manifest.computedHash), but it says "
          + "\(manifest.contentHash). Prepare the data again.")
    }
    return manifest
  }
}
