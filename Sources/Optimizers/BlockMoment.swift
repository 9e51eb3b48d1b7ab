// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// Adalayer's second moment: one number for each block of a tensor.
///
/// Zhao et al., 2024 (https://arxiv.org/abs/2407.07972), algorithm 1. A block is the whole tensor, or one row of the head:
/// what makes one logit.
struct BlockMoment {
  /// What a card says about the option that ``init(_:splitsHead:)`` reads.
  static let option = OptimizerCard.Option(
    "statistic", choices: ["mean", "literal"],
    source: "Zhao et al., 2024, section 4: the average of the second moment",
    summary:
      "a block of p numbers is measured by |g|^2 / p as the text says, or |g|^2 / sqrt(p) as algorithm 1 prints"
  )

  /// The hyperparameters of every method that uses it.
  static let hyperparameters: [OptimizerCard.Hyperparameter] = [
    .learningRate(
      3.16e-3, search: 1e-4...1, source: "Zhao et al., 2024, the fixed rate of their hybrids"),
    .decayFactor(
      "beta1", 0.9, source: "Zhao et al., 2024, experimental setup",
      summary: "decay of the average gradient", search: [0.8, 0.9, 0.95, 0.98]),
    .decayFactor(
      "beta2", 0.95, source: "Zhao et al., 2024, experimental setup",
      summary: "decay of the average squared norm", search: [0.9, 0.95, 0.99, 0.999]),
    .epsilon(
      1e-15, source: "Zhao et al., 2024, experimental setup", summary: "added to the root of v"),
    .weightDecay(0, source: "Zhao et al., 2024, experimental setup"),
  ]

  /// How the paper was read, for a card.
  static let reading =
    "Algorithm 1 prints |g|^2 / sqrt(p) where the text says average, |g|^2 / p: the average is the standard, for only it "
    + "has Adam and Adafactor as special cases; 'literal' is the other."

  /// What is true of every method that uses it.
  static let caveats = [
    "Between the two statistics the step of a block of p numbers differs by p^(1/4): learning rates do not carry over, and "
      + "relative to each other large blocks move less under 'literal'.",
    "With blocks of one number it would be Adam.",
    "There is no golden trajectory: no public package has it. It is held against a second transcription of the paper.",
  ]

  /// What is true of those that split the head.
  static let tiedHead =
    "A model whose head is its token table has no parameter of the role head: nothing is split."

  private let isLiteral: Bool
  private let splitsHead: Bool

  /// Reads the option `statistic`.
  init(_ options: MethodOptions, splitsHead: Bool) {
    isLiteral = options["statistic"] == "literal"
    self.splitsHead = splitsHead
  }

  /// The shape of the state `second_moment`: `[1]`, or `[rows, 1]` for a head that is split.
  static func shape(_ parameter: Parameter, splitsHead: Bool) -> Shape {
    splitsHead && parameter.role == .head ? [parameter.shape.rows, 1] : [1]
  }

  /// The state as it is.
  func current(_ state: inout StateBuilder) -> Tensor {
    state.zeros("second_moment", Self.shape(state.parameter, splitsHead: splitsHead))
  }

  /// beta2 v + (1 - beta2) s, with s measured on the gradient; becomes the state.
  func updated(by g: Tensor, _ state: inout StateBuilder, _ scalars: Scalars) -> Tensor {
    let v = current(&state)
    let count = g.graph.constant(Float(g.shape.count / v.shape.count))
    let sum = square(g).sum(v.shape.count == 1 ? .all : .columns).reshaped(v.shape)
    let measure = sum / (isLiteral ? squareRoot(count) : count)
    let new = scalars.average("beta2", v, measure)
    state["second_moment"] = new
    return new
  }

  /// m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon), as Adam's, with each block's v.
  func ratio(_ m: Tensor, _ v: Tensor, _ scalars: Scalars) -> Tensor {
    // A single number has no axes, so that it stretches over tensors of any number of axes.
    let v = v.shape.count == 1 ? v.reshaped([]) : v
    let denominator = squareRoot(v / scalars.correction("beta2")) + scalars.epsilon
    return m / scalars.correction("beta1") / denominator
  }

  /// A card's state size.
  static func stateSize(splitsHead: Bool) -> StateSize {
    StateSize(
      splitsHead
        ? "4 bytes a number, and 4 a tensor; the head 4 a row" : "4 bytes a number, and 4 a tensor"
    ) { parameter, _ in
      4 * (parameter.shape.count + shape(parameter, splitsHead: splitsHead).count)
    }
  }
}
