// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Stochastic gradient descent with momentum.
///
///     heavy ball:  b = mu b + g         (b = g at the first step);  with Nesterov: u = g + mu b
///     average:     b = mu b + (1-mu) g;                             with Nesterov: u = (1-mu) g + mu b
///     w = w - lr u
struct MomentumDescentReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private let isAverage: Bool
  private let isNesterov: Bool
  private var momentum: [[Double]]

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    isAverage = options.choice("form") == "ema"
    isNesterov = options.choice("nesterov") == "true"
    momentum = zeros(parameters)
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    let mu = hyperparameters.value("momentum")
    let rate = hyperparameters.value("learning_rate")
    let share = isAverage ? 1 - mu : 1
    var steps = gradients
    for p in gradients.indices {
      for i in gradients[p].indices {
        let g = gradients[p][i]
        let b = mu * momentum[p][i] + share * g
        momentum[p][i] = b
        steps[p][i] = rate * (isNesterov ? share * g + mu * b : b)
      }
    }
    return steps
  }
}
