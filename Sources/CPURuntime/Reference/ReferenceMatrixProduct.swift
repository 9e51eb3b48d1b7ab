// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension MatrixProduct: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let (a, b) = (inputs[0], inputs[1])
    let (m, n, k) = sizes(a.shape, b.shape)
    var y = ReferenceSum([m, n])
    for row in 0..<m {
      for column in 0..<n {
        for inner in 0..<k {
          let left = transposeLeft ? a[inner, row] : a[row, inner]
          let right = transposeRight ? b[column, inner] : b[inner, column]
          y[row, column] += left * right
        }
      }
    }
    return [y.values]
  }
}
