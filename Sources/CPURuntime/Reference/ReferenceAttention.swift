// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

extension Attention: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let heads = AttentionHeads(
      q: inputs[0], k: inputs[1], headWidth: headWidth, contextLength: contextLength,
      window: window, current: readsWindow ? inputs.last : nil,
      documents: masksDocuments ? inputs[3] : nil)
    let v = heads.split(inputs[2])
    var out = ReferenceSum(inputs[0].shape)
    var logSumExp = [Double](repeating: 0, count: heads.rows * heads.count)
    heads.forEachQuery { head, row in
      let keys = heads.visibleKeys(row)
      let scores = keys.map { heads.score(head, row, $0) }
      let largest = scores.max() ?? 0
      let sum = scores.reduce(0) { $0 + exp($1 - largest) }
      logSumExp[heads.statistic(head, row)] = largest + log(sum)
      for (key, score) in zip(keys, scores) {
        out.add(
          exp(score - largest) / sum, times: v[key][heads.keyValueHead(head)], row: row,
          column: head * headWidth)
      }
    }
    return [out.values, logSumExp]
  }
}

extension AttentionGradient: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let heads = AttentionHeads(
      q: inputs[0], k: inputs[1], headWidth: headWidth, contextLength: contextLength,
      window: window, current: readsWindow ? inputs.last : nil,
      documents: masksDocuments ? inputs[6] : nil)
    let (v, out) = (heads.split(inputs[2]), heads.split(inputs[3]))
    let (logSumExp, dout) = (inputs[4], heads.split(inputs[5]))
    var dq = ReferenceSum(inputs[0].shape)
    var dk = ReferenceSum(inputs[1].shape)
    var dv = ReferenceSum(inputs[2].shape)
    heads.forEachQuery { head, row in
      let other = heads.keyValueHead(head)
      let (first, otherFirst) = (head * headWidth, other * headWidth)
      let upstream = dout[row][head]
      let delta = dot(upstream, out[row][head])
      for key in heads.visibleKeys(row) {
        let p = exp(heads.score(head, row, key) - logSumExp[heads.statistic(head, row)])
        let dp = dot(upstream, v[key][other])
        let dscore = p * (dp - delta) / Double(headWidth).squareRoot()
        dv.add(p, times: upstream, row: key, column: otherFirst)
        dq.add(dscore, times: heads.k[key][other], row: row, column: first)
        dk.add(dscore, times: heads.q[row][head], row: key, column: otherFirst)
      }
    }
    return [dq.values, dk.values, dv.values]
  }
}

/// Which keys a query sees, and their scores.
private struct AttentionHeads {
  /// Queries and keys by row and head.
  let q: [[[Double]]]
  let k: [[[Double]]]
  let headWidth: Int
  let contextLength: Int
  let window: Int
  let documents: ReferenceTensor?
  /// N.
  let rows: Int
  /// H.
  let count: Int
  /// H / G.
  let sharing: Int

  init(
    q: ReferenceTensor, k: ReferenceTensor, headWidth: Int, contextLength: Int, window: Int?,
    current: ReferenceTensor?, documents: ReferenceTensor?
  ) {
    self.q = Self.split(q, headWidth)
    self.k = Self.split(k, headWidth)
    self.headWidth = headWidth
    self.contextLength = contextLength
    let most = window ?? contextLength
    let number = current?[0].rounded() ?? Double(most)
    self.window = number >= 1 ? Int(min(number, Double(most))) : 1
    self.documents = documents
    rows = q.shape[0]
    count = q.shape[1] / headWidth
    sharing = q.shape[1] / k.shape[1]
  }

  func keyValueHead(_ head: Int) -> Int { head / sharing }

  /// The place of a query in a tensor `[B, H, T]`.
  func statistic(_ head: Int, _ row: Int) -> Int {
    (row / contextLength * count + head) * contextLength + row % contextLength
  }

  func forEachQuery(_ body: (_ head: Int, _ row: Int) -> Void) {
    for row in 0..<rows {
      for head in 0..<count { body(head, row) }
    }
  }

  /// Rows of keys of the same sequence, not later, within the window, of the same document.
  func visibleKeys(_ row: Int) -> [Int] {
    let start = row - row % contextLength
    return (start...row).filter { key in
      row - key < window
        && documents.map { $0.integer(key) == $0.integer(row) } ?? true
    }
  }

  func score(_ head: Int, _ row: Int, _ key: Int) -> Double {
    dot(q[row][head], k[key][keyValueHead(head)]) / Double(headWidth).squareRoot()
  }

  /// A tensor `[N, H D]` by row and head.
  func split(_ tensor: ReferenceTensor) -> [[[Double]]] { Self.split(tensor, headWidth) }

  private static func split(_ tensor: ReferenceTensor, _ headWidth: Int) -> [[[Double]]] {
    tensor.rowVectors.map { row in
      stride(from: 0, to: row.count, by: headWidth).map { Array(row[$0..<$0 + headWidth]) }
    }
  }
}
