// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Signum: the sign of the momentum.
///
/// Bernstein et al., *signSGD: Compressed Optimisation for Non-Convex Problems*, 2018 (https://arxiv.org/abs/1802.04434),
/// algorithm 2:
///
///     m = momentum m + (1 - momentum) g
///     w = w - lr wd w - lr sign(m)
public struct Signum: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// One fp32 number of state for each parameter.
  public static let card = OptimizerCard(
    name: "signum",
    paper:
      "Bernstein et al., signSGD: Compressed Optimisation for Non-Convex Problems, 2018, https://arxiv.org/abs/1802.04434",
    equation: """
      m = momentum m + (1 - momentum) g
      w = w - lr wd w - lr sign(m)
      """,
    hyperparameters: [
      .learningRate(
        1e-4, search: 1e-5...1e-1, source: "Bernstein et al., 2018, experiments on ImageNet"),
      .decayFactor(
        "momentum", 0.9, source: "Bernstein et al., 2018, experiments on ImageNet",
        summary: "decay of the average gradient", search: [0.8, 0.9, 0.95, 0.98]),
      .weightDecay(0.1, source: "Brown et al., 2020, appendix B, for Adam"),
    ],
    state: .perNumber(1), scope: .element,
    deviations: [
      "The paper has no weight decay; here it is decoupled (Loshchilov and Hutter, 2019)."
    ],
    caveats: [
      "sign(0) = 0. A token that stops appearing keeps moving while its momentum decays.",
      "The form of the momentum does not matter while it starts at zero: a sum and an average have the same sign.",
    ])

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let m = scalars.average("momentum", state.zeros("momentum", like: w), g)
    state["momentum"] = m
    return .step(scalars.learningRate * sign(m))
  }
}
