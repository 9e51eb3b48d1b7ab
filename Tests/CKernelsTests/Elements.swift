// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels

/// Memory for a kernel: fp32 or bf16 elements off any alignment, with guards at both ends.
final class Elements {
  let type: ck_type
  let count: Int
  private let base: UnsafeMutableRawPointer
  private let byteCount: Int
  /// Not a multiple of a vector: every kernel sees unaligned memory.
  private static let guardBytes = 68

  init(_ values: [Float], _ type: ck_type = CK_F32) {
    self.type = type
    count = values.count
    byteCount = values.count * (type == CK_BF16 ? 2 : 4)
    base = .allocate(byteCount: byteCount + 2 * Self.guardBytes, alignment: 64)
    base.initializeMemory(
      as: UInt8.self, repeating: 0xa5, count: byteCount + 2 * Self.guardBytes)
    for (index, value) in values.enumerated() {
      if type == CK_BF16 {
        data.storeBytes(of: bfloat16Bits(value), toByteOffset: index * 2, as: UInt16.self)
      } else {
        data.storeBytes(of: value, toByteOffset: index * 4, as: Float.self)
      }
    }
  }

  convenience init(count: Int, _ type: ck_type = CK_F32) {
    self.init([Float](repeating: -77, count: count), type)
  }

  deinit { base.deallocate() }

  var data: UnsafeMutableRawPointer { base + Self.guardBytes }
  var floatPointer: UnsafeMutablePointer<Float> { data.assumingMemoryBound(to: Float.self) }
  var halfPointer: UnsafeMutablePointer<UInt16> { data.assumingMemoryBound(to: UInt16.self) }

  /// The elements, bf16 widened.
  var floats: [Float] {
    (0..<count).map { index in
      type == CK_BF16
        ? Float(bitPattern: UInt32(data.load(fromByteOffset: index * 2, as: UInt16.self)) << 16)
        : data.load(fromByteOffset: index * 4, as: Float.self)
    }
  }

  var doubles: [Double] { floats.map(Double.init) }

  /// True when nothing was written outside the elements.
  var isIntact: Bool {
    let bytes = UnsafeRawBufferPointer(start: base, count: byteCount + 2 * Self.guardBytes)
    return bytes[..<Self.guardBytes].allSatisfy { $0 == 0xa5 }
      && bytes[(Self.guardBytes + byteCount)...].allSatisfy { $0 == 0xa5 }
  }
}

/// bf16 by comparing the cut part with one half: not the arithmetic the kernels use.
func bfloat16Bits(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  let upper = UInt16(bits >> 16)
  if value.isNaN { return upper | 0x40 }
  let cut = bits & 0xffff
  let roundsUp = cut > 0x8000 || (cut == 0x8000 && upper & 1 == 1)
  return roundsUp ? upper + 1 : upper
}

func roundedToBFloat16(_ value: Float) -> Float {
  Float(bitPattern: UInt32(bfloat16Bits(value)) << 16)
}

/// Deterministic random numbers (SplitMix64).
struct TestRandom: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed &+ 1) &* 0xd134_2543_de82_ef95 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func floats(_ count: Int, in range: ClosedRange<Float> = -2...2) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }

  /// Values that bf16 holds exactly, so that inputs are the same in both types.
  mutating func shortFloats(_ count: Int, in range: ClosedRange<Float> = -2...2) -> [Float] {
    floats(count, in: range).map(roundedToBFloat16)
  }

  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int.random(in: choices.indices, using: &self)]
  }
}
