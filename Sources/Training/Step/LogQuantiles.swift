// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Quantiles of many numbers that are not negative, each one of the numbers themselves.
///
/// As nothing is interpolated, they are also the quantiles of the logarithms. Exact, in three passes and without sorting:
/// positive floats are ordered as their bits are.
public struct LogQuantiles: Equatable, Sendable, Codable {
  /// The shares below each quantile: least, 10, 25, 50, 75 and 90 %, largest.
  public static let shares = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]
  /// What the quantiles are called in metrics.
  public static let names = ["min", "q10", "q25", "q50", "q75", "q90", "max"]

  /// The quantiles, in the order of ``shares``; a NaN counts as larger than anything.
  public let values: [Float]

  /// log10(q90 / q10): how many decades lie between the 10 and the 90 % quantile.
  public var spread: Double { log10(Double(values[5]) / Double(values[1])) }

  /// Finds the quantiles of all numbers of some buffers.
  ///
  /// - Parameter buffers: at least one number, none negative.
  public init(_ buffers: [UnsafeBufferPointer<Float>]) {
    let count = buffers.reduce(0) { $0 + $1.count }
    precondition(count > 0, "no number has no quantiles")
    let ranks = Self.shares.map { Int(($0 * Double(count - 1)).rounded()) }
    let upper = Self.histogram(buffers) { Int($0 >> 16) }
    let bins = ranks.map { Self.bin(of: $0, in: upper) }
    var lower: [Int: [Int]] = [:]
    values = bins.map { bin, rest in
      let counts =
        lower[bin]
        ?? Self.histogram(buffers) { Int($0 >> 16) == bin ? Int($0 & 0xFFFF) : nil }
      lower[bin] = counts
      return Float(bitPattern: UInt32(bin) << 16 | UInt32(Self.bin(of: rest, in: counts).bin))
    }
  }

  private static func histogram(
    _ buffers: [UnsafeBufferPointer<Float>], _ bin: (UInt32) -> Int?
  ) -> [Int] {
    var counts = [Int](repeating: 0, count: 1 << 16)
    counts.withUnsafeMutableBufferPointer { counts in
      for buffer in buffers {
        for number in buffer {
          // Without its sign: -0 is 0.
          if let bin = bin(number.bitPattern & 0x7FFF_FFFF) { counts[bin] += 1 }
        }
      }
    }
    return counts
  }

  /// The bin that holds a rank, and the rank within it.
  private static func bin(of rank: Int, in counts: [Int]) -> (bin: Int, rest: Int) {
    var rest = rank
    for (bin, count) in counts.enumerated() {
      if rest < count { return (bin, rest) }
      rest -= count
    }
    preconditionFailure("rank \(rank) of \(counts.reduce(0, +)) numbers")
  }
}
