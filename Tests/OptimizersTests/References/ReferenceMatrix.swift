// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A dense matrix of `Double`, row-major, with the textbook algorithms.
struct ReferenceMatrix: Equatable {
  var rows: Int
  var columns: Int
  var values: [Double]

  init(_ rows: Int, _ columns: Int, _ values: [Double]) {
    precondition(values.count == rows * columns, "\(values.count) values in \(rows) x \(columns)")
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  init(zeros rows: Int, _ columns: Int) {
    self.init(rows, columns, [Double](repeating: 0, count: rows * columns))
  }

  init(identity size: Int) {
    self.init(zeros: size, size)
    for i in 0..<size { self[i, i] = 1 }
  }

  subscript(i: Int, j: Int) -> Double {
    get { values[i * columns + j] }
    set { values[i * columns + j] = newValue }
  }

  var transposed: ReferenceMatrix {
    var result = ReferenceMatrix(zeros: columns, rows)
    for i in 0..<rows { for j in 0..<columns { result[j, i] = self[i, j] } }
    return result
  }

  static func * (a: ReferenceMatrix, b: ReferenceMatrix) -> ReferenceMatrix {
    precondition(a.columns == b.rows, "\(a.rows) x \(a.columns) times \(b.rows) x \(b.columns)")
    var result = ReferenceMatrix(zeros: a.rows, b.columns)
    for i in 0..<a.rows {
      for j in 0..<b.columns {
        var sum = 0.0
        for k in 0..<a.columns { sum += a[i, k] * b[k, j] }
        result[i, j] = sum
      }
    }
    return result
  }

  static func * (scale: Double, a: ReferenceMatrix) -> ReferenceMatrix {
    ReferenceMatrix(a.rows, a.columns, a.values.map { scale * $0 })
  }

  static func + (a: ReferenceMatrix, b: ReferenceMatrix) -> ReferenceMatrix {
    ReferenceMatrix(a.rows, a.columns, zip(a.values, b.values).map { $0 + $1 })
  }

  /// Some rows and columns.
  func block(rows r: Range<Int>, columns c: Range<Int>) -> ReferenceMatrix {
    var result = ReferenceMatrix(zeros: r.count, c.count)
    for i in r { for j in c { result[i - r.lowerBound, j - c.lowerBound] = self[i, j] } }
    return result
  }

  mutating func setBlock(_ block: ReferenceMatrix, row: Int, column: Int) {
    for i in 0..<block.rows {
      for j in 0..<block.columns { self[row + i, column + j] = block[i, j] }
    }
  }

  func column(_ j: Int) -> [Double] { (0..<rows).map { self[$0, j] } }

  /// The columns in another order.
  func columns(_ order: [Int]) -> ReferenceMatrix {
    var result = self
    for (to, from) in order.enumerated() { for i in 0..<rows { result[i, to] = self[i, from] } }
    return result
  }

  /// The rows in another order.
  func rows(_ order: [Int]) -> ReferenceMatrix { transposed.columns(order).transposed }

  /// Eigenvalues, descending, and eigenvectors in the columns, of a symmetric matrix, by cyclic Jacobi rotations.
  ///
  /// The component of largest magnitude of every eigenvector is positive.
  var eigenvectors: (values: [Double], vectors: ReferenceMatrix) {
    precondition(rows == columns, "eigenvectors of a matrix that is not square")
    var a = self
    var q = ReferenceMatrix(identity: rows)
    for _ in 0..<60 {
      var off = 0.0
      for i in 0..<rows { for j in 0..<i { off += a[i, j] * a[i, j] } }
      if off == 0 { break }
      for i in 0..<rows {
        for j in 0..<i where a[i, j] != 0 {
          // The rotation that makes a_ij zero; t is the smaller root of t^2 + 2 theta t = 1.
          let theta = (a[i, i] - a[j, j]) / (2 * a[i, j])
          let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
          let c = 1 / (t * t + 1).squareRoot()
          let s = t * c
          for k in 0..<rows {
            let (x, y) = (a[k, j], a[k, i])
            a[k, j] = c * x - s * y
            a[k, i] = s * x + c * y
          }
          for k in 0..<rows {
            let (x, y) = (a[j, k], a[i, k])
            a[j, k] = c * x - s * y
            a[i, k] = s * x + c * y
          }
          for k in 0..<rows {
            let (x, y) = (q[k, j], q[k, i])
            q[k, j] = c * x - s * y
            q[k, i] = s * x + c * y
          }
          a[i, j] = 0
          a[j, i] = 0
        }
      }
    }
    let order = (0..<rows).sorted { a[$0, $0] > a[$1, $1] }
    q = q.columns(order)
    for j in 0..<rows {
      let largest = q.column(j).max { abs($0) < abs($1) } ?? 0
      if largest < 0 { for i in 0..<rows { q[i, j] = -q[i, j] } }
    }
    return (order.map { a[$0, $0] }, q)
  }

  /// An orthonormal basis of the columns: Q of QR with a positive diagonal of R, by Gram and Schmidt, twice for accuracy.
  ///
  /// In place of a column that the others span comes the first unit vector that they do not.
  var orthogonalized: ReferenceMatrix {
    var q = self
    for j in 0..<columns {
      let length = norm(q.column(j))
      q.makeOrthogonal(j)
      for unit in 0..<rows where norm(q.column(j)) <= 1e-12 * length {
        for i in 0..<rows { q[i, j] = i == unit ? max(length, 1) : 0 }
        q.makeOrthogonal(j)
      }
      let rest = norm(q.column(j))
      for i in 0..<rows { q[i, j] /= rest }
    }
    return q
  }

  /// Takes from a column its parts along the columns before it.
  private mutating func makeOrthogonal(_ j: Int) {
    for _ in 0..<2 {
      for k in 0..<j {
        var product = 0.0
        for i in 0..<rows { product += self[i, k] * self[i, j] }
        for i in 0..<rows { self[i, j] -= product * self[i, k] }
      }
    }
  }
}
