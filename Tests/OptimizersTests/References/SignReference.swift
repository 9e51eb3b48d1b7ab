// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Lion (Chen et al., 2023).
///
///     u = sign(b1 m + (1-b1) g);   w = w - lr u;   m = b2 m + (1-b2) g
struct LionReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private var m: [[Double]]

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    m = zeros(parameters)
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    let rate = hyperparameters.value("learning_rate")
    let beta1 = hyperparameters.value("beta1")
    var steps = gradients
    for p in gradients.indices {
      for i in gradients[p].indices {
        let mixed = beta1 * m[p][i] + (1 - beta1) * gradients[p][i]
        steps[p][i] = rate * sign(mixed)
      }
      m[p].average(hyperparameters.value("beta2"), gradients[p])
    }
    return steps
  }
}

/// Signum (Bernstein et al., 2018): the sign of the average gradient.
///
///     m = b m + (1-b) g;   w = w - lr sign(m)
struct SignumReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private var m: [[Double]]

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    m = zeros(parameters)
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    let rate = hyperparameters.value("learning_rate")
    for p in gradients.indices {
      m[p].average(hyperparameters.value("momentum"), gradients[p])
    }
    return m.map { $0.map { rate * sign($0) } }
  }
}

/// Sophia-G (Liu et al., 2023): signs, softened where the curvature is large.
///
///     every k updates, from labels drawn from the model:  h = b2 h + (1-b2) ghat^2
///     m = b1 m + (1-b1) g;   w = w - lr sign(m) min(|m| / (rho B h + eps), 1),   B targets in a batch
struct SophiaReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private let beta2: Double
  private var m: [[Double]]
  private var h: [[Double]]

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    beta2 = hyperparameters.value("beta2")
    m = zeros(parameters)
    h = zeros(parameters)
  }

  mutating func observe(_ weights: [[Double]], gradients: [[Double]]) {
    for p in gradients.indices { h[p].averageSquares(beta2, gradients[p]) }
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    let rate = hyperparameters.value("learning_rate")
    let scale = hyperparameters.value("rho") * hyperparameters.value("batch_tokens")
    let epsilon = hyperparameters.value("epsilon")
    var steps = gradients
    for p in gradients.indices {
      m[p].average(hyperparameters.value("beta1"), gradients[p])
      for i in gradients[p].indices {
        let ratio = abs(m[p][i]) / (scale * h[p][i] + epsilon)
        steps[p][i] = rate * sign(m[p][i]) * min(ratio, 1)
      }
    }
    return steps
  }
}
