// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Gradient descent whose momentum is an average of the weights and needs no learning rate schedule.
///
/// Defazio et al., *The Road Less Scheduled*, 2024 (https://arxiv.org/abs/2405.15682), equations 3 to 5, in the form of the
/// authors' code, which keeps one tensor. The parameter is y; for update t = 1, 2, ..., with c, s of ``ScheduleFree``:
///
///     u = lr g + lr wd y
///     y = y + c (z - y) - s (1 - beta1 (1 - c)) u
///     z = z - s u
///     x = y + (1 / beta1 - 1) (y - z)             for evaluation
public struct ScheduleFreeSGD: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// One fp32 number of state for each parameter.
  public static let card = OptimizerCard(
    name: "schedule-free-sgd",
    paper: ScheduleFree.paper,
    equation: """
      s = min(1, t / warmup_steps)
      p = t^step_power max(lr s so far)^weight_power
      c = p / (sum of p so far), 0 where that sum is 0
      u = lr g + lr wd y
      y = y + c (z - y) - s (1 - beta1 (1 - c)) u
      z = z - s u
      evaluated: x = y + (1 / beta1 - 1) (y - z)
      """,
    hyperparameters: [
      .learningRate(1, search: 1e-2...1e2, source: "Defazio et al., 2024, authors' code"),
      ScheduleFree.beta1,
      .weightDecay(0, source: "Defazio et al., 2024, authors' code"),
    ] + ScheduleFree.hyperparameters,
    state: .perNumber(1), evaluatesAverage: true, wantsConstantRate: true, scope: .element,
    caveats: ScheduleFree.caveats + [
      "The authors advise rates of ten to fifty times those of SGD with momentum."
    ])

  /// The averaging weights.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    var result = decayFactorScalars(hyperparameters, &memory)
    ScheduleFree.addScalars(hyperparameters, update: update, memory: &memory, to: &result)
    return result
  }

  /// The equations.
  public func update(
    _ y: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    ScheduleFree.update(y, along: g, state: &state, scalars: scalars)
  }

  /// The average x.
  public func evaluated(
    _ y: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor {
    ScheduleFree.average(y, state: &state, scalars: scalars)
  }
}
