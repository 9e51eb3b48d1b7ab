// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The incomplete beta and gamma functions, to about 1e-14 of the smaller tail.
///
/// Prefactors are written with Loader's deviance and the error of Stirling's formula (*Fast and accurate computation of binomial
/// probabilities*, 2000) instead of differences of large logarithms of gamma functions, so that large parameters lose no digits.
enum SpecialFunctions {
  static let halfLog2Pi = 0.918_938_533_204_672_741_78

  /// log Gamma(z + 1) - ((z + 1/2) log z - z + log(2 pi) / 2), z > 0.
  static func stirlingError(_ z: Double) -> Double {
    if z >= 16 {
      // The series' next term is below 1e-17 from 16 on.
      let r = 1 / (z * z)
      let tail = 1.0 / 1_188 - r * (691.0 / 360_360)
      return (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1_260 - r * (1.0 / 1_680 - r * tail)))) / z
    }
    return logGammaOfSuccessor(z) - ((z + 0.5) * log(z) - z + halfLog2Pi)
  }

  /// log Gamma(z + 1), z >= 0: Stirling's series at 16 or above, and the recurrence down from there.
  static func logGammaOfSuccessor(_ z: Double) -> Double {
    var shifted = z
    var product = 1.0
    while shifted < 16 {
      shifted += 1
      product *= shifted
    }
    return (shifted + 0.5) * log(shifted) - shifted + halfLog2Pi + stirlingError(shifted)
      - log(product)
  }

  /// x log(x / m) + m - x, without cancellation near x = m; x > 0, m > 0.
  static func deviance(_ x: Double, _ m: Double) -> Double {
    guard abs(x - m) < 0.1 * (x + m) else { return x * log(x / m) + m - x }
    let v = (x - m) / (x + m)
    var sum = (x - m) * v
    var term = 2 * x * v
    var odd = 3.0
    while true {
      term *= v * v
      let next = sum + term / odd
      if next == sum { return sum }
      sum = next
      odd += 2
    }
  }

  /// x^a y^b / B(a, b) with x + y = 1; a, b > 0, x, y in (0, 1).
  static func betaPower(_ a: Double, _ b: Double, _ x: Double, _ y: Double) -> Double {
    let n = a + b
    let exponent =
      stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x)
      - deviance(b, n * y)
    return (a / n * b / (2 * .pi)).squareRoot() * exp(exponent)
  }

  /// The regularised incomplete beta function I_x(a, b) and its complement, with y = 1 - x given apart so that neither loses digits.
  static func beta(_ a: Double, _ b: Double, x: Double, y: Double) -> (lower: Double, upper: Double)
  {
    if x.isNaN || y.isNaN { return (.nan, .nan) }
    if x <= 0 { return (0, 1) }
    if y <= 0 { return (1, 0) }
    let power = betaPower(a, b, x, y)
    if x <= (a + 1) / (a + b + 2) {
      let lower = min(power / betaFraction(a, b, x, y), 1)
      return (lower, 1 - lower)
    }
    let upper = min(power / betaFraction(b, a, y, x), 1)
    return (1 - upper, upper)
  }

  /// The continued fraction of Didonato and Morris (*Significant digit computation of the incomplete beta function ratios*, 1992), by
  /// Lentz's method.
  ///
  /// It uses both x and y, so that it keeps its digits where x is close to 1, as for t of many degrees of freedom.
  private static func betaFraction(_ a: Double, _ b: Double, _ x: Double, _ y: Double) -> Double {
    let tiny = 1e-300
    func nonzero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    let distance = a * y - b * x + 1
    var result = nonzero(a * distance / (a + 1))
    var c = result
    var d = 0.0
    var m = 1.0
    // About sqrt(max(a, b)) terms are needed.
    while m < 1e6 {
      let odd = a + 2 * m - 1
      let numerator = (a + m - 1) / odd * ((a + b + m - 1) / odd) * m * (b - m) * x * x
      let denominator =
        m + m * (b - m) * x / odd + (a + m) * (distance + m * (1 + y)) / (odd + 2)
      d = 1 / nonzero(denominator + numerator * d)
      c = nonzero(denominator + numerator / c)
      result *= c * d
      if abs(c * d - 1) < 1e-16 { break }
      m += 1
    }
    return result
  }

  /// x^a e^-x / Gamma(a); a, x > 0.
  static func gammaPower(_ a: Double, _ x: Double) -> Double {
    (a / (2 * .pi)).squareRoot() * exp(-stirlingError(a) - deviance(a, x))
  }

  /// The regularised incomplete gamma functions P(a, x) and Q(a, x).
  static func gamma(_ a: Double, _ x: Double) -> (lower: Double, upper: Double) {
    if x.isNaN { return (.nan, .nan) }
    if x <= 0 { return (0, 1) }
    if x == .infinity { return (1, 0) }
    let power = gammaPower(a, x)
    if x < a + 1 {
      var term = 1 / a
      var sum = term
      var n = a
      while term > sum * 1e-17 {
        n += 1
        term *= x / n
        sum += term
      }
      let lower = min(power * sum, 1)
      return (lower, 1 - lower)
    }
    let tiny = 1e-300
    var b = x + 1 - a
    var c = 1 / tiny
    var d = 1 / b
    var result = d
    var i = 1.0
    while i < 1e6 {
      let numerator = -i * (i - a)
      b += 2
      d = 1 / (abs(numerator * d + b) < tiny ? tiny : numerator * d + b)
      c = abs(b + numerator / c) < tiny ? tiny : b + numerator / c
      result *= d * c
      if abs(d * c - 1) < 1e-16 { break }
      i += 1
    }
    let upper = min(power * result, 1)
    return (1 - upper, upper)
  }
}
