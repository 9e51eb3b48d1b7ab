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
  /// What is quick where the program will run.
  var target = LoweringTarget()
  /// The most bytes of scores or logits that a device should hold at once.
  var blockBytes: Int { target.blockBytes }
}

/// What XLA makes quick code of, by the platform that a client names.
struct LoweringTarget {
  /// On processors what is fused is computed again wherever it is read, and bf16 products are widened one by one.
  var isProcessor = false

  /// The most bytes of scores or logits that are held at once on a device; of the scores of one head, an eighth of its queries at least.
  ///
  /// Smaller blocks take no longer on a processor until they are too small to share out; other devices want large products.
  var blockBytes = 256 << 20

  init(platform: String = "") {
    isProcessor = platform == "cpu"
    if isProcessor { blockBytes = 16 << 20 }
  }
}

extension LoweringContext {
  /// A value that is computed once and stored, whoever reads it; on other devices compilers choose well by themselves.
  func stored(_ x: HLOValue) -> HLOValue { target.isProcessor ? builder.barrier(x) : x }

  /// An operand of a product with axes of a batch.
  func operand(_ x: HLOValue) -> HLOValue { target.isProcessor ? x.wide : x }
}

extension HLOValue {
  /// In single precision, as equations are computed.
  var wide: HLOValue { converted(to: .f32) }
}

extension TensorType {
  var element: HLOElement { HLOElement(elementType) }
}
