// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

/// How a leaf is filled; the numbers depend on the leaf's name alone.
enum Fill: Sendable {
  /// Normal, mean 0.
  case normal(Double)
  /// Uniform between two bounds.
  case uniform(ClosedRange<Double>)
  /// Uniform integers.
  case integers(Range<Int>)
  /// These numbers, repeated to fill the tensor.
  case values([Double])

  /// Numbers for a leaf, exactly representable in its element type.
  ///
  /// `step` makes new ones under the same name.
  func numbers(_ name: String, _ type: TensorType, step: Int = 0, variation: Int = 0) -> [Double] {
    var source = NamedNumbers(
      (step == 0 ? name : "\(name)@\(step)") + (variation == 0 ? "" : "#\(variation)"))
    return (0..<type.shape.count).map { index in
      let number: Double
      switch self {
      case .normal(let deviation): number = deviation * source.normal()
      case .uniform(let range):
        number = range.lowerBound + (range.upperBound - range.lowerBound) * source.unit()
      case .integers(let range): number = Double(Int.random(in: range, using: &source))
      case .values(let list): number = list[index % list.count]
      }
      return switch type.elementType {
      case .int32: number
      case .float32: Double(Float(number))
      // Cut off rather than rounded: any number that bfloat16 holds will do.
      case .bfloat16: Double(Float(bitPattern: Float(number).bitPattern & 0xffff_0000))
      }
    }
  }
}

/// Random numbers addressed by name: SplitMix64 (Steele, Lea and Flood, 2014) seeded with the name's FNV-1a hash.
struct NamedNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(_ name: String) {
    state = name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Uniform in (0, 1).
  mutating func unit() -> Double { (Double(next() >> 11) + 0.5) / 9_007_199_254_740_992 }

  /// Standard normal (Box and Muller, 1958).
  mutating func normal() -> Double {
    let radius = (-2 * log(unit())).squareRoot()
    return radius * cos(2 * Double.pi * unit())
  }
}
