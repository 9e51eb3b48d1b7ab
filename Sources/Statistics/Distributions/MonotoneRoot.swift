// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Newton's method on the logarithm of a tail probability, kept inside a bracket.
///
/// Tails of the distributions here are smooth and nearly straight on a logarithmic axis, so few steps are needed; a step that leaves
/// the bracket is replaced by halving it, or by a step of growing length while one side is still open.
enum MonotoneRoot {
  /// Solves value(u) = target.
  ///
  /// - Parameters:
  ///   - start: First guess, finite.
  ///   - target: Probability, above 0.
  ///   - increasing: Whether the value grows with u.
  ///   - evaluate: The probability at u and its derivative by u.
  /// - Returns: u to about 1e-15 of max(1, |u|) where the values allow it.
  static func solve(
    start: Double, target: Double, increasing: Bool,
    _ evaluate: (Double) -> (value: Double, slope: Double)
  ) -> Double {
    var u = start
    var lower = -Double.infinity
    var upper = Double.infinity
    var stride = 1.0
    for _ in 0..<200 {
      let (value, slope) = evaluate(u)
      let excess = log(value) - log(target)
      if excess == 0 { return u }
      if (excess > 0) == increasing { upper = u } else { lower = u }
      var next = u - excess * value / slope
      // A Newton step of more than eight units of u (a factor of 3,000) is not to be believed.
      if !next.isFinite || next <= lower || next >= upper || abs(next - u) > 8 {
        if lower.isFinite && upper.isFinite {
          next = lower + (upper - lower) / 2
        } else {
          next = u + (upper.isFinite ? -stride : stride)
          stride *= 2
        }
      }
      if abs(next - u) <= 4e-16 * max(1, abs(u)) || next == lower || next == upper { return next }
      u = next
    }
    return u
  }
}
