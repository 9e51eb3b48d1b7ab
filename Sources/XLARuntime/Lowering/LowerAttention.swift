// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension Attention: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let heads = HeadLayout(inputs, headWidth, contextLength, context)
    let mask = AttentionMask(
      window: window, current: readsWindow ? inputs[inputs.count - 1] : nil)
    var operands = [
      context.operand(heads.queries(inputs[0])), context.operand(heads.keys(inputs[1])),
      context.operand(heads.keys(inputs[2])),
    ]
    if masksDocuments { operands.append(heads.documents(inputs[3])) }
    let found = context.forBlocks(heads.blockCount, of: operands) { block, _ in
      let (q, k, v) = (block[0], block[1], block[2])
      let documents = masksDocuments ? block[3] : nil
      var outs: [HLOValue] = []
      var denominators: [HLOValue] = []
      for queries in heads.queryBlocks {
        let keys = mask.keys(queries)
        let scores = context.stored(
          mask.applied(
            heads.scores(q, queries, k, keys), queries, keys, documents: documents, -.infinity))
        let largest = scores.largest([4])
        let weights = (scores - heads.column(largest, scores)).exponential()
        let sum = weights.rowSums
        let out = heads.product(
          heads.flat(weights).converted(to: v.element), v.slice(2, keys))
        outs.append((heads.split(out, queries.count) / heads.column(sum, out, width: headWidth)))
        denominators.append(largest + sum.logarithm())
      }
      let out = context.builder.concatenate(outs, axis: 2).converted(to: results[0].element)
      return ([out, context.builder.concatenate(denominators, axis: 2)], [])
    }
    return [
      heads.rows(found.rows[0]),
      found.rows[1].transposed([0, 1, 3, 2]).reshaped(results[1].shape.dimensions),
    ]
  }
}

extension AttentionGradient: StableHLOOperation {
  /// With p = exp(score - denominator) and delta = sum(dout out): dv = p' dout, ds = p (dout v' - delta), dq = ds k, dk = ds' q.
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let heads = HeadLayout(inputs, headWidth, contextLength, context)
    let mask = AttentionMask(
      window: window, current: readsWindow ? inputs[inputs.count - 1] : nil)
    let (b, g, t, s) = (heads.sequences, heads.keyValueHeads, contextLength, heads.sharing)
    let delta = heads.split(heads.queries(inputs[3].wide * inputs[5].wide), t).rowSums
    let denominators = inputs[4].reshaped([b, g, s, t]).transposed([0, 1, 3, 2])
    var operands =
      [
        heads.queries(inputs[0]), heads.keys(inputs[1]), heads.keys(inputs[2]),
        heads.queries(inputs[5]),
      ].map(context.operand) + [delta, denominators]
    if masksDocuments { operands.append(heads.documents(inputs[6])) }
    let found = context.forBlocks(heads.blockCount, of: operands) { block, _ in
      let (q, k, v, dout) = (block[0], block[1], block[2], block[3])
      let documents = masksDocuments ? block[6] : nil
      var dqs: [HLOValue] = []
      var dk: HLOValue?
      var dv: HLOValue?
      for queries in heads.queryBlocks {
        let keys = mask.keys(queries)
        let part = queries.lowerBound * s..<queries.upperBound * s
        let scores = heads.scores(q, queries, k, keys)
        let weights = mask.applied(
          (scores - heads.column(block[5].slice(2, queries), scores)).exponential(), queries, keys,
          documents: documents, 0)
        let upstream = dout.slice(2, part)
        let dweights = heads.split(
          heads.product(upstream, v.slice(2, keys), transposed: true), queries.count)
        let dscores =
          weights * (dweights - heads.column(block[4].slice(2, queries), dweights))
          / Double(headWidth).squareRoot()
        let narrow = heads.flat(dscores).converted(to: k.element)
        dqs.append(heads.product(narrow, k.slice(2, keys)))
        let around = (low: keys.lowerBound, high: t - keys.upperBound)
        func placed(_ value: HLOValue, _ sum: HLOValue?) -> HLOValue {
          let padded = context.builder.pad(
            value, axis: 2, low: around.low, high: around.high, with: 0)
          return sum.map { $0 + padded } ?? padded
        }
        dk = placed(heads.transposedProduct(narrow, q.slice(2, part)), dk)
        dv = placed(
          heads.transposedProduct(heads.flat(weights).converted(to: dout.element), upstream), dv)
      }
      let dq = heads.split(context.builder.concatenate(dqs, axis: 2), t)
      return ([dq] + [dk, dv].compactMap(\.self), [])
    }
    let element = results[0].element
    return [heads.rows(found.rows[0].converted(to: element))]
      + found.rows[1...].map { heads.keyRows($0.converted(to: element)) }
  }
}

/// Which keys queries see.
private struct AttentionMask {
  let window: Int?
  /// The window at this run, a scalar.
  let current: HLOValue?

  /// The keys that any of a block of queries may see.
  func keys(_ queries: Range<Int>) -> Range<Int> {
    max(0, queries.lowerBound - (window ?? queries.upperBound) + 1)..<queries.upperBound
  }

  /// Scores `[B, G, queries, S, keys]` with a number where a query does not see a key.
  func applied(
    _ scores: HLOValue, _ queries: Range<Int>, _ keys: Range<Int>, documents: HLOValue?,
    _ number: Double
  ) -> HLOValue {
    let builder = scores.builder
    let shape = [queries.count, keys.count]
    // How far back the key lies.
    let distance =
      builder.iota(shape, axis: 0) - builder.iota(shape, axis: 1)
      + builder.constant(Double(queries.lowerBound - keys.lowerBound), .i32)
    var isSeen = distance.compared(.greaterOrEqual, 0)
    if let current {
      let most = Double(window ?? queries.upperBound)
      let rounded = builder.unary("round_nearest_afz", current.wide)
      let width = rounded.maximum(rounded.number(1)).minimum(rounded.number(most))
      isSeen = isSeen.and(distance.wide.compared(.less, width))
    } else if let window, window < queries.upperBound {
      isSeen = isSeen.and(distance.compared(.less, Double(window)))
    }
    var whole = isSeen.broadcast(to: scores.shape, axes: [2, 4])
    if let documents {
      let pairs = [documents.shape[0]] + shape
      let isSame = documents.slice(1, queries).broadcast(to: pairs, axes: [0, 1]).compared(
        .equal, documents.slice(1, keys).broadcast(to: pairs, axes: [0, 2]))
      whole = whole.and(isSame.broadcast(to: scores.shape, axes: [0, 2, 4]))
    }
    return builder.select(whole, scores, builder.constant(number))
  }
}

/// Heads of B sequences of T tokens: queries as `[B, G, T S, D]`, keys and values as `[B, G, T, D]`, where S query heads share a key.
///
/// Where the scores of one sequence are too many to be held at once, every head counts as a sequence: B is B G and G is 1.
private struct HeadLayout {
  /// B.
  let sequences: Int
  let contextLength: Int
  /// G.
  let keyValueHeads: Int
  /// S, the query heads for a key.
  let sharing: Int
  let width: Int
  /// In how many blocks sequences are taken.
  let blockCount: Int
  /// How many queries a block of queries has.
  let queryRows: Int
  /// B and G of the inputs.
  private let whole: (sequences: Int, heads: Int)

  init(
    _ inputs: [HLOValue], _ headWidth: Int, _ contextLength: Int, _ context: LoweringContext
  ) {
    self.contextLength = contextLength
    sharing = inputs[0].shape[1] / inputs[1].shape[1]
    width = headWidth
    whole = (inputs[0].shape[0] / contextLength, inputs[1].shape[1] / headWidth)
    queryRows = min(
      contextLength,
      max(
        Self.leastQueryRows, (contextLength + Self.mostQueryBlocks - 1) / Self.mostQueryBlocks))
    let bytes = sharing * queryRows * contextLength * 4
    let isLong = whole.heads * bytes * (context.builder.runs ?? 1) > context.blockBytes
    sequences = whole.sequences * (isLong ? whole.heads : 1)
    keyValueHeads = isLong ? 1 : whole.heads
    blockCount = context.blocks(of: sequences, bytes: keyValueHeads * bytes)
  }

  /// Queries are taken in blocks where that leaves out keys they do not see, few enough to be written one by one.
  static let leastQueryRows = 256
  static let mostQueryBlocks = 8

  var queryBlocks: [Range<Int>] {
    stride(from: 0, to: contextLength, by: queryRows).map {
      $0..<min($0 + queryRows, contextLength)
    }
  }

  func queries(_ x: HLOValue) -> HLOValue {
    x.reshaped([whole.sequences, contextLength, whole.heads, sharing, width]).transposed([
      0, 2, 1, 3, 4,
    ]).reshaped([sequences, keyValueHeads, contextLength * sharing, width])
  }

  func keys(_ x: HLOValue) -> HLOValue {
    x.reshaped([whole.sequences, contextLength, whole.heads, width]).transposed([0, 2, 1, 3])
      .reshaped([sequences, keyValueHeads, contextLength, width])
  }

  /// `[B, T]`.
  func documents(_ x: HLOValue) -> HLOValue {
    let copies = sequences / whole.sequences
    return x.reshaped([whole.sequences, contextLength])
      .broadcast(to: [whole.sequences, copies, contextLength], axes: [0, 2])
      .reshaped([sequences, contextLength])
  }

  /// `[B, G, T, S, D]` back to `[N, H D]`.
  func rows(_ x: HLOValue) -> HLOValue {
    x.reshaped([whole.sequences, whole.heads, contextLength, sharing, width])
      .transposed([0, 2, 1, 3, 4]).reshaped([
        whole.sequences * contextLength, whole.heads * sharing * width,
      ])
  }

  /// `[B, G, T, D]` back to `[N, G D]`.
  func keyRows(_ x: HLOValue) -> HLOValue {
    x.reshaped([whole.sequences, whole.heads, contextLength, width]).transposed([0, 2, 1, 3])
      .reshaped([whole.sequences * contextLength, whole.heads * width])
  }

  /// `[B, G, queries S, ...]` as `[B, G, queries, S, ...]`.
  func split(_ x: HLOValue, _ queries: Int) -> HLOValue {
    x.reshaped([x.shape[0], keyValueHeads, queries, sharing, x.shape[3]])
  }

  /// `[B, G, queries, S, keys]` as `[B, G, queries S, keys]`.
  func flat(_ x: HLOValue) -> HLOValue {
    x.reshaped([x.shape[0], keyValueHeads, x.shape[2] * sharing, x.shape[4]])
  }

  /// A number for each query and head, stretched along its keys or its width.
  func column(_ x: HLOValue, _ like: HLOValue, width: Int? = nil) -> HLOValue {
    let last = width ?? like.shape[like.rank - 1]
    return x.broadcast(to: x.shape + [last], axes: [0, 1, 2, 3])
  }

  /// q k' / sqrt(D) of a block, `[B, G, queries, S, keys]`.
  func scores(
    _ q: HLOValue, _ queries: Range<Int>, _ k: HLOValue, _ keys: Range<Int>
  ) -> HLOValue {
    let part = q.slice(2, queries.lowerBound * sharing..<queries.upperBound * sharing)
    return split(product(part, k.slice(2, keys), transposed: true), queries.count)
      / Double(width).squareRoot()
  }

  /// Products of `[B, G, m, k]` with `[B, G, k, n]`, or `[B, G, n, k]` transposed.
  func product(_ a: HLOValue, _ b: HLOValue, transposed: Bool = false) -> HLOValue {
    a.builder.product(
      a, b, contracting: ([3], [transposed ? 3 : 2]), batching: ([0, 1], [0, 1]), result: .f32)
  }

  /// `[B, G, k, m]` transposed times `[B, G, k, n]`.
  func transposedProduct(_ a: HLOValue, _ b: HLOValue) -> HLOValue {
    a.builder.product(a, b, contracting: ([2], [2]), batching: ([0, 1], [0, 1]), result: .f32)
  }
}
