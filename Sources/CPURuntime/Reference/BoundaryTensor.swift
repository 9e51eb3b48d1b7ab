// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// A tensor that the host sees in its element type and the interpreter sees in double precision.
///
/// Both copies stay valid: where the memory no longer holds what was last written from the doubles, the host has written
/// a number there, and the number counts.
final class BoundaryTensor {
  let type: TensorType
  let memory: UnsafeMutableRawBufferPointer
  private var exact: [Double]

  init(_ type: TensorType) {
    self.type = type
    memory = .allocate(byteCount: type.byteCount, alignment: MemoryPlan.alignment)
    exact = [Double](repeating: 0, count: type.shape.count)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { memory.deallocate() }

  /// The values, row-major.
  func values() -> [Double] {
    for index in exact.indices where bits(exact[index]) != storedBits(index) {
      exact[index] = number(storedBits(index))
    }
    return exact
  }

  /// Replaces the values, row-major.
  func set(_ values: [Double]) {
    precondition(values.count == exact.count, "\(values.count) numbers for \(type)")
    exact = values
    for index in values.indices {
      let bits = bits(values[index])
      if type.elementType == .bfloat16 {
        memory.storeBytes(
          of: UInt16(truncatingIfNeeded: bits), toByteOffset: index * 2, as: UInt16.self)
      } else {
        memory.storeBytes(of: bits, toByteOffset: index * 4, as: UInt32.self)
      }
    }
  }

  private func storedBits(_ index: Int) -> UInt32 {
    type.elementType == .bfloat16
      ? UInt32(memory.load(fromByteOffset: index * 2, as: UInt16.self))
      : memory.load(fromByteOffset: index * 4, as: UInt32.self)
  }

  private func bits(_ number: Double) -> UInt32 {
    switch type.elementType {
    case .float32: Float(number).bitPattern
    case .bfloat16: roundedToBFloat16(Float(number)).bitPattern >> 16
    case .int32: UInt32(bitPattern: Int32(number))
    }
  }

  private func number(_ bits: UInt32) -> Double {
    switch type.elementType {
    case .float32: Double(Float(bitPattern: bits))
    case .bfloat16: Double(Float(bitPattern: bits << 16))
    case .int32: Double(Int32(bitPattern: bits))
    }
  }
}

/// The nearest number with bfloat16's eight bits of significand; ties go to even, NaN stays NaN.
func roundedToBFloat16(_ number: Float) -> Float {
  if number.isNaN { return Float(bitPattern: (number.bitPattern | 0x0040_0000) & 0xffff_0000) }
  let even = (number.bitPattern >> 16) & 1
  return Float(bitPattern: (number.bitPattern &+ 0x7fff &+ even) & 0xffff_0000)
}
