// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TensorGraph

/// AdEMAMix: Adam with a second, slow average of the gradient.
///
/// Pagliardini et al., *The AdEMAMix Optimizer: Better, Faster, Older*, 2024 (https://arxiv.org/abs/2409.03137),
/// algorithm 1:
///
///     m1 = beta1 m1 + (1 - beta1) g
///     m2 = beta3_t m2 + (1 - beta3_t) g
///     v = beta2 v + (1 - beta2) g^2
///     w = w - lr wd w - lr (m1 / (1 - beta1^t) + alpha_t m2) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// alpha_t rises from 0 to alpha in a line. beta3_t rises from beta1 to beta3 so that its half-life, which is in proportion
/// to 1 / -log(beta), rises in a line.
public struct AdEMAMix: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// Three fp32 numbers of state for each parameter.
  public static let card = OptimizerCard(
    name: "ademamix",
    paper:
      "Pagliardini et al., The AdEMAMix Optimizer: Better, Faster, Older, 2024, https://arxiv.org/abs/2409.03137",
    equation: """
      m1 = beta1 m1 + (1 - beta1) g
      m2 = beta3_t m2 + (1 - beta3_t) g
      v = beta2 v + (1 - beta2) g^2
      w = w - lr wd w - lr (m1 / (1 - beta1^t) + alpha_t m2) / (sqrt(v / (1 - beta2^t)) + epsilon)
      alpha_t = alpha min(1, t / alpha_warmup)
      1 / log(beta3_t) = (1 - s) / log(beta1) + s / log(beta3), s = min(1, t / beta3_warmup)
      """,
    hyperparameters: [
      .learningRate(
        1e-3, search: 1e-4...1e-1, source: "Pagliardini et al., 2024, the authors' code"),
      .decayFactor(
        "beta1", 0.9, source: "Pagliardini et al., 2024, section 3",
        summary: "decay of the fast average", search: [0.8, 0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.999, source: "Pagliardini et al., 2024, section 3",
        summary: "decay of the average squared gradient", search: [0.9, 0.95, 0.99, 0.999]),
      .decayFactor(
        "beta3", 0.9999, source: "Pagliardini et al., 2024, section 3",
        summary: "decay of the slow average, once warm", search: [0.999, 0.9995, 0.9999]),
      .init(
        "alpha", defaultValue: 5, range: 0...1e3, search: .list([2, 5, 8]),
        source: "Pagliardini et al., 2024, section 3", summary: "weight of the slow average"),
      .epsilon(
        1e-8, source: "Pagliardini et al., 2024, algorithm 1", summary: "added to the root of v"),
      .weightDecay(0.1, source: "Pagliardini et al., 2024, language models"),
      .init(
        "alpha_warmup", defaultValue: 0, range: 0...1e9, isCount: true,
        source: "none unless asked; Pagliardini et al., 2024, use the number of updates",
        summary: "updates until alpha is reached; 0: from the first"),
      .init(
        "beta3_warmup", defaultValue: 0, range: 0...1e9, isCount: true,
        source: "none unless asked; Pagliardini et al., 2024, use the number of updates",
        summary: "updates until beta3 is reached; 0: from the first"),
    ],
    state: .perNumber(3), scope: .element,
    caveats: [
      "The authors warm alpha and beta3 over the whole run; without that, large learning rates can diverge early.",
      "The slow average remembers 1 / (1 - beta3) updates: in runs shorter than that, lower beta3.",
      "beta3_warmup starts at beta1: keep beta3 above it.",
    ])

  /// What every method gets, with alpha and beta3 of this update.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    var result = decayFactorScalars(hyperparameters, &memory)
    func progress(_ name: String) -> Double {
      let length = number(name, of: hyperparameters)
      return Double(update) < length ? Double(update) / length : 1
    }
    result["alpha"] = number("alpha", of: hyperparameters) * progress("alpha_warmup")
    let share = progress("beta3_warmup")
    if share < 1 {
      let start = log(number("beta1", of: hyperparameters))
      let end = log(number("beta3", of: hyperparameters))
      let logarithm = 1 / ((1 - share) / start + share / end)
      result["beta3"] = exp(logarithm)
      result["one_minus_beta3"] = -expm1(logarithm)
    }
    return result
  }

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let fast = scalars.average("beta1", state.zeros("fast_moment", like: w), g)
    let slow = scalars.average("beta3", state.zeros("slow_moment", like: w), g)
    let v = scalars.average("beta2", state.zeros("second_moment", like: w), square(g))
    state["fast_moment"] = fast
    state["slow_moment"] = slow
    state["second_moment"] = v
    let mixed = fast / scalars.correction("beta1") + scalars["alpha"] * slow
    let denominator = squareRoot(v / scalars.correction("beta2")) + scalars.epsilon
    return .step(scalars.learningRate * (mixed / denominator))
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    Optimizers.effectiveRate(
      secondMoment: state.zeros("second_moment", like: w), scalars)
  }
}
