// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

/// What the schedule-free methods share: three points, of which two are kept.
///
/// The gradient is taken at y, the steps are made by z, and x, the weighted average of all z, is what training is for:
///
///     y = (1 - beta1) z + beta1 x
///
/// so that x = y + (1 / beta1 - 1) (y - z) need not be stored. The parameter is y; at the start all three are one.
enum ScheduleFree {
  /// The averaging weights and the warm-up, in double precision.
  ///
  ///     s = min(1, t / warmup_steps)                    (1 without a warm-up)
  ///     p = t^step_power max(lr s so far)^weight_power
  ///     c = p / (sum of p so far)                       (0 while the sum is 0: a rate of 0 has moved nothing)
  static func addScalars(
    _ hyperparameters: [String: Double], update t: Int, memory: inout [String: Double],
    to scalars: inout [String: Double]
  ) {
    let value = { (name: String) in hyperparameters[name] ?? 0 }
    let warmup = min(1, Double(t) / max(1, value("warmup_steps")))
    let maximum = max(memory["maximum_rate"] ?? 0, value("learning_rate") * warmup)
    let weight = pow(Double(t), value("step_power")) * pow(maximum, value("weight_power"))
    let sum = (memory["weight_sum"] ?? 0) + weight
    memory["maximum_rate"] = maximum
    memory["weight_sum"] = sum
    let share = sum > 0 ? weight / sum : 0
    let beta1 = value("beta1")
    scalars["warmup"] = warmup
    scalars["average_share"] = share
    scalars["gradient_share"] = warmup * (1 - beta1 * (1 - share))
    scalars["extrapolation"] = 1 / beta1 - 1
  }

  /// One step of y and z against a direction; decay is measured at y, where the gradient is.
  ///
  ///     u = lr direction + lr wd y
  ///     y = y + c (z - y) - s (1 - beta1 (1 - c)) u
  ///     z = z - s u
  ///
  /// which is y = (1 - beta1) z + beta1 x after x = (1 - c) x + c z, without x.
  static func update(
    _ y: Tensor, along direction: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let z = state.copy("z")
    let step = scalars.learningRate * direction
    let u = scalars.decays ? step + scalars.decay * y : step
    state["z"] = z - scalars["warmup"] * u
    return .weights(y + scalars["average_share"] * (z - y) - scalars["gradient_share"] * u)
  }

  /// x = y + (1 / beta1 - 1) (y - z).
  static func average(_ y: Tensor, state: inout StateBuilder, scalars: Scalars) -> Tensor {
    y + scalars["extrapolation"] * (y - state.copy("z"))
  }

  static let paper =
    "Defazio et al., The Road Less Scheduled, 2024, https://arxiv.org/abs/2405.15682"

  /// The hyperparameters that both methods have, beside their learning rate and decay.
  static let hyperparameters: [OptimizerCard.Hyperparameter] = [
    .init(
      "warmup_steps", defaultValue: 0, range: 0...1e9, isCount: true,
      source: "Defazio et al., 2024, authors' code",
      summary: "updates over which the rate rises linearly from 0, inside the method"),
    .init(
      "weight_power", defaultValue: 2, range: 0...100,
      source: "Defazio et al., 2024, authors' code",
      summary: "power of the largest rate so far in the averaging weight"),
    .init(
      "step_power", defaultValue: 0, range: 0...100, source: "Defazio et al., 2024, authors' code",
      summary: "power of the number of the update in the averaging weight"),
  ]

  static let beta1 = OptimizerCard.Hyperparameter(
    "beta1", defaultValue: 0.9, range: 0...1, excludesLowerBound: true, excludesUpperBound: true,
    search: .list([0.9, 0.95, 0.98]), source: "Defazio et al., 2024, authors' code",
    summary: "share of the average in the point where the gradient is taken")

  static let caveats = [
    "The rate should stay constant; the averaging takes the place of its decay.",
    "The parameter is y; evaluation, exports and generation read x. Where the horizon is short x can be behind y.",
    "A group that rests or is paused neither counts its updates nor adds to the sum of weights.",
    "The method makes its decay part of the step, so the masks of cautious updates and cautious decay do not apply.",
  ]
}
