// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

extension Attention: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let heads = AttentionHeads(
      q: inputs[0], k: inputs[1], headWidth: headWidth, contextLength: contextLength,
      window: window, documents: masksDocuments ? inputs[3] : nil)
    let v = inputs[2]
    var out = ReferenceSum(inputs[0].shape)
    var logSumExp = [Double](repeating: 0, count: heads.rows * heads.count)
    heads.forEachQuery { head, row in
      let keys = heads.visibleKeys(row)
      let scores = keys.map { heads.score(head, row, $0) }
      let largest = scores.max() ?? 0
      let sum = scores.reduce(0) { $0 + exp($1 - largest) }
      logSumExp[heads.statistic(head, row)] = largest + log(sum)
      for (key, score) in zip(keys, scores) {
        for d in 0..<headWidth {
          out[row, head * headWidth + d] +=
            exp(score - largest) / sum * v[key, heads.keyValueHead(head) * headWidth + d]
        }
      }
    }
    return [out.values, logSumExp]
  }
}

extension AttentionGradient: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let heads = AttentionHeads(
      q: inputs[0], k: inputs[1], headWidth: headWidth, contextLength: contextLength,
      window: window, documents: masksDocuments ? inputs[6] : nil)
    let (q, k, v, out) = (inputs[0], inputs[1], inputs[2], inputs[3])
    let (logSumExp, dout) = (inputs[4], inputs[5])
    var dq = ReferenceSum(q.shape)
    var dk = ReferenceSum(k.shape)
    var dv = ReferenceSum(v.shape)
    heads.forEachQuery { head, row in
      let first = head * headWidth
      let other = heads.keyValueHead(head) * headWidth
      let delta = (0..<headWidth).reduce(0) { $0 + dout[row, first + $1] * out[row, first + $1] }
      for key in heads.visibleKeys(row) {
        let p = exp(heads.score(head, row, key) - logSumExp[heads.statistic(head, row)])
        let dp = (0..<headWidth).reduce(0) { $0 + dout[row, first + $1] * v[key, other + $1] }
        let dscore = p * (dp - delta) / Double(headWidth).squareRoot()
        for d in 0..<headWidth {
          dv[key, other + d] += p * dout[row, first + d]
          dq[row, first + d] += dscore * k[key, other + d]
          dk[key, other + d] += dscore * q[row, first + d]
        }
      }
    }
    return [dq.values, dk.values, dv.values]
  }
}

/// Which keys a query sees, and their scores.
private struct AttentionHeads {
  let q: ReferenceTensor
  let k: ReferenceTensor
  let headWidth: Int
  let contextLength: Int
  let window: Int?
  let documents: ReferenceTensor?

  /// H.
  var count: Int { q.shape[1] / headWidth }
  /// N.
  var rows: Int { q.shape[0] }

  func keyValueHead(_ head: Int) -> Int { head / (count / (k.shape[1] / headWidth)) }

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
      row - key < window ?? contextLength
        && documents.map { $0.integer(key) == $0.integer(row) } ?? true
    }
  }

  func score(_ head: Int, _ row: Int, _ key: Int) -> Double {
    let (first, other) = (head * headWidth, keyValueHead(head) * headWidth)
    let product = (0..<headWidth).reduce(0) { $0 + q[row, first + $1] * k[key, other + $1] }
    return product / Double(headWidth).squareRoot()
  }
}
