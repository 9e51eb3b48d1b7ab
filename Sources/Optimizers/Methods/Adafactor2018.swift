// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Adafactor as first published: steps relative to the size of the weights, no first moment unless asked for.
///
/// Shazeer and Stern, *Adafactor: Adaptive Learning Rates with Sublinear Memory Cost*, 2018
/// (https://arxiv.org/abs/1804.04235), algorithms 4 to 6. R and C are averages of the row and column means of
/// g^2 + epsilon1, see ``FactoredMoment``:
///
///     beta2 = 1 - t^-decay_exponent
///     u = g / sqrt(R C^T / mean(R))           matrices
///     u = g / sqrt(V)                         vectors
///     u = u / max(1, RMS(u) / clip_threshold)
///     alpha = lr max(epsilon2, RMS(w))
///     m = beta1 m + (1 - beta1) alpha u
///     w = w - lr wd w - m
public struct Adafactor2018: OptimizerMethod {
  private let scalesByParameter: Bool

  /// Makes the method; option `parameter_scale`.
  public init(_ options: MethodOptions) {
    scalesByParameter = options.isOn("parameter_scale")
  }

  /// One fp32 number of state for each parameter, and one for each row and column.
  public static let card = OptimizerCard(
    name: "adafactor-2018",
    paper:
      "Shazeer and Stern, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, 2018, https://arxiv.org/abs/1804.04235",
    equation: """
      beta2 = 1 - t^-decay_exponent
      R = beta2 R + (1 - beta2) mean of (g^2 + epsilon1) over columns
      C = beta2 C + (1 - beta2) mean of (g^2 + epsilon1) over rows
      V = R C^T / mean(R); vectors: V = beta2 V + (1 - beta2) (g^2 + epsilon1)
      u = g / sqrt(V)
      u = u / max(1, RMS(u) / clip_threshold)
      alpha = lr max(epsilon2, RMS(w)); parameter_scale false: alpha = lr
      m = beta1 m + (1 - beta1) alpha u
      w = w - lr wd w - m
      """,
    hyperparameters: [
      .learningRate(
        0.01, search: 1e-4...1, source: "Shazeer and Stern, 2018, algorithm 6: rho, at most 0.01"),
      .decayFactor(
        "beta1", 0, source: "Shazeer and Stern, 2018, algorithm 6",
        summary: "decay of the average step; 0: no average", search: [0, 0.9]),
      .init(
        "decay_exponent", defaultValue: 0.8, range: 0...10, excludesLowerBound: true,
        source: "Shazeer and Stern, 2018, algorithm 6", summary: "how fast beta2 rises to 1"),
      .init(
        "clip_threshold", defaultValue: 1, range: 0...1e6, excludesLowerBound: true,
        source: "Shazeer and Stern, 2018, algorithm 6", summary: "largest root mean square of u"),
      .init(
        "epsilon1", defaultValue: 1e-30, range: 0...1e3, excludesLowerBound: true,
        source: "Shazeer and Stern, 2018, algorithm 6", summary: "added to the squared gradient"),
      .init(
        "epsilon2", defaultValue: 1e-3, range: 0...1e3,
        source: "Shazeer and Stern, 2018, algorithm 6",
        summary: "smallest size of a tensor that steps are relative to"),
      .weightDecay(0, source: "Shazeer and Stern, 2018, which has none"),
    ],
    options: [
      .init(
        "parameter_scale", choices: ["true", "false"],
        source: "Shazeer and Stern, 2018, algorithm 6",
        summary: "steps are relative to the root mean square of the weights")
    ],
    state: StateSize("4 bytes a number, and 4 a row and a column; vectors 8 a number") {
      parameter, _ in
      4 * parameter.shape.count
        + FactoredMoment.bytes(parameter.shape, isFactored: parameter.shape.rank == 2)
    },
    deviations: [
      "The paper's schedule min(0.01, 1 / sqrt(t)) is left to the schedule: the learning rate in force is its rho_t.",
      "The momentum's state is kept even where beta1 is 0, which makes it nothing: the paper saves that memory.",
      "The momentum averages alpha u, the whole step, as the authors' code does; the paper does not say.",
      "Weight decay is decoupled and scaled by the learning rate, not by alpha.",
    ],
    caveats: [
      "With parameter_scale the learning rate is a share of the weights, not a step: 0.01 moves a tensor by about a "
        + "hundredth of its size.",
      "Every matrix is factored, however small.",
    ])

  /// beta2 of the update instead of a constant one.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    let rising = risingDecayScalars(number("decay_exponent", of: hyperparameters), update)
    var result = decayFactorScalars(hyperparameters, &memory)
    result["beta2"] = rising.factor
    result["one_minus_beta2"] = rising.complement
    return result
  }

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let v = FactoredMoment(
      square(g) + scalars["epsilon1"], isFactored: w.shape.rank == 2, state: &state,
      scalars: scalars)
    let u = g / v.root()
    let excess = maximum(w.graph.constant(1), rootMeanSquare(u) / scalars["clip_threshold"])
    let alpha = rate(w, scalars)
    let m = scalars.average(
      "beta1", state.zeros("momentum", like: w), alpha / excess * u)
    state["momentum"] = m
    return .step(m)
  }

  /// alpha: the learning rate, relative to the size of the weights where the option asks for it.
  private func rate(_ w: Tensor, _ scalars: Scalars) -> Tensor {
    guard scalesByParameter else { return scalars.learningRate }
    return scalars.learningRate * maximum(scalars["epsilon2"], rootMeanSquare(w))
  }

  /// The step size alpha over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    let v = FactoredMoment(of: w, isFactored: w.shape.rank == 2, state: &state)
    return rate(w, scalars) / v.root()
  }
}
