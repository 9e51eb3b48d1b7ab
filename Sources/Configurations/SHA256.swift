// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The hash function of FIPS 180-4, section 6.2, for the records of a run.
public enum SHA256 {
  /// The digest of a text's UTF-8 as 64 lower-case hexadecimal digits.
  public static func hexadecimal(of text: String) -> String { hexadecimal(of: Array(text.utf8)) }

  /// The digest of some bytes as 64 lower-case hexadecimal digits.
  public static func hexadecimal(of bytes: [UInt8]) -> String {
    var stream = Stream()
    bytes.withUnsafeBytes { stream.update($0) }
    return stream.hexadecimal
  }

  /// The digest of bytes that come a piece at a time, such as those of a large file.
  public struct Stream: Sendable {
    private var state = SHA256.initialState
    private var schedule = [UInt32](repeating: 0, count: 64)
    /// The beginning of a block, fewer than 64 bytes.
    private var pending: [UInt8] = []
    private var byteCount: UInt64 = 0

    /// No bytes yet.
    public init() {}

    /// Appends bytes; how they are cut into calls does not matter.
    ///
    /// - Parameter bytes: Any number of bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
      byteCount &+= UInt64(bytes.count)
      var offset = 0
      if !pending.isEmpty {
        offset = min(64 - pending.count, bytes.count)
        pending.append(contentsOf: bytes[..<offset])
        guard pending.count == 64 else { return }
        let block = pending
        pending.removeAll(keepingCapacity: true)
        block.withUnsafeBytes { compress($0) }
      }
      let end = offset + (bytes.count - offset) / 64 * 64
      while offset < end {
        compress(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + 64]))
        offset += 64
      }
      pending.append(contentsOf: bytes[end...])
    }

    /// The digest of all bytes so far, 64 lower-case hexadecimal digits.
    public var hexadecimal: String {
      var copy = self
      var padding: [UInt8] = [0x80]
      while (pending.count + padding.count) % 64 != 56 { padding.append(0) }
      let bitCount = byteCount &* 8
      for shift in stride(from: 56, through: 0, by: -8) {
        padding.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
      }
      padding.withUnsafeBytes { copy.update($0) }
      return copy.state.map { word in
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
      }.joined()
    }

    /// Takes in a block of 64 bytes.
    private mutating func compress(_ block: UnsafeRawBufferPointer) {
      schedule.withUnsafeMutableBufferPointer { schedule in
        for t in 0..<16 {
          schedule[t] = UInt32(
            bigEndian: block.loadUnaligned(fromByteOffset: 4 &* t, as: UInt32.self))
        }
        for t in 16..<64 {
          let (w2, w15) = (schedule[t &- 2], schedule[t &- 15])
          let sigma1 = SHA256.rotate(w2, 17) ^ SHA256.rotate(w2, 19) ^ (w2 &>> 10)
          let sigma0 = SHA256.rotate(w15, 7) ^ SHA256.rotate(w15, 18) ^ (w15 &>> 3)
          schedule[t] = sigma1 &+ schedule[t &- 7] &+ sigma0 &+ schedule[t &- 16]
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        SHA256.roundConstants.withUnsafeBufferPointer { constants in
          for t in 0..<64 {
            let sum1 = SHA256.rotate(e, 6) ^ SHA256.rotate(e, 11) ^ SHA256.rotate(e, 25)
            let choice = (e & f) ^ (~e & g)
            let first = h &+ sum1 &+ choice &+ constants[t] &+ schedule[t]
            let sum0 = SHA256.rotate(a, 2) ^ SHA256.rotate(a, 13) ^ SHA256.rotate(a, 22)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            (h, g, f, e) = (g, f, e, d &+ first)
            (d, c, b, a) = (c, b, a, first &+ sum0 &+ majority)
          }
        }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
        state[4] &+= e
        state[5] &+= f
        state[6] &+= g
        state[7] &+= h
      }
    }
  }

  @inline(__always)
  private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word &>> count | word &<< (32 &- count)
  }

  private static let primes: [UInt64] = {
    var found: [UInt64] = []
    var candidate: UInt64 = 2
    while found.count < 64 {
      if found.allSatisfy({ candidate % $0 != 0 }) { found.append(candidate) }
      candidate += 1
    }
    return found
  }()

  /// The first 32 bits of the fractional parts of the square roots of the first 8 primes.
  private static let initialState: [UInt32] = primes.prefix(8).map { prime in
    fraction(of: prime, power: 2)
  }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let roundConstants: [UInt32] = primes.map { prime in
    fraction(of: prime, power: 3)
  }

  /// `floor(prime^(1/power) * 2^32) mod 2^32`, by bisection in exact integers.
  private static func fraction(of prime: UInt64, power: Int) -> UInt32 {
    var low: UInt64 = 0
    var high: UInt64 = 1 << 37
    while high - low > 1 {
      let middle = (low + high) / 2
      if isAtMost(middle, power: power, prime: prime) { low = middle } else { high = middle }
    }
    return UInt32(truncatingIfNeeded: low)
  }

  /// Whether `x^power <= prime * 2^(32 * power)`, for x below 2^37.
  private static func isAtMost(_ x: UInt64, power: Int, prime: UInt64) -> Bool {
    var product = UInt128(x)
    for _ in 1..<power { product *= UInt128(x) }
    return product <= UInt128(prime) << UInt128(32 * power)
  }
}
