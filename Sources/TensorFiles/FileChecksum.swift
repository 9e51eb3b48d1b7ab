// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A 64-bit hash of bytes, fast enough for checkpoints (several GB/s): XXH64 with seed 0.
///
/// It finds damage, not malice. The same bytes give the same value however they are cut into pieces.
/// The algorithm is that of the public xxHash specification, written anew.
public struct FileChecksum: Sendable {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  private var lanes: (UInt64, UInt64, UInt64, UInt64) = (
    prime1 &+ prime2, prime2, 0, 0 &- prime1
  )
  private var total: UInt64 = 0
  private var tail: [UInt8] = []

  /// Starts a checksum over no bytes.
  public init() {
    tail.reserveCapacity(32)
  }

  /// Adds bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    total &+= UInt64(bytes.count)
    if !tail.isEmpty {
      let taken = min(32 - tail.count, rest.count)
      tail.append(contentsOf: rest.prefix(taken))
      rest = rest.dropFirst(taken)
      if tail.count < 32 { return }
      tail.withUnsafeBytes { consume(UnsafeRawBufferPointer($0)) }
      tail.removeAll(keepingCapacity: true)
    }
    let whole = rest.count & ~31
    if whole > 0 { consume(UnsafeRawBufferPointer(rebasing: rest.prefix(whole))) }
    tail.append(contentsOf: rest.dropFirst(whole))
  }

  /// The checksum of all bytes so far.
  public var value: UInt64 {
    let (prime1, prime2, prime3) = (Self.prime1, Self.prime2, Self.prime3)
    var hash: UInt64
    if total >= 32 {
      hash =
        Self.rotate(lanes.0, 1) &+ Self.rotate(lanes.1, 7) &+ Self.rotate(lanes.2, 12)
        &+ Self.rotate(lanes.3, 18)
      for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
        hash = (hash ^ Self.round(0, lane)) &* prime1 &+ Self.prime4
      }
    } else {
      hash = Self.prime5
    }
    hash &+= total
    tail.withUnsafeBytes { bytes in
      var position = 0
      while position + 8 <= bytes.count {
        let word = UInt64(
          littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        hash = Self.rotate(hash ^ Self.round(0, word), 27) &* prime1 &+ Self.prime4
        position += 8
      }
      if position + 4 <= bytes.count {
        let word = UInt32(
          littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
        hash = Self.rotate(hash ^ UInt64(word) &* prime1, 23) &* prime2 &+ prime3
        position += 4
      }
      while position < bytes.count {
        hash = Self.rotate(hash ^ UInt64(bytes[position]) &* Self.prime5, 11) &* prime1
        position += 1
      }
    }
    hash = (hash ^ hash >> 33) &* prime2
    hash = (hash ^ hash >> 29) &* prime3
    return hash ^ hash >> 32
  }

  /// The checksum as 16 lower-case hexadecimal digits.
  public var hexadecimal: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The checksum of a whole file.
  ///
  /// - Parameter path: the file.
  /// - Returns: the checksum; its ``value`` and ``hexadecimal`` are final.
  /// - Throws: ``TensorFileError`` when the file cannot be read.
  public static func ofFile(_ path: String) throws(TensorFileError) -> FileChecksum {
    let mapping = try MappedFile(path)
    var checksum = FileChecksum()
    checksum.update(mapping.bytes)
    return checksum
  }

  /// Adds a multiple of 32 bytes to the four lanes.
  private mutating func consume(_ bytes: UnsafeRawBufferPointer) {
    var (a, b, c, d) = lanes
    var position = 0
    while position < bytes.count {
      a = Self.round(a, Self.word(bytes, position))
      b = Self.round(b, Self.word(bytes, position &+ 8))
      c = Self.round(c, Self.word(bytes, position &+ 16))
      d = Self.round(d, Self.word(bytes, position &+ 24))
      position &+= 32
    }
    lanes = (a, b, c, d)
  }

  @inline(__always)
  private static func word(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 {
    word << count | word >> (64 - count)
  }
}
