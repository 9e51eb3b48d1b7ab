// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TensorGraph

/// Adam with decoupled weight decay.
///
/// Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, 2019 (https://arxiv.org/abs/1711.05101), algorithm 2, with
/// decay scaled by the learning rate as common practice has it. For update t = 1, 2, ...:
///
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g^2
///     w = w (1 - lr wd) - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// 1 - beta and 1 - beta^t are computed by the host in double precision: in single precision 1 - beta2 would lose up to four
/// digits when beta2 is near 1.
public struct AdamW: OptimizerMethod {
  /// Makes the method.
  public init() {}

  /// Two fp32 numbers of state for each parameter.
  public static let card = OptimizerCard(
    name: "adamw",
    paper:
      "Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, https://arxiv.org/abs/1711.05101",
    equation: """
      m = beta1 m + (1 - beta1) g
      v = beta2 v + (1 - beta2) g^2
      w = w (1 - lr wd) - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
      """,
    hyperparameters: [
      .init(
        "learning_rate", defaultValue: 1e-3, range: 0...1e3,
        source: "Kingma and Ba, 2015, algorithm 1", summary: "peak step size"),
      .init(
        "beta1", defaultValue: 0.9, range: 0...1, excludesUpperBound: true,
        source: "Kingma and Ba, 2015, algorithm 1", summary: "decay of the average gradient"),
      .init(
        "beta2", defaultValue: 0.95, range: 0...1, excludesUpperBound: true,
        source: "Brown et al., 2020, appendix B", summary: "decay of the average squared gradient"),
      .init(
        "epsilon", defaultValue: 1e-8, range: 0...1e3,
        source: "Kingma and Ba, 2015, algorithm 1", summary: "added to the root, after correction"),
      .init(
        "weight_decay", defaultValue: 0.1, range: 0...1e3,
        source: "Brown et al., 2020, appendix B", summary: "decoupled, times the learning rate"),
    ],
    stateBytesPerParameter: 8)

  /// The hyperparameters, their complements, and the bias corrections of update t.
  public func scalars(_ hyperparameters: [String: Double], update: Int) -> [String: Double] {
    var result = hyperparameters
    for name in ["beta1", "beta2"] {
      let beta = hyperparameters[name] ?? 0
      result["one_minus_\(name)"] = 1 - beta
      result["\(name)_correction"] = 1 - pow(beta, Double(update))
    }
    return result
  }

  /// The equations.
  public func update(
    _ parameter: Tensor, gradient: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor {
    let m =
      scalars.beta1 * state.zeros("first_moment", like: parameter)
      + scalars["one_minus_beta1"] * gradient
    let v =
      scalars.beta2 * state.zeros("second_moment", like: parameter)
      + scalars["one_minus_beta2"] * square(gradient)
    state["first_moment"] = m
    state["second_moment"] = v
    let numerator = m / scalars["beta1_correction"]
    let denominator = squareRoot(v / scalars["beta2_correction"]) + scalars.epsilon
    return scalars.decayed(parameter) - scalars.learningRate * (numerator / denominator)
  }
}
