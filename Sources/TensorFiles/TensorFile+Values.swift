// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension TensorFile {
  /// The elements of a floating-point tensor as 32-bit numbers, in row-major order.
  ///
  /// `BF16` and `F16` are widened exactly, `F64` is rounded to nearest.
  ///
  /// - Parameter name: the tensor's name.
  /// - Returns: one number for each element.
  /// - Throws: ``TensorFileError`` when there is no such tensor or it holds integers.
  public func floats(_ name: String) throws -> [Float] {
    let entry = try entry(name)
    return try [Float](unsafeUninitializedCapacity: entry.elementCount) { buffer, count in
      try read(name, into: UnsafeMutableBufferPointer(rebasing: buffer[..<entry.elementCount]))
      count = entry.elementCount
    }
  }

  /// Writes the elements of a floating-point tensor into memory as 32-bit numbers.
  ///
  /// - Parameters:
  ///   - name: the tensor's name.
  ///   - destination: room for exactly the elements of the tensor, in row-major order.
  /// - Throws: ``TensorFileError`` when there is no such tensor, it holds integers, or its number of
  ///   elements is not that of the destination.
  public func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
    let entry = try entry(name)
    guard entry.elementCount == destination.count else {
      throw TensorFileError(
        .mismatch,
        "\(path): tensor '\(name)' of shape \(entry.shape) has \(entry.elementCount) elements, "
          + "\(destination.count) are expected")
    }
    try withBytes(of: name) { bytes in
      switch entry.elementType {
      case .float32:
        UnsafeMutableRawBufferPointer(destination).copyMemory(from: bytes)
      case .bfloat16:
        for index in destination.indices {
          let half = bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
          destination[index] = Float(bitPattern: UInt32(half) << 16)
        }
      case .float16:
        for index in destination.indices {
          let half = bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
          destination[index] = widened(half)
        }
      case .float64:
        for index in destination.indices {
          destination[index] = Float(
            bytes.loadUnaligned(fromByteOffset: index * 8, as: Double.self))
        }
      case .int64, .int32, .uint8:
        throw notOfType(entry, "floating-point numbers")
      }
    }
  }

  /// The elements of a floating-point tensor as 64-bit numbers, in row-major order; exact for every type.
  ///
  /// - Parameter name: the tensor's name.
  /// - Returns: one number for each element.
  /// - Throws: ``TensorFileError`` when there is no such tensor or it holds integers.
  public func doubles(_ name: String) throws -> [Double] {
    let entry = try entry(name)
    guard entry.elementType == .float64 else { return try floats(name).map(Double.init) }
    return try withBytes(of: name) { bytes in
      (0..<entry.elementCount).map {
        bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self)
      }
    }
  }

  /// The elements of an integer tensor, in row-major order.
  ///
  /// - Parameter name: the tensor's name.
  /// - Returns: one integer for each element.
  /// - Throws: ``TensorFileError`` when there is no such tensor or it holds floating-point numbers.
  public func integers(_ name: String) throws -> [Int] {
    let entry = try entry(name)
    return try withBytes(of: name) { bytes in
      switch entry.elementType {
      case .int64:
        (0..<entry.elementCount).map {
          Int(bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self))
        }
      case .int32:
        (0..<entry.elementCount).map {
          Int(bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self))
        }
      case .uint8: bytes.map(Int.init)
      case .float64, .float32, .bfloat16, .float16: throw notOfType(entry, "integers")
      }
    }
  }

  private func notOfType(_ entry: Entry, _ expected: String) -> TensorFileError {
    TensorFileError(
      .mismatch,
      "\(path): tensor '\(entry.name)' holds \(entry.elementType.rawValue), expected \(expected)")
  }
}

/// A number of 16 bits, 5 of them exponent, as 32-bit number: exact.
func widened(_ half: UInt16) -> Float {
  let sign = UInt32(half & 0x8000) << 16
  let exponent = UInt32(half >> 10 & 0x1F)
  let fraction = UInt32(half & 0x3FF)
  switch exponent {
  case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
  case 0:
    // fraction * 2^-24
    let magnitude = Float(fraction) * Float(sign: .plus, exponent: -24, significand: 1)
    return sign == 0 ? magnitude : -magnitude
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}
