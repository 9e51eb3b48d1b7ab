// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams

/// A random process that writes tokens like words of a language, and whose entropy is known exactly.
///
/// ```
/// p(v | u_1 ... u_m) = sum_l share/m q_l(v | class(u_l)) + (1 - share) z(v)
/// z(v) = (v + 1)^-zipf / sum_w (w + 1)^-zipf
/// ```
///
/// `u_l` is the word l places before; each word belongs to one of the latent classes, dealt out evenly by the seed. Under
/// each class and place `q_l` prefers words in an order of its own, `(rank + 1)^-zipf`, and is balanced (Sinkhorn and
/// Knopp, 1967) so that `sum_k Z_k q_l(v | k) = z(v)`, where `Z_k` is the sum of z over class k. So z is the stationary
/// distribution of words whatever the share: frequent words stay Zipf's. Chains of this kind are Raftery's (1985)
/// mixture transition distributions. At the start of a text z stands in for words that are not there.
///
/// The classes of the last m words are a Markov chain of their own, with `classes^m` states and a stationary
/// distribution pi; hence the entropy rate, in nats per token, is the finite sum
///
/// ```
/// H = - sum_s pi(s) sum_v p(v | s) ln p(v | s)
/// ```
///
/// No model can have a lower expected loss on this text, and a model that knows the process has exactly this one. A model that reads
/// windows of T tokens sees fewer than m words at the first m - 1 places of each, and loses a little there.
public struct SyntheticProcess: Sendable {
  /// The numbers that decide a process.
  public struct Options: Codable, Equatable, Sendable {
    /// Entries of the vocabulary, end of text included, as in `bpe:512`; 8 to 65,536.
    public var vocabulary = 512
    /// Latent classes, 1 to 256 and no more than words.
    public var classes = 64
    /// Words before the next that it depends on, 1 or 2.
    public var order = 2
    /// Share of words that follow the classes, 0 to 1; the others follow z.
    public var share = 0.7
    /// Exponent of Zipf's law, 0 (all words alike) to 4.
    public var zipf = 1.0
    /// Seed of classes, preferences and words.
    public var seed: UInt64 = 0

    /// The usual process: 512 entries, 64 classes, 70 % after the two words before.
    public init() {}
  }

  /// The numbers that decided it.
  public let options: Options
  /// Words: ids below this; the id equal to it is end of text.
  public let words: Int
  /// Class of each word.
  let classOfWord: [Int]
  /// z, and `Z`, its sums over classes.
  let unigram: [Double]
  let classWeight: [Double]
  /// `[order][class * words + word]`: q, and its running sums.
  let preferences: [[Double]]
  private let cumulated: [[Double]]
  private let unigramCumulated: [Double]

  /// Builds the tables of a process.
  ///
  /// - Parameter options: The numbers that decide it.
  /// - Throws: ``DataError`` `invalidOption` for a number outside its range.
  /// - Complexity: O(order classes vocabulary) memory, some tens of sweeps over it.
  public init(_ options: Options) throws(DataError) {
    try Self.check(options)
    let words = options.vocabulary - 1
    self.options = options
    self.words = words
    let weights = (1...words).map { pow(Double($0), -options.zipf) }
    let sum = weights.reduce(0, +)
    let unigram = weights.map { $0 / sum }
    let random = RandomStream(seed: options.seed, name: "synthetic-text")
    var classOfWord = [Int](repeating: 0, count: words)
    for (place, word) in random.child("classes").permutation(count: words).enumerated() {
      classOfWord[word] = place % options.classes
    }
    var classWeight = [Double](repeating: 0, count: options.classes)
    for (word, group) in classOfWord.enumerated() { classWeight[group] += unigram[word] }
    self.unigram = unigram
    self.classOfWord = classOfWord
    self.classWeight = classWeight
    preferences = (1...options.order).map { lag in
      Self.preferences(
        rows: classWeight, columns: unigram, ranked: weights,
        random.child("preferences/\(lag)"))
    }
    cumulated = preferences.map { table in
      var sums = table
      for row in 0..<options.classes { Self.accumulate(&sums, row * words, words) }
      return sums
    }
    var sums = unigram
    Self.accumulate(&sums, 0, words)
    unigramCumulated = sums
  }

  private static func check(_ options: Options) throws(DataError) {
    func invalid(_ message: String) -> DataError { DataError(.invalidOption, message) }
    guard (8...65_536).contains(options.vocabulary) else {
      throw invalid("the vocabulary must have 8 to 65536 entries, got \(options.vocabulary).")
    }
    guard (1...min(256, options.vocabulary - 1)).contains(options.classes) else {
      throw invalid(
        "there must be 1 to \(min(256, options.vocabulary - 1)) classes for \(options.vocabulary) entries, got "
          + "\(options.classes).")
    }
    guard (1...2).contains(options.order) else {
      throw invalid("the next word can depend on 1 or 2 words before it, got \(options.order).")
    }
    guard (0...1).contains(options.share) else {
      throw invalid("the share must be from 0 to 1, got \(options.share).")
    }
    guard (0...4).contains(options.zipf) else {
      throw invalid("the exponent of Zipf's law must be from 0 to 4, got \(options.zipf).")
    }
    // 16 million numbers for each place, twice, are what a laptop has to spare.
    guard options.classes * options.vocabulary <= 1 << 24 else {
      throw invalid(
        "\(options.classes) classes of \(options.vocabulary) entries need too large a table; use fewer classes."
      )
    }
  }

  private static func accumulate(_ values: inout [Double], _ start: Int, _ count: Int) {
    values.withUnsafeMutableBufferPointer { values in
      for index in start + 1..<start + count { values[index] += values[index - 1] }
    }
  }

  /// q of one place: random orders of preference, balanced to the marginals, rows summing to 1.
  private static func preferences(
    rows: [Double], columns: [Double], ranked: [Double], _ random: RandomStream
  ) -> [Double] {
    let words = columns.count
    var table = [Double](repeating: 0, count: rows.count * words)
    for row in rows.indices {
      let order = random.child("\(row)").permutation(count: words)
      for (rank, word) in order.enumerated() { table[row * words + word] = ranked[rank] }
    }
    // It converges by a factor of about 4 a sweep; the test asks what is left.
    table.withUnsafeMutableBufferPointer { table in
      for _ in 0..<60 {
        var sums = [Double](repeating: 0, count: words)
        for row in rows.indices {
          for word in 0..<words { sums[word] += table[row * words + word] }
        }
        for word in 0..<words { sums[word] = columns[word] / sums[word] }
        for row in rows.indices {
          var sum = 0.0
          for word in 0..<words {
            table[row * words + word] *= sums[word]
            sum += table[row * words + word]
          }
          let factor = rows[row] / sum
          for word in 0..<words { table[row * words + word] *= factor }
        }
      }
      for row in rows.indices {
        for word in 0..<words { table[row * words + word] /= rows[row] }
      }
    }
    return table
  }

  // MARK: - What it says

  /// Probability of a word after others.
  ///
  /// - Parameters:
  ///   - word: Id below ``words``.
  ///   - before: The words before it, the nearest last; fewer than the order stand at the start of a text.
  /// - Returns: A positive number; over all words they sum to 1.
  public func probability(of word: Int, after before: ArraySlice<Int32>) -> Double {
    let part = options.share / Double(options.order)
    var sum = (1 - options.share) * unigram[word]
    for lag in 0..<options.order {
      let index = before.endIndex - 1 - lag
      guard index >= before.startIndex else {
        sum += part * unigram[word]
        continue
      }
      sum += part * preferences[lag][classOfWord[Int(before[index])] * words + word]
    }
    return sum
  }

  /// The next word, by two numbers in [0, 1): one chooses the part of the mixture, one the word.
  func word(_ chooser: Double, _ uniform: Double, after before: ArraySlice<Int32>) -> Int32 {
    let part = options.share / Double(options.order)
    for lag in 0..<options.order where chooser < Double(lag + 1) * part {
      let index = before.endIndex - 1 - lag
      guard index >= before.startIndex else { break }
      return search(uniform, cumulated[lag], classOfWord[Int(before[index])] * words)
    }
    return search(uniform, unigramCumulated, 0)
  }

  /// The first word whose running sum exceeds the share of the last.
  private func search(_ uniform: Double, _ sums: [Double], _ start: Int) -> Int32 {
    let wanted = uniform * sums[start + words - 1]
    var low = 0
    var high = words - 1
    while low < high {
      let middle = (low + high) / 2
      if sums[start + middle] > wanted { high = middle } else { low = middle + 1 }
    }
    return Int32(low)
  }

  /// Words of a text from its start, without end of text.
  ///
  /// - Parameters:
  ///   - count: Number of words.
  ///   - name: Which text; texts of different names are independent.
  /// - Returns: Ids below ``words``; the same for the same options and name.
  public func text(count: Int, name: String) -> [Int32] {
    let random = RandomStream(seed: options.seed, name: "synthetic-text/words/" + name)
    var text: [Int32] = []
    text.reserveCapacity(count)
    for index in 0..<count {
      text.append(
        word(
          random.uniform(at: 2 * index), random.uniform(at: 2 * index + 1),
          after: text.suffix(options.order)))
    }
    return text
  }

  /// Mean loss of the process itself on a text, in nats per token: what nobody can beat on these words except by luck.
  ///
  /// - Parameter text: Words of one text from its start.
  /// - Returns: `-1/n sum ln p(word | words before)`, and its standard error, as if losses were independent.
  public func loss(on text: [Int32]) -> (mean: Double, standardError: Double) {
    var sum = 0.0
    var squares = 0.0
    for index in text.indices {
      let loss = -log(
        probability(
          of: Int(text[index]), after: text[max(0, index - options.order)..<index]))
      sum += loss
      squares += loss * loss
    }
    let count = Double(max(1, text.count))
    let mean = sum / count
    return (mean, (max(0, squares / count - mean * mean) / count).squareRoot())
  }
}
