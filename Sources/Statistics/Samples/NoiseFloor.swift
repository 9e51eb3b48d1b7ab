// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How much a recipe's loss moves from seed to seed: the unit of every threshold.
public struct NoiseFloor: Codable, Equatable, Sendable {
  /// Number of replicates it was measured with.
  public var count: Int
  /// Standard deviation of the final loss, in nats per token.
  public var deviation: Double
  /// Chi-square interval of the deviation.
  public var interval: ConfidenceInterval
  /// What the deviation stays below with 80 % confidence (one-sided): s sqrt((n - 1) / chi2(0.2)).
  public var upperLimit: Double

  /// Measures the noise floor; nil below two values or when one is not finite.
  ///
  /// - Parameters:
  ///   - values: Final losses of replicates of one cell.
  ///   - level: Coverage of `interval`.
  public init?(_ values: [Double], level: Double = 0.95) {
    let sample = Sample(values)
    guard let deviation = sample.standardDeviation,
      let interval = sample.deviationInterval(level: level)
    else { return nil }
    count = sample.count
    self.deviation = deviation
    self.interval = interval
    upperLimit = Self.upperLimit(deviation: deviation, degreesOfFreedom: sample.count - 1)
  }

  /// What a deviation stays below with 80 % confidence (one-sided): s sqrt(n / chi2(0.2; n)).
  ///
  /// - Parameters:
  ///   - deviation: The measured deviation.
  ///   - degreesOfFreedom: Behind it, above 0.
  /// - Returns: The limit, in the deviation's unit.
  public static func upperLimit(deviation: Double, degreesOfFreedom: Int) -> Double {
    let n = Double(degreesOfFreedom)
    return deviation * (n / ChiSquare(degreesOfFreedom: n).quantile(0.2)).squareRoot()
  }
}
