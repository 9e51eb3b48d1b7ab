// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Lion: the sign of a blend of momentum and gradient.
///
/// Chen et al., *Symbolic Discovery of Optimization Algorithms*, 2023 (https://arxiv.org/abs/2302.06675), algorithm 2:
///
///     w = w - lr wd w - lr sign(beta1 m + (1 - beta1) g)
///     m = beta2 m + (1 - beta2) g
public struct Lion: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// One fp32 number of state for each parameter.
  public static let card = OptimizerCard(
    name: "lion",
    paper:
      "Chen et al., Symbolic Discovery of Optimization Algorithms, 2023, https://arxiv.org/abs/2302.06675",
    equation: """
      w = w - lr wd w - lr sign(beta1 m + (1 - beta1) g)
      m = beta2 m + (1 - beta2) g
      """,
    hyperparameters: [
      .learningRate(1e-4, search: 1e-5...1e-1, source: "Chen et al., 2023, the authors' code"),
      .decayFactor(
        "beta1", 0.9, source: "Chen et al., 2023, algorithm 2",
        summary: "weight of the momentum in the step", search: [0.8, 0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.99, source: "Chen et al., 2023, algorithm 2",
        summary: "decay of the momentum", search: [0.9, 0.95, 0.98, 0.99]),
      .weightDecay(0.1, source: "Brown et al., 2020, appendix B, for Adam"),
    ],
    state: .perNumber(1), scope: .element,
    caveats: [
      "The authors advise a learning rate 3 to 10 times smaller than AdamW's and a weight decay larger by as much "
        + "(section 5): the decay that one step applies is their product.",
      "sign(0) = 0. A token that stops appearing keeps moving while its momentum decays.",
      "With beta1 = beta2 it is signum.",
    ])

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let m = state.zeros("momentum", like: w)
    state["momentum"] = scalars.average("beta2", m, g)
    return .step(scalars.learningRate * sign(scalars.average("beta1", m, g)))
  }
}
