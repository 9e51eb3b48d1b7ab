// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Student's t distribution.
public struct StudentT: Equatable, Sendable {
  /// Degrees of freedom, above 0; infinity is the normal distribution.
  public let degreesOfFreedom: Double

  /// Makes the distribution.
  ///
  /// - Parameter degreesOfFreedom: Above 0, need not be whole.
  public init(degreesOfFreedom: Double) {
    precondition(degreesOfFreedom > 0, "Student's t with \(degreesOfFreedom) degrees of freedom")
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// Beyond this many degrees of freedom the normal distribution is as exact as the sums here.
  private var isNormal: Bool { degreesOfFreedom > 1e12 }

  /// P(T > t) for t >= 0, and P(0 <= |T| <= t).
  private func parts(_ t: Double) -> (tail: Double, body: Double) {
    if isNormal { return (Normal.upperTail(t), erf(t * 0.5.squareRoot())) }
    let n = degreesOfFreedom
    // Through t / sqrt(n) so that t^2 neither overflows nor underflows early.
    let r = t / n.squareRoot()
    if r > 1e150 {
      // x^a / (a B(a, 1/2)) / 2 with x = 1 / r^2.
      let a = n / 2
      let logBeta =
        SpecialFunctions.logGammaOfSuccessor(a) - log(a) + 0.5 * log(.pi)
        - (SpecialFunctions.logGammaOfSuccessor(a + 0.5) - log(a + 0.5))
      return (exp(-n * log(r) - log(a) - logBeta) / 2, 1)
    }
    let square = r * r
    let (tail, body) = SpecialFunctions.beta(
      n / 2, 0.5, x: 1 / (1 + square), y: square / (1 + square))
    return (tail / 2, body)
  }

  /// The density at `t`.
  ///
  /// - Parameter t: Any number.
  /// - Returns: The density, per unit of t.
  public func density(_ t: Double) -> Double {
    if isNormal { return Normal.density(t) }
    let n = degreesOfFreedom
    let constant =
      SpecialFunctions.stirlingError((n + 1) / 2) - SpecialFunctions.stirlingError(n / 2)
      + (n / 2) * log1p(1 / n) - 0.5
    return exp(constant - (n + 1) / 2 * log1p(t * t / n) - SpecialFunctions.halfLog2Pi)
  }

  /// The probability of a value at or below `t`.
  ///
  /// - Parameter t: Any number, infinities included.
  /// - Returns: A probability; small ones keep their digits.
  public func cumulative(_ t: Double) -> Double {
    if t.isNaN { return .nan }
    if t.isInfinite { return t > 0 ? 1 : 0 }
    let (tail, _) = parts(abs(t))
    return t < 0 ? tail : 1 - tail
  }

  /// The probability of a value above `t`.
  ///
  /// - Parameter t: Any number, infinities included.
  /// - Returns: A probability; small ones keep their digits.
  public func upperTail(_ t: Double) -> Double { cumulative(-t) }

  /// The probability of a value at least as far from 0 as `t`.
  ///
  /// - Parameter t: Any number.
  /// - Returns: The two-sided p-value of `t`.
  public func twoSided(_ t: Double) -> Double { min(2 * cumulative(-abs(t)), 1) }

  /// The value below which a share `p` lies.
  ///
  /// - Parameter p: Probability; 0 and 1 give the infinities, anything outside 0 ... 1 NaN.
  /// - Returns: The quantile.
  public func quantile(_ p: Double) -> Double {
    guard p >= 0 && p <= 1 else { return .nan }
    if p == 0 || p == 1 { return p == 0 ? -.infinity : .infinity }
    if p == 0.5 { return 0 }
    if isNormal { return Normal.quantile(p) }
    let tail = min(p, 1 - p)
    let start = log(max(-Normal.quantile(tail), 1e-3))
    let solution =
      if tail > 0.25 {
        // Near the centre the tail hardly moves; the body between -t and t does.
        MonotoneRoot.solve(start: start, target: 1 - 2 * tail, increasing: true) { u in
          let t = exp(u)
          return (parts(t).body, 2 * density(t) * t)
        }
      } else {
        MonotoneRoot.solve(start: start, target: tail, increasing: false) { u in
          let t = exp(u)
          return (parts(t).tail, -density(t) * t)
        }
      }
    return p < 0.5 ? -exp(solution) : exp(solution)
  }
}
