// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The noncentral t distribution: (Z + delta) / sqrt(X / n), which t statistics follow where there is a difference.
public struct NoncentralT: Equatable, Sendable {
  /// Degrees of freedom n, above 0, finite.
  public let degreesOfFreedom: Double
  /// Noncentrality delta: the true difference in standard errors.
  public let noncentrality: Double

  /// Makes the distribution.
  ///
  /// - Parameters:
  ///   - degreesOfFreedom: Above 0, finite.
  ///   - noncentrality: The true difference in standard errors, finite.
  public init(degreesOfFreedom: Double, noncentrality: Double) {
    precondition(
      degreesOfFreedom > 0 && degreesOfFreedom.isFinite && noncentrality.isFinite,
      "noncentral t (\(degreesOfFreedom), \(noncentrality))")
    self.degreesOfFreedom = degreesOfFreedom
    self.noncentrality = noncentrality
  }

  /// The probability of a value at or below `t`.
  ///
  /// ```
  /// P(T <= t) = integral of Phi(t e^w - delta) f(w) dw,   w = log sqrt(X / n)
  /// ```
  ///
  /// The integrand is analytic and falls off on both sides, so the trapezoidal rule is as exact as the sum's rounding: about 1e-14
  /// in absolute terms.
  ///
  /// - Parameter t: Any number, infinities included.
  /// - Returns: A probability.
  public func cumulative(_ t: Double) -> Double { integrate(t) { Normal.cumulative($0) } }

  /// The probability of a value above `t`.
  ///
  /// - Parameter t: Any number, infinities included.
  /// - Returns: A probability.
  public func upperTail(_ t: Double) -> Double { integrate(t) { Normal.upperTail($0) } }

  private func integrate(_ t: Double, _ probability: (Double) -> Double) -> Double {
    if t.isNaN { return .nan }
    if t.isInfinite { return probability(t) }
    let n = degreesOfFreedom
    let a = n / 2
    // The density of w is 2 (a/e)^a a^0 / Gamma(a) exp(n (w - (e^2w - 1) / 2)); its deviation is 1 / sqrt(2 n).
    let constant =
      2 * a * exp(-SpecialFunctions.stirlingError(a)) / (2 * .pi * a).squareRoot()
    let step = min(0.25 / (2 * n).squareRoot(), 0.25 / (1 + abs(t)))
    var sum = 0.0
    for direction in [-1.0, 1] {
      var index = direction < 0 ? 0.0 : 1
      while true {
        let w = direction * index * step
        let exponent = n * (w - expm1(2 * w) / 2)
        if exponent < -80 { break }
        sum += exp(exponent) * probability(t * exp(w) - noncentrality)
        index += 1
      }
    }
    return min(constant * step * sum, 1)
  }
}
