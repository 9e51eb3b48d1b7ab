// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The sizes of a tensor's axes, outermost first; `[]` is a scalar.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// Sizes, outermost axis first.
  public let dimensions: [Int]

  /// Makes a shape from axis sizes.
  public init(_ dimensions: [Int]) { self.dimensions = dimensions }

  /// Makes a shape from a literal, as in `[batch, width]`.
  public init(arrayLiteral elements: Int...) { dimensions = elements }

  /// The number of axes.
  public var rank: Int { dimensions.count }

  /// The number of elements; 1 for a scalar.
  public var count: Int { dimensions.reduce(1, *) }

  /// True for `[]`.
  public var isScalar: Bool { dimensions.isEmpty }

  /// The innermost size; 1 for a scalar.
  public var columns: Int { dimensions.last ?? 1 }

  /// The product of all sizes but the innermost: a tensor seen as a matrix `[rows, columns]`.
  public var rows: Int { dimensions.dropLast().reduce(1, *) }

  /// The size of one axis.
  public subscript(axis: Int) -> Int { dimensions[axis] }

  /// The shape as text, for example `[2048, 256]`.
  public var description: String {
    "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
  }

  /// The broadcast of two shapes, or nil when an axis differs and neither side is 1.
  ///
  /// Axes align from the innermost outwards; a missing or unit axis stretches.
  public func broadcast(with other: Shape) -> Shape? {
    let rank = max(self.rank, other.rank)
    var result = [Int](repeating: 1, count: rank)
    for axis in 0..<rank {
      let mine = axis < self.rank ? dimensions[self.rank - 1 - axis] : 1
      let theirs = axis < other.rank ? other.dimensions[other.rank - 1 - axis] : 1
      guard mine == theirs || mine == 1 || theirs == 1 else { return nil }
      result[rank - 1 - axis] = mine == 1 ? theirs : mine
    }
    return Shape(result)
  }
}
