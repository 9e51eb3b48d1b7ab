// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TensorGraph

/// Adam with second moments for tensors and for rows of the head, measured before training and then held.
///
/// Zhao et al., *Deconstructing What Makes a Good Optimizer for Language Models*, 2024 (https://arxiv.org/abs/2407.07972),
/// section 4: ``AdalayerStar`` whose second moments average the first N batches at the initial weights. For a block of p
/// numbers, see ``BlockMoment``, and G the gradient of such a batch:
///
///     v = beta2 v + (1 - beta2) |G|^2 / p                  N times, before the first update
///     m = beta1 m + (1 - beta1) g
///     w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^N)) + epsilon)
///
/// With running statistics v goes on as in ``AdalayerStar``, corrected by 1 - beta2^(N+t).
public struct AdalayerFrozen: OptimizerMethod {
  private let moment: BlockMoment
  private let isRunning: Bool

  /// Makes the method; options `statistic` and `statistics`.
  public init(_ options: MethodOptions) {
    moment = BlockMoment(options, splitsHead: true)
    isRunning = options["statistics"] == "running"
  }

  /// One fp32 number of state for each parameter, and one for each tensor, or row of the head.
  public static let card = OptimizerCard(
    name: "adalayer-frozen",
    paper:
      "Zhao et al., Deconstructing What Makes a Good Optimizer for Language Models, 2024, https://arxiv.org/abs/2407.07972",
    equation: """
      v = beta2 v + (1 - beta2) |G|^2 / p      N = statistics_batches times, before the first update, from gradients G at the initial weights
      m = beta1 m + (1 - beta1) g
      w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^N)) + epsilon)
      running: v = beta2 v + (1 - beta2) |g|^2 / p at every update too, corrected by 1 - beta2^(N+t)
      v: one number for each tensor, for the head one for each row; literal: |g|^2 / sqrt(p)
      """,
    hyperparameters: BlockMoment.hyperparameters + [
      .init(
        "statistics_batches", defaultValue: 150, range: 1...1e6, isCount: true,
        source:
          "Zhao et al., 2024, section 4, has 1000: with beta2 0.95 batches before the last 150 weigh 0.0005",
        summary: "batches whose gradients make v before training")
    ],
    options: [
      BlockMoment.option,
      .init(
        "statistics", choices: ["frozen", "running"], source: "Zhao et al., 2024, section 4",
        summary: "v is held during training, or goes on"),
    ],
    state: BlockMoment.stateSize(splitsHead: true),
    observation: .firstBatches(count: "statistics_batches"),
    deviations: [
      BlockMoment.reading,
      "The momentum starts at zero at the first update, with t counted from there: the paper does not say.",
      "v is corrected by 1 - beta2^N, so that few batches are as good as many.",
    ],
    caveats: BlockMoment.caveats + [
      BlockMoment.tiedHead,
      "N more gradients, all before training: charged to the run.",
      "The variants that keep the head or the gains adaptive are rules: statistics = running for those roles.",
      "With frozen statistics it is momentum SGD (form ema, corrected) with a learning rate for each block.",
    ])

  /// What every method gets, with the correction of v that knows the batches observed.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    var result = decayFactorScalars(hyperparameters, &memory)
    let observed =
      memory["observed_product"]
      ?? pow(
        number("beta2", of: hyperparameters), number("statistics_batches", of: hyperparameters))
    memory["observed_product"] = observed
    let since = isRunning ? memory["beta2_product"] ?? 1 : 1
    result["beta2_correction"] = 1 - observed * since
    return result
  }

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let m = scalars.average("beta1", state.zeros("momentum", like: w), g)
    state["momentum"] = m
    let v = isRunning ? moment.updated(by: g, &state, scalars) : moment.current(&state)
    return .step(scalars.learningRate * moment.ratio(m, v, scalars))
  }

  /// One batch more in v.
  public func observe(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) {
    _ = moment.updated(by: g, &state, scalars)
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    Optimizers.effectiveRate(secondMoment: moment.current(&state), scalars)
  }
}
