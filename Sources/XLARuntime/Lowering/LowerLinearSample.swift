// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension LinearSample: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let weight = inputs[1]
    let temperature = inputs[3].maximum(inputs[3].number(1e-30)).minimum(inputs[3].number(1e30))
    let count = context.blocks(of: inputs[0].shape[0], bytes: 4 * weight.shape[0])
    let found = context.forBlocks(count, of: [inputs[0], inputs[2]]) { block, _ in
      var logits = context.builder.product(
        block[0], weight, contracting: ([1], [1]), result: .f32)
      if form.logitFactor != 1 { logits = logits * Double(form.logitFactor) }
      if let cap = form.softCap { logits = (logits / Double(cap)).tanh() * Double(cap) }
      let largest = logits.largest([1]).broadcast(to: logits.shape, axes: [0])
      return ([labels((logits - largest) / temperature, block[1])], [])
    }
    guard hasTargets else { return found.rows }
    let targets = inputs[4]
    return [context.builder.select(targets.compared(.less, 0), targets, found.rows[0])]
  }

  /// The first label of each row whose running sum of exp(x) exceeds that share of the total.
  ///
  /// The running sum is taken over groups of labels and then within one group, by products with triangles of ones: two small
  /// products instead of a scan along the vocabulary.
  private func labels(_ x: HLOValue, _ uniforms: HLOValue) -> HLOValue {
    let builder = x.builder
    let (rows, vocabulary) = (x.shape[0], x.shape[1])
    let width = Int(Double(vocabulary).squareRoot().rounded(.up))
    let groups = (vocabulary + width - 1) / width
    let masses = builder.pad(
      x.exponential(), axis: 1, low: 0, high: groups * width - vocabulary, with: 0)
    let grouped = masses.reshaped([rows, groups, width])
    let sums = runningSums(grouped.sum([2]))
    let wanted = uniforms * sums.slice(1, groups - 1..<groups).reshaped([rows])
    let isBefore = sums.compared(.lessOrEqual, wanted.broadcast(to: sums.shape, axes: [0]))
    let zero = builder.constant(0)
    let last = builder.constant(Double(groups - 1), .i32)
    let group = isBefore.converted(to: .i32).sum([1]).minimum(last)
    let before = builder.select(isBefore, sums, zero).largest([1])
    let isChosen = builder.iota([rows, groups], axis: 1).compared(
      .equal, group.broadcast(to: [rows, groups], axes: [0]))
    let chosen = builder.select(
      isChosen.broadcast(to: grouped.shape, axes: [0, 1]), grouped, zero
    ).sum([1])
    let within = runningSums(chosen) + before.broadcast(to: chosen.shape, axes: [0])
    let place = within.compared(.lessOrEqual, wanted.broadcast(to: chosen.shape, axes: [0]))
      .converted(to: .i32).sum([1])
    let label = group * group.number(Double(width)) + place
    // Rounding may leave all sums below what is wanted: then the last label that has any mass.
    let lastPossible = builder.select(
      x.exponential().compared(.greater, 0), builder.iota(x.shape, axis: 1).wide, zero
    ).largest([1]).converted(to: .i32)
    return label.minimum(lastPossible)
  }

  /// The sums of the first elements of each row, each included.
  private func runningSums(_ x: HLOValue) -> HLOValue {
    let builder = x.builder
    let size = x.shape[1]
    let triangle = builder.iota([size, size], axis: 0).compared(
      .lessOrEqual, builder.iota([size, size], axis: 1)
    ).wide
    return builder.product(x, triangle, contracting: ([1], [0]), result: .f32)
  }
}
