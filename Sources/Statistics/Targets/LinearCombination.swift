// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Weighted sums of the means of the same independent cells, and their ratio.
///
/// A cell may stand in several sums, which makes them correlated: a gain between two sets of runs, and an exchange rate that was measured
/// on one of them.
public struct LinearCombinations: Sendable {
  /// The cells.
  public let samples: [SampleSummary]

  /// Takes cells.
  ///
  /// - Parameter samples: Independent of each other.
  public init(_ samples: [SampleSummary]) { self.samples = samples }

  /// The test that a sum is 0.
  ///
  /// - Parameters:
  ///   - weights: One for each cell; cells of weight 0 need no mean.
  ///   - level: Coverage of the interval.
  /// - Returns: As ``Tests/contrast(_:weights:level:)-([SampleSummary],_,_)``.
  public func test(_ weights: [Double], level: Double = 0.95) -> DifferenceTest {
    let used = zip(samples, weights).filter { $0.1 != 0 }
    return Tests.contrast(used.map(\.0), weights: used.map(\.1), level: level)
  }

  /// The ratio of two sums with Fieller's interval (1954).
  ///
  /// ```
  /// all q with (a - q b)^2 <= t^2 (var a - 2 q cov(a, b) + q^2 var b)
  /// ```
  ///
  /// t has the smaller of both degrees of freedom, which makes the interval a little too wide.
  ///
  /// - Parameters:
  ///   - numerator: Weights of a.
  ///   - denominator: Weights of b.
  ///   - level: Coverage.
  /// - Returns: The ratio, nil where b is 0 or unknown; its interval, nil where the sign of b is not known at that level, for then
  ///   every ratio is possible.
  public func ratio(
    _ numerator: [Double], over denominator: [Double], level: Double = 0.95
  ) -> (estimate: Double?, interval: ConfidenceInterval?) {
    let a = test(numerator)
    let b = test(denominator)
    guard let top = a.estimate, let bottom = b.estimate, bottom != 0 else { return (nil, nil) }
    let estimate = top / bottom
    guard let errorA = a.standardError, let errorB = b.standardError,
      let freedom = [a.degreesOfFreedom, b.degreesOfFreedom].compactMap(\.self).min()
    else { return (estimate, nil) }
    var covariance = 0.0
    for (index, sample) in samples.enumerated() where numerator[index] * denominator[index] != 0 {
      guard let variance = sample.variance else { return (estimate, nil) }
      covariance += numerator[index] * denominator[index] * variance / Double(sample.count)
    }
    let t = StudentT(degreesOfFreedom: freedom).quantile((1 + level) / 2)
    let square = t * t
    let leading = bottom * bottom - square * errorB * errorB
    guard leading > 0 else { return (estimate, nil) }
    let middle = top * bottom - square * covariance
    let constant = top * top - square * errorA * errorA
    let root = max(middle * middle - leading * constant, 0).squareRoot()
    return (
      estimate,
      ConfidenceInterval(
        lower: (middle - root) / leading, upper: (middle + root) / leading, level: level)
    )
  }
}
