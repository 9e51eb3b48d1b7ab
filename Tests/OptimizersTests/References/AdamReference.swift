// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Adam (Kingma and Ba, 2015) with decoupled decay (Loshchilov and Hutter, 2019).
///
///     m = b1 m + (1-b1) g;   v = b2 v + (1-b2) g^2
///     after-correction:   w = w - lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)
///     before-correction:  w = w - lr sqrt(1-b2^t) / (1-b1^t)  m / (sqrt(v) + eps)
struct AdamReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private let addsEpsilonFirst: Bool
  private var m: [[Double]]
  private var v: [[Double]]
  private var correction1 = BiasCorrection()
  private var correction2 = BiasCorrection()

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    addsEpsilonFirst = options["epsilon_position"] == "before-correction"
    m = zeros(parameters)
    v = zeros(parameters)
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    let rate = hyperparameters.value("learning_rate")
    let beta1 = hyperparameters.value("beta1")
    let beta2 = hyperparameters.value("beta2")
    let epsilon = hyperparameters.value("epsilon")
    let c1 = correction1.advance(beta1)
    let c2 = correction2.advance(beta2)
    var steps = gradients
    for p in gradients.indices {
      m[p].average(beta1, gradients[p])
      v[p].averageSquares(beta2, gradients[p])
      for i in gradients[p].indices {
        steps[p][i] =
          addsEpsilonFirst
          ? rate * c2.squareRoot() / c1 * m[p][i] / (v[p][i].squareRoot() + epsilon)
          : rate * (m[p][i] / c1) / ((v[p][i] / c2).squareRoot() + epsilon)
      }
    }
    return steps
  }
}

/// Adam with Nesterov momentum (Dozat, 2016), in the two forms that are in use.
///
///     optax:  mhat = b1 m / (1-b1^(t+1)) + (1-b1) g / (1-b1^t)
///     torch:  mu_t = b1 (1 - 0.96^(t c) / 2),   c the momentum decay
///             mhat = mu_(t+1) m / (1 - mu_1 ... mu_(t+1)) + (1-mu_t) g / (1 - mu_1 ... mu_t)
///     w = w - lr mhat / (sqrt(v / (1-b2^t)) + eps)
struct NesterovAdamReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private let hasMomentumSchedule: Bool
  private var m: [[Double]]
  private var v: [[Double]]
  private var t = 0.0
  private var product = 1.0
  private var correction2 = BiasCorrection()

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    hasMomentumSchedule = options.choice("form") == "torch"
    m = zeros(parameters)
    v = zeros(parameters)
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    t += 1
    let rate = hyperparameters.value("learning_rate")
    let beta1 = hyperparameters.value("beta1")
    let beta2 = hyperparameters.value("beta2")
    let epsilon = hyperparameters.value("epsilon")
    var now = beta1
    var next = beta1
    if hasMomentumSchedule {
      let decay = hyperparameters.value("momentum_decay")
      now = beta1 * (1 - 0.5 * pow(0.96, t * decay))
      next = beta1 * (1 - 0.5 * pow(0.96, (t + 1) * decay))
    }
    product *= now
    let c2 = correction2.advance(beta2)
    var steps = gradients
    for p in gradients.indices {
      m[p].average(beta1, gradients[p])
      v[p].averageSquares(beta2, gradients[p])
      for i in gradients[p].indices {
        let mhat =
          next * m[p][i] / (1 - product * next) + (1 - now) * gradients[p][i] / (1 - product)
        steps[p][i] = rate * mhat / ((v[p][i] / c2).squareRoot() + epsilon)
      }
    }
    return steps
  }
}
