// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The chi-square distribution.
public struct ChiSquare: Equatable, Sendable {
  /// Degrees of freedom, above 0.
  public let degreesOfFreedom: Double

  /// Makes the distribution.
  ///
  /// - Parameter degreesOfFreedom: Above 0, finite, need not be whole.
  public init(degreesOfFreedom: Double) {
    precondition(
      degreesOfFreedom > 0 && degreesOfFreedom.isFinite,
      "chi-square with \(degreesOfFreedom) degrees of freedom")
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// The probability of a value at or below `x`.
  ///
  /// - Parameter x: Any number.
  /// - Returns: A probability; small ones keep their digits.
  public func cumulative(_ x: Double) -> Double {
    SpecialFunctions.gamma(degreesOfFreedom / 2, x / 2).lower
  }

  /// The probability of a value above `x`.
  ///
  /// - Parameter x: Any number.
  /// - Returns: A probability; small ones keep their digits.
  public func upperTail(_ x: Double) -> Double {
    SpecialFunctions.gamma(degreesOfFreedom / 2, x / 2).upper
  }

  /// The value below which a share `p` lies.
  ///
  /// - Parameter p: Probability; 0 and 1 give 0 and infinity, anything outside 0 ... 1 NaN.
  /// - Returns: The quantile.
  public func quantile(_ p: Double) -> Double {
    guard p >= 0 && p <= 1 else { return .nan }
    if p == 0 || p == 1 { return p == 0 ? 0 : .infinity }
    let a = degreesOfFreedom / 2
    // Wilson and Hilferty's cube root; where that is not positive, the power law at 0.
    let spread = 2 / (9 * degreesOfFreedom)
    let root = 1 - spread + Normal.quantile(p) * spread.squareRoot()
    let start =
      root > 0.1
      ? log(a * root * root * root) : (log(p) + SpecialFunctions.logGammaOfSuccessor(a)) / a
    let isLower = p < 0.5
    let solution = MonotoneRoot.solve(
      start: start, target: isLower ? p : 1 - p, increasing: isLower
    ) { u in
      let x = exp(u)
      let (lower, upper) = SpecialFunctions.gamma(a, x)
      let slope = x > 0 ? SpecialFunctions.gammaPower(a, x) : 0
      return isLower ? (lower, slope) : (upper, -slope)
    }
    return 2 * exp(solution)
  }
}
