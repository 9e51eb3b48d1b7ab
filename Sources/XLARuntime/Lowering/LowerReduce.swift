// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension Reduce: StableHLOOperation {
  /// Sums of all elements go row by row first, so that rounding errors stay those of a row and of the rows' sums.
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let x = inputs[0].wide
    let builder = context.builder
    let reduction: HLOReduction = kind == .sum ? .sum : .maximum
    let last = x.rank - 1
    switch axes {
    case .all:
      let rows = x.rank > 1 ? builder.reduce(x, reduction, [last]) : x
      return [builder.reduce(rows, reduction, Array(rows.shape.indices))]
    case .columns:
      return [builder.reduce(x, reduction, [last]).reshaped(results[0].shape.dimensions)]
    case .rows:
      return [builder.reduce(x, reduction, Array(0..<last))]
    }
  }
}
