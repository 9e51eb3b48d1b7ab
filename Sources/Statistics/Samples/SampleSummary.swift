// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What a table says of a sample when it does not list the values: count, mean and standard deviation.
///
/// A t test needs no more than these, so a published table can be checked without the runs behind it. Printed numbers are
/// rounded; ``SampleSummary/roundings(mean:deviation:)`` gives what a p-value can be within that rounding.
public struct SampleSummary: Codable, Equatable, Sendable {
  /// Number of replicates.
  public var count: Int
  /// Their mean; nil when there is none.
  public var mean: Double?
  /// Their unbiased variance, with n - 1; nil below two replicates.
  public var variance: Double?

  /// Describes a sample by its moments.
  ///
  /// - Parameters:
  ///   - count: Number of replicates, at least 0.
  ///   - mean: Their mean; nil when there is none or it is not finite.
  ///   - variance: Their unbiased variance, at least 0; nil when it is not known.
  public init(count: Int, mean: Double?, variance: Double?) {
    precondition(count >= 0, "a sample of \(count)")
    self.count = count
    self.mean = mean.flatMap { $0.isFinite && count > 0 ? $0 : nil }
    self.variance = variance.flatMap { $0.isFinite && $0 >= 0 && count >= 2 ? $0 : nil }
  }

  /// Describes a sample as tables do.
  ///
  /// - Parameters:
  ///   - count: Number of replicates, at least 0.
  ///   - mean: Their mean.
  ///   - deviation: Their standard deviation, with n - 1; nil when the table has none.
  public init(count: Int, mean: Double, deviation: Double?) {
    self.init(count: count, mean: mean, variance: deviation.map { $0 * $0 })
  }

  /// The square root of the variance.
  public var standardDeviation: Double? { variance?.squareRoot() }

  /// The standard deviation of the mean, s / sqrt(n).
  public var standardError: Double? { variance.map { ($0 / Double(count)).squareRoot() } }

  /// The samples at the corners of what was rounded: any result that is monotone in both lies between its values there.
  ///
  /// - Parameters:
  ///   - half: Half a unit of the mean's last digit, for example 0.000005 for 3.27763; 0 where it is exact.
  ///   - halfDeviation: The same of the standard deviation.
  /// - Returns: Up to four samples; negative deviations are taken as 0.
  public func roundings(mean half: Double, deviation halfDeviation: Double) -> [SampleSummary] {
    guard let center = mean else { return [self] }
    return [-half, half].flatMap { shift in
      [-halfDeviation, halfDeviation].map { other in
        SampleSummary(
          count: count, mean: center + shift,
          deviation: standardDeviation.map { max($0 + other, 0) })
      }
    }
  }
}

extension Sample {
  /// Count, mean and variance.
  public var summary: SampleSummary {
    SampleSummary(count: count, mean: mean, variance: variance)
  }
}

extension Tests {
  /// Welch's t test from count, mean and deviation of both sides.
  ///
  /// - Parameters:
  ///   - a: The first cell.
  ///   - b: The second cell.
  ///   - level: Coverage of the interval.
  /// - Returns: The test of mean(a) - mean(b), as ``welch(_:_:level:)-([Double],_,_)`` has it from the values.
  public static func welch(
    _ a: SampleSummary, _ b: SampleSummary, level: Double = 0.95
  ) -> DifferenceTest {
    weighted([(1, a), (-1, b)], method: .welch, level: level)
  }

  /// A weighted sum of means of independent samples, from their counts, means and deviations.
  ///
  /// - Parameters:
  ///   - samples: Each cell; independent of the others.
  ///   - weights: One for each sample, finite.
  ///   - level: Coverage of the interval.
  /// - Returns: The test of sum(weight * mean), with Welch's and Satterthwaite's degrees of freedom.
  public static func contrast(
    _ samples: [SampleSummary], weights: [Double], level: Double = 0.95
  ) -> DifferenceTest {
    precondition(
      samples.count == weights.count, "\(samples.count) samples and \(weights.count) weights")
    return weighted(Array(zip(weights, samples)), method: .contrast, level: level)
  }

  /// Student's t test of one mean against a fixed target, from count, mean and deviation.
  ///
  /// - Parameters:
  ///   - sample: The replicates' count, mean and deviation.
  ///   - target: What the mean is compared with, finite.
  ///   - alternative: Which side is claimed.
  ///   - level: Coverage of the interval, above 0.5.
  /// - Returns: The test; its interval is that of the mean.
  public static func oneSample(
    _ sample: SampleSummary, target: Double, alternative: OneSidedTest.Alternative,
    level: Double = 0.95
  ) -> OneSidedTest {
    precondition(level > 0.5 && level < 1, "a one-sample test with an interval of \(level)")
    return OneSidedTest(
      weighted([(1, sample)], method: .contrast, level: level), bound: target,
      alternative: alternative, level: level)
  }
}
