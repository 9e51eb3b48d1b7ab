// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Learns merges: again and again the pair of neighbouring tokens that is most frequent in the text.
///
/// The frequency of a pair is the number of places where it stands (overlapping places count), summed
/// over all words times their counts. Ties go to the pair with the smaller left id, then the smaller
/// right id. Only pairs that stand in two places or more are merged. The result depends on
/// the counts of words alone, not on their order, so neither on the order of documents nor on threads.
///
/// Counts are kept up to date merge by merge, with a heap whose entries are checked when they come up;
/// the work of a merge is in proportion to the words that hold the pair.
struct BytePairTrainer {
  private struct Candidate: Comparable {
    var count: Int
    var left: Int32
    var right: Int32
    var pair: Int32

    /// Before means: merged first.
    static func < (a: Candidate, b: Candidate) -> Bool {
      if a.count != b.count { return a.count > b.count }
      if a.left != b.left { return a.left < b.left }
      return a.right < b.right
    }
  }

  // Words: word w is symbols[starts[w] ..< starts[w] + lengths[w]] and stands weights[w] times.
  private var symbols: [Int32] = []
  private var starts: [Int] = []
  private var lengths: [Int] = []
  private let weights: [Int]

  // Pairs, numbered as they appear.
  private var pairs = PairMap(minimumCapacity: 1 << 16)
  private var counts: [Int] = []
  private var lefts: [Int32] = []
  private var rights: [Int32] = []
  /// Words that hold, or held, the pair.
  private var places: [[Int32]] = []

  private var heap = BinaryHeap<Candidate>()
  /// Pairs whose count rose during the current merge.
  private var risen: [Int32] = []
  /// The last round in which a pair's count rose, so that it is listed once.
  private var risenIn: [Int32] = []
  private var round: Int32 = 0
  /// The tokens so far, to recognise one that a second pair spells.
  private let tokens = WordTable()

  init(words: WordCounter) {
    weights = words.counts
    for index in 0..<words.table.count {
      starts.append(symbols.count)
      lengths.append(words.table.words[index].count)
      for byte in words.table.bytes(index) { symbols.append(Int32(byte)) }
    }
    for byte in UInt8.min...UInt8.max { _ = token([byte]) }
  }

  /// Learns until the vocabulary has `vocabularySize` entries: 256 bytes, new tokens, end of text.
  ///
  /// - Parameters:
  ///   - vocabularySize: At least 257.
  ///   - progress: Called now and then with the share that is done.
  /// - Returns: The merges in the order in which they were learned.
  /// - Throws: ``DataError`` `vocabularyMismatch` when the text has too few repeated pairs.
  mutating func train(
    vocabularySize: Int, progress: (Double) throws -> Void
  ) throws -> [BytePairModel.Merge] {
    countPairs()
    var merges: [BytePairModel.Merge] = []
    while tokens.count < vocabularySize - 1 {
      guard let best = nextCandidate() else {
        throw DataError(
          .vocabularyMismatch,
          "the text is too small for a vocabulary of \(vocabularySize): after \(tokens.count + 1) entries "
            + "no pair of tokens occurs twice. Use 'bpe:\(tokens.count + 1)' or less, 'bytes', or more text."
        )
      }
      let whole = bytes(best.left) + bytes(best.right)
      let merge = BytePairModel.Merge(left: best.left, right: best.right, result: token(whole))
      merges.append(merge)
      apply(merge, pair: Int(best.pair))
      if merges.count % 64 == 0 {
        try progress(Double(tokens.count - 256) / Double(vocabularySize - 257))
      }
    }
    return merges
  }

  private func bytes(_ token: Int32) -> [UInt8] { Array(tokens.bytes(Int(token))) }

  private func token(_ bytes: [UInt8]) -> Int32 {
    bytes.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("a token without bytes") }
      let hash = WordTable.hash(base, buffer.count)
      return Int32(tokens.insert(base, buffer.count, hash: hash))
    }
  }

  private mutating func countPairs() {
    for word in starts.indices {
      let start = starts[word]
      for index in start..<start + lengths[word] - 1 {
        change(symbols[index], symbols[index + 1], by: weights[word], word: Int32(word))
      }
    }
    offerRisen()
  }

  private mutating func nextCandidate() -> Candidate? {
    while var candidate = heap.pop() {
      let count = counts[Int(candidate.pair)]
      if candidate.count == count, count >= 2 { return candidate }
      if count >= 2, count < candidate.count {
        candidate.count = count
        heap.push(candidate)
      }
    }
    return nil
  }

  private mutating func change(_ left: Int32, _ right: Int32, by amount: Int, word: Int32) {
    let fresh = Int32(counts.count)
    let pair = Int(pairs.value(left, right, orInsert: fresh))
    if pair == counts.count {
      counts.append(0)
      lefts.append(left)
      rights.append(right)
      places.append([])
      risenIn.append(-1)
    }
    counts[pair] += amount
    guard amount > 0 else { return }
    if places[pair].last != word { places[pair].append(word) }
    if risenIn[pair] != round {
      risenIn[pair] = round
      risen.append(Int32(pair))
    }
  }

  private mutating func offerRisen() {
    for pair in risen where counts[Int(pair)] >= 2 {
      let index = Int(pair)
      heap.push(
        Candidate(count: counts[index], left: lefts[index], right: rights[index], pair: pair))
    }
    risen.removeAll(keepingCapacity: true)
    round += 1
  }

  private mutating func apply(_ merge: BytePairModel.Merge, pair: Int) {
    let words = places[pair]
    places[pair] = []
    for word in words { apply(merge, word: word) }
    precondition(
      counts[pair] == 0,
      "pair (\(merge.left), \(merge.right)) still counts \(counts[pair]) after its merge")
    offerRisen()
  }

  private mutating func apply(_ merge: BytePairModel.Merge, word: Int32) {
    let start = starts[Int(word)]
    let weight = weights[Int(word)]
    let end = start + lengths[Int(word)]
    var write = start
    var read = start
    while read < end {
      let symbol = symbols[read]
      guard symbol == merge.left, read + 1 < end, symbols[read + 1] == merge.right else {
        symbols[write] = symbol
        write += 1
        read += 1
        continue
      }
      change(merge.left, merge.right, by: -weight, word: word)
      if write > start {
        change(symbols[write - 1], merge.left, by: -weight, word: word)
        change(symbols[write - 1], merge.result, by: weight, word: word)
      }
      if read + 2 < end {
        change(merge.right, symbols[read + 2], by: -weight, word: word)
        change(merge.result, symbols[read + 2], by: weight, word: word)
      }
      symbols[write] = merge.result
      write += 1
      read += 2
    }
    lengths[Int(word)] = write - start
  }
}
