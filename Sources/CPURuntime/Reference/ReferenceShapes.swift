// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension Constant: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] { [[Double(number)]] }
}

extension Cast: ReferenceOperation {
  // The executable rounds what is stored as bfloat16.
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] { [inputs[0].values] }
}

extension Reshape: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] { [inputs[0].values] }
}

extension Broadcast: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] { [inputs[0].stretched(to: shape)] }
}

extension Slice: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let size = inputs[0].shape.count / inputs[0].shape[0]
    return [Array(inputs[0].values[first * size..<end * size])]
  }
}

extension Concatenate: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] { [inputs.flatMap(\.values)] }
}
