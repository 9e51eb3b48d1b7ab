// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TensorGraph

/// ADOPT: Adam that divides by the second moment of earlier gradients, before it averages.
///
/// Taniguchi et al., *ADOPT: Modified Adam Can Converge with Any beta2 with the Optimal Rate*, 2024
/// (https://arxiv.org/abs/2411.02853), algorithm 2. The first update only sets v = g^2; then, for t = 2, 3, ...:
///
///     m = beta1 m + (1 - beta1) clip(g / max(sqrt(v), epsilon), (t - 1)^clip_exponent)
///     w = w - lr wd w - lr m
///     v = beta2 v + (1 - beta2) g^2
public struct ADOPT: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// Two fp32 numbers of state for each parameter.
  public static let card = OptimizerCard(
    name: "adopt",
    paper:
      "Taniguchi et al., ADOPT: Modified Adam Can Converge with Any beta2 with the Optimal Rate, 2024, https://arxiv.org/abs/2411.02853",
    equation: """
      t = 1: v = g^2
      t > 1: m = beta1 m + (1 - beta1) clip(g / max(sqrt(v), epsilon), (t - 1)^clip_exponent)
             w = w - lr wd w - lr m
             v = beta2 v + (1 - beta2) g^2
      """,
    hyperparameters: [
      .learningRate(
        1e-3, search: 1e-4...1e-1, source: "Taniguchi et al., 2024, the authors' code"),
      .decayFactor(
        "beta1", 0.9, source: "Taniguchi et al., 2024, algorithm 2",
        summary: "decay of the average step", search: [0.8, 0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.9999, source: "Taniguchi et al., 2024, algorithm 2",
        summary: "decay of the average squared gradient", search: [0.95, 0.99, 0.999, 0.9999]),
      .init(
        "epsilon", defaultValue: 1e-6, range: 0...1e3, excludesLowerBound: true,
        source: "Taniguchi et al., 2024, algorithm 2", summary: "smallest root of v"),
      .init(
        "clip_exponent", defaultValue: 0.25, range: 0...10,
        source: "Taniguchi et al., 2024, the authors' code",
        summary: "how the largest entry of a preconditioned gradient grows with t; 0: it is 1"),
      .weightDecay(0.1, source: "Brown et al., 2020, appendix B, for Adam"),
    ],
    state: .perNumber(2),
    firstUpdate: .startsState, scope: .element,
    deviations: [
      "Weight decay is decoupled and starts with the second update, as in the authors' code with that setting."
    ],
    caveats: [
      "The first batch moves nothing.",
      "The unclipped form of the paper's first version is not here: its authors found it unstable early in training.",
      "pytorch_optimizer's ADOPT counts the first batch as a step: it clips at t^clip_exponent, and decays the weights at t = 1.",
    ])

  /// What every method gets, and `clip`.
  ///
  /// At the first update v forgets its zeros, and neither the clipped gradient nor decay moves anything.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    var result = decayFactorScalars(hyperparameters, &memory)
    result["clip"] = pow(Double(update - 1), number("clip_exponent", of: hyperparameters))
    if update == 1 {
      result["beta2"] = 0
      result["one_minus_beta2"] = 1
      result["clip"] = 0
      result["decay"] = 0
    }
    return result
  }

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let v = state.zeros("second_moment", like: w)
    let clip = scalars["clip"]
    let normalized = g / maximum(squareRoot(v), scalars.epsilon)
    let clipped = maximum(-clip, minimum(normalized, clip))
    let m = scalars.average("beta1", state.zeros("momentum", like: w), clipped)
    state["momentum"] = m
    state["second_moment"] = scalars.average("beta2", v, square(g))
    return .step(scalars.learningRate * m)
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    let v = state.zeros("second_moment", like: w)
    return scalars.learningRate / maximum(squareRoot(v), scalars.epsilon)
  }
}
