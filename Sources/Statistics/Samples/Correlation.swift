// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Pearson's correlation of two lists of replicates that share seeds.
public struct Correlation: Codable, Equatable, Sendable {
  /// Number of pairs.
  public var count: Int
  /// The coefficient, from -1 to 1; nil below two pairs, when a value is not finite, or when one side does not vary.
  public var coefficient: Double?
  /// Fisher's interval, tanh(atanh r +/- z / sqrt(n - 3)); nil below four pairs or without a coefficient.
  public var interval: ConfidenceInterval?

  /// Measures a correlation.
  ///
  /// - Parameters:
  ///   - a: Replicates of one cell.
  ///   - b: Replicates of the other under the same seeds, in the same order and number.
  ///   - level: Coverage of the interval.
  public init(_ a: [Double], _ b: [Double], level: Double = 0.95) {
    precondition(a.count == b.count, "correlation of \(a.count) and \(b.count) values")
    Levels.check(level)
    count = a.count
    guard count >= 2, let first = Sample(a).moments, let second = Sample(b).moments,
      first.squares > 0, second.squares > 0
    else { return }
    // Each side is scaled before it is multiplied, so that tiny deviations do not underflow.
    let scaleA = first.squares.squareRoot()
    let scaleB = second.squares.squareRoot()
    let sum = zip(a, b).reduce(0) {
      $0 + ($1.0 - first.mean) / scaleA * (($1.1 - second.mean) / scaleB)
    }
    let r = min(max(sum, -1), 1)
    coefficient = r
    guard count >= 4 else { return }
    let half = Normal.quantile((1 + level) / 2) / Double(count - 3).squareRoot()
    interval = ConfidenceInterval(
      lower: tanh(atanh(r) - half), upper: tanh(atanh(r) + half), level: level)
  }

  /// Whether replicates should be compared in pairs: r >= 0.5 measured in calibration, and n >= 5 in the comparison.
  ///
  /// Pairing makes the variance 2 sigma^2 (1 - r) but halves the degrees of freedom. The decision belongs to calibration, before
  /// the comparison; it is never made by looking which p is smaller.
  ///
  /// - Parameters:
  ///   - calibrated: Correlation from calibration; nil where there was none.
  ///   - count: Replicates of each arm in the comparison.
  /// - Returns: Whether to pair.
  public static func favoursPairing(_ calibrated: Double?, count: Int) -> Bool {
    guard let calibrated else { return false }
    return calibrated >= 0.5 && count >= 5
  }
}
