// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Adam whose second moment is factored: the Adafactor of the optimizer study.
///
/// Zhao et al., *Deconstructing What Makes a Good Optimizer for Language Models*, 2024 (https://arxiv.org/abs/2407.07972),
/// after Shazeer and Stern, 2018. R and C are averages of the row and column means of g^2, see ``FactoredMoment``:
///
///     m = beta1 m + (1 - beta1) g
///     V = R C^T / mean(R)                     matrices
///     V = beta2 V + (1 - beta2) g^2           vectors
///     w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(V / (1 - beta2^t)) + epsilon)
public struct AdafactorAdam: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// One fp32 number of state for each parameter, and one for each row and column.
  public static let card = OptimizerCard(
    name: "adafactor-adam",
    paper:
      "Zhao et al., Deconstructing What Makes a Good Optimizer for Language Models, 2024, https://arxiv.org/abs/2407.07972",
    equation: """
      m = beta1 m + (1 - beta1) g
      R = beta2 R + (1 - beta2) mean of g^2 over columns
      C = beta2 C + (1 - beta2) mean of g^2 over rows
      V = R C^T / mean(R); vectors: V = beta2 V + (1 - beta2) g^2
      w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(V / (1 - beta2^t)) + epsilon)
      """,
    hyperparameters: [
      .learningRate(
        3.16e-3, search: 1e-4...1, source: "Zhao et al., 2024, the fixed rate of their hybrids"),
      .decayFactor(
        "beta1", 0.9, source: "Zhao et al., 2024, experimental setup",
        summary: "decay of the average gradient", search: [0.8, 0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.95, source: "Zhao et al., 2024, experimental setup",
        summary: "decay of the row and column means", search: [0.9, 0.95, 0.99, 0.999]),
      .epsilon(
        1e-15, source: "Zhao et al., 2024, experimental setup", summary: "added to the root of V"),
      .weightDecay(0, source: "Zhao et al., 2024, experimental setup"),
    ],
    state: StateSize("4 bytes a number, and 4 a row and a column; vectors 8 a number") {
      parameter, _ in
      4 * parameter.shape.count
        + FactoredMoment.bytes(parameter.shape, isFactored: parameter.shape.rank == 2)
    },
    caveats: [
      "Not the Adafactor that the study cites (adafactor-bv, of Zhai et al., 2021): that one averages preconditioned "
        + "gradients, in bf16, without bias correction, with a rising beta2.",
      "V equals Adam's exactly where the average of g^2 has rank one.",
      "Every matrix is factored, however small.",
      "There is no golden trajectory: no public package has this form. It is held against a second transcription of the "
        + "equations.",
    ])

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let m = scalars.average("beta1", state.zeros("momentum", like: w), g)
    state["momentum"] = m
    let v = FactoredMoment(
      square(g), isFactored: w.shape.rank == 2, state: &state, scalars: scalars)
    let denominator = v.root(correction: scalars.correction("beta2")) + scalars.epsilon
    return .step(scalars.learningRate * (m / scalars.correction("beta1") / denominator))
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    let v = FactoredMoment(of: w, isFactored: w.shape.rank == 2, state: &state)
    return scalars.learningRate
      / (v.root(correction: scalars.correction("beta2")) + scalars.epsilon)
  }
}
