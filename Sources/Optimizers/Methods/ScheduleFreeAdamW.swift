// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// AdamW whose momentum is an average of the weights and needs no learning rate schedule.
///
/// Defazio et al., *The Road Less Scheduled*, 2024 (https://arxiv.org/abs/2405.15682), algorithm 1, in the form of the authors'
/// code, which keeps two tensors. The parameter is y; for update t = 1, 2, ..., with c, s of ``ScheduleFree``:
///
///     v = beta2 v + (1 - beta2) g^2
///     u = lr g / (sqrt(v / (1 - beta2^t)) + epsilon) + lr wd y
///     y = y + c (z - y) - s (1 - beta1 (1 - c)) u
///     z = z - s u
///     x = y + (1 / beta1 - 1) (y - z)             for evaluation
public struct ScheduleFreeAdamW: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// Two fp32 numbers of state for each parameter.
  public static let card = OptimizerCard(
    name: "schedule-free-adamw",
    paper: ScheduleFree.paper,
    equation: """
      s = min(1, t / warmup_steps)
      p = t^step_power max(lr s so far)^weight_power
      c = p / (sum of p so far), 0 where that sum is 0
      v = beta2 v + (1 - beta2) g^2
      u = lr g / (sqrt(v / (1 - beta2^t)) + epsilon) + lr wd y
      y = y + c (z - y) - s (1 - beta1 (1 - c)) u
      z = z - s u
      evaluated: x = y + (1 / beta1 - 1) (y - z)
      """,
    hyperparameters: [
      .learningRate(0.0025, search: 1e-3...1e-1, source: "Defazio et al., 2024, authors' code"),
      ScheduleFree.beta1,
      .decayFactor(
        "beta2", 0.95, source: "Brown et al., 2020, appendix B",
        summary: "decay of the average squared gradient", search: [0.9, 0.95, 0.99, 0.999]),
      .epsilon(
        1e-8, source: "Defazio et al., 2024, authors' code", summary: "added to the root of v"),
      .weightDecay(0.1, source: "Brown et al., 2020, appendix B"),
    ] + ScheduleFree.hyperparameters,
    state: .perNumber(2), evaluatesAverage: true, wantsConstantRate: true, scope: .element,
    deviations: [
      "The paper corrects the bias of v through the rate, which then enters the averaging weights; this follows the authors' "
        + "later code, where v is divided by its correction and the weights take the rate alone.",
      "beta2 and the weight decay are those of adamw here; the authors' code has 0.999 and 0.",
    ],
    caveats: ScheduleFree.caveats + [
      "The authors advise rates of one to ten times AdamW's, and beta1 0.95 or 0.98 for long runs."
    ])

  /// The numbers of AdamW and the averaging weights.
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
    _ = state.copy("z")
    let v = scalars.average("beta2", state.zeros("second_moment", like: y), square(g))
    state["second_moment"] = v
    let direction = g / (squareRoot(v / scalars.correction("beta2")) + scalars.epsilon)
    return ScheduleFree.update(y, along: direction, state: &state, scalars: scalars)
  }

  /// The average x.
  public func evaluated(
    _ y: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor {
    ScheduleFree.average(y, state: &state, scalars: scalars)
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ y: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    Optimizers.effectiveRate(
      secondMoment: state.zeros("second_moment", like: y), scalars)
  }
}
