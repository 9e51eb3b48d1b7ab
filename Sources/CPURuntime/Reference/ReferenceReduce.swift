// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension Reduce: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let x = inputs[0]
    let (rows, columns) = (x.shape.rows, x.shape.columns)
    switch axes {
    case .all: return [[combined(x.values)]]
    case .columns:
      return [(0..<rows).map { row in combined((0..<columns).map { x[row, $0] }) }]
    case .rows:
      return [(0..<columns).map { column in combined((0..<rows).map { x[$0, column] }) }]
    }
  }

  private func combined(_ values: [Double]) -> Double {
    switch kind {
    case .sum: values.reduce(0, +)
    case .maximum:
      values.reduce(-.infinity) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    }
  }
}
