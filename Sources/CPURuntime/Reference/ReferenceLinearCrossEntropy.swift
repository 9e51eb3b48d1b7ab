// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

extension LinearCrossEntropy: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let (loss, sum) = Head(inputs, form).losses()
    return [[loss], [sum]]
  }
}

extension LinearCrossEntropyGradient: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let head = Head(inputs, form)
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
  private let form: HeadForm
  private let weights: [Double]
  private var logits: [[Double]] = []
  private var logSumExps: [Double] = []

  init(_ inputs: [ReferenceTensor], _ form: HeadForm) {
    let weight = inputs[1].rowVectors
    self.form = form
    targets = inputs[2]
    scale = inputs[3][0]
    zLoss = inputs[4][0]
    weights = [1] + inputs.dropFirst(5).map { $0[0] }
    vocabularySize = weight.count
    for x in inputs[0].rowVectors {
      let row = weight.map { form.logit(of: dot(x, $0)) }
      let largest = row.max() ?? 0
      logits.append(row)
      logSumExps.append(largest + log(row.reduce(0) { $0 + exp($1 - largest) }))
    }
  }

  func countedRows() -> [Int] { (0..<targets.shape.count).filter { targets.integer($0) >= 0 } }

  /// The targets of a row that count, the next token's first, with their weights.
  private func places(_ row: Int) -> [(token: Int, weight: Double)] {
    weights.indices.compactMap { place in
      guard place == 0 || row % form.contextLength + place < form.contextLength else { return nil }
      let token = targets.integer(row + place)
      precondition(token < vocabularySize, "target \(token) outside 0..<\(vocabularySize)")
      return token < 0 ? nil : (token, weights[place])
    }
  }

  /// The loss, and the plain sum of the next token's cross entropies.
  func losses() -> (loss: Double, sum: Double) {
    var loss = 0.0
    var sum = 0.0
    for row in countedRows() {
      let s = logSumExps[row]
      loss += scale * zLoss * s * s
      for (place, target) in places(row).enumerated() {
        let crossEntropy = s - logits[row][target.token]
        loss += scale * target.weight * crossEntropy
        if place == 0 { sum += crossEntropy }
      }
    }
    return (loss, sum)
  }

  /// The loss by one product, without the form's factors; s = log sum exp changes with its logit by p.
  func logitGradient(_ row: Int, _ token: Int) -> Double {
    let (s, l, places) = (logSumExps[row], logits[row][token], places(row))
    let all = places.reduce(0) { $0 + $1.weight }
    let here = places.reduce(0) { $0 + ($1.token == token ? $1.weight : 0) }
    let slope = form.softCap.map { 1 - l * l / Double($0 * $0) } ?? 1
    let gradient = scale * slope * (exp(l - s) * (all + zLoss * 2 * s) - here)
    guard let gradientScale = form.gradientScale else { return gradient }
    return roundedToFloat8(
      gradient / Double(gradientScale), fractionBits: 2, smallestExponent: -14, largest: 57_344)
  }
}

extension HeadForm {
  /// The logit of a product x w'.
  func logit(of product: Double) -> Double {
    let l = product * Double(logitFactor)
    return softCap.map { Double($0) * tanh(l / Double($0)) } ?? l
  }
}
