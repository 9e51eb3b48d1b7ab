// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

extension LinearCrossEntropy: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let (loss, sum) = Head(inputs).losses()
    return [[loss], [sum]]
  }
}

extension LinearCrossEntropyGradient: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let head = Head(inputs)
    let (x, weight) = (inputs[0].rowVectors, inputs[1].rowVectors)
    var dx = ReferenceSum(inputs[0].shape)
    var dweight = ReferenceSum(inputs[1].shape)
    for row in head.countedRows() {
      for token in weight.indices {
        let dlogit = head.logitGradient(row, token)
        dx.add(dlogit, times: weight[token], row: row)
        dweight.add(dlogit, times: x[row], row: token)
      }
    }
    let (loss, sum) = head.losses()
    return [dx.values, dweight.values, [loss], [sum]]
  }
}

/// Logits of a head, and what follows from them row by row.
private struct Head {
  let targets: ReferenceTensor
  let scale: Double
  let zLoss: Double
  let vocabularySize: Int
  private var logits: [[Double]] = []
  private var logSumExps: [Double] = []

  init(_ inputs: [ReferenceTensor]) {
    let weight = inputs[1].rowVectors
    targets = inputs[2]
    scale = inputs[3][0]
    zLoss = inputs[4][0]
    vocabularySize = weight.count
    for x in inputs[0].rowVectors {
      let row = weight.map { dot(x, $0) }
      let largest = row.max() ?? 0
      logits.append(row)
      logSumExps.append(largest + log(row.reduce(0) { $0 + exp($1 - largest) }))
    }
  }

  func countedRows() -> [Int] { (0..<targets.shape.count).filter { targets.integer($0) >= 0 } }

  func target(_ row: Int) -> Int {
    let target = targets.integer(row)
    precondition(target < vocabularySize, "target \(target) outside 0..<\(vocabularySize)")
    return target
  }

  /// The loss, and the plain sum of cross entropies.
  func losses() -> (loss: Double, sum: Double) {
    var loss = 0.0
    var sum = 0.0
    for row in countedRows() {
      let s = logSumExps[row]
      let crossEntropy = s - logits[row][target(row)]
      loss += scale * (crossEntropy + zLoss * s * s)
      sum += crossEntropy
    }
    return (loss, sum)
  }

  /// The loss by one logit; s = log sum exp changes with it by p.
  func logitGradient(_ row: Int, _ token: Int) -> Double {
    let s = logSumExps[row]
    let p = exp(logits[row][token] - s)
    return scale * (p - (token == target(row) ? 1 : 0) + zLoss * 2 * s * p)
  }
}
