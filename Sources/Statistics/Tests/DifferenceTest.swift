// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A t test of a difference of means, with its interval.
///
/// Where nothing can be tested (fewer than two replicates on a side, a value that is not finite), p is 1 and there is no interval; the
/// estimate is there whenever both sides have a mean. Where nothing varies, the difference is known: p is 1 if it is 0, else 0.
public struct DifferenceTest: Codable, Equatable, Sendable {
  /// How the replicates were matched.
  public enum Method: String, Codable, CaseIterable, Sendable {
    /// Welch's t: independent replicates, unequal variances.
    case welch
    /// Student's t on differences of replicates with the same seed.
    case paired
    /// A weighted sum of several means, by Welch's and Satterthwaite's degrees of freedom.
    case contrast
  }

  /// How the replicates were matched.
  public var method: Method
  /// Replicates of each sample.
  public var counts: [Int]
  /// Mean of the first minus mean of the second; nil where a side is empty or not finite.
  public var estimate: Double?
  /// Standard deviation of the estimate; nil where it cannot be had.
  public var standardError: Double?
  /// Degrees of freedom; nil where there are none.
  public var degreesOfFreedom: Double?
  /// Two-sided p-value against a difference of 0.
  public var pValue: Double
  /// Confidence interval of the difference.
  public var interval: ConfidenceInterval?

  /// p-value of the one-sided alternative that the difference is below `bound`; 1 where nothing can be tested.
  ///
  /// - Parameter bound: Any finite number.
  /// - Returns: P(T <= (estimate - bound) / standard error); where nothing varies, 0 or 1 (1 at the bound itself).
  public func pValueBelow(_ bound: Double) -> Double {
    guard let estimate, let standardError, let degreesOfFreedom, bound.isFinite else { return 1 }
    if standardError == 0 { return estimate < bound ? 0 : 1 }
    return StudentT(degreesOfFreedom: degreesOfFreedom).cumulative(
      (estimate - bound) / standardError)
  }

  /// p-value of the one-sided alternative that the difference is above `bound`; 1 where nothing can be tested.
  ///
  /// - Parameter bound: Any finite number.
  /// - Returns: P(T >= (estimate - bound) / standard error); where nothing varies, 0 or 1 (1 at the bound itself).
  public func pValueAbove(_ bound: Double) -> Double {
    guard let estimate, let standardError, let degreesOfFreedom, bound.isFinite else { return 1 }
    if standardError == 0 { return estimate > bound ? 0 : 1 }
    return StudentT(degreesOfFreedom: degreesOfFreedom).upperTail(
      (estimate - bound) / standardError)
  }

  /// The interval of another level.
  ///
  /// - Parameter level: Coverage, between 0 and 1.
  /// - Returns: estimate +/- t standard errors; nil where nothing can be tested.
  public func interval(level: Double) -> ConfidenceInterval? {
    Levels.check(level)
    guard let estimate, let standardError, let degreesOfFreedom else { return nil }
    let half =
      standardError * StudentT(degreesOfFreedom: degreesOfFreedom).quantile((1 + level) / 2)
    return ConfidenceInterval(lower: estimate - half, upper: estimate + half, level: level)
  }

  init(
    method: Method, counts: [Int], estimate: Double?, standardError: Double?,
    degreesOfFreedom: Double?, level: Double
  ) {
    self.method = method
    self.counts = counts
    self.estimate = estimate
    self.standardError = standardError
    self.degreesOfFreedom = degreesOfFreedom
    pValue = 1
    if let estimate, let standardError, let degreesOfFreedom {
      pValue =
        standardError == 0
        ? (estimate == 0 ? 1 : 0)
        : StudentT(degreesOfFreedom: degreesOfFreedom).twoSided(estimate / standardError)
    }
    interval = interval(level: level)
  }
}

/// Two one-sided t tests (Schuirmann, 1987) that a difference is smaller than a margin, whichever its sign.
public struct EquivalenceTest: Codable, Equatable, Sendable {
  /// The margin: differences strictly between -margin and margin are alike.
  public var margin: Double
  /// Level of each one-sided test.
  public var level: Double
  /// p-value against a difference of -margin or less.
  public var pLower: Double
  /// p-value against a difference of margin or more.
  public var pUpper: Double
  /// The interval of coverage 1 - 2 level (90 % at a level of 0.05); nil where nothing can be tested.
  public var interval: ConfidenceInterval?

  /// p-value of the equivalence: the larger of the two.
  public var pValue: Double { max(pLower, pUpper) }

  /// Whether the interval lies inside (-margin, margin).
  public var isEquivalent: Bool { interval?.lies(within: margin) ?? false }

  init(_ test: DifferenceTest, margin: Double, level: Double) {
    self.margin = margin
    self.level = level
    pLower = test.pValueAbove(-margin)
    pUpper = test.pValueBelow(margin)
    interval = test.interval(level: 1 - 2 * level)
  }
}

/// A one-sided t test that a difference, or a mean, lies on one side of a bound.
public struct OneSidedTest: Codable, Equatable, Sendable {
  /// The side that is claimed.
  public enum Alternative: String, Codable, CaseIterable, Sendable {
    /// Below the bound.
    case below
    /// Above the bound.
    case above
    /// On either side.
    case different
  }

  /// The side that is claimed.
  public var alternative: Alternative
  /// What the mean is compared with.
  public var bound: Double
  /// The mean, or difference of means; nil where there is none.
  public var estimate: Double?
  /// Standard deviation of the estimate; nil below two replicates.
  public var standardError: Double?
  /// p-value; 1 where nothing can be tested.
  public var pValue: Double
  /// Interval of the estimate: open to one side for a one-sided alternative; nil where nothing can be tested.
  public var interval: ConfidenceInterval?

  init(_ test: DifferenceTest, bound: Double, alternative: Alternative, level: Double) {
    self.alternative = alternative
    self.bound = bound
    estimate = test.estimate
    standardError = test.standardError
    switch alternative {
    case .below:
      pValue = test.pValueBelow(bound)
      interval = test.interval(level: 2 * level - 1)
      interval?.lower = -.infinity
    case .above:
      pValue = test.pValueAbove(bound)
      interval = test.interval(level: 2 * level - 1)
      interval?.upper = .infinity
    case .different:
      // At the bound itself both one-sided p-values are 1 where nothing varies, hence the cap.
      pValue = min(2 * min(test.pValueBelow(bound), test.pValueAbove(bound)), 1)
      interval = test.interval(level: level)
    }
    interval?.level = level
  }
}
