// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What a byte-level tokenizer knows: the token of every byte and the merges in order of rank.
///
/// Sendable because nothing is written after `init`.
final class BytePairModel: @unchecked Sendable {
  struct Merge: Hashable, Sendable {
    var left: Int32
    var right: Int32
    /// The token that replaces the two.
    var result: Int32
  }

  /// Token of each of the 256 bytes.
  let byteTokens: [Int32]
  /// The earlier merges come first.
  let merges: [Merge]
  /// Rank of a pair of neighbours, its index in ``merges``.
  let ranks: PairMap
  /// Bytes of token `id`: `tokenBytes[offsets[id] ..< offsets[id + 1]]`; none for special tokens.
  let tokenBytes: [UInt8]
  let offsets: [Int]
  /// Whether a byte is its own token, so that nothing has to be looked up.
  let isPlainBytes: Bool

  /// Checks that the parts fit each other and derives the tables.
  ///
  /// - Parameters:
  ///   - byteTokens: 256 different ids.
  ///   - merges: Merges of tokens that exist at that point.
  ///   - vocabularySize: All ids are below it.
  ///   - place: Where this comes from, for messages.
  /// - Throws: ``DataError`` `malformedTokenizer` naming the first contradiction.
  init(
    byteTokens: [Int32], merges: [Merge], vocabularySize: Int, place: String
  ) throws(DataError) {
    func malformed(_ what: String) -> DataError {
      DataError(.malformedTokenizer, "\(place): \(what).")
    }
    guard byteTokens.count == 256, Set(byteTokens).count == 256 else {
      throw malformed("the 256 bytes need 256 different tokens, found \(Set(byteTokens).count)")
    }
    var texts = [[UInt8]?](repeating: nil, count: vocabularySize)
    for (byte, token) in byteTokens.enumerated() {
      guard token >= 0, token < vocabularySize else {
        throw malformed(
          "byte \(byte) has token \(token) outside the vocabulary of \(vocabularySize)")
      }
      texts[Int(token)] = [UInt8(byte)]
    }
    let ranks = PairMap(minimumCapacity: merges.count)
    for (rank, merge) in merges.enumerated() {
      guard merge.left >= 0, merge.left < vocabularySize, let left = texts[Int(merge.left)],
        merge.right >= 0, merge.right < vocabularySize, let right = texts[Int(merge.right)]
      else {
        throw malformed(
          "merge \(rank) joins tokens \(merge.left) and \(merge.right), unknown there")
      }
      guard merge.result >= 0, merge.result < vocabularySize else {
        throw malformed(
          "merge \(rank) makes token \(merge.result) outside the vocabulary of \(vocabularySize)")
      }
      let whole = left + right
      guard texts[Int(merge.result)] == nil || texts[Int(merge.result)] == whole else {
        throw malformed("merge \(rank) makes token \(merge.result), which has other bytes already")
      }
      texts[Int(merge.result)] = whole
      guard ranks.value(merge.left, merge.right, orInsert: Int32(rank)) == rank else {
        throw malformed(
          "merge \(rank) of tokens \(merge.left) and \(merge.right) stands there twice")
      }
    }
    self.byteTokens = byteTokens
    self.merges = merges
    self.ranks = ranks
    isPlainBytes = merges.isEmpty && byteTokens == (0..<256).map { Int32($0) }
    var offsets = [0]
    offsets.reserveCapacity(vocabularySize + 1)
    var bytes: [UInt8] = []
    for text in texts {
      if let text { bytes += text }
      offsets.append(bytes.count)
    }
    tokenBytes = bytes
    self.offsets = offsets
  }

  /// A vocabulary of ids that stand for no bytes; it encodes nothing.
  init(withoutText vocabularySize: Int) {
    byteTokens = []
    merges = []
    ranks = PairMap(minimumCapacity: 0)
    isPlainBytes = false
    tokenBytes = []
    offsets = [Int](repeating: 0, count: vocabularySize + 1)
  }

  /// The bytes of a token that is inside the vocabulary.
  func bytes(of token: Int32) -> ArraySlice<UInt8> {
    tokenBytes[offsets[Int(token)]..<offsets[Int(token) + 1]]
  }
}
