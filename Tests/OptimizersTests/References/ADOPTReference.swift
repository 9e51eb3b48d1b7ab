// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// ADOPT (Taniguchi et al., 2024): Adam whose denominator never contains the gradient it divides.
///
///     first update:  v = g^2, nothing else
///     then, t = 1, 2, ...:  u = clip(g / max(sqrt(v), eps), +- t^c);   m = b1 m + (1-b1) u
///                           w = w (1 - lr wd) - lr m;   v = b2 v + (1-b2) g^2
struct ADOPTReference: OptimizerReference {
  private let parameters: [ReferenceParameter]
  private var t = -1.0
  private var m: [[Double]]
  private var v: [[Double]]

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    m = zeros(parameters)
    v = zeros(parameters)
  }

  mutating func step(
    _ weights: inout [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) {
    t += 1
    if t == 0 {
      v = gradients.map { $0.map { $0 * $0 } }
      return
    }
    let rate = hyperparameters.value("learning_rate")
    let beta1 = hyperparameters.value("beta1")
    let epsilon = hyperparameters.value("epsilon")
    let bound = pow(t, hyperparameters.value("clip_exponent"))
    for p in gradients.indices {
      let decay = parameters[p].decays ? rate * hyperparameters.weightDecay : 0
      for i in gradients[p].indices {
        let u = gradients[p][i] / max(v[p][i].squareRoot(), epsilon)
        m[p][i] = beta1 * m[p][i] + (1 - beta1) * max(-bound, min(bound, u))
        weights[p][i] = weights[p][i] * (1 - decay) - rate * m[p][i]
      }
      v[p].averageSquares(hyperparameters.value("beta2"), gradients[p])
    }
  }
}
