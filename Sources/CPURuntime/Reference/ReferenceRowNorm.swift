// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension RowNorm: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let (x, gain) = (inputs[0], inputs[1])
    let (rows, columns) = (x.shape.rows, x.shape.columns)
    var y = ReferenceSum([rows, columns])
    var reciprocals: [Double] = []
    var means: [Double] = []
    for row in 0..<rows {
      let mean = kind == .layer ? average(columns) { x[row, $0] } : 0
      let spread = average(columns) { (x[row, $0] - mean) * (x[row, $0] - mean) }
      let r = 1 / (spread + Double(epsilon)).squareRoot()
      for column in 0..<columns { y[row, column] = (x[row, column] - mean) * r * gain[column] }
      reciprocals.append(r)
      means.append(mean)
    }
    return kind == .layer ? [y.values, reciprocals, means] : [y.values, reciprocals]
  }
}

extension RowNormGradient: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let (dy, x, gain, r) = (inputs[0], inputs[1], inputs[2], inputs[3])
    let (rows, columns) = (x.shape.rows, x.shape.columns)
    var dx = ReferenceSum([rows, columns])
    var dgain = [Double](repeating: 0, count: columns)
    for row in 0..<rows {
      let mean = kind == .layer ? inputs[4][row] : 0
      func normalized(_ column: Int) -> Double { (x[row, column] - mean) * r[row] }
      func scaled(_ column: Int) -> Double { dy[row, column] * gain[column] }
      let shift = kind == .layer ? average(columns, scaled) : 0
      let slope = average(columns) { scaled($0) * normalized($0) }
      for column in 0..<columns {
        dx[row, column] = r[row] * (scaled(column) - shift - normalized(column) * slope)
        dgain[column] += dy[row, column] * normalized(column)
      }
    }
    return [dx.values, dgain]
  }
}

private func average(_ count: Int, _ element: (Int) -> Double) -> Double {
  (0..<count).reduce(0) { $0 + element($1) } / Double(count)
}
