// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Encodes text with a cache of words it has seen.
///
/// Confined to one thread at a time.
public final class TokenEncoder {
  private let model: BytePairModel
  private let cache = WordTable()
  /// Where the tokens of each cached word end in `cachedTokens`.
  private var cachedEnds: [Int] = []
  private var cachedTokens: [Int32] = []
  private var pieces = PieceMerger()

  /// Words longer than this, or seen when the cache is full, are encoded anew each time.
  private static let longestCachedWord = 48
  private static let cacheLimit = 1 << 18

  init(model: BytePairModel) {
    self.model = model
  }

  /// Appends the tokens of `bytes` to `tokens`, without end of text.
  ///
  /// - Parameters:
  ///   - bytes: One document, or a part that is to be encoded as if it were one.
  ///   - tokens: What grows.
  /// - Complexity: O(bytes) for words in the cache, O(n log n) for a new word of n bytes.
  public func encode(_ bytes: UnsafeRawBufferPointer, into tokens: inout [Int32]) {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    if model.isPlainBytes {
      tokens.append(contentsOf: bytes.lazy.map { Int32($0) })
      return
    }
    let splitter = WordSplitter(bytes: base, count: bytes.count)
    var start = 0
    while start < bytes.count {
      let end = splitter.end(from: start)
      append(base + start, end &- start, to: &tokens)
      start = end
    }
  }

  @inline(__always)
  private func append(_ word: UnsafePointer<UInt8>, _ count: Int, to tokens: inout [Int32]) {
    guard count <= Self.longestCachedWord else {
      return pieces.encode(word, count, model: model, into: &tokens)
    }
    let hash = WordTable.hash(word, count)
    let found = cache.find(word, count, hash: hash)
    guard found >= 0 else { return appendNew(word, count, hash, to: &tokens) }
    var index = found == 0 ? 0 : cachedEnds[found &- 1]
    let end = cachedEnds[found]
    while index < end {
      tokens.append(cachedTokens[index])
      index &+= 1
    }
  }

  private func appendNew(
    _ word: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64, to tokens: inout [Int32]
  ) {
    let first = tokens.count
    pieces.encode(word, count, model: model, into: &tokens)
    guard cache.count < Self.cacheLimit else { return }
    _ = cache.insert(word, count, hash: hash)
    cachedTokens += tokens[first...]
    cachedEnds.append(cachedTokens.count)
  }
}

/// Merges the pairs of one piece of text: lowest rank first, the leftmost of equals.
struct PieceMerger {
  private var symbols: [Int32] = []
  private var ranks: [Int32] = []
  private var previous: [Int32] = []
  private var next: [Int32] = []
  private var heap = BinaryHeap<UInt64>()

  /// Above this many bytes, candidates wait in a heap instead of being searched one by one.
  private static let longestSearched = 64
  private static let none = Int32.max

  mutating func encode(
    _ piece: UnsafePointer<UInt8>, _ count: Int, model: BytePairModel, into tokens: inout [Int32]
  ) {
    symbols.removeAll(keepingCapacity: true)
    for index in 0..<count { symbols.append(model.byteTokens[Int(piece[index])]) }
    if count <= Self.longestSearched {
      mergeBySearch(model)
      tokens += symbols
    } else {
      mergeByHeap(model)
      var index = 0
      while index < count {
        tokens.append(symbols[index])
        index = Int(next[index])
      }
    }
  }

  @inline(__always)
  private func rank(_ model: BytePairModel, _ left: Int32, _ right: Int32) -> Int32 {
    let rank = model.ranks.value(left, right)
    return rank < 0 ? Self.none : rank
  }

  private mutating func mergeBySearch(_ model: BytePairModel) {
    ranks.removeAll(keepingCapacity: true)
    for index in symbols.indices.dropLast() {
      ranks.append(rank(model, symbols[index], symbols[index + 1]))
    }
    while true {
      var best = 0
      var lowest = Self.none
      for index in ranks.indices where ranks[index] < lowest {
        lowest = ranks[index]
        best = index
      }
      guard lowest != Self.none else { return }
      symbols[best] = model.merges[Int(lowest)].result
      symbols.remove(at: best + 1)
      ranks.remove(at: best)
      if best > 0 { ranks[best - 1] = rank(model, symbols[best - 1], symbols[best]) }
      if best < ranks.count { ranks[best] = rank(model, symbols[best], symbols[best + 1]) }
    }
  }

  /// The symbols become a linked list; a heap entry is (rank, position) and is stale when the pair
  /// at that position has another rank by now.
  private mutating func mergeByHeap(_ model: BytePairModel) {
    let count = symbols.count
    precondition(count < Int(Int32.max), "a piece of \(count) bytes")
    previous = (0..<count).map { Int32($0) - 1 }
    next = (0..<count).map { Int32($0) + 1 }
    ranks = [Int32](repeating: Self.none, count: count)
    heap.removeAll()
    for index in 0..<count - 1 { offer(model, at: index) }
    while let entry = heap.pop() {
      let position = Int(entry & 0xFFFF_FFFF)
      guard ranks[position] == Int32(entry >> 32) else { continue }
      let removed = Int(next[position])
      symbols[position] = model.merges[Int(ranks[position])].result
      next[position] = next[removed]
      ranks[removed] = Self.none
      if Int(next[position]) < count { previous[Int(next[position])] = Int32(position) }
      offer(model, at: position)
      if previous[position] >= 0 { offer(model, at: Int(previous[position])) }
    }
  }

  private mutating func offer(_ model: BytePairModel, at position: Int) {
    let following = Int(next[position])
    ranks[position] =
      following < symbols.count
      ? rank(model, symbols[position], symbols[following]) : Self.none
    if ranks[position] != Self.none {
      heap.push(UInt64(ranks[position]) << 32 | UInt64(position))
    }
  }
}
