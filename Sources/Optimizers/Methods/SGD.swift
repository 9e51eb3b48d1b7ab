// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Stochastic gradient descent with momentum and decoupled weight decay.
///
/// Sutskever et al., *On the Importance of Initialization and Momentum in Deep Learning*, 2013
/// (https://proceedings.mlr.press/v28/sutskever13.html). Two forms of momentum, each with or without Nesterov's step:
///
///     b = momentum b + g                      heavy-ball
///     b = momentum b + (1 - momentum) g       ema
///     w = w - lr wd w - lr b
///
/// Nesterov's step applies the first line once more, to the new b, and steps along the result.
public struct SGD: OptimizerMethod {
  private let isAverage: Bool
  private let isNesterov: Bool

  /// Makes the method; options `form` and `nesterov`.
  public init(_ options: MethodOptions) {
    isAverage = options["form"] == "ema"
    isNesterov = options.isOn("nesterov")
  }

  /// One fp32 number of state for each parameter.
  public static let card = OptimizerCard(
    name: "sgd",
    paper:
      "Sutskever et al., On the Importance of Initialization and Momentum in Deep Learning, 2013, https://proceedings.mlr.press/v28/sutskever13.html",
    equation: """
      b = momentum b + g                               heavy-ball
      b = momentum b + (1 - momentum) g                ema
      w = w - lr wd w - lr b
      nesterov: w = w - lr wd w - lr (momentum b + g)                    heavy-ball
                w = w - lr wd w - lr (momentum b + (1 - momentum) g)     ema
      """,
    hyperparameters: [
      .learningRate(0.1, search: 1e-3...10, source: "He et al., 2016, section 3.4"),
      .decayFactor(
        "momentum", 0.9, source: "He et al., 2016, section 3.4",
        summary: "decay of the sum or average of gradients", search: [0.8, 0.9, 0.95, 0.98]),
      .weightDecay(0, source: "Zhao et al., 2024, experimental setup"),
    ],
    options: [
      .init(
        "form", choices: ["heavy-ball", "ema"], source: "Sutskever et al., 2013, equation 1",
        summary: "the momentum sums gradients, or averages them without bias correction"),
      .init(
        "nesterov", choices: ["false", "true"], source: "He et al., 2016, section 3.4",
        summary: "steps along the momentum after one more blend with the gradient"),
    ],
    state: .perNumber(1), scope: .element,
    deviations: [
      "The learning rate multiplies the momentum, not the gradients inside it: they differ while the rate changes. "
        + "Common practice.",
      "Weight decay is decoupled (Loshchilov and Hutter, 2019), not added to the gradient.",
    ],
    caveats: [
      "Steps of the heavy-ball form are 1 / (1 - momentum) times those of the ema form: lr 0.1 at momentum 0.9 "
        + "is lr 1 there. Reports that do not name the form cannot be compared.",
      "PyTorch's SGD adds weight decay to the gradient (L2 regularization). With dampening = momentum it is the ema form, but "
        + "its buffer starts as g, not (1 - momentum) g.",
    ])

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let share = isAverage ? scalars.complement("momentum") * g : g
    func blend(_ b: Tensor) -> Tensor { scalars.momentum * b + share }
    let b = blend(state.zeros("momentum", like: w))
    state["momentum"] = b
    return .step(scalars.learningRate * (isNesterov ? blend(b) : b))
  }
}
