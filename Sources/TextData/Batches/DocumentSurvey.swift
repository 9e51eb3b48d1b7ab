// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What training on documents would make of a text in one pass: how much of it is used, and what becomes of the rest.
public struct DocumentSurvey: Codable, Equatable, Sendable {
  /// Sequences of a batch.
  public let sequences: Int
  /// Inputs of a sequence.
  public let contextLength: Int
  /// Tokens of a document that are used, at most.
  public let documentLimit: Int
  /// Batches in a pass.
  public let batches: Int
  /// What becomes of all tokens; those behind the last batch are among the tails.
  public let use: DocumentUse

  /// Goes through a text once, in its own order.
  ///
  /// - Parameters:
  ///   - stream: The tokens, end of text before every document.
  ///   - sequences: Sequences of a batch, at least 1.
  ///   - contextLength: Inputs of a sequence, at least 1.
  ///   - documentLimit: Tokens of a document that are used at most, at least 1.
  /// - Throws: ``DataError`` `tooShort` when no shard holds a batch, `invalidOption` for a number below 1.
  /// - Complexity: Reads all tokens.
  public init(
    _ stream: TokenStream, sequences: Int, contextLength: Int, documentLimit: Int = 2048
  ) throws(DataError) {
    let order = try DocumentBatches(
      stream, documentLimit: documentLimit, vocabularySize: Int(stream.largestToken) + 1)
    try order.checkBatch(sequences: sequences, contextLength: contextLength)
    let room = UnsafeMutablePointer<Int32>.allocate(capacity: 2 * sequences * contextLength)
    defer { room.deallocate() }
    var (batches, use) = (0, DocumentUse())
    while true {
      try order.nextBatch(
        sequences: sequences, contextLength: contextLength, into: room,
        targets: room + sequences * contextLength, documents: nil)
      if order.position.epoch > 0 { break }
      batches += 1
      use = order.use
    }
    use.tails += stream.count - use.passed
    self.sequences = sequences
    self.contextLength = contextLength
    self.documentLimit = documentLimit
    self.batches = batches
    self.use = use
  }

  /// Lines for people to read.
  var lines: [String] {
    let grouped = DatasetInspection.grouped
    func share(_ count: Int, _ words: String) -> String? {
      count == 0
        ? nil : String(format: "%.1f", 100 * Double(count) / Double(use.passed)) + " % " + words
    }
    let shares = [
      share(use.trained, "are inputs"), share(use.targetsOnly, "targets only"),
      share(use.beyondLimit, "beyond the limit of their document"),
      share(use.cut, "cut at the end of a sequence"),
      share(use.tails, "behind the last batch of a shard"),
      share(use.beforeFirst, "before the first document of a shard"),
    ].compactMap(\.self)
    return [
      "documents   \(grouped(batches)) batches of \(grouped(sequences)) x \(grouped(contextLength)) tokens in a pass, at most "
        + "\(grouped(documentLimit)) of a document",
      "            of \(grouped(use.passed)) tokens \(shares.joined(separator: ", "))",
    ]
  }
}
