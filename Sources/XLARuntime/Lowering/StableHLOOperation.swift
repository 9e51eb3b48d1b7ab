// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// An operation that can be written in StableHLO.
protocol StableHLOOperation {
  /// Writes the operation; the results have the shapes and element types of the graph's.
  ///
  /// Scores, logits and the like may be large: operations that would have them whole write loops over blocks instead.
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
}

/// What lowerings know beside their operands.
struct LoweringContext {
  let builder: HLOBuilder
  /// Devices that the rows of a batch are split over; blocks of rows take as many from each.
  var devices = 1
  /// The most bytes of an intermediate result that no program should hold whole.
  var blockBytes = 64 << 20
}

extension HLOValue {
  /// In single precision, as equations are computed.
  var wide: HLOValue { converted(to: .f32) }
}

extension TensorType {
  var element: HLOElement { HLOElement(elementType) }
}
