// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

/// Queries and keys go in blocks that keep scores in the second-level cache.
private let queryBlock = 64
private let keyBlock = 512

/// Sizes and strides of one attention, and the keys that a block of queries can see.
private struct AttentionLayout {
  let context: Int
  let heads: Int
  let keyHeads: Int
  let width: Int
  /// The most keys that a query sees: the whole context where nothing says less.
  let window: Int
  let sequences: Int
  let type: ElementType

  var queryStride: Int { heads * width }
  var keyStride: Int { keyHeads * width }
  var blocks: Int { (context + queryBlock - 1) / queryBlock }
  var scale: Float { 1 / Float(width).squareRoot() }

  /// Positions of the queries of one block.
  func queries(_ block: Int) -> Range<Int> {
    block * queryBlock..<min(context, (block + 1) * queryBlock)
  }

  /// The first block of `queryBlock` keys that any query of a block sees.
  func firstKeyBlock(_ queries: Range<Int>, window: Int) -> Int {
    max(0, queries.lowerBound - window + 1) / queryBlock
  }

  /// How many blocks of keys there are from a first one to the last that any query of a block sees.
  func keyRangeCount(_ queries: Range<Int>, firstKeyBlock: Int) -> Int {
    (queries.upperBound - firstKeyBlock * queryBlock + keyBlock - 1) / keyBlock
  }

  /// One of these blocks of keys.
  func keys(_ queries: Range<Int>, firstKeyBlock: Int, _ position: Int) -> Range<Int> {
    let begin = firstKeyBlock * queryBlock + position * keyBlock
    return begin..<min(queries.upperBound, begin + keyBlock)
  }

  /// The window of this run: what is read, rounded, from 1 to the most.
  func window(_ current: UnsafePointer<Float>?) -> Int {
    guard let current else { return window }
    let number = current.pointee.rounded()
    return number >= 1 ? Int(min(number, Float(window))) : 1
  }

  func block(
    _ queries: Range<Int>, _ keys: Range<Int>, window: Int, _ documents: UnsafePointer<Int32>?
  ) -> ck_attention_block {
    ck_attention_block(
      queries: queries.count, keys: keys.count, first_query: queries.lowerBound,
      first_key: keys.lowerBound, score_stride: keyBlock, scale: scale, causal: 1, window: window,
      documents: documents)
  }
}

/// The products of every pair of query and key block, prepared when the kernel is bound.
///
/// With a window that is read, the first keys that a block of queries sees are known only at the run: products of all sizes
/// that can occur are prepared, and the very ones that a fixed window of that size would use are run. They are few: a block of
/// queries is whole or the context's last, a block of keys is whole or what is left before the last query.
private struct AttentionPairs {
  private var pairs: [AttentionPair?]

  init(
    _ l: AttentionLayout, readsWindow: Bool,
    _ make: (_ queries: Int, _ keys: Int, _ isFirst: Bool) -> AttentionPair
  ) {
    pairs = Array(repeating: nil, count: 4 * (keyBlock / queryBlock + 1))
    // Down to its own keys, the last whole block of queries comes by all that those before it see.
    for block in readsWindow ? max(0, l.blocks - 2)..<l.blocks : 0..<l.blocks {
      let queries = l.queries(block)
      let first = l.firstKeyBlock(queries, window: l.window)
      for first in first...(readsWindow ? block : first) {
        for position in 0..<l.keyRangeCount(queries, firstKeyBlock: first) {
          let keys = l.keys(queries, firstKeyBlock: first, position)
          let place = Self.place(queries, keys, position)
          if pairs[place] == nil { pairs[place] = make(queries.count, keys.count, position == 0) }
        }
      }
    }
  }

  subscript(queries: Range<Int>, keys: Range<Int>, position: Int) -> AttentionPair {
    guard let pair = pairs[Self.place(queries, keys, position)] else {
      preconditionFailure("no products of \(queries.count) queries and \(keys.count) keys")
    }
    return pair
  }

  /// A whole block of queries sees keys in multiples of its size; the last of a context sees so many and its own, or a whole block.
  private static func place(_ queries: Range<Int>, _ keys: Range<Int>, _ position: Int) -> Int {
    (keys.count / queryBlock * 2 + (queries.count == queryBlock ? 0 : 1)) * 2 + min(position, 1)
  }
}

/// The products of one pair of query and key block.
private struct AttentionPair {
  let scores: Product
  /// Forward: P V.
  ///
  /// Backward: dP = dO V'.
  let values: Product
  /// Backward only: dV += P' dO and dK += dS' Q (same sizes), and dQ (+)= dS K.
  let keyGradient: Product?
  let queryGradient: Product?
}

extension Lowering {
  private func layout(
    _ headWidth: Int, _ context: Int, _ window: Int?, _ index: Int
  ) -> AttentionLayout {
    let (q, k) = (type(input(index, 0)), type(input(index, 1)))
    return AttentionLayout(
      context: context, heads: q.shape[1] / headWidth, keyHeads: k.shape[1] / headWidth,
      width: headWidth, window: min(window ?? context, context), sequences: q.shape[0] / context,
      type: q.elementType)
  }

  private func pairs(
    _ l: AttentionLayout, readsWindow: Bool, backward: Bool
  ) -> AttentionPairs {
    let cache = products
    func product(
      _ m: Int, _ n: Int, _ k: Int, _ strides: (Int, Int, Int), a: Bool = false, b: Bool = false,
      accumulate: Bool = false
    ) -> Product {
      cache.product(
        ProductKey(
          m: m, n: n, k: k, type: l.type, resultType: .float32, aStride: strides.0,
          bStride: strides.1, cStride: strides.2, transposeA: a, transposeB: b,
          accumulate: accumulate))
    }
    return AttentionPairs(l, readsWindow: readsWindow) { m, n, isFirst in
      let scores = product(m, n, l.width, (l.queryStride, l.keyStride, keyBlock), b: true)
      if !backward {
        return AttentionPair(
          scores: scores,
          values: product(m, l.width, n, (keyBlock, l.keyStride, l.width), accumulate: !isFirst),
          keyGradient: nil, queryGradient: nil)
      }
      return AttentionPair(
        scores: scores, values: scores,
        keyGradient: product(
          n, l.width, m, (keyBlock, l.queryStride, l.width), a: true, accumulate: true),
        queryGradient: product(
          m, l.width, n, (keyBlock, l.keyStride, l.width), accumulate: !isFirst))
    }
  }

  func lowerAttention(_ operation: Attention, _ index: Int, _ stage: Stage) {
    let l = layout(operation.headWidth, operation.contextLength, operation.window, index)
    let inputs = graph.nodes[index].inputs
    let out = Graph.Value(node: index, result: 0)
    let logSumExp = Graph.Value(node: index, result: 1)
    let buffers = inputs.map(buffer)
    let (outBuffer, logBuffer) = (buffer(out), buffer(logSumExp))
    let outType = operation.elementType
    let scratch = laneScratch
    let bytes = l.type.byteCount
    // Scores, probabilities, accumulated output, and maximum, sum and factor of each query.
    let scoreBytes = queryBlock * keyBlock * 4
    let scratchBytes = 2 * scoreBytes + queryBlock * l.width * 4 + 3 * queryBlock * 4
    emit(
      KernelPlan(
        label: operation.name, category: .attention, rows: l.sequences * l.heads * l.blocks,
        block: 1, reads: inputs.map(whole), writes: [whole(out), whole(logSumExp)], stage: stage
      ) { [unowned self] binding in
        let pairs = self.pairs(l, readsWindow: operation.readsWindow, backward: false)
        let address = buffers.map { UnsafeRawPointer(binding.address($0)) }
        let allDocuments =
          operation.masksDocuments ? address[3].assumingMemoryBound(to: Int32.self) : nil
        let currentWindow =
          operation.readsWindow ? address.last?.assumingMemoryBound(to: Float.self) : nil
        let to = binding.address(outBuffer)
        let logs = binding.address(logBuffer).assumingMemoryBound(to: Float.self)
        return { _, unit, lane in
          // The longest rows of keys first, so that lanes finish together.
          let block = l.blocks - 1 - unit / (l.sequences * l.heads)
          let sequence = unit % (l.sequences * l.heads) / l.heads
          let head = unit % l.heads
          let queries = l.queries(block)
          let row = sequence * l.context
          let keyColumn = head / (l.heads / l.keyHeads) * l.width
          let q =
            address[0] + ((row + queries.lowerBound) * l.queryStride + head * l.width) * bytes
          let documents = allDocuments.map { $0 + row }
          let window = l.window(currentWindow)
          let firstKeys = l.firstKeyBlock(queries, window: window)
          let scores = scratch[lane].assumingMemoryBound(to: Float.self)
          let probabilities = scratch[lane] + scoreBytes
          let output = (scratch[lane] + 2 * scoreBytes).assumingMemoryBound(to: Float.self)
          let maximum = output + queryBlock * l.width
          let sum = maximum + queryBlock
          let factor = sum + queryBlock
          for query in 0..<queries.count {
            maximum[query] = -.infinity
            sum[query] = 0
          }
          for position in 0..<l.keyRangeCount(queries, firstKeyBlock: firstKeys) {
            let keys = l.keys(queries, firstKeyBlock: firstKeys, position)
            let pair = pairs[queries, keys, position]
            let offset = ((row + keys.lowerBound) * l.keyStride + keyColumn) * bytes
            pair.scores.run(lane, q, address[1] + offset, scores)
            var mask = l.block(queries, keys, window: window, documents)
            ck_attention_softmax(
              &mask, scores, probabilities, l.type.kernelType, maximum, sum, factor)
            if position > 0 { ck_scale_rows(queries.count, l.width, output, l.width, factor) }
            pair.values.run(lane, probabilities, address[2] + offset, output)
          }
          ck_attention_finish(
            queries.count, l.width, output, l.width, maximum, sum,
            to + ((row + queries.lowerBound) * l.queryStride + head * l.width) * outType.byteCount,
            outType.kernelType, l.queryStride,
            logs + (sequence * l.heads + head) * l.context + queries.lowerBound)
        }
      }, laneScratch: scratchBytes)
  }

  func lowerAttentionGradient(_ operation: AttentionGradient, _ index: Int, _ stage: Stage) {
    let l = layout(operation.headWidth, operation.contextLength, operation.window, index)
    let inputs = graph.nodes[index].inputs
    let results = (0..<3).map { Graph.Value(node: index, result: $0) }
    let buffers = inputs.map(buffer)
    let resultBuffers = results.map(buffer)
    let outType = operation.elementType
    let outElement = type(inputs[3]).elementType
    let scratch = laneScratch
    let bytes = l.type.byteCount
    let scoreBytes = queryBlock * keyBlock * 4
    let keyBytes = l.context * l.width * 4
    let scratchBytes =
      4 * scoreBytes + 2 * keyBytes + queryBlock * l.width * 4 + queryBlock * 4
    // A unit owns one key/value head of one sequence, so that its gradients are summed by one lane, in order.
    emit(
      KernelPlan(
        label: operation.name, category: .attention, rows: l.sequences * l.keyHeads, block: 1,
        reads: inputs.map(whole), writes: results.map(whole), stage: stage
      ) { [unowned self] binding in
        let pairs = self.pairs(l, readsWindow: operation.readsWindow, backward: true)
        let address = buffers.map { UnsafeRawPointer(binding.address($0)) }
        let allDocuments =
          operation.masksDocuments ? address[6].assumingMemoryBound(to: Int32.self) : nil
        let currentWindow =
          operation.readsWindow ? address.last?.assumingMemoryBound(to: Float.self) : nil
        let to = resultBuffers.map(binding.address)
        let group = l.heads / l.keyHeads
        return { _, unit, lane in
          let sequence = unit / l.keyHeads
          let keyHead = unit % l.keyHeads
          let row = sequence * l.context
          let base = scratch[lane]
          let scores = base.assumingMemoryBound(to: Float.self)
          let upstream = (base + scoreBytes).assumingMemoryBound(to: Float.self)
          let probabilities = base + 2 * scoreBytes
          let scoreGradient = base + 3 * scoreBytes
          let dk = (base + 4 * scoreBytes).assumingMemoryBound(to: Float.self)
          let dv = dk + l.context * l.width
          let dq = dv + l.context * l.width
          let delta = dq + queryBlock * l.width
          let documents = allDocuments.map { $0 + row }
          let window = l.window(currentWindow)
          dk.update(repeating: 0, count: 2 * l.context * l.width)
          for head in keyHead * group..<(keyHead + 1) * group {
            for block in 0..<l.blocks {
              let queries = l.queries(block)
              let place = (row + queries.lowerBound) * l.queryStride + head * l.width
              let q = address[0] + place * bytes
              let dout = address[5] + place * bytes
              let logs =
                address[4].assumingMemoryBound(to: Float.self)
                + (sequence * l.heads + head) * l.context + queries.lowerBound
              ck_row_dot(
                queries.count, l.width, dout, l.type.kernelType, l.queryStride,
                address[3] + place * outElement.byteCount, outElement.kernelType, l.queryStride,
                delta)
              let firstKeys = l.firstKeyBlock(queries, window: window)
              for position in 0..<l.keyRangeCount(queries, firstKeyBlock: firstKeys) {
                let keys = l.keys(queries, firstKeyBlock: firstKeys, position)
                let pair = pairs[queries, keys, position]
                let first = keys.lowerBound
                let offset = ((row + first) * l.keyStride + keyHead * l.width) * bytes
                pair.scores.run(lane, q, address[1] + offset, scores)
                pair.values.run(lane, dout, address[2] + offset, upstream)
                var mask = l.block(queries, keys, window: window, documents)
                ck_attention_backward(
                  &mask, scores, upstream, logs, delta, probabilities, scoreGradient,
                  l.type.kernelType)
                pair.keyGradient?.run(lane, probabilities, dout, dv + first * l.width)
                pair.keyGradient?.run(lane, scoreGradient, q, dk + first * l.width)
                pair.queryGradient?.run(lane, scoreGradient, address[1] + offset, dq)
              }
              store(
                dq, queries.count, l.width, to[0] + place * outType.byteCount, l.queryStride,
                outType)
            }
          }
          let place = (row * l.keyStride + keyHead * l.width) * outType.byteCount
          store(dk, l.context, l.width, to[1] + place, l.keyStride, outType)
          store(dv, l.context, l.width, to[2] + place, l.keyStride, outType)
        }
      }, laneScratch: scratchBytes)
  }
}

/// Writes fp32 rows into a strided tensor of either type.
private func store(
  _ from: UnsafePointer<Float>, _ rows: Int, _ width: Int, _ to: UnsafeMutableRawPointer,
  _ stride: Int, _ type: ElementType
) {
  for row in 0..<rows {
    let target = to + row * stride * type.byteCount
    if type == .bfloat16 {
      ck_convert_f32_to_bf16(
        from + row * width, target.assumingMemoryBound(to: UInt16.self), width)
    } else {
      target.copyMemory(from: from + row * width, byteCount: width * 4)
    }
  }
}
