// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How many times sooner than a baseline an arm reaches a target: baseline's horizon over the arm's, replicate by replicate.
///
/// Where every replicate of both reaches it on the ladder, the geometric mean with a t interval on logarithms. Otherwise a mean over
/// survivors would flatter, so there is none: each ratio is then known between two bounds, and order statistics of these bounds give an
/// interval of the **median** ratio without any assumption on its distribution.
public struct SpeedUp: Codable, Equatable, Sendable {
  /// Number of replicates.
  public var count: Int
  /// Replicates in which the baseline reaches the target.
  public var baselineReached: Int
  /// Replicates in which the arm reaches the target.
  public var armReached: Int
  /// The geometric mean of the ratios; nil where one is censored or there are none.
  public var ratio: Double?
  /// Interval of the ratio by t on logarithms; nil where a ratio is censored or below two replicates.
  public var interval: ConfidenceInterval?
  /// The median ratio; nil where censoring leaves it open.
  public var median: Double?
  /// Interval of the median ratio by order statistics; nil without replicates.
  ///
  /// Its level is what it really has, which below six replicates is less than asked (5 replicates: 0.9375). An open side is
  /// infinite or 0.
  public var medianInterval: ConfidenceInterval?
  /// The logarithm of the ratio with its uncertainty, for multiplying with a ratio of times; nil where `interval` is.
  public var logarithm: LogRatio?

  /// Compares two ladders.
  ///
  /// - Parameters:
  ///   - baseline: When replicates of the baseline reach the target.
  ///   - arm: When those of the arm do, under the same seeds in the same order and number, to the same target.
  ///   - level: Coverage of the intervals.
  public init(baseline: CensoredTargets, arm: CensoredTargets, level: Double = 0.95) {
    Levels.check(level)
    precondition(
      baseline.reaches.count == arm.reaches.count,
      "a speed-up between \(baseline.reaches.count) and \(arm.reaches.count) replicates")
    count = arm.reaches.count
    baselineReached = baseline.reachedCount
    armReached = arm.reachedCount
    let bounds = zip(baseline.reaches, arm.reaches).map(Self.bounds)
    if count > 0, bounds.allSatisfy({ $0.lower == $0.upper }) {
      let logs = Sample(bounds.map { log($0.lower) })
      ratio = logs.mean.map { exp($0) }
      interval = logs.interval(level: level)?.mapped { exp($0) }
      if let mean = logs.mean, let standardError = logs.standardError {
        logarithm = LogRatio(
          estimate: mean, standardError: standardError, degreesOfFreedom: Double(count - 1))
      }
    }
    let lowers = Sample(bounds.map(\.lower))
    let uppers = Sample(bounds.map(\.upper))
    if let low = lowers.median, let high = uppers.median, low == high { median = low }
    guard count > 0 else { return }
    // The k-th lowest and k-th highest of n cover the median with 1 - 2 P(fewer than k of n fair coins).
    let coins = Binomial(count: count, probability: 0.5)
    var rank = 1
    while rank < (count + 1) / 2, 1 - 2 * coins.cumulative(rank) >= level { rank += 1 }
    medianInterval = ConfidenceInterval(
      lower: lowers.ordered[rank - 1], upper: uppers.ordered[count - rank],
      level: max(1 - 2 * coins.cumulative(rank - 1), 0))
  }
  /// The lowest and highest ratio of horizons that what was seen allows.
  private static func bounds(
    _ baseline: CensoredTargets.Reach, _ arm: CensoredTargets.Reach
  ) -> (lower: Double, upper: Double) {
    let above = baseline.bounds
    let below = arm.bounds
    return (
      lower: below.upper == .infinity ? 0 : above.lower / below.upper,
      upper: below.lower == 0 ? .infinity : above.upper / below.lower
    )
  }
}

/// The logarithm of a ratio with a standard error, so that uncertainties of ratios add.
public struct LogRatio: Codable, Equatable, Sendable {
  /// Natural logarithm of the ratio.
  public var estimate: Double
  /// Its standard deviation; 0 for a ratio that is known.
  public var standardError: Double
  /// Degrees of freedom of the standard error; nil where it is known.
  public var degreesOfFreedom: Double?

  /// Describes a ratio.
  ///
  /// - Parameters:
  ///   - estimate: Natural logarithm of the ratio.
  ///   - standardError: Its standard deviation, not negative.
  ///   - degreesOfFreedom: Degrees of freedom of the standard error; nil where it is known.
  public init(estimate: Double, standardError: Double, degreesOfFreedom: Double?) {
    self.estimate = estimate
    self.standardError = standardError
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// The ratio of the median times of two arms that were measured in turns (A, B, A, B, ...).
  ///
  /// The median of log(a_i / b_i) over the turns, so that what slows both for a while cancels. Its standard error is that of a median's
  /// order-statistic interval: half of the interval of 95 % over 1.96.
  ///
  /// - Parameters:
  ///   - numerator: Times, for example milliseconds for each step of the baseline; at least 50 are advised.
  ///   - denominator: Times of the other in the same turns.
  /// - Returns: nil below six turns, or where a time is not above 0 and finite.
  public static func ofTimes(_ numerator: [Double], over denominator: [Double]) -> LogRatio? {
    let turns = min(numerator.count, denominator.count)
    guard turns >= 6, (numerator + denominator).allSatisfy({ $0 > 0 && $0.isFinite }) else {
      return nil
    }
    let logs = zip(numerator, denominator).map { log($0 / $1) }.sorted()
    let coins = Binomial(count: turns, probability: 0.5)
    var rank = 1
    while rank < (turns + 1) / 2, 1 - 2 * coins.cumulative(rank) >= 0.95 { rank += 1 }
    guard let median = Sample(logs).median else { return nil }
    return LogRatio(
      estimate: median,
      standardError: (logs[turns - rank] - logs[rank - 1]) / 2 / Normal.quantile(0.975),
      degreesOfFreedom: nil)
  }

  /// The ratio itself.
  public var ratio: Double { exp(estimate) }

  /// The product with an independent ratio: logarithms and variances add, degrees of freedom by Welch and Satterthwaite.
  ///
  /// A speed-up in steps times (baseline's over arm's milliseconds for each step) is the speed-up in time.
  ///
  /// - Parameter other: The other ratio.
  /// - Returns: The product.
  public func times(_ other: LogRatio) -> LogRatio {
    let first = standardError * standardError
    let second = other.standardError * other.standardError
    let spread =
      (degreesOfFreedom.map { first * first / $0 } ?? 0)
      + (other.degreesOfFreedom.map { second * second / $0 } ?? 0)
    let freedom = (first + second) * (first + second) / spread
    return LogRatio(
      estimate: estimate + other.estimate, standardError: (first + second).squareRoot(),
      degreesOfFreedom: freedom.isFinite && freedom > 0 ? freedom : nil)
  }

  /// The interval of the ratio.
  ///
  /// - Parameter level: Coverage.
  /// - Returns: exp(estimate +/- t standard errors).
  public func interval(level: Double = 0.95) -> ConfidenceInterval {
    Levels.check(level)
    let quantile = StudentT(degreesOfFreedom: degreesOfFreedom ?? .infinity).quantile(
      (1 + level) / 2)
    let half = standardError * quantile
    return ConfidenceInterval(
      lower: exp(estimate - half), upper: exp(estimate + half), level: level)
  }
}
