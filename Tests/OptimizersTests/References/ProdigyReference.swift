// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Prodigy (Mishchenko and Defazio, 2023): Adam whose step size is an estimate of the distance to the solution.
///
///     b3 = sqrt(b2);   rate = d lr, with bias correction d lr sqrt(1-b2^t) / (1-b1^t)
///     numerator = b3 numerator + (d / d0) rate <g, w_0 - w>, over all tensors
///     s = b3 s + (d / d0) rate g, with safeguarded warm-up (d / d0) d g;   dhat = coefficient numerator / ||s||_1
///     m = b1 m + d (1-b1) g;   v = b2 v + d^2 (1-b2) g^2
///     d = max(d, dhat) while d is d0;   d_max = max(d_max, dhat);   d = min(d_max, growth d)
///     w = w - rate wd w - rate m / (sqrt(v) + d eps), with the new d and the old rate
struct ProdigyReference: OptimizerReference {
  private let parameters: [ReferenceParameter]
  private let isSafeguarded: Bool
  private let isCorrected: Bool
  private var start: [[Double]] = []
  private var m: [[Double]]
  private var v: [[Double]]
  private var s: [[Double]]
  private(set) var d: Double
  private var largest: Double
  private var numerator = 0.0
  private var correction1 = BiasCorrection()
  private var correction2 = BiasCorrection()

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    isSafeguarded = options.choice("safeguard_warmup") == "true"
    isCorrected = options.choice("bias_correction") == "true"
    m = zeros(parameters)
    v = zeros(parameters)
    s = zeros(parameters)
    d = hyperparameters.value("d0")
    largest = d
  }

  mutating func step(
    _ weights: inout [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) {
    if start.isEmpty { start = weights }
    let beta1 = hyperparameters.value("beta1")
    let beta2 = hyperparameters.value("beta2")
    let beta3 = beta2.squareRoot()
    let epsilon = hyperparameters.value("epsilon")
    let d0 = hyperparameters.value("d0")
    let c1 = correction1.advance(beta1)
    let c2 = correction2.advance(beta2)
    let rate =
      d * hyperparameters.value("learning_rate") * (isCorrected ? c2.squareRoot() / c1 : 1)
    var product = 0.0
    var length = 0.0
    for p in weights.indices {
      for i in weights[p].indices {
        let g = gradients[p][i]
        product += g * (start[p][i] - weights[p][i])
        s[p][i] = beta3 * s[p][i] + d / d0 * (isSafeguarded ? d : rate) * g
        length += abs(s[p][i])
        m[p][i] = beta1 * m[p][i] + d * (1 - beta1) * g
        v[p][i] = beta2 * v[p][i] + d * d * (1 - beta2) * g * g
      }
    }
    numerator = beta3 * numerator + d / d0 * rate * product
    if length > 0 {
      let estimate = hyperparameters.value("d_coefficient") * numerator / length
      if d == d0 { d = max(d, estimate) }
      largest = max(largest, estimate)
      d = min(largest, d * hyperparameters.value("growth_rate"))
    }
    for p in weights.indices {
      let decay = parameters[p].decays ? rate * hyperparameters.weightDecay : 0
      for i in weights[p].indices {
        let denominator = v[p][i].squareRoot() + d * epsilon
        weights[p][i] -= decay * weights[p][i] + rate * m[p][i] / denominator
      }
    }
  }
}
