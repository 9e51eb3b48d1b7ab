// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Replicates of one cell: the same recipe under several seeds, summarised.
///
/// Nothing traps on data. With a value that is not finite there is no mean, deviation or interval (nil); a diverged replicate is a
/// result, so cap its loss at the loss at initialisation first. The median and the order only need an order: NaN counts as the
/// highest value, as the loss of a failed run.
public struct Sample: Codable, Equatable, Sendable {
  /// The replicates, in the order given.
  public let values: [Double]

  /// Makes a sample.
  ///
  /// - Parameter values: Replicates; may be empty, may hold infinities and NaN.
  public init(_ values: [Double]) { self.values = values }

  /// Number of replicates.
  public var count: Int { values.count }

  /// Whether every value is finite.
  public var isFinite: Bool { values.allSatisfy(\.isFinite) }

  /// The values in ascending order, NaN as infinity at the end.
  public var ordered: [Double] { values.map { $0.isNaN ? .infinity : $0 }.sorted() }

  /// The arithmetic mean; nil when empty or not finite.
  ///
  /// Taken around the first value, so that the mean of identical values is that value to the bit, and their variance 0.
  public var mean: Double? { moments?.mean }

  /// The unbiased variance, with n - 1; nil below two values or when not finite.
  public var variance: Double? {
    guard count >= 2, let moments else { return nil }
    return moments.squares / Double(count - 1)
  }

  /// The square root of the variance; nil below two values or when not finite.
  public var standardDeviation: Double? { variance?.squareRoot() }

  /// The standard deviation of the mean, s / sqrt(n); nil below two values or when not finite.
  public var standardError: Double? {
    variance.map { ($0 / Double(count)).squareRoot() }
  }

  /// The middle value, or the mean of the two middle ones; nil when empty.
  ///
  /// Infinite where more than half of the replicates are, or half of them and n is even.
  public var median: Double? {
    guard count > 0 else { return nil }
    let sorted = ordered
    let middle = sorted[count / 2]
    return count % 2 == 1 ? middle : sorted[count / 2 - 1] / 2 + middle / 2
  }

  /// The adjusted moment coefficient of skewness G1 = g1 sqrt(n (n - 1)) / (n - 2); nil below three values, 0 where they are equal.
  ///
  /// Above about 1 at n >= 5, show the studentised bootstrap beside the t interval.
  public var skewness: Double? {
    guard count >= 3, let moments else { return nil }
    guard moments.squares > 0 else { return 0 }
    let n = Double(count)
    let scale = (moments.squares / n).squareRoot()
    let third =
      values.reduce(0) { sum, value in
        let z = (value - moments.mean) / scale
        return sum + z * z * z
      } / n
    return third * (n * (n - 1)).squareRoot() / (n - 2)
  }

  /// The mean of the middle half: the lowest and the highest quarter, each rounded down to whole values, are left out.
  ///
  /// As in Agarwal et al. (*Deep reinforcement learning at the edge of the statistical precipice*, 2021). nil when empty or when
  /// a value that is not finite lies in the middle half.
  public var interquartileMean: Double? {
    let cut = count / 4
    return Sample(Array(ordered[cut..<(count - cut)])).mean
  }

  /// The t interval of the mean: mean +/- t(n - 1) s / sqrt(n).
  ///
  /// - Parameter level: Coverage, between 0 and 1.
  /// - Returns: The interval; a single point where all values are equal; nil below two values or when not finite.
  public func interval(level: Double = 0.95) -> ConfidenceInterval? {
    Levels.check(level)
    guard let mean, let standardError else { return nil }
    let half =
      standardError * StudentT(degreesOfFreedom: Double(count - 1)).quantile((1 + level) / 2)
    return ConfidenceInterval(lower: mean - half, upper: mean + half, level: level)
  }

  /// The chi-square interval of the standard deviation: s sqrt((n - 1) / chi2), assuming normal values.
  ///
  /// At n = 8 the 95 % interval goes from 0.66 s to 2.04 s: a deviation is badly known.
  ///
  /// - Parameter level: Coverage, between 0 and 1.
  /// - Returns: The interval; nil below two values or when not finite.
  public func deviationInterval(level: Double = 0.95) -> ConfidenceInterval? {
    Levels.check(level)
    guard let standardDeviation else { return nil }
    let n = Double(count - 1)
    let distribution = ChiSquare(degreesOfFreedom: n)
    return ConfidenceInterval(
      lower: standardDeviation * (n / distribution.quantile((1 + level) / 2)).squareRoot(),
      upper: standardDeviation * (n / distribution.quantile((1 - level) / 2)).squareRoot(),
      level: level)
  }

  /// Mean and sum of squared deviations from it; nil when empty or not finite.
  var moments: (mean: Double, squares: Double)? {
    guard let first = values.first, isFinite else { return nil }
    let mean = first + values.reduce(0) { $0 + ($1 - first) } / Double(count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return mean.isFinite && squares.isFinite ? (mean, squares) : nil
  }
}
