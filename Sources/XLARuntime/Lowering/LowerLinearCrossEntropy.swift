// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension LinearCrossEntropy: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let head = HeadEquations(form: form, inputs, context)
    let found = context.forBlocks(head.blocks(context), of: head.operands, sums: head.zeros(2)) {
      block, sums in
      let losses = head.losses(head.logits(block, context), block)
      return ([], zip(sums, losses).map { $0 + $1 })
    }
    return [found.sums[0] * head.scale, found.sums[1]]
  }
}

extension LinearCrossEntropyGradient: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let head = HeadEquations(form: form, inputs, context)
    let dweight = context.builder.constant(0).stretched(to: results[1].shape.dimensions)
    let found = context.forBlocks(
      head.blocks(context), of: head.operands, sums: head.zeros(2) + [dweight]
    ) { block, sums in
      let logits = head.logits(block, context)
      let losses = head.losses(logits, block)
      let dlogits = head.gradients(logits, block).converted(to: head.weight.element)
      let dx = context.builder.product(
        dlogits, head.weight, contracting: ([1], [0]), result: .f32)
      let part = context.builder.product(
        dlogits, block[0], contracting: ([0], [0]), result: .f32)
      return (
        [dx.converted(to: results[0].element)],
        zip(sums, losses + [part]).map { $0 + $1 }
      )
    }
    return [found.rows[0], found.sums[2], found.sums[0] * head.scale, found.sums[1]]
  }
}

/// The equations of the head on a block of rows.
private struct HeadEquations {
  let form: HeadForm
  let weight: HLOValue
  let scale: HLOValue
  private let zLoss: HLOValue
  /// 1, w_2, ..., w_K.
  private let weights: [HLOValue]
  /// What is cut into blocks: x, and the targets `[N]` of each token ahead, negative where there is none.
  let operands: [HLOValue]

  /// Logits of a block with their softmax.
  struct Logits {
    /// `[R, V]`.
    let values: HLOValue
    /// log sum exp, `[R]`.
    let logSumExp: HLOValue
    /// Their exponentials, times a number for each row, `[R, V]`.
    let masses: HLOValue
    /// The sums of the masses, `[R]`.
    let sums: HLOValue
  }

  init(form: HeadForm, _ inputs: [HLOValue], _ context: LoweringContext) {
    self.form = form
    weight = inputs[1]
    scale = inputs[3].wide
    zLoss = inputs[4].wide
    weights = [context.builder.constant(1)] + inputs.dropFirst(5).map(\.wide)
    let targets = inputs[2]
    operands =
      [inputs[0]]
      + (0..<form.predictions).map { ahead in
        if ahead == 0 { return targets }
        let length = form.contextLength
        let rows = targets.shape[0]
        if ahead >= length { return targets * 0 - targets.number(1) }
        let sequences = targets.reshaped([rows / length, length])
        return context.builder.pad(
          sequences.slice(1, ahead..<length), axis: 1, low: 0, high: ahead, with: -1
        ).reshaped([rows])
      }
  }

  /// Logits and their gradients in single precision, of one row.
  func blocks(_ context: LoweringContext) -> Int {
    context.blocks(of: operands[0].shape[0], bytes: 4 * weight.shape[0])
  }

  func zeros(_ count: Int) -> [HLOValue] {
    (0..<count).map { _ in weight.builder.constant(0) }
  }

  func logits(_ block: [HLOValue], _ context: LoweringContext) -> Logits {
    var values = weight.builder.product(
      block[0], weight, contracting: ([1], [1]), result: .f32)
    if form.logitFactor != 1 { values = values * Double(form.logitFactor) }
    if let cap = form.softCap { values = (values / Double(cap)).tanh() * Double(cap) }
    let largest = values.largest([1])
    let masses = context.stored((values - column(largest, values)).exponential())
    let sums = masses.rowSums
    return Logits(
      values: values, logSumExp: largest + sums.logarithm(), masses: masses, sums: sums)
  }

  /// The sums of all terms without the scale, and of the next token's cross entropies.
  func losses(_ logits: Logits, _ block: [HLOValue]) -> [HLOValue] {
    let s = logits.logSumExp
    let counted = isCounted(block[1])
    var terms = zLoss * s * s
    var sum: HLOValue?
    for (weight, targets) in zip(weights, block.dropFirst()) {
      let chosen = weight.builder.select(
        isTarget(targets, logits.values), logits.values, weight.number(0)
      ).sum([1])
      let crossEntropy = weight.builder.select(
        isCounted(targets), s - chosen, weight.number(0))
      if sum == nil { sum = crossEntropy.sum([0]) }
      terms = terms + crossEntropy * weight
    }
    let loss = scale.builder.select(counted, terms, scale.number(0)).sum([0])
    return [loss, sum ?? loss]
  }

  /// The loss by each product, without the form's factors: `[R, V]`.
  func gradients(_ logits: Logits, _ block: [HLOValue]) -> HLOValue {
    let builder = scale.builder
    let (l, s) = (logits.values, logits.logSumExp)
    let zero = builder.constant(0)
    var all: HLOValue?
    var here: HLOValue?
    for (weight, targets) in zip(weights, block.dropFirst()) {
      let counted = builder.select(isCounted(targets), weight, zero)
      all = all.map { $0 + counted } ?? counted
      let place = builder.select(isTarget(targets, l), weight, zero)
      here = here.map { $0 + place } ?? place
    }
    let slopeOfAll = builder.select(
      isCounted(block[1]), ((all ?? zero) + 2 * zLoss * s) * scale, zero)
    let rowScale = builder.select(isCounted(block[1]), scale, zero)
    var gradient =
      logits.masses * column(slopeOfAll / logits.sums, l) - (here ?? zero) * column(rowScale, l)
    if let cap = form.softCap {
      let ratio = l / Double(cap)
      gradient = gradient * (1 - ratio * ratio)
    }
    if let kept = form.gradientScale { gradient = roundedToFloat8(gradient / Double(kept), .e5m2) }
    return gradient
  }

  private func isCounted(_ targets: HLOValue) -> HLOValue { targets.compared(.greaterOrEqual, 0) }

  /// Where a row's target stands among the labels.
  private func isTarget(_ targets: HLOValue, _ logits: HLOValue) -> HLOValue {
    logits.builder.iota(logits.shape, axis: 1).compared(.equal, column(targets, logits))
  }

  private func column(_ x: HLOValue, _ like: HLOValue) -> HLOValue {
    x.broadcast(to: [x.shape[0], like.shape[1]], axes: [0])
  }
}
