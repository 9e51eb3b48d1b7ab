// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension MatrixProduct: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let (a, b) = (inputs[0], inputs[1])
    let last = a.rank - 1
    let batch = Array(0..<a.rank - 2)
    let isPlain = inputs.count == 2 && factor == 1
    let element = results[0].element
    var value = context.builder.product(
      a, b,
      contracting: ([transposeLeft ? last - 1 : last], [transposeRight ? last : last - 1]),
      batching: (batch, batch), result: isPlain ? element : .f32)
    if factor != 1 { value = value * Double(factor) }
    if inputs.count == 3 { value = value + inputs[2].wide * Double(addendFactor) }
    return [value.converted(to: element)]
  }
}
