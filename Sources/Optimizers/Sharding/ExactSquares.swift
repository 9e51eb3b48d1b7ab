// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A sum of squares that is exact until it is read, so that its bits depend neither on the order of terms nor on who adds up what.
///
/// The square of a number in single precision is a whole number below 2^48 times a power of four. Those of one power are added as
/// whole numbers, of which 2^80 fit.
public struct ExactSquares: Equatable, Sendable {
  /// By the exponents of the numbers, as they are stored; the last: numbers that are not finite.
  private var sums = [UInt128](repeating: 0, count: 256)

  /// No terms.
  public init() {}

  /// Adds the squares of numbers.
  public mutating func add(_ numbers: some Sequence<Float>) {
    for number in numbers {
      // Numbers below the normal ones have the exponent of the smallest of these, and no leading one.
      let isSmall = number.exponentBitPattern == 0
      let whole = UInt64(number.significandBitPattern | (isSmall ? 0 : 1 << 23))
      sums[Int(max(1, number.exponentBitPattern))] += UInt128(whole * whole)
    }
  }

  /// Adds another sum: what an all-reduce does, in any order.
  public mutating func add(_ other: ExactSquares) {
    for index in sums.indices { sums[index] += other.sums[index] }
  }

  /// The sum, rounded; not a number where a term is not finite.
  public var value: Double {
    guard sums[255] == 0 else { return .nan }
    return (0..<255).reduce(0) { sum, exponent in
      sum + Double(sums[exponent])
        * Double(sign: .plus, exponent: 2 * (exponent - 150), significand: 1)
    }
  }
}
