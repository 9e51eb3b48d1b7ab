// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The 64-bit xxHash (XXH64, seed 0) of a stream of bytes: finds damage at memory speed.
///
/// Not a cryptographic hash: it tells a damaged file, not a forged one.
public struct Checksum: Sendable {
  private static let primes: (UInt64, UInt64, UInt64, UInt64, UInt64) = (
    0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5
  )

  private var lanes: (UInt64, UInt64, UInt64, UInt64)
  private var pending: [UInt8] = []
  private var length: UInt64 = 0

  /// Makes the checksum of no bytes.
  public init() {
    let primes = Self.primes
    lanes = (primes.0 &+ primes.1, primes.1, 0, 0 &- primes.0)
    pending.reserveCapacity(32)
  }

  /// The checksum of `bytes`.
  ///
  /// - Parameter bytes: Any number of bytes.
  /// - Returns: 64 bits.
  public static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var checksum = Checksum()
    checksum.update(bytes)
    return checksum.value
  }

  /// Appends bytes; how a stream is cut into calls does not matter.
  ///
  /// - Parameter bytes: Any number of bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    length &+= UInt64(bytes.count)
    var offset = 0
    if !pending.isEmpty {
      let taken = min(32 - pending.count, bytes.count)
      pending.append(contentsOf: bytes[..<taken])
      offset = taken
      guard pending.count == 32 else { return }
      let whole = pending
      whole.withUnsafeBytes { stripes($0, from: 0, to: 32) }
      pending.removeAll(keepingCapacity: true)
    }
    let end = offset + (bytes.count - offset) / 32 * 32
    stripes(bytes, from: offset, to: end)
    pending.append(contentsOf: bytes[end...])
  }

  private mutating func stripes(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) {
    guard let base = bytes.baseAddress else { return }
    var (a, b, c, d) = lanes
    var offset = start
    while offset < end {
      a = Self.round(a, base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      b = Self.round(b, base.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self))
      c = Self.round(c, base.loadUnaligned(fromByteOffset: offset &+ 16, as: UInt64.self))
      d = Self.round(d, base.loadUnaligned(fromByteOffset: offset &+ 24, as: UInt64.self))
      offset &+= 32
    }
    lanes = (a, b, c, d)
  }

  /// The checksum of all bytes so far.
  public var value: UInt64 {
    let primes = Self.primes
    var hash: UInt64
    if length >= 32 {
      hash =
        Self.rotate(lanes.0, 1) &+ Self.rotate(lanes.1, 7) &+ Self.rotate(lanes.2, 12)
        &+ Self.rotate(lanes.3, 18)
      for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
        hash = (hash ^ Self.round(0, lane)) &* primes.0 &+ primes.3
      }
    } else {
      hash = primes.4
    }
    hash = hash &+ length
    pending.withUnsafeBytes { bytes in
      var offset = 0
      while offset + 8 <= bytes.count {
        let lane = Self.round(0, bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        hash = Self.rotate(hash ^ lane, 27) &* primes.0 &+ primes.3
        offset += 8
      }
      if offset + 4 <= bytes.count {
        let word = UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        hash = Self.rotate(hash ^ (word &* primes.0), 23) &* primes.1 &+ primes.2
        offset += 4
      }
      while offset < bytes.count {
        hash = Self.rotate(hash ^ (UInt64(bytes[offset]) &* primes.4), 11) &* primes.0
        offset += 1
      }
    }
    hash = (hash ^ (hash &>> 33)) &* primes.1
    hash = (hash ^ (hash &>> 29)) &* primes.2
    return hash ^ (hash &>> 32)
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value &<< bits | value &>> (64 &- bits)
  }

  @inline(__always)
  private static func round(_ accumulator: UInt64, _ input: UInt64) -> UInt64 {
    rotate(accumulator &+ input &* primes.1, 31) &* primes.0
  }

  /// Sixteen hexadecimal digits, as manifests show a hash.
  static func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
