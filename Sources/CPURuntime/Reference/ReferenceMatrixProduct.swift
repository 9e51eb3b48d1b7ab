// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension MatrixProduct: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let left = transposeLeft ? inputs[0].columnVectors : inputs[0].rowVectors
    let right = transposeRight ? inputs[1].rowVectors : inputs[1].columnVectors
    return [left.flatMap { row in right.map { column in dot(row, column) } }]
  }
}
