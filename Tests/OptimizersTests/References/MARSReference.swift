// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// MARS-AdamW in its approximate form (Yuan et al., 2024): Adam on a variance-reduced gradient.
///
///     matrices:  c = g + gamma b1 / (1-b1) (g - g_previous);   c = c / max(1, ||c||), each tensor by itself
///     vectors and the token table:  c = g
///     then AdamW on c; g_previous starts as zeros
struct MARSReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private var previous: [[Double]]
  private var adam: AdamReference

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    previous = zeros(parameters)
    adam = AdamReference(parameters, hyperparameters: hyperparameters, options: [:])
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    let beta1 = hyperparameters.value("beta1")
    let gain = hyperparameters.value("gamma") * beta1 / (1 - beta1)
    var corrected = gradients
    for (p, parameter) in parameters.enumerated()
    where parameter.isMatrix && parameter.role != .embedding {
      for i in corrected[p].indices {
        corrected[p][i] += gain * (gradients[p][i] - previous[p][i])
      }
      let length = norm(corrected[p])
      if length > 1 { corrected[p] = corrected[p].map { $0 / length } }
    }
    previous = gradients
    return adam.propose(weights, gradients: corrected, hyperparameters: hyperparameters)
  }
}
