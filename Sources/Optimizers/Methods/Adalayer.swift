// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Adam with one second moment for each tensor.
///
/// Zhao et al., *Deconstructing What Makes a Good Optimizer for Language Models*, 2024 (https://arxiv.org/abs/2407.07972),
/// algorithm 1. For a tensor of p numbers, see ``BlockMoment``:
///
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) |g|^2 / p                  one number
///     w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
public struct Adalayer: OptimizerMethod {
  private let moment: BlockMoment

  /// Makes the method; option `statistic`.
  public init(_ options: MethodOptions) {
    moment = BlockMoment(options, splitsHead: false)
  }

  /// One fp32 number of state for each parameter, and one for each tensor.
  public static let card = OptimizerCard(
    name: "adalayer",
    paper:
      "Zhao et al., Deconstructing What Makes a Good Optimizer for Language Models, 2024, https://arxiv.org/abs/2407.07972",
    equation: """
      m = beta1 m + (1 - beta1) g
      v = beta2 v + (1 - beta2) |g|^2 / p      one number for each tensor of p numbers; literal: |g|^2 / sqrt(p)
      w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
      """,
    hyperparameters: BlockMoment.hyperparameters,
    options: [BlockMoment.option],
    state: BlockMoment.stateSize(splitsHead: false),
    deviations: [BlockMoment.reading],
    caveats: BlockMoment.caveats)

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let m = scalars.average("beta1", state.zeros("momentum", like: w), g)
    state["momentum"] = m
    let v = moment.updated(by: g, &state, scalars)
    return .step(scalars.learningRate * moment.ratio(m, v, scalars))
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    Optimizers.effectiveRate(secondMoment: moment.current(&state), scalars)
  }
}
