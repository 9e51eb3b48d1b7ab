// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a study of a given size can see, exactly (noncentral t), in units of the noise floor sigma.
///
/// Unpaired: t with 2n - 2 degrees of freedom and noncentrality d sqrt(n / 2); paired with correlation r: n - 1 and
/// d sqrt(n / (2 (1 - r))). Both arms have n replicates of equal deviation.
public enum Power {
  /// The chance that a two-sided t test finds a true difference.
  ///
  /// - Parameters:
  ///   - difference: True difference in sigma; its sign does not matter.
  ///   - count: Replicates of each arm.
  ///   - correlation: Correlation of paired replicates, in -1 ... 1; nil: unpaired.
  ///   - level: Two-sided level of the test, 0.05.
  /// - Returns: A probability; the level itself where the difference is 0; 0 below two replicates.
  public static func power(
    difference: Double, count: Int, correlation: Double? = nil, level: Double = 0.05
  ) -> Double {
    Levels.check(level)
    guard count >= 2, !difference.isNaN else { return 0 }
    let freedom = Double(correlation == nil ? 2 * count - 2 : count - 1)
    let share = 1 - (correlation.map { min(max($0, -1), 1) } ?? 0)
    let delta = abs(difference) * (Double(count) / (2 * share)).squareRoot()
    // Perfect correlation shows any difference; 0 / 0 is no difference.
    if delta.isNaN { return level }
    if delta > 1e6 { return 1 }
    let critical = StudentT(degreesOfFreedom: freedom).quantile(1 - level / 2)
    let distribution = NoncentralT(degreesOfFreedom: freedom, noncentrality: delta)
    return min(distribution.upperTail(critical) + distribution.cumulative(-critical), 1)
  }

  /// The smallest true difference that is found with the given power.
  ///
  /// - Parameters:
  ///   - count: Replicates of each arm.
  ///   - correlation: Correlation of paired replicates, in -1 ..< 1; nil: unpaired.
  ///   - level: Two-sided level of the test, 0.05.
  ///   - wanted: Chance of finding it, above the level, 0.8.
  /// - Returns: A difference in sigma; nil below two replicates, or where the correlation is NaN.
  public static func detectableDifference(
    count: Int, correlation: Double? = nil, level: Double = 0.05, power wanted: Double = 0.8
  ) -> Double? {
    Levels.check(level)
    Levels.check(wanted)
    precondition(wanted > level, "a power of \(wanted) at a level of \(level)")
    guard count >= 2 else { return nil }
    let share = 1 - (correlation.map { min(max($0, -1), 1) } ?? 0)
    if share.isNaN { return nil }
    if share == 0 { return 0 }
    // In units of the standard error, so that one bracket serves all counts and correlations.
    let unit = (2 * share / Double(count)).squareRoot()
    func missing(_ delta: Double) -> Double {
      wanted - power(difference: delta * unit, count: count, correlation: correlation, level: level)
    }
    var lower = 0.0
    var upper = 2.0
    while missing(upper) > 0 {
      lower = upper
      upper *= 2
    }
    while upper - lower > 1e-12 * upper {
      let middle = (lower + upper) / 2
      if middle == lower || middle == upper { break }
      if missing(middle) > 0 { lower = middle } else { upper = middle }
    }
    return upper * unit
  }

  /// The replicates of each arm that a difference needs.
  ///
  /// - Parameters:
  ///   - difference: True difference in sigma; its sign does not matter.
  ///   - correlation: Correlation of paired replicates, in -1 ... 1; nil: unpaired.
  ///   - level: Two-sided level of the test, 0.05.
  ///   - wanted: Chance of finding it, 0.8.
  ///   - limit: The most replicates that are considered.
  /// - Returns: The smallest n of at least 2 with that power; nil beyond the limit, as for a difference of 0.
  public static func requiredCount(
    difference: Double, correlation: Double? = nil, level: Double = 0.05,
    power wanted: Double = 0.8,
    limit: Int = 100_000
  ) -> Int? {
    Levels.check(level)
    Levels.check(wanted)
    func isEnough(_ count: Int) -> Bool {
      power(difference: difference, count: count, correlation: correlation, level: level) >= wanted
    }
    guard limit >= 2, isEnough(limit) else { return nil }
    return search(limit: limit, isEnough)
  }

  /// The replicates of each arm that equivalence within a margin needs when there is no true difference (TOST by t).
  ///
  /// The normal approximation n = 2 (1 - r) ((z(1 - level) + z((1 + power) / 2)) / margin)^2, with t instead of z quantiles.
  ///
  /// - Parameters:
  ///   - margin: Margin in sigma, above 0.
  ///   - correlation: Correlation of paired replicates, in -1 ... 1; nil: unpaired.
  ///   - level: Level of each one-sided test, 0.05.
  ///   - wanted: Chance of showing the equivalence, 0.8.
  ///   - limit: The most replicates that are considered.
  /// - Returns: The smallest n of at least 2; nil beyond the limit.
  public static func requiredCountForEquivalence(
    margin: Double, correlation: Double? = nil, level: Double = 0.05, power wanted: Double = 0.8,
    limit: Int = 100_000
  ) -> Int? {
    Levels.check(level)
    Levels.check(wanted)
    guard margin > 0 else { return nil }
    let share = 1 - (correlation.map { min(max($0, -1), 1) } ?? 0)
    func isEnough(_ count: Int) -> Bool {
      let freedom = Double(correlation == nil ? 2 * count - 2 : count - 1)
      let t = StudentT(degreesOfFreedom: freedom)
      let needed = t.quantile(1 - level) + t.quantile((1 + wanted) / 2)
      return margin >= needed * (2 * share / Double(count)).squareRoot()
    }
    guard limit >= 2, isEnough(limit) else { return nil }
    return search(limit: limit, isEnough)
  }

  /// The smallest count from 2 to `limit` that is enough, given that the limit is.
  private static func search(limit: Int, _ isEnough: (Int) -> Bool) -> Int {
    var enough = 2
    var tooFew = 1
    while enough < limit, !isEnough(enough) {
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
