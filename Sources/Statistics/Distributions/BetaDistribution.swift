// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The beta distribution, on 0 to 1.
public struct BetaDistribution: Equatable, Sendable {
  /// First shape, above 0.
  public let a: Double
  /// Second shape, above 0.
  public let b: Double

  /// Makes the distribution.
  ///
  /// - Parameters:
  ///   - a: First shape, above 0, finite.
  ///   - b: Second shape, above 0, finite.
  public init(_ a: Double, _ b: Double) {
    precondition(a > 0 && b > 0 && a.isFinite && b.isFinite, "beta distribution (\(a), \(b))")
    self.a = a
    self.b = b
  }

  /// The probability of a value at or below `x`: the regularised incomplete beta function.
  ///
  /// - Parameter x: Any number.
  /// - Returns: A probability; small ones keep their digits.
  public func cumulative(_ x: Double) -> Double {
    SpecialFunctions.beta(a, b, x: x, y: 1 - x).lower
  }

  /// The probability of a value above `x`.
  ///
  /// - Parameter x: Any number.
  /// - Returns: A probability; small ones keep their digits.
  public func upperTail(_ x: Double) -> Double {
    SpecialFunctions.beta(a, b, x: x, y: 1 - x).upper
  }

  /// The value below which a share `p` lies.
  ///
  /// - Parameter p: Probability; anything outside 0 ... 1 gives NaN.
  /// - Returns: The quantile, in 0 ... 1.
  public func quantile(_ p: Double) -> Double {
    guard p >= 0 && p <= 1 else { return .nan }
    if p == 0 || p == 1 { return p }
    let odds = logOdds(p)
    return odds < 0 ? exp(odds) / (1 + exp(odds)) : 1 / (1 + exp(-odds))
  }

  /// log(x / (1 - x)) of the quantile x, which keeps the digits of both x and 1 - x.
  func logOdds(_ p: Double) -> Double {
    let isLower = p < 0.5
    return MonotoneRoot.solve(
      start: log(a / b), target: isLower ? p : 1 - p, increasing: isLower
    ) { u in
      let x = u < 0 ? exp(u) / (1 + exp(u)) : 1 / (1 + exp(-u))
      let y = u < 0 ? 1 / (1 + exp(u)) : exp(-u) / (1 + exp(-u))
      let (lower, upper) = SpecialFunctions.beta(a, b, x: x, y: y)
      let slope = x > 0 && y > 0 ? SpecialFunctions.betaPower(a, b, x, y) : 0
      return isLower ? (lower, slope) : (upper, -slope)
    }
  }
}

/// Fisher's F distribution: the ratio of two mean squares.
public struct FRatio: Equatable, Sendable {
  /// Degrees of freedom of the numerator, above 0.
  public let numerator: Double
  /// Degrees of freedom of the denominator, above 0.
  public let denominator: Double

  /// Makes the distribution.
  ///
  /// - Parameters:
  ///   - numerator: Degrees of freedom above the line, above 0.
  ///   - denominator: Degrees of freedom below the line, above 0.
  public init(_ numerator: Double, _ denominator: Double) {
    precondition(
      numerator > 0 && denominator > 0 && numerator.isFinite && denominator.isFinite,
      "F distribution (\(numerator), \(denominator))")
    self.numerator = numerator
    self.denominator = denominator
  }

  private func parts(_ x: Double) -> (lower: Double, upper: Double) {
    if x.isNaN { return (.nan, .nan) }
    if x <= 0 { return (0, 1) }
    if x == .infinity { return (1, 0) }
    let ratio = numerator / denominator * x
    return SpecialFunctions.beta(
      numerator / 2, denominator / 2, x: ratio / (1 + ratio), y: 1 / (1 + ratio))
  }

  /// The probability of a value at or below `x`.
  ///
  /// - Parameter x: Any number.
  /// - Returns: A probability; small ones keep their digits.
  public func cumulative(_ x: Double) -> Double { parts(x).lower }

  /// The probability of a value above `x`.
  ///
  /// - Parameter x: Any number.
  /// - Returns: A probability; small ones keep their digits.
  public func upperTail(_ x: Double) -> Double { parts(x).upper }

  /// The value below which a share `p` lies.
  ///
  /// - Parameter p: Probability; 0 and 1 give 0 and infinity, anything outside 0 ... 1 NaN.
  /// - Returns: The quantile.
  public func quantile(_ p: Double) -> Double {
    guard p >= 0 && p <= 1 else { return .nan }
    if p == 0 || p == 1 { return p == 0 ? 0 : .infinity }
    return denominator / numerator
      * exp(BetaDistribution(numerator / 2, denominator / 2).logOdds(p))
  }
}
