// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams

/// What is in a data set: counts, bytes per token and samples (`assay data inspect`).
public struct DatasetInspection: Codable, Equatable, Sendable {
  /// The beginning of a document.
  public struct Sample: Codable, Equatable, Sendable {
    /// `train` or `validation`.
    public var part: String
    /// Position of the first token in its part.
    public var position: Int
    /// The ids.
    public var tokens: [Int32]
    /// What they stand for.
    public var text: String
  }

  /// Version of the JSON that this encodes to.
  public var schema = 1
  /// Folder of the data set, as it was named.
  public var folder: String
  /// Everything that was counted when it was made.
  public var manifest: DatasetManifest
  /// Bytes per token in the shards.
  public var tokenWidth: Int
  /// Whether all tokens were read and compared with their checksums.
  public var checksumsVerified: Bool
  /// Beginnings of documents, chosen by the seed 0.
  public var samples: [Sample]
  /// What training on documents would use, where somebody asked.
  public var documents: DocumentSurvey?

  /// Opens and inspects a data set.
  ///
  /// - Parameters:
  ///   - folder: Folder of the data set.
  ///   - samples: Samples of each part, not negative.
  ///   - sampleTokens: Tokens of a sample, at least 1.
  ///   - verifyingChecksums: Whether to read all tokens.
  /// - Throws: ``DataError`` when the data set cannot be opened or is corrupt.
  public init(
    folder: String, samples: Int = 3, sampleTokens: Int = 64, verifyingChecksums: Bool = true
  ) throws(DataError) {
    guard samples >= 0, sampleTokens >= 1 else {
      throw DataError(
        .invalidOption, "cannot show \(samples) samples of \(sampleTokens) tokens each.")
    }
    let dataset = try TokenDataset(
      folder: folder, checksums: verifyingChecksums ? .always : .never)
    let tokenizer = try dataset.loadTokenizer()
    self.folder = folder
    manifest = try DatasetManifest.read(folder: folder)
    tokenWidth = TokenWidth(vocabularySize: tokenizer.vocabularySize).rawValue
    checksumsVerified = verifyingChecksums
    self.samples = []
    for (part, stream) in [("train", dataset.train), ("validation", dataset.validation)] {
      let random = RandomStream(seed: 0, name: "inspection/" + part)
      for index in 0..<samples where stream.count > 0 {
        let drawn = random.integer(below: stream.count, at: index)
        let position = Self.documentStart(in: stream, at: drawn)
        let tokens = stream.tokens(position..<min(stream.count, position + sampleTokens))
        let text = try tokenizer.decodeText(tokens)
        self.samples.append(
          Sample(part: part, position: position, tokens: tokens, text: text))
      }
    }
  }

  /// The start of the document that holds `position`, looked for in the 65,536 tokens before it.
  private static func documentStart(in stream: TokenStream, at position: Int) -> Int {
    let begin = max(0, position - 65_536)
    let before = stream.tokens(begin..<position + 1)
    return before.lastIndex(of: stream.endOfText).map { begin + $0 } ?? position
  }

  /// The inspection as one JSON object, keys in snake case.
  ///
  /// - Returns: UTF-8 text that ends with a line break.
  /// - Throws: What the encoder throws for values that JSON cannot hold; there are none here.
  public func json() throws -> String { try Self.json(self) }

  static func json(_ inspection: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(inspection), as: UTF8.self) + "\n"
  }

  /// The inspection for people to read.
  public var text: String {
    let tokenizer = manifest.tokenizer
    var lines = [
      "data set    \(folder)",
      "tokenizer   \(tokenizer.kind.rawValue), \(Self.grouped(tokenizer.vocabularySize)) entries, "
        + "end of text \(tokenizer.endOfText), hash \(tokenizer.hash)",
      "content     \(manifest.contentHash), \(tokenWidth) bytes a token, "
        + (checksumsVerified ? "checksums verified" : "checksums not verified"),
    ]
    for (name, part) in [("train", manifest.train), ("validation", manifest.validation)] {
      lines.append(
        name.padding(toLength: 12, withPad: " ", startingAt: 0)
          + "\(Self.grouped(part.tokens)) tokens, \(Self.grouped(part.documents)) documents, "
          + "\(Self.grouped(part.textBytes)) bytes of text, "
          + "\(Self.decimals(part.bytesPerToken)) bytes a token, "
          + "\(part.shards.count) shard\(part.shards.count == 1 ? "" : "s")")
    }
    lines += Self.synthetic(manifest)
    if manifest.origin.documentsWereCut {
      lines.append("note        there were few documents: large ones were cut to hold some out")
    }
    if manifest.origin.invalidBytes > 0 {
      lines.append(
        "note        \(manifest.origin.invalidBytes) bytes are not valid UTF-8 and were kept as they are"
      )
    }
    lines += (documents?.lines ?? []) + Self.lines(of: samples)
    return lines.joined(separator: "\n") + "\n"
  }

  static func lines(of samples: [Sample]) -> [String] {
    samples.flatMap { sample in
      ["", "\(sample.part) at token \(grouped(sample.position)):"]
        + sample.text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { "  | " + printable($0) }
    }
  }

  private static func synthetic(_ manifest: DatasetManifest) -> [String] {
    guard let synthetic = manifest.synthetic else { return [] }
    let process = synthetic.process
    func nats(_ number: Double) -> String { String(format: "%.5f", number) }
    return [
      "process     \(process.classes) classes, order \(process.order), share \(process.share), "
        + "zipf \(process.zipf), seed \(process.seed)",
      "floor       \(nats(synthetic.entropyRate)) nats a token: no model can expect a lower loss "
        + "(\(nats(synthetic.unigramEntropy)) without looking at words before)",
      "held out    \(nats(synthetic.validationLoss)) +- \(nats(synthetic.validationStandardError)) nats a token: "
        + "what the process itself loses on these tokens",
    ]
  }

  /// Control characters, which could drive a terminal, become U+FFFD.
  private static func printable(_ line: Substring) -> String {
    var result = ""
    for scalar in line.unicodeScalars {
      let isControl = scalar.properties.generalCategory == .control && scalar != "\t"
      result.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
    }
    return result
  }

  static func grouped(_ number: Int) -> String {
    var text = String(number)
    var place = text.count - 3
    while place > 0 {
      text.insert(",", at: text.index(text.startIndex, offsetBy: place))
      place -= 3
    }
    return text
  }

  private static func decimals(_ number: Double) -> String {
    String(format: "%.3f", number)
  }
}
