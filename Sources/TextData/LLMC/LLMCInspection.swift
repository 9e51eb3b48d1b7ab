// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams

/// What is in a folder of llm.c shards: counts, and samples where a tokenizer lies beside them (`assay data inspect`).
public struct LLMCInspection: Codable, Equatable, Sendable {
  /// One shard.
  public struct Shard: Codable, Equatable, Sendable {
    /// Name of the file.
    public var file: String
    /// Number of tokens.
    public var tokens: Int
    /// Documents that begin in it.
    public var documents: Int
    /// Tokens before the first of them: the rest of a document that began in the shard before.
    public var tokensBeforeFirst: Int
    /// Largest id.
    public var largestToken: Int
  }

  /// A part of the data set.
  public struct Part: Codable, Equatable, Sendable {
    /// `train` or `validation`.
    public var name: String
    /// Number of tokens.
    public var tokens: Int
    /// Number of documents.
    public var documents: Int
    /// Tokens among the first 2,048 of their document, within their shard: what training on documents can use, at most.
    public var usableTokens: Int
    /// The files, in order.
    public var shards: [Shard]
  }

  /// Version of the JSON that this encodes to.
  public var schema = 1
  /// Always `llm.c`.
  public var format = "llm.c"
  /// Folder, as it was named.
  public var folder: String
  /// Identity of the tokens, as records of runs have it.
  public var contentHash: String
  /// Number of ids.
  public var vocabularySize: Int
  /// The token before every document.
  public var endOfText: Int32
  /// Where the vocabulary comes from: the kind of the `tokenizer.json`, or `gpt2` without one.
  public var tokenizer: String
  /// The two parts.
  public var parts: [Part]
  /// Beginnings of documents, chosen by the seed 0; their text is empty without a tokenizer.
  public var samples: [DatasetInspection.Sample]
  /// What training on documents would use, where somebody asked.
  public var documents: DocumentSurvey?

  /// Reads all tokens of a folder.
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - samples: Samples of each part, not negative.
  ///   - sampleTokens: Tokens of a sample, at least 1.
  /// - Throws: ``DataError`` for a damaged shard, an id beyond the vocabulary (`vocabularyMismatch`), or shards without any end
  ///   of text (`wrongFormat`), which have another tokenizer than their folder says.
  public init(folder: String, samples: Int = 3, sampleTokens: Int = 64) throws(DataError) {
    guard samples >= 0, sampleTokens >= 1 else {
      throw DataError(
        .invalidOption, "cannot show \(samples) samples of \(sampleTokens) tokens each.")
    }
    let data = try LLMCFolder(folder)
    self.folder = folder
    contentHash = data.contentHash
    vocabularySize = data.vocabularySize
    endOfText = data.endOfText
    tokenizer = (data.tokenizer?.kind ?? .gpt2).rawValue
    parts = []
    self.samples = []
    for (name, shards) in [("train", data.train), ("validation", data.validation)] {
      var part = Part(name: name, tokens: 0, documents: 0, usableTokens: 0, shards: [])
      var starts: [Int] = []
      for shard in shards {
        let packing = try Self.packing(of: shard, data)
        starts += packing.found.documents.map { $0 + part.tokens }
        part.shards.append(packing.shard)
        part.tokens += shard.tokenCount
        part.documents += packing.shard.documents
        part.usableTokens += packing.found.documents.indices.reduce(0) {
          $0 + min(packing.found.length(at: $1), packing.found.documentLimit)
        }
      }
      guard !starts.isEmpty else {
        throw DataError(
          .wrongFormat,
          "the \(name) shards of '\(folder)' hold no end of text \(data.endOfText), so nobody knows where documents begin. Lay the "
            + "tokenizer.json that they were made with beside them.")
      }
      parts.append(part)
      let random = RandomStream(seed: 0, name: "inspection/" + name)
      let stream = data.stream(shards)
      for index in 0..<samples {
        let position = starts[random.integer(below: starts.count, at: index)]
        let tokens = stream.tokens(position..<min(stream.count, position + sampleTokens))
        self.samples.append(
          .init(
            part: name, position: position, tokens: tokens,
            text: try data.tokenizer?.decodeText(tokens) ?? ""))
      }
    }
  }

  private static func packing(
    of shard: LLMCShard, _ data: LLMCFolder
  ) throws(DataError) -> (found: DocumentPacking, shard: Shard) {
    let found = shard.segment.positions(of: data.endOfText)
    guard found.largest < UInt32(clamping: data.vocabularySize) else {
      throw DataError(
        .vocabularyMismatch,
        "'\(shard.path)' has the token id \(found.largest), beyond the \(data.vocabularySize) ids of its tokenizer. Lay the "
          + "tokenizer.json that it was made with beside it, or fetch it again.")
    }
    let file = shard.path.split(separator: "/").last.map(String.init) ?? shard.path
    return (
      DocumentPacking(
        documents: found.positions, tokenCount: shard.tokenCount, documentLimit: 2048),
      Shard(
        file: file, tokens: shard.tokenCount, documents: found.positions.count,
        tokensBeforeFirst: found.positions.first ?? shard.tokenCount,
        largestToken: Int(found.largest))
    )
  }

  /// The inspection as one JSON object, keys in snake case.
  ///
  /// - Returns: UTF-8 text that ends with a line break.
  /// - Throws: What the encoder throws for values that JSON cannot hold; there are none here.
  public func json() throws -> String { try DatasetInspection.json(self) }

  /// The inspection for people to read.
  public var text: String {
    let grouped = DatasetInspection.grouped
    var lines = [
      "data set    \(folder), llm.c shards",
      "tokenizer   \(tokenizer), \(grouped(vocabularySize)) entries, end of text \(endOfText)",
      "content     \(contentHash), over sizes and a sample of each shard",
    ]
    for part in parts {
      let share = 100 * Double(part.usableTokens) / Double(max(1, part.tokens))
      lines.append(
        part.name.padding(toLength: 12, withPad: " ", startingAt: 0)
          + "\(grouped(part.tokens)) tokens, \(grouped(part.documents)) documents, "
          + "\(String(format: "%.1f", share)) % within 2,048 tokens of their beginning, "
          + "\(part.shards.count) shard\(part.shards.count == 1 ? "" : "s")")
    }
    lines +=
      (documents?.lines ?? []) + DatasetInspection.lines(of: samples.filter { !$0.text.isEmpty })
    return lines.joined(separator: "\n") + "\n"
  }
}
