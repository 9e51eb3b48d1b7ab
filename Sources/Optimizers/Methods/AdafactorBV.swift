// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Adafactor as it is used for vision transformers: bf16 momentum of the preconditioned gradient, beta2 capped.
///
/// Zhai et al., *Scaling Vision Transformers*, 2021 (https://arxiv.org/abs/2106.04560), section 3.4, and the authors'
/// big_vision code. R and C are averages of the row and column means of g^2 + epsilon, see ``FactoredMoment``:
///
///     beta2 = min(beta2_cap, 1 - t^-decay_exponent)
///     u = g / sqrt(R C^T / mean(R))           matrices with both sides of 32 or more
///     u = g / sqrt(V)                         others
///     u = u / max(1, RMS(u) / clip_threshold)            if clipping is on
///     m = beta1 m + (1 - beta1) u
///     w = w - lr wd w - lr m
public struct AdafactorBV: OptimizerMethod {
  /// Matrices are factored when neither side is shorter: the authors' `min_dim_size_to_factor`.
  public static let minimumFactored = 32

  private let clips: Bool
  private let momentumType: ElementType

  /// Makes the method; options `clipping` and `momentum_type`.
  public init(_ options: MethodOptions) {
    clips = options["clipping"] == "on"
    momentumType = Self.momentumType(options)
  }

  /// A bf16 number of state for each parameter, and one fp32 number for each row and column.
  public static let card = OptimizerCard(
    name: "adafactor-bv",
    paper: "Zhai et al., Scaling Vision Transformers, 2021, https://arxiv.org/abs/2106.04560",
    equation: """
      beta2 = min(beta2_cap, 1 - t^-decay_exponent)
      R = beta2 R + (1 - beta2) mean of (g^2 + epsilon) over columns
      C = beta2 C + (1 - beta2) mean of (g^2 + epsilon) over rows
      V = R C^T / mean(R); vectors, and matrices with a side under 32: V = beta2 V + (1 - beta2) (g^2 + epsilon)
      u = g / sqrt(V); clipping on: u = u / max(1, RMS(u) / clip_threshold)
      m = beta1 m + (1 - beta1) u      stored as bf16
      w = w - lr wd w - lr m
      """,
    hyperparameters: [
      .learningRate(
        1e-3, search: 1e-4...1,
        source: "Zhai et al., 2021, section 3.4: steps are sized like Adam's; its default"),
      .decayFactor(
        "beta1", 0.9, source: "Zhai et al., 2021, section 3.4",
        summary: "decay of the average step",
        search: [0.8, 0.9, 0.95, 0.98]),
      .init(
        "decay_exponent", defaultValue: 0.8, range: 0...10, excludesLowerBound: true,
        source: "Shazeer and Stern, 2018, algorithm 6", summary: "how fast beta2 rises to 1"),
      .init(
        "beta2_cap", defaultValue: 0.999, range: 0...1,
        search: .list([0.95, 0.99, 0.999]), source: "Zhai et al., 2021, section 3.4",
        summary: "where beta2 stops rising; 1: nowhere"),
      .init(
        "clip_threshold", defaultValue: 1, range: 0...1e6, excludesLowerBound: true,
        source: "Shazeer and Stern, 2018, algorithm 6",
        summary: "largest root mean square of u, where clipping is on"),
      .init(
        "epsilon", defaultValue: 1e-30, range: 0...1e3, excludesLowerBound: true,
        source: "Shazeer and Stern, 2018, algorithm 6", summary: "added to the squared gradient"),
      .weightDecay(0, source: "none unless asked: the authors tune it for each model"),
    ],
    options: [
      .init(
        "clipping", choices: ["off", "on"], source: "the authors' big_vision code",
        summary: "bounds the root mean square of each tensor's u"),
      .init(
        "momentum_type", choices: ["bf16", "fp32"], source: "Zhai et al., 2021, section 3.4",
        summary: "how the momentum is stored"),
    ],
    state: StateSize("2 bytes a number (momentum_type fp32: 4), and 4 a row and a column") {
      parameter, options in
      momentumType(options).byteCount * parameter.shape.count
        + FactoredMoment.bytes(parameter.shape, isFactored: isFactored(parameter.shape))
    },
    deviations: [
      "The step uses the new momentum before it is rounded to bf16, as the authors' code does; ports step along the rounded "
        + "one.",
      "Weight decay is scaled by the learning rate; the authors' is not.",
      "Only tensors with two axes are factored; models here have no others.",
    ],
    caveats: [
      "The momentum is not corrected for its start at zero: the first step is 1 - beta1 of what follows. Warm up.",
      "The momentum averages preconditioned gradients, so a change of V acts late.",
    ])

  /// beta2 of the update instead of a constant one.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    let rising = risingDecayScalars(number("decay_exponent", of: hyperparameters), update)
    let cap = number("beta2_cap", of: hyperparameters)
    var result = decayFactorScalars(hyperparameters, &memory)
    result["beta2"] = min(cap, rising.factor)
    result["one_minus_beta2"] = max(1 - cap, rising.complement)
    return result
  }

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let v = FactoredMoment(
      square(g) + scalars.epsilon, isFactored: Self.isFactored(w.shape), state: &state,
      scalars: scalars)
    var u = g / v.root()
    if clips {
      u = u / maximum(w.graph.constant(1), rootMeanSquare(u) / scalars["clip_threshold"])
    }
    let m = scalars.average("beta1", state.zeros("momentum", like: w, storedAs: momentumType), u)
    state["momentum"] = m
    return .step(scalars.learningRate * m)
  }

  private static func isFactored(_ shape: Shape) -> Bool {
    shape.rank == 2 && min(shape[0], shape[1]) >= minimumFactored
  }

  private static func momentumType(_ options: MethodOptions?) -> ElementType {
    options?["momentum_type"] == "fp32" ? .float32 : .bfloat16
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    let v = FactoredMoment(of: w, isFactored: Self.isFactored(w.shape), state: &state)
    return scalars.learningRate / v.root()
  }
}
