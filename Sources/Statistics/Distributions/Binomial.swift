// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The number of successes in independent trials of one probability.
public struct Binomial: Equatable, Sendable {
  /// Number of trials, not negative.
  public let count: Int
  /// Probability of a success, from 0 to 1.
  public let probability: Double

  /// Makes the distribution.
  ///
  /// - Parameters:
  ///   - count: Number of trials, not negative.
  ///   - probability: Probability of a success, in 0 ... 1.
  public init(count: Int, probability: Double) {
    precondition(
      count >= 0 && probability >= 0 && probability <= 1,
      "binomial of \(count) trials of probability \(probability)")
    self.count = count
    self.probability = probability
  }

  /// The probability of `successes` or fewer.
  ///
  /// - Parameter successes: Any number.
  /// - Returns: A probability; small ones keep their digits.
  public func cumulative(_ successes: Int) -> Double {
    if successes < 0 { return 0 }
    if successes >= count { return 1 }
    return SpecialFunctions.beta(
      Double(count - successes), Double(successes + 1), x: 1 - probability, y: probability
    ).lower
  }

  /// The probability of more than `successes`.
  ///
  /// - Parameter successes: Any number.
  /// - Returns: A probability; small ones keep their digits.
  public func upperTail(_ successes: Int) -> Double {
    if successes < 0 { return 1 }
    if successes >= count { return 0 }
    return SpecialFunctions.beta(
      Double(count - successes), Double(successes + 1), x: 1 - probability, y: probability
    ).upper
  }

  /// The interval of Clopper and Pearson (1934) for a probability: exact, never below its level.
  ///
  /// - Parameters:
  ///   - successes: Successes seen, in 0 ... `count`.
  ///   - count: Trials; with none the interval is 0 ... 1.
  ///   - level: Coverage, between 0 and 1.
  /// - Returns: The interval, within 0 ... 1.
  public static func clopperPearson(
    successes: Int, of count: Int, level: Double = 0.95
  ) -> ConfidenceInterval {
    precondition(
      successes >= 0 && successes <= count, "\(successes) successes of \(count) trials")
    Levels.check(level)
    let tail = (1 - level) / 2
    let k = Double(successes)
    let n = Double(count)
    return ConfidenceInterval(
      lower: successes == 0 ? 0 : BetaDistribution(k, n - k + 1).quantile(tail),
      upper: successes == count ? 1 : BetaDistribution(k + 1, n - k).quantile(1 - tail),
      level: level)
  }
}

/// The range of levels and powers, which are choices of code and of checked declarations, never data.
enum Levels {
  static func check(_ level: Double) {
    precondition(level > 0 && level < 1, "a level of \(level) is not between 0 and 1")
  }
}
