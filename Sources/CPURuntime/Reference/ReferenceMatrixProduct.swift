// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension MatrixProduct: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let batch = sizes(inputs[0].shape, inputs[1].shape).batch
    var result: [Double] = []
    for entry in 0..<batch {
      let (a, b) = (inputs[0].entry(entry, of: batch), inputs[1].entry(entry, of: batch))
      let left = transposeLeft ? a.columnVectors : a.rowVectors
      let right = transposeRight ? b.rowVectors : b.columnVectors
      result += left.flatMap { row in right.map { column in Double(factor) * dot(row, column) } }
    }
    if inputs.count > 2 {
      for index in result.indices { result[index] += Double(addendFactor) * inputs[2][index] }
    }
    return [result]
  }
}

extension Transpose: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let x = inputs[0]
    let batch = x.shape.count / (x.shape[x.shape.rank - 2] * x.shape.columns)
    return [(0..<batch).flatMap { x.entry($0, of: batch).columnVectors.joined() }]
  }
}

extension ReferenceTensor {
  /// One matrix of a batch.
  fileprivate func entry(_ index: Int, of batch: Int) -> ReferenceTensor {
    let size = shape.count / batch
    return ReferenceTensor(
      shape: Shape(Array(shape.dimensions.suffix(2))),
      values: Array(values[index * size..<(index + 1) * size]))
  }
}
