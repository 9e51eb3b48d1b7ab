// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// AdEMAMix (Pagliardini et al., 2024): a fast and a very slow average of the gradient.
///
///     m1 = b1 m1 + (1-b1) g;   m2 = b3(t) m2 + (1-b3(t)) g;   v = b2 v + (1-b2) g^2
///     w = w - lr (m1 / (1-b1^t) + alpha(t) m2) / (sqrt(v / (1-b2^t)) + eps)
///     alpha(t) = alpha min(1, t / T);   ln b3(t) = ln b1 ln b3 / ((1-s) ln b3 + s ln b1), s = min(1, t / T)
struct AdEMAMixReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private var t = 0.0
  private var fast: [[Double]]
  private var slow: [[Double]]
  private var v: [[Double]]
  private var correction1 = BiasCorrection()
  private var correction2 = BiasCorrection()

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    fast = zeros(parameters)
    slow = zeros(parameters)
    v = zeros(parameters)
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    t += 1
    let rate = hyperparameters.value("learning_rate")
    let epsilon = hyperparameters.value("epsilon")
    let beta1 = hyperparameters.value("beta1")
    let beta2 = hyperparameters.value("beta2")
    let alphaWarmUp = hyperparameters.value("alpha_warmup")
    let alpha = hyperparameters.value("alpha") * (alphaWarmUp > 0 ? min(1, t / alphaWarmUp) : 1)
    var beta3 = hyperparameters.value("beta3")
    let beta3WarmUp = hyperparameters.value("beta3_warmup")
    if t < beta3WarmUp {
      let s = t / beta3WarmUp
      beta3 = exp(log(beta1) * log(beta3) / ((1 - s) * log(beta3) + s * log(beta1)))
    }
    let c1 = correction1.advance(beta1)
    let c2 = correction2.advance(beta2)
    var steps = gradients
    for p in gradients.indices {
      fast[p].average(beta1, gradients[p])
      slow[p].average(beta3, gradients[p])
      v[p].averageSquares(beta2, gradients[p])
      for i in gradients[p].indices {
        steps[p][i] =
          rate * (fast[p][i] / c1 + alpha * slow[p][i])
          / ((v[p][i] / c2).squareRoot() + epsilon)
      }
    }
    return steps
  }
}
