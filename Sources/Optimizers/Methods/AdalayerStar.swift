// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Adam with one second moment for each tensor, and for each row of the head.
///
/// Zhao et al., *Deconstructing What Makes a Good Optimizer for Language Models*, 2024 (https://arxiv.org/abs/2407.07972),
/// section 4: ``Adalayer`` whose last layer has one block for each logit. For a block of p numbers, see ``BlockMoment``:
///
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) |g|^2 / p                  one number a block
///     w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
public struct AdalayerStar: OptimizerMethod {
  private let moment: BlockMoment

  /// Makes the method; option `statistic`.
  public init(_ options: MethodOptions) {
    moment = BlockMoment(options, splitsHead: true)
  }

  /// One fp32 number of state for each parameter, and one for each tensor, or row of the head.
  public static let card = OptimizerCard(
    name: "adalayer-star",
    paper:
      "Zhao et al., Deconstructing What Makes a Good Optimizer for Language Models, 2024, https://arxiv.org/abs/2407.07972",
    equation: """
      m = beta1 m + (1 - beta1) g
      v = beta2 v + (1 - beta2) |g|^2 / p      one number for each tensor, for the head one for each row; literal: |g|^2 / sqrt(p)
      w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
      """,
    hyperparameters: BlockMoment.hyperparameters,
    options: [BlockMoment.option],
    state: BlockMoment.stateSize(splitsHead: true),
    deviations: [BlockMoment.reading],
    caveats: BlockMoment.caveats + [BlockMoment.tiedHead])

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
