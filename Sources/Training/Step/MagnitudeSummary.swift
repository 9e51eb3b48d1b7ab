// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The norm of many numbers and quantiles of their sizes, in one pass and without sorting.
///
/// A size is counted in the bin of its upper 15 bits (exponent and 7 bits of the fraction): quantiles are right to 0.4 % of
/// themselves, which is more than can be seen, at a fraction of the cost of exact ones (``LogQuantiles``). The largest is exact.
public struct MagnitudeSummary: Equatable, Sendable {
  /// sqrt(sum x^2).
  public let norm: Double
  /// The largest |x|; NaN where there is one.
  public let largest: Float
  private let counts: [UInt32]
  private let count: Int

  /// Looks at some numbers.
  ///
  /// - Parameter numbers: any, those that are not finite among them; a NaN counts as larger than all.
  public init(_ numbers: UnsafeBufferPointer<Float>) {
    var counts = [UInt32](repeating: 0, count: 1 << 15)
    var squares = 0.0
    var largest: UInt32 = 0
    counts.withUnsafeMutableBufferPointer { counts in
      for number in numbers {
        let bits = number.bitPattern & 0x7FFF_FFFF
        counts[Int(bits >> 16)] &+= 1
        largest = max(largest, bits)
        squares += Double(number) * Double(number)
      }
    }
    self.counts = counts
    count = numbers.count
    norm = squares.squareRoot()
    self.largest = Float(bitPattern: largest)
  }

  /// Quantiles of the sizes.
  ///
  /// - Parameter shares: rising shares of numbers below each, from 0 to 1; 1 is the largest.
  /// - Returns: one size for each share, the middle of its bin; 0 for no numbers at all.
  public func quantiles(_ shares: [Double]) -> [Float] {
    var (bin, below) = (0, 0)
    return shares.map { share in
      if share >= 1 || count == 0 { return largest }
      let rank = Int((share * Double(count - 1)).rounded())
      while below + Int(counts[bin]) <= rank {
        below += Int(counts[bin])
        bin += 1
      }
      if bin == 0 { return 0 }
      return min(Float(bitPattern: UInt32(bin) << 16 | 0x8000), largest)
    }
  }

  /// How many sizes lie above a limit, as a share from 0 to 1, exactly.
  ///
  /// - Parameters:
  ///   - numbers: any; a NaN lies above.
  ///   - limit: not negative.
  /// - Returns: the share; 0 of no numbers.
  public static func share(of numbers: UnsafeBufferPointer<Float>, above limit: Float) -> Double {
    if numbers.isEmpty { return 0 }
    let count = numbers.reduce(0) { $0 + (abs($1) <= limit ? 0 : 1) }
    return Double(count) / Double(numbers.count)
  }

  /// Norm, quantiles and largest, as runs record them.
  var row: [Float] { [Float(norm)] + quantiles([0.1, 0.5, 0.9, 0.99, 0.999, 1]) }
}
