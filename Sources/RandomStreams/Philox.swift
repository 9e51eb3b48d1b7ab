// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The counter-based generator Philox4x32-10.
///
/// Salmon, Moraes, Dror, Shaw: *Parallel random numbers: as easy as 1, 2, 3* (SC 2011), section 3.2.
/// A block is a bijection of a 128-bit counter chosen by a 64-bit key: ten rounds of two 32 x 32 -> 64
/// bit products. There is no state to carry, so any block can be computed at any time, in any order.
public enum Philox4x32 {
  /// Multipliers of the two products of a round (the paper's M4x32_0 and M4x32_1).
  private static let multipliers: (UInt32, UInt32) = (0xD251_1F53, 0xCD9E_8D57)
  /// What the key grows by between rounds: the golden ratio and the square root of 3 minus 1.
  private static let weyl: (UInt32, UInt32) = (0x9E37_79B9, 0xBB67_AE85)

  /// Computes one block of four 32-bit words.
  ///
  /// - Parameters:
  ///   - counter: Four counter words, least significant first.
  ///   - key: Two key words, least significant first.
  /// - Returns: Four words, uniform over all values.
  @inline(__always)
  public static func block(
    counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var (c0, c1, c2, c3) = counter
    var (k0, k1) = key
    var round = 0
    while round < 10 {
      let p0 = UInt64(multipliers.0) &* UInt64(c0)
      let p1 = UInt64(multipliers.1) &* UInt64(c2)
      c0 = UInt32(truncatingIfNeeded: p1 &>> 32) ^ c1 ^ k0
      c1 = UInt32(truncatingIfNeeded: p1)
      c2 = UInt32(truncatingIfNeeded: p0 &>> 32) ^ c3 ^ k1
      c3 = UInt32(truncatingIfNeeded: p0)
      k0 &+= weyl.0
      k1 &+= weyl.1
      round += 1
    }
    return (c0, c1, c2, c3)
  }
}
