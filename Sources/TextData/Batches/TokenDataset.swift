// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A data set, opened: shards are memory-mapped, headers checked.
///
/// Either one that was prepared, or a folder of llm.c shards (``LLMCFolder``).
public struct TokenDataset: Sendable {
  /// When the payload of shards is read to compare checksums.
  public enum ChecksumPolicy: Sendable {
    /// Never; ``TokenDataset/verifyChecksums()`` can be called later.
    case never
    /// When all shards together are small enough for it to cost milliseconds: 64 MiB.
    case whenCheap
    /// Always.
    case always
  }

  static let cheapBytes = 64 << 20

  /// Folder of the data set.
  public let folder: String
  /// What a prepared data set says about itself; nil for llm.c shards.
  public let manifest: DatasetManifest?
  /// Identity of the tokens: over all of them through the checksums of a prepared data set's manifest, over the sizes and a
  /// sample of llm.c shards, which have no checksums.
  public let contentHash: String
  /// Number of ids; a model needs at least as many.
  public let vocabularySize: Int
  /// The tokens to train on.
  public let train: TokenStream
  /// The held-out tokens.
  public let validation: TokenStream
  private let shards: [TokenShard]
  private let tokenizer: Tokenizer?

  /// Opens a data set folder.
  ///
  /// - Parameters:
  ///   - folder: What `assay data prepare` made, or llm.c shards.
  ///   - checksums: When to read all tokens and compare their checksums; llm.c shards have none.
  /// - Throws: ``DataError`` when the manifest or a shard is missing, of another format or version,
  ///   truncated, corrupt, or of another data set.
  /// - Complexity: Milliseconds, unless checksums of much data are asked for.
  public init(folder: String, checksums: ChecksumPolicy = .whenCheap) throws(DataError) {
    self.folder = folder
    if LLMCFolder.isOne(folder) {
      let found = try LLMCFolder(folder)
      manifest = nil
      contentHash = found.contentHash
      vocabularySize = found.vocabularySize
      tokenizer = found.tokenizer
      train = found.stream(found.train)
      validation = found.stream(found.validation)
      shards = []
      return
    }
    let manifest = try DatasetManifest.read(folder: folder)
    self.manifest = manifest
    contentHash = manifest.contentHash
    vocabularySize = manifest.tokenizer.vocabularySize
    tokenizer = nil
    let trainShards = try Self.open(manifest.train, manifest, folder)
    let validationShards = try Self.open(manifest.validation, manifest, folder)
    shards = trainShards + validationShards
    train = Self.stream(trainShards, manifest)
    validation = Self.stream(validationShards, manifest)
    let bytes = shards.reduce(0) { $0 + $1.header.tokenCount * $1.header.width.rawValue }
    switch checksums {
    case .never: break
    case .whenCheap: if bytes <= Self.cheapBytes { try verifyChecksums() }
    case .always: try verifyChecksums()
    }
  }

  private static func open(
    _ part: DatasetManifest.Part, _ manifest: DatasetManifest, _ folder: String
  ) throws(DataError) -> [TokenShard] {
    var shards: [TokenShard] = []
    for entry in part.shards {
      let shard = try TokenShard(path: folder + "/" + entry.file)
      let header = shard.header
      guard Checksum.hexadecimal(header.vocabularyHash) == manifest.tokenizer.hash,
        header.vocabularySize == manifest.tokenizer.vocabularySize,
        header.endOfText == manifest.tokenizer.endOfText
      else {
        throw DataError(
          .vocabularyMismatch,
          "'\(shard.path)' was made with another vocabulary "
            + "(\(Checksum.hexadecimal(header.vocabularyHash)), \(header.vocabularySize) entries) than the "
            + "manifest names (\(manifest.tokenizer.hash), \(manifest.tokenizer.vocabularySize) entries). "
            + "Prepare the data again.")
      }
      guard header.tokenCount == entry.tokens,
        Checksum.hexadecimal(header.checksum) == entry.checksum
      else {
        throw DataError(
          .corruptData,
          "'\(shard.path)' is not the shard that the manifest names: it has \(header.tokenCount) tokens "
            + "with checksum \(Checksum.hexadecimal(header.checksum)) instead of \(entry.tokens) with "
            + "\(entry.checksum). Prepare the data again.")
      }
      shards.append(shard)
    }
    return shards
  }

  private static func stream(_ shards: [TokenShard], _ manifest: DatasetManifest) -> TokenStream {
    TokenStream(
      segments: shards.map(\.segment), endOfText: manifest.tokenizer.endOfText,
      largestToken: shards.map(\.header.largestToken).max() ?? 0)
  }

  /// Bytes of text for each held-out token; nil for synthetic text, which stands for no bytes, and for llm.c shards.
  public var bytesPerToken: Double? {
    guard let part = manifest?.validation, part.textBytes > 0 else { return nil }
    return part.bytesPerToken
  }

  /// Reads all tokens and compares their checksums with the headers'.
  ///
  /// - Throws: ``DataError`` `corruptData` naming the first shard that differs.
  public func verifyChecksums() throws(DataError) {
    for shard in shards { try shard.verifyChecksum() }
  }

  /// Reads the tokenizer that lies in the folder.
  ///
  /// - Returns: The tokenizer the tokens were made with.
  /// - Throws: ``DataError`` when the file is missing, damaged or of another vocabulary.
  public func loadTokenizer() throws(DataError) -> Tokenizer {
    let path = folder + "/" + DatasetManifest.tokenizerFileName
    guard let manifest else {
      guard let tokenizer else {
        throw DataError(
          .unreadableFile,
          "the llm.c shards in '\(folder)' come without their tokenizer. Put GPT-2's 'tokenizer.json', in Hugging Face's "
            + "format, beside them.")
      }
      return tokenizer
    }
    let tokenizer = try Tokenizer.file(path)
    guard tokenizer.hashText == manifest.tokenizer.hash else {
      throw DataError(
        .vocabularyMismatch,
        "'\(path)' is not the tokenizer of this data set: its hash is \(tokenizer.hashText), the manifest "
          + "names \(manifest.tokenizer.hash). Prepare the data again.")
    }
    return tokenizer
  }
}
