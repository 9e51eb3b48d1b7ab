// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The standard normal distribution.
public enum Normal {
  /// The density at `z`.
  ///
  /// - Parameter z: Any number.
  /// - Returns: exp(-z^2 / 2) / sqrt(2 pi).
  public static func density(_ z: Double) -> Double {
    exp(-z * z / 2 - SpecialFunctions.halfLog2Pi)
  }

  /// The probability of a value at or below `z`.
  ///
  /// - Parameter z: Any number, infinities included.
  /// - Returns: A probability; small ones keep their digits.
  public static func cumulative(_ z: Double) -> Double { erfc(-z * 0.5.squareRoot()) / 2 }

  /// The probability of a value above `z`.
  ///
  /// - Parameter z: Any number, infinities included.
  /// - Returns: A probability; small ones keep their digits.
  public static func upperTail(_ z: Double) -> Double { erfc(z * 0.5.squareRoot()) / 2 }

  /// The value below which a share `p` lies.
  ///
  /// Abramowitz and Stegun 26.2.23 (4.5e-4), then Halley's method, which cubes the error, three times.
  ///
  /// - Parameter p: Probability; 0 and 1 give the infinities, anything outside 0 ... 1 NaN.
  /// - Returns: The quantile, to about 1e-15.
  public static func quantile(_ p: Double) -> Double {
    guard p >= 0 && p <= 1 else { return .nan }
    if p == 0 || p == 1 { return p == 0 ? -.infinity : .infinity }
    if p == 0.5 { return 0 }
    // 1 - p is exact for p >= 1/2, so each half keeps the digits it was given.
    let tail = p < 0.5 ? p : 1 - p
    let t = (-2 * log(tail)).squareRoot()
    var z =
      t - (2.515_517 + t * (0.802_853 + t * 0.010_328))
      / (1 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)))
    for _ in 0..<3 {
      let error = (upperTail(z) - tail) / density(z)
      z += error / (1 - z * error / 2)
    }
    return p < 0.5 ? -z : z
  }
}
