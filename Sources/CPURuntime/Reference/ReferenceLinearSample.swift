// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

extension LinearSample: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let (rows, weight, uniforms) = (inputs[0].rowVectors, inputs[1].rowVectors, inputs[2])
    let temperature = min(max(inputs[3][0], 1e-30), 1e30)
    return [
      rows.indices.map { row in
        if hasTargets, inputs[4][row] < 0 { return inputs[4][row] }
        let logits = weight.map { form.logit(of: dot(rows[row], $0)) }
        let largest = logits.max() ?? 0
        let masses = logits.map { exp(($0 - largest) / temperature) }
        return Double(Self.label(masses, uniforms[row]))
      }
    ]
  }

  /// The first label whose running sum exceeds that share of the total.
  static func label(_ masses: [Double], _ uniform: Double) -> Int {
    let wanted = uniform * masses.reduce(0, +)
    var sum = 0.0
    for (label, mass) in masses.enumerated() {
      sum += mass
      if sum > wanted { return label }
    }
    return masses.lastIndex { $0 > 0 } ?? 0
  }
}
