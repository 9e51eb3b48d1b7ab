// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The hash function of FIPS 180-4, section 6.2, for the records of a run.
public enum SHA256 {
  /// The digest of a text's UTF-8 as 64 lower-case hexadecimal digits.
  public static func hexadecimal(of text: String) -> String { hexadecimal(of: Array(text.utf8)) }

  /// The digest of some bytes as 64 lower-case hexadecimal digits.
  public static func hexadecimal(of bytes: [UInt8]) -> String {
    var state = initialState
    var message = bytes
    message.append(0x80)
    while message.count % 64 != 56 { message.append(0) }
    let bitCount = UInt64(bytes.count) * 8
    for shift in stride(from: 56, through: 0, by: -8) {
      message.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
    }
    var schedule = [UInt32](repeating: 0, count: 64)
    for start in stride(from: 0, to: message.count, by: 64) {
      compress(message, at: start, into: &state, &schedule)
    }
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private static func compress(
    _ message: [UInt8], at first: Int, into state: inout [UInt32], _ schedule: inout [UInt32]
  ) {
    for t in 0..<16 {
      let start = first + 4 * t
      schedule[t] =
        UInt32(message[start]) << 24 | UInt32(message[start + 1]) << 16
        | UInt32(message[start + 2]) << 8 | UInt32(message[start + 3])
    }
    for t in 16..<64 {
      let (w2, w15) = (schedule[t - 2], schedule[t - 15])
      let sigma1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >> 10)
      let sigma0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >> 3)
      schedule[t] = sigma1 &+ schedule[t - 7] &+ sigma0 &+ schedule[t - 16]
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for t in 0..<64 {
      let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let choice = (e & f) ^ (~e & g)
      let first = h &+ sum1 &+ choice &+ roundConstants[t] &+ schedule[t]
      let sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
      let majority = (a & b) ^ (a & c) ^ (b & c)
      (h, g, f, e) = (g, f, e, d &+ first)
      (d, c, b, a) = (c, b, a, first &+ sum0 &+ majority)
    }
    for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= word }
  }

  private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word >> count | word << (32 - count)
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
