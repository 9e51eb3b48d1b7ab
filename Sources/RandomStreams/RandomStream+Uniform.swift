// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension RandomStream {
  /// The upper 53 of 64 bits as a multiple of 2^-53 in [0, 1).
  @inline(__always)
  static func unit(_ bits: UInt64) -> Double {
    Double(Int64(bitPattern: bits &>> 11)) * 0x1p-53
  }

  /// A number in [0, 1) with 53 random bits.
  ///
  /// - Parameter index: From 0 to 2^49 - 1.
  /// - Returns: A multiple of 2^-53, made of ``uint64(at:)``.
  public func uniform(at index: Int) -> Double {
    Self.unit(uint64(at: index))
  }

  /// Fills a buffer with numbers in [`lower`, `upper`): element i comes from word `startingAt + i`.
  ///
  /// Each is `lower + (upper - lower) * u` in `Double` with u a multiple of 2^-32, rounded to `Float`;
  /// a value that rounds up to `upper` becomes the largest `Float` below it.
  ///
  /// - Parameters:
  ///   - buffer: Where the numbers go; every element is written.
  ///   - lower: Smallest value, finite.
  ///   - upper: Bound above, finite, greater than `lower`.
  ///   - startingAt: Index of the first element, so that parts of one array can be filled apart.
  public func fillUniform(
    into buffer: UnsafeMutableBufferPointer<Float>, lower: Float = 0, upper: Float = 1,
    startingAt: Int = 0
  ) {
    precondition(
      lower.isFinite && upper.isFinite && lower < upper,
      "uniform range [\(lower), \(upper)) is empty or not finite")
    guard let output = buffer.baseAddress, buffer.count > 0 else { return }
    let first = Self.checkIndex(startingAt, perBlock: 4)
    _ = Self.checkIndex(startingAt + buffer.count - 1, perBlock: 4)
    let base = Double(lower)
    let scale = (Double(upper) - Double(lower)) * 0x1p-32
    let largest = upper.nextDown
    @inline(__always) func value(_ word: UInt32) -> Float {
      min(Float(base + scale * Double(word)), largest)
    }
    var index = 0
    while index < buffer.count {
      let position = first &+ UInt64(index)
      if position & 3 == 0, index &+ 4 <= buffer.count {
        let words = block(position &>> 2)
        output[index] = value(words.0)
        output[index &+ 1] = value(words.1)
        output[index &+ 2] = value(words.2)
        output[index &+ 3] = value(words.3)
        index &+= 4
      } else {
        output[index] = value(uint32(at: Int(position)))
        index &+= 1
      }
    }
  }
}
