// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension RandomStream {
  /// A standard normal number.
  ///
  /// Normals `2 b` and `2 b + 1` are the Box-Muller pair (cosine, sine) of block `b`.
  ///
  /// - Parameter index: From 0 to 2^49 - 1.
  /// - Returns: A number of mean 0 and variance 1, at most 8.6 in size.
  public func normal(at index: Int) -> Double {
    normal(at: Self.checkIndex(index, perBlock: 2), attempt: 0)
  }

  private func normal(at position: UInt64, attempt: UInt64) -> Double {
    let pair = BoxMuller.normals(longBlock(position &>> 1, attempt: attempt))
    return position & 1 == 0 ? pair.0 : pair.1
  }

  /// Fills a buffer with normal numbers: element i is normal `startingAt + i`.
  ///
  /// `mean + standardDeviation * z` is computed in `Double` and rounded to `Float` once.
  ///
  /// - Parameters:
  ///   - buffer: Where the numbers go; every element is written.
  ///   - mean: Mean, finite.
  ///   - standardDeviation: Standard deviation, finite, not negative.
  ///   - startingAt: Index of the first element, so that parts of one array can be filled apart.
  public func fillNormal(
    into buffer: UnsafeMutableBufferPointer<Float>, mean: Float, standardDeviation: Float,
    startingAt: Int = 0
  ) {
    Self.checkMoments(mean, standardDeviation)
    guard let output = buffer.baseAddress, buffer.count > 0 else { return }
    let first = Self.checkIndex(startingAt, perBlock: 2)
    _ = Self.checkIndex(startingAt + buffer.count - 1, perBlock: 2)
    let offset = Double(mean)
    let scale = Double(standardDeviation)
    var index = 0
    if first & 1 == 1 {
      output[0] = Float(offset + scale * normal(at: first, attempt: 0))
      index = 1
    }
    while index &+ 1 < buffer.count {
      let pair = BoxMuller.normals(longBlock((first &+ UInt64(index)) &>> 1))
      output[index] = Float(offset + scale * pair.0)
      output[index &+ 1] = Float(offset + scale * pair.1)
      index &+= 2
    }
    if index < buffer.count {
      output[index] = Float(offset + scale * normal(at: first &+ UInt64(index), attempt: 0))
    }
  }

  /// Fills a buffer with normal numbers truncated to `bound` standard deviations around the mean.
  ///
  /// By resampling: element i is the first of normal `startingAt + i` of attempts 0, 1, 2, ... whose
  /// standardised size is at most `bound`. It therefore equals ``fillNormal(into:mean:standardDeviation:startingAt:)``
  /// wherever that lies within the bound. The standard deviation is that *before* truncation
  /// (a bound of 2 leaves 0.880 of it).
  ///
  /// - Parameters:
  ///   - buffer: Where the numbers go; every element is written.
  ///   - mean: Mean, finite.
  ///   - standardDeviation: Standard deviation before truncation, finite, not negative.
  ///   - bound: Largest distance from the mean in standard deviations, at least 0.1.
  ///   - startingAt: Index of the first element, so that parts of one array can be filled apart.
  public func fillTruncatedNormal(
    into buffer: UnsafeMutableBufferPointer<Float>, mean: Float, standardDeviation: Float,
    bound: Double = 2, startingAt: Int = 0
  ) {
    Self.checkMoments(mean, standardDeviation)
    precondition(bound >= 0.1, "truncation at \(bound) standard deviations; at least 0.1 is needed")
    guard let output = buffer.baseAddress, buffer.count > 0 else { return }
    let first = Self.checkIndex(startingAt, perBlock: 2)
    _ = Self.checkIndex(startingAt + buffer.count - 1, perBlock: 2)
    let offset = Double(mean)
    let scale = Double(standardDeviation)
    @inline(__always) func accepted(_ value: Double, _ position: UInt64) -> Float {
      var value = value
      var attempt: UInt64 = 1
      // With a bound of 0.1 an attempt fails with probability 0.92: 65,535 of them never all do.
      while value.magnitude > bound, attempt < 65_536 {
        value = normal(at: position, attempt: attempt)
        attempt += 1
      }
      return Float(offset + scale * value)
    }
    var index = 0
    while index < buffer.count {
      let position = first &+ UInt64(index)
      if position & 1 == 0, index &+ 1 < buffer.count {
        let pair = BoxMuller.normals(longBlock(position &>> 1))
        output[index] = accepted(pair.0, position)
        output[index &+ 1] = accepted(pair.1, position &+ 1)
        index &+= 2
      } else {
        output[index] = accepted(normal(at: position, attempt: 0), position)
        index &+= 1
      }
    }
  }

  private static func checkMoments(_ mean: Float, _ standardDeviation: Float) {
    precondition(
      mean.isFinite && standardDeviation.isFinite && standardDeviation >= 0,
      "normal numbers of mean \(mean) and standard deviation \(standardDeviation)")
  }
}
