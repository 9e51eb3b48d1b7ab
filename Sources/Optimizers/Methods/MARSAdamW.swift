// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// AdamW on gradients whose variance is reduced by the gradient before.
///
/// Yuan et al., *MARS: Unleashing the Power of Variance Reduction for Training Large Models*, 2024
/// (https://arxiv.org/abs/2411.10438), the approximate form: g_0, the gradient of the update before, was taken on the batch and
/// at the weights of that update. For update t = 1, 2, ...:
///
///     c = g + gamma beta1 / (1 - beta1) (g - g_0)
///     c = c / max(1, ||c||)
///     m = beta1 m + (1 - beta1) c
///     v = beta2 v + (1 - beta2) c^2
///     w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// Vectors and the embedding take c = g.
public struct MARSAdamW: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// Three fp32 numbers of state for each parameter that is corrected, two for the others.
  public static let card = OptimizerCard(
    name: "mars-adamw",
    paper:
      "Yuan et al., MARS: Unleashing the Power of Variance Reduction for Training Large Models, 2024, https://arxiv.org/abs/2411.10438",
    equation: """
      c = g + gamma beta1 / (1 - beta1) (g - g_0), g_0 the gradient of the update before, at first 0
      c = c / max(1, ||c||), the norm over one tensor
      m = beta1 m + (1 - beta1) c
      v = beta2 v + (1 - beta2) c^2
      w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
      vectors and the embedding: c = g
      """,
    hyperparameters: [
      .learningRate(3e-3, search: 1e-4...1e-1, source: "Yuan et al., 2024, authors' code"),
      .decayFactor(
        "beta1", 0.95, source: "Yuan et al., 2024, authors' code",
        summary: "decay of the average gradient",
        search: [0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.99, source: "Yuan et al., 2024, authors' code",
        summary: "decay of the average squared gradient", search: [0.95, 0.99, 0.999]),
      .init(
        "gamma", defaultValue: 0.025, range: 0...1e3, search: .list([0.005, 0.025, 0.1]),
        source: "Yuan et al., 2024, authors' code", summary: "strength of the correction"),
      .epsilon(1e-8, source: "Yuan et al., 2024, authors' code", summary: "added to the root of v"),
      .weightDecay(0.1, source: "Yuan et al., 2024, authors' training script"),
    ],
    state: StateSize("12 bytes a number; 8 of vectors and the embedding") { parameter, _ in
      (corrects(parameter) ? 12 : 8) * parameter.shape.count
    },
    deviations: [
      "Vectors and the embedding take AdamW with the same rate and the same beta1 and beta2, and decay by the roles of the "
        + "rule; the authors' code gives vectors a rate, betas (0.9, 0.95) and decay 0.1 of their own, and corrects the "
        + "embedding too.",
      "As in the authors' code g_0 starts as zeros: the first update takes c = (1 + gamma beta1 / (1 - beta1)) g.",
    ],
    caveats: [
      "c is clipped for each tensor by itself after the clipping of the whole gradient: the method is not invariant to the "
        + "scale of the loss.",
      "g_0 is the gradient as clipped at the update before, in whatever batch that was.",
      "timm's Mars takes c = g at the first update.",
    ])

  /// AdamW's numbers and `correction_factor`, gamma beta1 / (1 - beta1).
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    var result = decayFactorScalars(hyperparameters, &memory)
    let (gamma, beta1) = (hyperparameters["gamma"] ?? 0, hyperparameters["beta1"] ?? 0)
    result["correction_factor"] = gamma * beta1 / (1 - beta1)
    return result
  }

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    var c = g
    let (oldM, oldV) = (
      state.zeros("first_moment", like: w), state.zeros("second_moment", like: w)
    )
    if Self.corrects(state.parameter) {
      let previous = state.zeros("previous_gradient", like: w)
      state["previous_gradient"] = g
      c = g + scalars["correction_factor"] * (g - previous)
      c = c / maximum(squareRoot(square(c).sum()), w.graph.constant(1))
    }
    let m = scalars.average("beta1", oldM, c)
    let v = scalars.average("beta2", oldV, square(c))
    state["first_moment"] = m
    state["second_moment"] = v
    let denominator = squareRoot(v / scalars.correction("beta2")) + scalars.epsilon
    return .step(scalars.learningRate * (m / scalars.correction("beta1") / denominator))
  }

  private static func corrects(_ parameter: Parameter) -> Bool {
    parameter.shape.rank > 1 && parameter.role != .embedding
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    Optimizers.effectiveRate(
      secondMoment: state.zeros("second_moment", like: w), scalars)
  }
}
