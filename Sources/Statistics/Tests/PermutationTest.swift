// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams

/// A permutation test of a difference of means: exact, without any assumption on the shape of the noise.
public struct ExactTest: Codable, Equatable, Sendable {
  /// Two-sided p-value: the share of arrangements with a difference at least as large as the one seen.
  public var pValue: Double
  /// Whether every arrangement was counted; otherwise random ones were drawn and the p-value is (hits + 1) / (draws + 1).
  public var isExact: Bool
  /// The smallest p-value that these counts can give at all: with 5 pairs 0.0625, never significant at 0.05.
  public var smallestPossible: Double
}

extension Tests {
  /// The most replicates (pairs, or both arms together) whose arrangements are all counted.
  ///
  /// Sums of each half of the replicates are listed and sorted, and pairs of sums counted with two pointers, so 2^30 arrangements
  /// cost 2 x 2^15 sums.
  static let countedReplicates = 30

  /// Permutation test: signs of paired differences are flipped, or labels of both arms exchanged.
  ///
  /// The statistic is the absolute difference of means; arrangements that tie with the one seen count as at least as large.
  /// Beyond 30 pairs, or 30 replicates of both arms together, arrangements are drawn from a fixed random stream.
  /// Nothing to test (an empty arm, a value that is not finite): p is 1. All values equal: p is 1.
  ///
  /// - Parameters:
  ///   - a: Replicates of the first cell.
  ///   - b: Replicates of the second cell; paired: under the same seeds, in the same order and number.
  ///   - isPaired: Whether replicates are matched by seed.
  ///   - draws: Arrangements drawn where they cannot all be counted.
  ///   - seed: Seed of those draws.
  /// - Returns: The test.
  public static func permutation(
    _ a: [Double], _ b: [Double], paired isPaired: Bool = false, draws: Int = 20_000,
    seed: UInt64 = 0
  ) -> ExactTest {
    precondition(draws >= 1, "\(draws) draws")
    if isPaired {
      precondition(a.count == b.count, "a paired test of \(a.count) and \(b.count) replicates")
      return signFlip(zip(a, b).map { $0 - $1 }, draws: draws, seed: seed)
    }
    return labelExchange(a, b, draws: draws, seed: seed)
  }

  private static func signFlip(_ differences: [Double], draws: Int, seed: UInt64) -> ExactTest {
    let n = differences.count
    let isExact = n <= countedReplicates
    // A sign vector and its negative are equally large, so two of 2^n are always hits.
    var smallest = 1.0
    for _ in 1..<max(n, 1) { smallest /= 2 }
    if !isExact { smallest = max(smallest, 1 / Double(draws + 1)) }
    guard n > 0, differences.allSatisfy(\.isFinite) else {
      return ExactTest(pValue: 1, isExact: isExact, smallestPossible: smallest)
    }
    let threshold = thresholdForHits(differences.reduce(0, +), terms: differences)
    if !(threshold > 0 && threshold.isFinite) {
      return ExactTest(pValue: 1, isExact: isExact, smallestPossible: smallest)
    }
    if isExact {
      let left = signedSums(differences[..<(n / 2)]).sorted()
      let right = signedSums(differences[(n / 2)...]).sorted()
      let hits = pairs(left, right, reaching: threshold)
      // Both signs of the sum: twice the upper side.
      let share = 2 * Double(hits) / (Double(left.count) * Double(right.count))
      return ExactTest(pValue: min(share, 1), isExact: true, smallestPossible: smallest)
    }
    let stream = RandomStream(seed: seed, name: "statistics/sign-flips")
    var hits = 0
    let words = (n + 63) / 64
    for draw in 0..<draws {
      var sum = 0.0
      for word in 0..<words {
        var bits = stream.uint64(at: draw * words + word)
        for index in (64 * word)..<min(64 * word + 64, n) {
          sum += bits & 1 == 0 ? differences[index] : -differences[index]
          bits >>= 1
        }
      }
      if abs(sum) >= threshold { hits += 1 }
    }
    return ExactTest(
      pValue: Double(hits + 1) / Double(draws + 1), isExact: false, smallestPossible: smallest)
  }

  private static func labelExchange(
    _ a: [Double], _ b: [Double], draws: Int, seed: UInt64
  ) -> ExactTest {
    let n = a.count + b.count
    let isExact = n <= countedReplicates
    // With equal arms, exchanging all labels gives the same size of difference: two hits at least.
    var arrangements = 1.0
    for index in 0..<min(a.count, b.count) {
      arrangements *= Double(n - index) / Double(index + 1)
    }
    var smallest = min((a.count == b.count ? 2 : 1) / arrangements, 1)
    if !isExact { smallest = max(smallest, 1 / Double(draws + 1)) }
    let all = Sample(a + b)
    guard !a.isEmpty, !b.isEmpty, let mean = all.mean else {
      return ExactTest(pValue: 1, isExact: isExact, smallestPossible: smallest)
    }
    // Around the common mean the difference of means is proportional to the sum of the first arm.
    let centred = all.values.map { $0 - mean }
    let threshold = thresholdForHits(centred[..<a.count].reduce(0, +), terms: centred)
    if !(threshold > 0 && threshold.isFinite) {
      return ExactTest(pValue: 1, isExact: isExact, smallestPossible: smallest)
    }
    if isExact {
      let left = subsetSums(centred[..<(n / 2)])
      let right = subsetSums(centred[(n / 2)...])
      var hits = 0
      for (size, sums) in left.enumerated() {
        let rest = a.count - size
        guard rest >= 0, rest < right.count else { continue }
        hits += pairs(sums, right[rest], reaching: threshold)
        hits += pairs(
          sums.reversed().map { -$0 }, right[rest].reversed().map { -$0 }, reaching: threshold)
      }
      return ExactTest(
        pValue: min(Double(hits) / arrangements.rounded(), 1), isExact: true,
        smallestPossible: smallest)
    }
    let stream = RandomStream(seed: seed, name: "statistics/label-exchanges")
    var pool = centred
    var hits = 0
    for draw in 0..<draws {
      // The first places of a shuffle, whatever order the last one left.
      var sum = 0.0
      for place in 0..<a.count {
        let other = place + stream.integer(below: n - place, at: draw * a.count + place)
        pool.swapAt(place, other)
        sum += pool[place]
      }
      if abs(sum) >= threshold { hits += 1 }
    }
    return ExactTest(
      pValue: Double(hits + 1) / Double(draws + 1), isExact: false, smallestPossible: smallest)
  }

  /// What a sum must reach to count as at least as large as `seen`: rounding must not break ties.
  private static func thresholdForHits(_ seen: Double, terms: [Double]) -> Double {
    abs(seen) - 1e-12 * terms.reduce(0) { $0 + abs($1) }
  }

  /// All sums of `values` with signs: 2^count of them.
  private static func signedSums(_ values: ArraySlice<Double>) -> [Double] {
    var sums = [0.0]
    for value in values { sums = sums.map { $0 - value } + sums.map { $0 + value } }
    return sums
  }

  /// Sums of all subsets of `values` by the subset's size, each list ascending.
  private static func subsetSums(_ values: ArraySlice<Double>) -> [[Double]] {
    var bySize = [[0.0]] + [[Double]](repeating: [], count: values.count)
    for (seen, value) in values.enumerated() {
      for size in stride(from: seen + 1, through: 1, by: -1) {
        bySize[size] += bySize[size - 1].map { $0 + value }
      }
    }
    return bySize.map { $0.sorted() }
  }

  /// How many pairs, one of each ascending list, sum to `threshold` or more.
  private static func pairs(
    _ left: [Double], _ right: [Double], reaching threshold: Double
  ) -> Int {
    var hits = 0
    var reachable = right.count
    for sum in left {
      while reachable > 0, sum + right[reachable - 1] >= threshold { reachable -= 1 }
      hits += right.count - reachable
    }
    return hits
  }
}
