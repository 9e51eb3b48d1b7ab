// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension OrthogonalBasis: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let (m, n) = (inputs[0].shape[0], inputs[0].shape[1])
    var columns = inputs[0].columnVectors
    var reflections: [[Double]] = []
    var signs: [Double] = []
    for j in 0..<n {
      var v = columns[j]
      for row in 0..<j { v[row] = 0 }
      // R_jj = -sign(v_j) |v|, so that v_j - R_jj does not cancel.
      let size = dot(v, v).squareRoot()
      let diagonal = v[j] > 0 ? -size : size
      v[j] -= diagonal
      signs.append(diagonal < 0 ? -1 : 1)
      reflections.append(v)
      for k in j..<n { reflect(&columns[k], v) }
    }
    // Q = H_0 H_1 ... H_(n-1) times the first columns of I, with R's signs.
    var q = ReferenceSum([m, n])
    for j in 0..<n {
      var column = [Double](repeating: 0, count: m)
      column[j] = signs[j]
      for v in reflections.reversed() { reflect(&column, v) }
      for row in 0..<m { q[row, j] = column[row] }
    }
    return [q.values]
  }

  /// x = (I - 2 v v' / v'v) x; v = 0 changes nothing.
  private func reflect(_ x: inout [Double], _ v: [Double]) {
    let square = dot(v, v)
    if square == 0 { return }
    let factor = 2 * dot(v, x) / square
    for index in x.indices { x[index] -= factor * v[index] }
  }
}

extension SymmetricEigenbasis: ReferenceOperation {
  /// Cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5).
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let n = inputs[0].shape[0]
    var a = (0..<n).map { row in
      (0..<n).map { (inputs[0][row, $0] + inputs[0][$0, row]) / 2 }
    }
    guard a.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
      return [[Double](repeating: .nan, count: n * n)]
    }
    // Row i is the vector of eigenvalue a_ii.
    var vectors = (0..<n).map { row in (0..<n).map { $0 == row ? 1.0 : 0 } }
    let size = a.reduce(0) { $0 + dot($1, $1) }.squareRoot()
    for _ in 0..<40 {
      var largest = 0.0
      for p in 0..<n {
        for q in (p + 1)..<max(n, p + 1) {
          largest = max(largest, abs(a[p][q]))
          rotate(&a, &vectors, p, q)
        }
      }
      if largest <= 1e-17 * size { break }
    }
    let order = (0..<n).sorted { (a[$1][$1], $0) < (a[$0][$0], $1) }
    var result = ReferenceSum([n, n])
    for (column, index) in order.enumerated() {
      var largest = 0.0
      for element in vectors[index] where abs(element) > abs(largest) { largest = element }
      for row in 0..<n { result[row, column] = (largest < 0 ? -1 : 1) * vectors[index][row] }
    }
    return [result.values]
  }

  /// Makes a_pq zero by a rotation of rows and columns p and q.
  private func rotate(_ a: inout [[Double]], _ vectors: inout [[Double]], _ p: Int, _ q: Int) {
    if a[p][q] == 0 { return }
    let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
    let tangent = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
    let cosine = 1 / (tangent * tangent + 1).squareRoot()
    let sine = tangent * cosine
    for k in a.indices {
      (a[k][p], a[k][q]) = (cosine * a[k][p] - sine * a[k][q], sine * a[k][p] + cosine * a[k][q])
    }
    turnRows(&a, p, q, cosine, sine)
    turnRows(&vectors, p, q, cosine, sine)
  }

  private func turnRows(
    _ rows: inout [[Double]], _ p: Int, _ q: Int, _ cosine: Double, _ sine: Double
  ) {
    let (x, y) = (rows[p], rows[q])
    rows[p] = zip(x, y).map { cosine * $0 - sine * $1 }
    rows[q] = zip(x, y).map { sine * $0 + cosine * $1 }
  }
}

extension DescendingOrder: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let values = inputs[0].values.map { $0.isNaN ? -Double.infinity : $0 }
    let isNumber = inputs[0].values.map { $0.isNaN ? 0 : 1 }
    let order = values.indices.sorted { i, j in
      (values[j], isNumber[j], i) < (values[i], isNumber[i], j)
    }
    return [order.map(Double.init)]
  }
}

extension GatherColumns: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let columns = inputs[1].shape.count
    return [
      (0..<inputs[0].shape[0]).flatMap { row in
        (0..<columns).map { inputs[0][row, inputs[1].integer($0)] }
      }
    ]
  }
}
