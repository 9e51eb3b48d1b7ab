// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension Embedding: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    [context.builder.rows(of: inputs[0], at: inputs[1]).wide]
  }
}

extension EmbeddingGradient: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let builder = context.builder
    let zeros = builder.constant(0).stretched(to: results[0].shape.dimensions)
    return [builder.adding(inputs[0].wide, to: zeros, at: inputs[1])]
  }
}
