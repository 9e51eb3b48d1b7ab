// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Which tokens of one shard make the sequences of a batch, when every sequence begins with a document: positions only, no
/// tokens.
///
/// A sequence of T inputs is made of T + 1 tokens. Documents are taken one after another; from a document that begins at c come
/// the tokens c ..< min(begin of the next document or end of the shard, c + limit, c + room), where room is what
/// is still missing. So the last document is cut to fit. Its remainder is not used, and the next sequence begins with
/// the next document.
///
/// This is the loader of the NanoGPT speedrun (Jordan et al., 2024; with documents aligned since 2025).
public struct DocumentPacking: Sendable {
  /// A run of tokens of one document.
  public struct Piece: Hashable, Sendable {
    /// Position of the first token, which begins a document.
    public var start: Int
    /// Number of tokens, at least 1.
    public var count: Int
  }

  /// Where documents begin, ascending.
  public let documents: [Int]
  /// The order in which they are taken; nil: as they stand.
  public let order: [Int]?
  /// Number of tokens of the shard.
  public let tokenCount: Int
  /// Tokens of a document that are used, at most.
  public let documentLimit: Int

  /// Describes a shard.
  ///
  /// - Parameters:
  ///   - documents: Where documents begin, ascending, each below `tokenCount`.
  ///   - tokenCount: Number of tokens of the shard.
  ///   - documentLimit: Tokens of a document that are used at most, at least 1.
  ///   - order: A permutation of the documents' numbers; nil: they are taken as they stand.
  public init(documents: [Int], tokenCount: Int, documentLimit: Int, order: [Int]? = nil) {
    precondition(
      order.map { $0.count == documents.count } ?? true, "an order of other documents")
    self.documents = documents
    self.order = order
    self.tokenCount = tokenCount
    self.documentLimit = documentLimit
  }

  /// Tokens of the document that is taken at a place, up to the next in the shard, or to its end.
  func length(at place: Int) -> Int { length(of: order?[place] ?? place) }

  private func length(of document: Int) -> Int {
    let end = document + 1 < documents.count ? documents[document + 1] : tokenCount
    return end - documents[document]
  }

  /// Packs the sequences of one batch.
  ///
  /// - Parameters:
  ///   - first: The document that the first sequence begins with, 0 ... `documents.count`.
  ///   - sequences: Number of sequences.
  ///   - contextLength: Inputs T of a sequence.
  ///   - pieces: Is cleared, then receives the pieces of all sequences in order; those of a sequence add up to exactly T + 1.
  /// - Returns: The document that the next batch begins with; nil when the documents that are left do not suffice, however
  ///   many sequences they would have made.
  public func pack(
    from first: Int, sequences: Int, contextLength: Int, into pieces: inout [Piece]
  ) -> Int? {
    pieces.removeAll(keepingCapacity: true)
    var document = first
    for _ in 0..<sequences {
      var room = contextLength + 1
      while room > 0 {
        guard document < documents.count else { return nil }
        let count = min(length(at: document), documentLimit, room)
        pieces.append(Piece(start: documents[order?[document] ?? document], count: count))
        room -= count
        document += 1
      }
    }
    return document
  }
}
