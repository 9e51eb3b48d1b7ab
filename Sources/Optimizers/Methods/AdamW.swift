// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Adam with decoupled weight decay.
///
/// Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, 2019 (https://arxiv.org/abs/1711.05101), algorithm 2, with
/// decay scaled by the learning rate as common practice has it. For update t = 1, 2, ...:
///
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g^2
///     w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
public struct AdamW: OptimizerMethod {
  private let addsEpsilonFirst: Bool

  /// Makes the method; option `epsilon_position`.
  public init(_ options: MethodOptions) {
    addsEpsilonFirst = options["epsilon_position"] == "before-correction"
  }

  /// Two fp32 numbers of state for each parameter.
  public static let card = OptimizerCard(
    name: "adamw",
    paper:
      "Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, https://arxiv.org/abs/1711.05101",
    equation: """
      m = beta1 m + (1 - beta1) g
      v = beta2 v + (1 - beta2) g^2
      w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
      """,
    hyperparameters: [
      .learningRate(
        1e-3, search: 1e-4...1e-1, source: "Kingma and Ba, 2015, algorithm 1"),
      .decayFactor(
        "beta1", 0.9, source: "Kingma and Ba, 2015, algorithm 1",
        summary: "decay of the average gradient", search: [0.8, 0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.95, source: "Brown et al., 2020, appendix B",
        summary: "decay of the average squared gradient", search: [0.9, 0.95, 0.99, 0.999]),
      .epsilon(
        1e-8, source: "Kingma and Ba, 2015, algorithm 1", summary: "added to the root of v"),
      .weightDecay(0.1, source: "Brown et al., 2020, appendix B"),
    ],
    options: [
      .init(
        "epsilon_position", choices: ["after-correction", "before-correction"],
        source: "Kingma and Ba, 2015, algorithm 1",
        summary:
          "epsilon is added to sqrt(v / (1 - beta2^t)), or to sqrt(v) with the corrections outside")
    ],
    state: .perNumber(2), scope: .element)

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let m = scalars.average("beta1", state.zeros("first_moment", like: w), g)
    let v = scalars.average("beta2", state.zeros("second_moment", like: w), square(g))
    state["first_moment"] = m
    state["second_moment"] = v
    let (correction1, correction2) = (scalars.correction("beta1"), scalars.correction("beta2"))
    if addsEpsilonFirst {
      let rate = scalars.learningRate * squareRoot(correction2) / correction1
      return .step(rate * (m / (squareRoot(v) + scalars.epsilon)))
    }
    let denominator = squareRoot(v / correction2) + scalars.epsilon
    return .step(scalars.learningRate * (m / correction1 / denominator))
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    let v = state.zeros("second_moment", like: w)
    guard addsEpsilonFirst else { return Optimizers.effectiveRate(secondMoment: v, scalars) }
    let rate = scalars.learningRate * squareRoot(scalars.correction("beta2"))
    return rate / (squareRoot(v) + scalars.epsilon)
  }
}
