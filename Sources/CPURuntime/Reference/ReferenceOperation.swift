// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// An operation that the reference runtime can evaluate.
protocol ReferenceOperation: Operation {
  /// The values of each result, row-major, before any rounding to the result's element type.
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]]
}

/// A tensor of doubles, row-major.
struct ReferenceTensor {
  let shape: Shape
  let values: [Double]

  /// Element of the tensor seen as `[rows, columns]`.
  subscript(row: Int, column: Int) -> Double { values[row * shape.columns + column] }

  /// Element of a vector.
  subscript(index: Int) -> Double { values[index] }

  /// The rows, each as a vector.
  var rowVectors: [[Double]] {
    let columns = shape.columns
    return (0..<shape.rows).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
  }

  /// The columns, each as a vector.
  var columnVectors: [[Double]] {
    (0..<shape.columns).map { column in (0..<shape.rows).map { self[$0, column] } }
  }

  /// An element of a vector of token ids or document numbers.
  func integer(_ index: Int) -> Int { Int(values[index]) }

  /// The values that an operation on a larger shape sees: axes align from the innermost, and missing or unit axes
  /// repeat.
  func stretched(to larger: Shape) -> [Double] {
    if shape == larger { return values }
    var result: [Double] = []
    result.reserveCapacity(larger.count)
    for position in 0..<larger.count {
      var rest = position
      var source = 0
      var stride = 1
      for distance in 0..<larger.rank {
        let size = larger[larger.rank - 1 - distance]
        let coordinate = rest % size
        rest /= size
        guard distance < shape.rank else { continue }
        let own = shape[shape.rank - 1 - distance]
        if own != 1 { source += coordinate * stride }
        stride *= own
      }
      result.append(values[source])
    }
    return result
  }
}

/// A matrix that is being added up.
struct ReferenceSum {
  let columns: Int
  private(set) var values: [Double]

  init(_ shape: Shape) {
    columns = shape.columns
    values = [Double](repeating: 0, count: shape.count)
  }

  subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// Adds `factor` times a vector to a row, starting at a column.
  mutating func add(_ factor: Double, times vector: [Double], row: Int, column: Int = 0) {
    precondition(column + vector.count <= columns, "\(vector.count) numbers from \(column)")
    let start = row * columns + column
    values.withUnsafeMutableBufferPointer { sum in
      vector.withUnsafeBufferPointer { vector in
        var index = 0
        while index < vector.count {
          sum[start + index] += factor * vector[index]
          index += 1
        }
      }
    }
  }
}

/// The sum of products, in order.
///
/// Unsafe pointers keep debug builds bearable.
func dot(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count, "\(a.count) numbers times \(b.count)")
  return a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      var sum = 0.0
      var index = 0
      while index < a.count {
        sum += a[index] * b[index]
        index += 1
      }
      return sum
    }
  }
}
