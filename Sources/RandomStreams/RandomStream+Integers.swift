// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension RandomStream {
  /// A whole number from 0 to `bound` - 1, each exactly equally likely.
  ///
  /// Lemire's method (*Fast random integer generation in an interval*, 2019) on 64 bits: the upper half
  /// of a 128-bit product, with the few products that would favour some results drawn again.
  ///
  /// - Parameters:
  ///   - bound: Number of possible results, at least 1.
  ///   - index: From 0 to 2^49 - 1.
  /// - Returns: A number in 0 ..< `bound`.
  public func integer(below bound: Int, at index: Int) -> Int {
    precondition(bound >= 1, "a random integer below \(bound)")
    let position = Self.checkIndex(index, perBlock: 2)
    let count = UInt64(bound)
    var attempt: UInt64 = 0
    while true {
      let words = longBlock(position &>> 1, attempt: attempt)
      let product = (position & 1 == 0 ? words.0 : words.1).multipliedFullWidth(by: count)
      if product.low >= count || product.low >= (0 &- count) % count {
        return Int(product.high)
      }
      attempt += 1
      precondition(attempt < 65_536, "\(attempt) attempts at an integer below \(bound)")
    }
  }

  /// Shuffles `buffer` so that every order is equally likely (Fisher-Yates, from the last element down).
  ///
  /// Step i swaps element i with element `integer(below: i + 1, at: startingAt + i)`, i from the last to 1.
  /// Nothing is allocated.
  ///
  /// - Parameters:
  ///   - buffer: Elements to shuffle in place.
  ///   - startingAt: Index of the first draw; shuffles whose draws overlap are not independent.
  /// - Complexity: O(count).
  @inlinable
  public func shuffle<Element>(
    _ buffer: UnsafeMutableBufferPointer<Element>, startingAt: Int = 0
  ) {
    var index = buffer.count - 1
    while index > 0 {
      let other = integer(below: index + 1, at: startingAt + index)
      if other != index { buffer.swapAt(index, other) }
      index -= 1
    }
  }

  /// A random order of the numbers from 0 to `count` - 1.
  ///
  /// - Parameter count: How many, not negative.
  /// - Returns: The shuffle of 0, 1, 2, ... by ``shuffle(_:startingAt:)``.
  public func permutation(count: Int) -> [Int] {
    precondition(count >= 0, "a permutation of \(count) elements")
    var order = Array(0..<count)
    order.withUnsafeMutableBufferPointer { shuffle($0) }
    return order
  }

  /// A sequential reader for Swift's own `random(in:using:)` and `shuffled(using:)`.
  ///
  /// - Parameter index: Index of the first double word, see ``uint64(at:)``.
  /// - Returns: A generator that yields the double words from `index` on.
  public func generator(startingAt index: Int = 0) -> RandomStreamGenerator {
    RandomStreamGenerator(stream: self, index: index)
  }
}

/// Reads a ``RandomStream`` from front to back.
public struct RandomStreamGenerator: RandomNumberGenerator, Sendable {
  /// The stream that is read.
  public let stream: RandomStream
  /// Index of the next double word.
  public private(set) var index: Int

  init(stream: RandomStream, index: Int) {
    self.stream = stream
    self.index = index
  }

  /// Reads the next double word.
  ///
  /// - Returns: 64 uniform bits.
  public mutating func next() -> UInt64 {
    defer { index += 1 }
    return stream.uint64(at: index)
  }
}
