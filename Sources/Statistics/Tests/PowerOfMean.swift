// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Power of tests of one mean against a target: how many runs a margin below it needs.
extension Power {
  /// The chance that a one-sided one-sample t test shows a mean on the right side of its target.
  ///
  /// Noncentral t with n - 1 degrees of freedom and noncentrality margin sqrt(n).
  ///
  /// - Parameters:
  ///   - margin: Distance of the true mean from the target in standard deviations; negative on the wrong side.
  ///   - count: Replicates.
  ///   - level: One-sided level of the test.
  /// - Returns: A probability; 0 below two replicates.
  public static func powerOfMean(margin: Double, count: Int, level: Double) -> Double {
    Levels.check(level)
    guard count >= 2, !margin.isNaN else { return 0 }
    let delta = margin * Double(count).squareRoot()
    if delta > 1e6 { return 1 }
    if delta < -1e6 { return 0 }
    let freedom = Double(count - 1)
    return NoncentralT(degreesOfFreedom: freedom, noncentrality: delta)
      .upperTail(StudentT(degreesOfFreedom: freedom).quantile(1 - level))
  }

  /// The replicates that a one-sided one-sample t test needs.
  ///
  /// - Parameters:
  ///   - margin: Distance of the true mean from the target in standard deviations, above 0.
  ///   - level: One-sided level of the test.
  ///   - wanted: Chance of passing, 0.8.
  ///   - limit: The most replicates that are considered.
  /// - Returns: The smallest n of at least 2; nil beyond the limit, and where the margin is not above 0.
  public static func requiredCountOfMean(
    margin: Double, level: Double, power wanted: Double = 0.8, limit: Int = 10_000
  ) -> Int? {
    Levels.check(wanted)
    guard margin > 0, limit >= 2 else { return nil }
    return smallestCount(limit: limit) {
      powerOfMean(margin: margin, count: $0, level: level) >= wanted
    }
  }

  /// The chance that the z rule, gain sqrt(n) >= threshold, is met; the deviation is a known one.
  ///
  /// - Parameters:
  ///   - margin: Distance of the true mean from the target, in the units of the threshold.
  ///   - deviation: Standard deviation of a replicate, above 0.
  ///   - count: Replicates; for two sets n1 and n2, 1 / (1 / n1 + 1 / n2).
  ///   - threshold: See ``SpeedrunRules/threshold(deviation:level:)``.
  /// - Returns: Phi((margin sqrt(n) - threshold) / deviation).
  public static func powerOfThreshold(
    margin: Double, deviation: Double, count: Double, threshold: Double
  ) -> Double {
    Normal.cumulative((margin * count.squareRoot() - threshold) / deviation)
  }

  /// The replicates that the z rule needs.
  ///
  /// - Parameters:
  ///   - margin: Distance of the true mean from the target, above 0, in the units of the threshold.
  ///   - deviation: Standard deviation of a replicate, above 0.
  ///   - threshold: See ``SpeedrunRules/threshold(deviation:level:)``.
  ///   - wanted: Chance of passing, 0.8.
  ///   - limit: The most replicates that are considered.
  /// - Returns: The smallest n of at least 1; nil beyond the limit, and where margin or deviation is not above 0.
  public static func requiredCountOfThreshold(
    margin: Double, deviation: Double, threshold: Double, power wanted: Double = 0.8,
    limit: Int = 10_000
  ) -> Int? {
    Levels.check(wanted)
    guard margin > 0, deviation > 0, margin.isFinite else { return nil }
    let root = (threshold + Normal.quantile(wanted) * deviation) / margin
    // Where chance alone passes often enough, one replicate does.
    guard root > 1 else { return 1 }
    let count = (root * root).rounded(.up)
    return count <= Double(limit) ? Int(count) : nil
  }

  private static func smallestCount(limit: Int, _ isEnough: (Int) -> Bool) -> Int? {
    var tooFew = 1
    var enough = 2
    while !isEnough(enough) {
      if enough == limit { return nil }
      tooFew = enough
      enough = min(enough * 2, limit)
    }
    while enough - tooFew > 1 {
      let middle = (enough + tooFew) / 2
      if isEnough(middle) { enough = middle } else { tooFew = middle }
    }
    return enough
  }
}
