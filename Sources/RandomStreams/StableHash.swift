// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Hashes of names that never change: not between runs, machines or versions of Swift.
public enum StableHash {
  /// Hashes the UTF-8 bytes of `name`: FNV-1a over 64 bits, then a full avalanche.
  ///
  /// FNV-1a alone leaves short names close together; the finalizer (two xor-shift-multiply rounds,
  /// as in MurmurHash3) is a bijection, so it adds no collisions.
  ///
  /// - Parameter name: Any text; two texts with different UTF-8 bytes are different names.
  /// - Returns: 64 well mixed bits.
  public static func hash(_ name: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    return mix(hash)
  }

  /// Mixes 64 bits so that every input bit changes every output bit with probability one half.
  ///
  /// - Parameter value: Any 64 bits.
  /// - Returns: A bijective image of `value`.
  @inline(__always)
  public static func mix(_ value: UInt64) -> UInt64 {
    var bits = value
    bits = (bits ^ (bits &>> 33)) &* 0xFF51_AFD7_ED55_8CCD
    bits = (bits ^ (bits &>> 33)) &* 0xC4CE_B9FE_1A85_EC53
    return bits ^ (bits &>> 33)
  }
}
