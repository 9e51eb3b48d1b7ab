// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The Box-Muller transform in `Double`, with its own logarithm, sine and cosine.
///
/// ```
/// r = sqrt(-2 log u),  (z0, z1) = (r cos 2 pi v, r sin 2 pi v)
/// ```
///
/// The C library's `log`, `sin` and `cos` differ in the last bit between systems. These use only
/// operations that IEEE 754 rounds exactly (+, -, *, /, square root), so the bits are the same
/// everywhere; their error is about 1e-15, far below the rounding to `Float` that follows.
/// They have no branches that depend on the data.
enum BoxMuller {
  /// Two independent standard normals from 128 random bits.
  @inline(__always)
  static func normals(_ bits: (UInt64, UInt64)) -> (Double, Double) {
    // u is in (0, 1]: the logarithm is finite; the largest radius is sqrt(2 * 53 * log 2) = 8.57.
    let u = Double(Int64(bitPattern: bits.0 &>> 11) &+ 1) * 0x1p-53
    let radius = (-2 * logarithm(u)).squareRoot()
    let (sine, cosine) = sineAndCosine(turns: RandomStream.unit(bits.1))
    return (radius * cosine, radius * sine)
  }

  /// The natural logarithm of a normal positive number.
  ///
  /// With x = 2^e m, m in [sqrt(1/2), sqrt 2) and s = (m - 1) / (m + 1):
  /// log x = e log 2 + 2 (s + s^3/3 + s^5/5 + ...); s^2 <= 0.0295, so eleven terms leave 1e-18.
  @inline(__always)
  static func logarithm(_ x: Double) -> Double {
    let bits = x.bitPattern
    // Adding the distance from sqrt(1/2) to 1 (in bit patterns) carries into the exponent exactly
    // when the mantissa is at or above sqrt(2).
    let shifted = bits &+ (0x3FF0_0000_0000_0000 &- 0x3FE6_A09E_667F_3BCD)
    let exponent = Int64(bitPattern: shifted &>> 52) &- 1023
    let mantissa = Double(bitPattern: bits &- UInt64(bitPattern: exponent &<< 52))
    let s = (mantissa - 1) / (mantissa + 1)
    let z = s * s
    let high = 1.0 / 13 + z * (1.0 / 15 + z * (1.0 / 17 + z * (1.0 / 19 + z * (1.0 / 21))))
    let low =
      z * (1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * (1.0 / 9 + z * (1.0 / 11 + z * high)))))
    return Double(exponent) * 0.693_147_180_559_945_309_42 + (2 * s + 2 * s * low)
  }

  /// Sine and cosine of `turns` full turns, `turns` in [0, 1).
  ///
  /// The nearest quarter turn is taken off exactly; what remains is an angle within pi/4, for which
  /// the Taylor polynomials of degree 15 and 16 leave less than 1e-16.
  @inline(__always)
  static func sineAndCosine(turns: Double) -> (Double, Double) {
    let quarters = turns * 4
    let quadrant = Int64(quarters + 0.5)
    let x = (quarters - Double(quadrant)) * 1.570_796_326_794_896_619_23
    let z = x * x
    let sineHigh =
      1.0 / 362_880 - z
      * (1.0 / 39_916_800 - z * (1.0 / 6_227_020_800 - z * (1.0 / 1_307_674_368_000)))
    let sine = x - x * z * (1.0 / 6 - z * (1.0 / 120 - z * (1.0 / 5_040 - z * sineHigh)))
    let cosineHigh =
      1.0 / 3_628_800 - z
      * (1.0 / 479_001_600 - z * (1.0 / 87_178_291_200 - z * (1.0 / 20_922_789_888_000)))
    let cosine =
      1 - z * (0.5 - z * (1.0 / 24 - z * (1.0 / 720 - z * (1.0 / 40_320 - z * cosineHigh))))
    // Turning by `quadrant` quarters: odd ones swap, then signs.
    let swaps = quadrant & 1 != 0
    let a = swaps ? cosine : sine
    let b = swaps ? sine : cosine
    return (quadrant & 2 != 0 ? -a : a, (quadrant &+ 1) & 2 != 0 ? -b : b)
  }
}
