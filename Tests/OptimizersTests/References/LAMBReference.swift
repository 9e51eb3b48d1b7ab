// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// LAMB (You et al., 2019): Adam's step with the length of the weights.
///
///     r = mhat / (sqrt(vhat) + eps) + wd w;   w = w - lr (||w|| / ||r||) r, the ratio 1 where either norm is 0
struct LAMBReference: OptimizerReference {
  private let parameters: [ReferenceParameter]
  private var adam: AdamReference

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    adam = AdamReference(parameters, hyperparameters: hyperparameters, options: [:])
  }

  mutating func step(
    _ weights: inout [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) {
    let rate = hyperparameters.value("learning_rate")
    var unit = hyperparameters
    unit["learning_rate"] = 1
    let directions = adam.propose(weights, gradients: gradients, hyperparameters: unit)
    for p in weights.indices {
      let decay = parameters[p].decays ? hyperparameters.weightDecay : 0
      var r = directions[p]
      for i in r.indices { r[i] += decay * weights[p][i] }
      let lengths = (norm(weights[p]), norm(r))
      let ratio = lengths.0 > 0 && lengths.1 > 0 ? lengths.0 / lengths.1 : 1
      for i in r.indices { weights[p][i] -= rate * ratio * r[i] }
    }
  }
}
