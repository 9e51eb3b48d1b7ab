// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension Constant: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    [context.builder.constant(Double(number))]
  }
}

extension Cast: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    [inputs[0].converted(to: HLOElement(elementType))]
  }
}

extension Reshape: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    [inputs[0].reshaped(shape.dimensions)]
  }
}

extension Broadcast: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    [inputs[0].wide.stretched(to: shape.dimensions)]
  }
}

extension Transpose: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let rank = inputs[0].rank
    return [inputs[0].transposed(Array(0..<rank - 2) + [rank - 1, rank - 2])]
  }
}

extension Slice: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    [inputs[0].slice(0, first..<end)]
  }
}

extension Concatenate: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    [context.builder.concatenate(inputs, axis: 0)]
  }
}

extension GatherColumns: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    [context.builder.rows(of: inputs[0].transposed([1, 0]), at: inputs[1]).transposed([1, 0])]
  }
}

extension DescendingOrder: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    [context.builder.descendingOrder(inputs[0])]
  }
}

extension TokenShift: StableHLOOperation {
  /// Columns are chosen by a mask, so that all heads are shifted at once.
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let builder = context.builder
    let x = inputs[0]
    let columns = x.shape[1]
    let sequences = x.reshaped([x.shape[0] / contextLength, contextLength, columns])
    let first = sequences.slice(1, 0..<1)
    let moved: HLOValue
    if isAdjoint {
      // Every row hands its gradient to the row before; the first keeps its own where it kept its value.
      let later = builder.pad(
        sequences.slice(1, 1..<contextLength), axis: 1, low: 0, high: 1, with: 0)
      let own = builder.pad(first, axis: 1, low: 0, high: contextLength - 1, with: 0)
      moved =
        contextLength == 1 ? (keepsFirst ? first : first * 0) : keepsFirst ? later + own : later
    } else if contextLength == 1 {
      moved = keepsFirst ? first : first * 0
    } else {
      let earlier = sequences.slice(1, 0..<contextLength - 1)
      moved =
        keepsFirst
        ? builder.concatenate([first, earlier], axis: 1)
        : builder.pad(earlier, axis: 1, low: 1, high: 0, with: 0)
    }
    let place = builder.binary(
      "remainder", builder.iota([columns], axis: 0), builder.constant(Double(period), .i32))
    let isShifted = ranges.map { range in
      place.compared(.greaterOrEqual, Double(range.lowerBound)).and(
        place.compared(.less, Double(range.upperBound)))
    }.reduce(builder.constant(0, .i1)) { builder.binary("or", $0, $1) }
    return [builder.select(isShifted, moved, sequences).reshaped(x.shape)]
  }
}
