// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Tests of differences between cells.
///
/// A difference is always first minus second; a lower loss is better.
///
/// Levels are coverages of two-sided intervals (0.95) unless a parameter says otherwise. No data traps; see ``DifferenceTest`` for
/// what comes out of empty, single, constant or infinite samples.
public enum Tests {
  /// Welch's t test, the default: independent replicates, variances that may differ.
  ///
  /// ```
  /// se^2 = va/na + vb/nb,   df = se^4 / ((va/na)^2/(na-1) + (vb/nb)^2/(nb-1))
  /// ```
  ///
  /// - Parameters:
  ///   - a: Replicates of the first cell.
  ///   - b: Replicates of the second cell.
  ///   - level: Coverage of the interval.
  /// - Returns: The test of mean(a) - mean(b).
  public static func welch(_ a: [Double], _ b: [Double], level: Double = 0.95) -> DifferenceTest {
    weighted([(1, a), (-1, b)], method: .welch, level: level)
  }

  /// Student's t test on the differences of replicates that share seeds.
  ///
  /// - Parameters:
  ///   - a: Replicates of the first cell.
  ///   - b: Replicates of the second cell under the same seeds, in the same order and number; see ``matched(_:_:)``.
  ///   - level: Coverage of the interval.
  /// - Returns: The test of mean(a - b).
  public static func paired(_ a: [Double], _ b: [Double], level: Double = 0.95) -> DifferenceTest {
    precondition(a.count == b.count, "a paired test of \(a.count) and \(b.count) replicates")
    var test = weighted([(1, zip(a, b).map { $0 - $1 })], method: .paired, level: level)
    test.counts = [a.count, b.count]
    return test
  }

  /// Welch's or the paired test, as decided by calibration.
  ///
  /// - Parameters:
  ///   - a: Replicates of the first cell.
  ///   - b: Replicates of the second cell.
  ///   - isPaired: Whether replicates are matched by seed; see ``Correlation/favoursPairing(_:count:)``.
  ///   - level: Coverage of the interval.
  /// - Returns: The test of mean(a) - mean(b).
  public static func difference(
    _ a: [Double], _ b: [Double], paired isPaired: Bool, level: Double = 0.95
  ) -> DifferenceTest {
    isPaired ? paired(a, b, level: level) : welch(a, b, level: level)
  }

  /// A weighted sum of means of independent samples, with Welch's and Satterthwaite's degrees of freedom.
  ///
  /// Weights (1, -1, -1, 1) over two arms in two variants give the interaction of optimizer and variant; (1/k, -1/k, ...) the mean
  /// difference over k variants. Losses of different variants are never pooled.
  ///
  /// - Parameters:
  ///   - samples: Replicates of each cell.
  ///   - weights: One for each sample, finite.
  ///   - level: Coverage of the interval.
  /// - Returns: The test of sum(weight * mean).
  public static func contrast(
    _ samples: [[Double]], weights: [Double], level: Double = 0.95
  ) -> DifferenceTest {
    precondition(
      samples.count == weights.count, "\(samples.count) samples and \(weights.count) weights")
    return weighted(Array(zip(weights, samples)), method: .contrast, level: level)
  }

  /// Two one-sided tests that the difference lies inside (-margin, margin).
  ///
  /// - Parameters:
  ///   - a: Replicates of the first cell.
  ///   - b: Replicates of the second cell.
  ///   - margin: Above 0, in the units of the values; with 0 or less, or NaN, nothing is equivalent.
  ///   - isPaired: Whether replicates are matched by seed.
  ///   - level: Level of each one-sided test; 0.05 looks at the 90 % interval.
  /// - Returns: Both p-values, and the interval of coverage 1 - 2 level.
  public static func equivalence(
    _ a: [Double], _ b: [Double], margin: Double, paired isPaired: Bool = false,
    level: Double = 0.05
  ) -> EquivalenceTest {
    precondition(level > 0 && level < 0.5, "equivalence at a level of \(level)")
    return EquivalenceTest(
      difference(a, b, paired: isPaired), margin: margin, level: level)
  }

  /// The test that the first cell is not worse: its mean is not higher than the second's by the margin or more.
  ///
  /// - Parameters:
  ///   - a: Replicates of the first cell.
  ///   - b: Replicates of the second cell.
  ///   - margin: The smallest difference that counts as worse, in the units of the values.
  ///   - isPaired: Whether replicates are matched by seed.
  ///   - level: Level of the one-sided test.
  /// - Returns: The test that the difference is below the margin, with its upper bound.
  public static func notWorse(
    _ a: [Double], _ b: [Double], margin: Double, paired isPaired: Bool = false,
    level: Double = 0.05
  ) -> OneSidedTest {
    precondition(level > 0 && level < 0.5, "a one-sided test at a level of \(level)")
    return OneSidedTest(
      difference(a, b, paired: isPaired), bound: margin, alternative: .below, level: 1 - level)
  }

  /// Student's t test of one mean against a fixed target.
  ///
  /// - Parameters:
  ///   - values: Replicates.
  ///   - target: What the mean is compared with, finite.
  ///   - alternative: Which side is claimed.
  ///   - level: Coverage of the interval, above 0.5.
  /// - Returns: The test; its interval is that of the mean.
  public static func oneSample(
    _ values: [Double], target: Double, alternative: OneSidedTest.Alternative, level: Double = 0.95
  ) -> OneSidedTest {
    precondition(level > 0.5 && level < 1, "a one-sample test with an interval of \(level)")
    return OneSidedTest(
      weighted([(1, values)], method: .contrast, level: level), bound: target,
      alternative: alternative, level: level)
  }

  /// The values of the seeds that both cells have, in the order of seeds.
  ///
  /// - Parameters:
  ///   - a: Values by seed.
  ///   - b: Values by seed.
  /// - Returns: Two lists of equal length.
  public static func matched(_ a: [Int: Double], _ b: [Int: Double]) -> (a: [Double], b: [Double]) {
    var first: [Double] = []
    var second: [Double] = []
    for seed in a.keys.sorted() {
      guard let left = a[seed], let right = b[seed] else { continue }
      first.append(left)
      second.append(right)
    }
    return (first, second)
  }

  private static func weighted(
    _ terms: [(weight: Double, values: [Double])], method: DifferenceTest.Method, level: Double
  ) -> DifferenceTest {
    weighted(terms.map { ($0.weight, Sample($0.values).summary) }, method: method, level: level)
  }

  static func weighted(
    _ terms: [(weight: Double, summary: SampleSummary)], method: DifferenceTest.Method,
    level: Double
  ) -> DifferenceTest {
    var estimate: Double? = 0
    var variance: Double? = 0
    var spread = 0.0
    var freedom = 0.0
    for (weight, sample) in terms {
      estimate = sample.mean.flatMap { mean in estimate.map { $0 + weight * mean } }
      guard let part = sample.variance.map({ weight * weight * $0 / Double(sample.count) }),
        let sum = variance
      else {
        variance = nil
        continue
      }
      variance = sum + part
      spread += part * part / Double(sample.count - 1)
      freedom += Double(sample.count - 1)
    }
    if let known = estimate, !known.isFinite { estimate = nil }
    // Without terms there is nothing to test.
    if estimate == nil || freedom <= 0 { variance = nil }
    if let known = variance {
      // Where nothing varies Satterthwaite's ratio is 0 / 0; the pooled count stands in. Squares of squares may underflow: likewise.
      let ratio = known * known / spread
      if ratio.isFinite && ratio > 0 { freedom = ratio }
      if !known.isFinite { variance = nil }
    }
    return DifferenceTest(
      method: method, counts: terms.map(\.summary.count), estimate: estimate,
      standardError: variance?.squareRoot(), degreesOfFreedom: variance == nil ? nil : freedom,
      level: level)
  }
}
