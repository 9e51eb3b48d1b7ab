// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the schedule-free methods share: three sequences (Defazio et al., 2024).
///
///     y = (1-b1) z + b1 x, where gradients are taken;   z the fast iterate;   x the average, for evaluation
///     rate = lr min(1, t / warm-up);   weight = t^r max(rates so far)^power;   c = weight / sum of weights
///     z = z - rate (direction + wd y);   x = (1-c) x + c z
struct ScheduleFreeSequences {
  let parameters: [ReferenceParameter]
  private(set) var t = 0.0
  private var largestRate = 0.0
  private var weightSum = 0.0
  private var z: [[Double]] = []
  private(set) var x: [[Double]] = []

  init(_ parameters: [ReferenceParameter]) { self.parameters = parameters }

  /// Both sequences start at the weights.
  mutating func start(_ y: [[Double]]) {
    t += 1
    if t == 1 {
      z = y
      x = y
    }
  }

  mutating func step(
    _ y: inout [[Double]], directions: [[Double]], _ hyperparameters: [String: Double]
  ) {
    let warmUp = hyperparameters.value("warmup_steps")
    let beta1 = hyperparameters.value("beta1")
    let rate = hyperparameters.value("learning_rate") * (warmUp > 0 ? min(1, t / warmUp) : 1)
    largestRate = max(largestRate, rate)
    let weight =
      pow(t, hyperparameters.value("step_power"))
      * pow(largestRate, hyperparameters.value("weight_power"))
    weightSum += weight
    let c = weightSum > 0 ? weight / weightSum : 0
    for p in y.indices {
      let decay = parameters[p].decays ? hyperparameters.weightDecay : 0
      for i in y[p].indices {
        z[p][i] -= rate * (directions[p][i] + decay * y[p][i])
        x[p][i] = (1 - c) * x[p][i] + c * z[p][i]
        y[p][i] = (1 - beta1) * z[p][i] + beta1 * x[p][i]
      }
    }
  }
}

/// Schedule-Free AdamW: the direction is g / (sqrt(v / (1-b2^t)) + eps).
struct ScheduleFreeAdamReference: OptimizerReference {
  private var sequences: ScheduleFreeSequences
  private var v: [[Double]]
  private var correction2 = BiasCorrection()

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    sequences = ScheduleFreeSequences(parameters)
    v = zeros(parameters)
  }

  mutating func step(
    _ weights: inout [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) {
    sequences.start(weights)
    let beta2 = hyperparameters.value("beta2")
    let epsilon = hyperparameters.value("epsilon")
    let c2 = correction2.advance(beta2)
    var directions = gradients
    for p in gradients.indices {
      v[p].averageSquares(beta2, gradients[p])
      for i in gradients[p].indices {
        directions[p][i] /= (v[p][i] / c2).squareRoot() + epsilon
      }
    }
    sequences.step(&weights, directions: directions, hyperparameters)
  }

  func evaluated(_ weights: [[Double]]) -> [[Double]] {
    sequences.t == 0 ? weights : sequences.x
  }
}

/// Schedule-Free SGD: the direction is the gradient.
struct ScheduleFreeDescentReference: OptimizerReference {
  private var sequences: ScheduleFreeSequences

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    sequences = ScheduleFreeSequences(parameters)
  }

  mutating func step(
    _ weights: inout [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) {
    sequences.start(weights)
    sequences.step(&weights, directions: gradients, hyperparameters)
  }

  func evaluated(_ weights: [[Double]]) -> [[Double]] {
    sequences.t == 0 ? weights : sequences.x
  }
}
