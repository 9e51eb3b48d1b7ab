// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// AdamW with one second moment for a block of parameters.
///
/// Zhang et al., *Adam-mini: Use Fewer Learning Rates To Gain More*, 2024 (https://arxiv.org/abs/2406.16793), algorithm 1, blocks as
/// in its algorithm 3: the smallest dense blocks of a transformer's Hessian. For update t = 1, 2, ... and every block b:
///
///     m = beta1 m + (1 - beta1) g
///     v_b = beta2 v_b + (1 - beta2) mean of g^2 over b
///     w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v_b / (1 - beta2^t)) + epsilon)
public struct AdamMini: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// One fp32 number of state for each parameter and one for each block.
  public static let card = OptimizerCard(
    name: "adam-mini",
    paper:
      "Zhang et al., Adam-mini: Use Fewer Learning Rates To Gain More, 2024, https://arxiv.org/abs/2406.16793",
    equation: """
      m = beta1 m + (1 - beta1) g
      v_b = beta2 v_b + (1 - beta2) mean(g^2 over block b)
      w = w - lr wd w - lr (m / (1 - beta1^t)) / (sqrt(v_b / (1 - beta2^t)) + epsilon)
      blocks: a head of query and key; an output row of value, attention output and feed-forward matrices; a token's row of
      embedding and head; any other tensor as a whole
      """,
    hyperparameters: [
      .learningRate(1e-3, search: 1e-4...1e-1, source: "Zhang et al., 2024, authors' code"),
      .decayFactor(
        "beta1", 0.9, source: "Zhang et al., 2024: AdamW's",
        summary: "decay of the average gradient",
        search: [0.8, 0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.95, source: "Zhang et al., 2024: AdamW's; Brown et al., 2020, appendix B",
        summary: "decay of a block's mean squared gradient", search: [0.9, 0.95, 0.99, 0.999]),
      .epsilon(
        1e-8, source: "Zhang et al., 2024, authors' code", summary: "added to the root of v"),
      .weightDecay(
        0.1, source: "Zhang et al., 2024: AdamW's; Brown et al., 2020, appendix B"),
    ],
    state: StateSize("4 bytes a number, 4 a block") { parameter, _ in
      4 * (parameter.shape.count + Blocks(parameter).shape.count)
    },
    deviations: [
      "Blocks come from the roles that a model declares; the authors' code guesses them from parameters' names."
    ],
    caveats: [
      "A query or key matrix that declares no heads is one block.",
      "pytorch_optimizer's AdamMini follows the paper's first version: Adam for embedding and head, one block for every other "
        + "matrix but query and key.",
    ])

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let blocks = Blocks(state.parameter)
    let m = scalars.average("beta1", state.zeros("first_moment", like: w), g)
    let v = scalars.average(
      "beta2", state.zeros("second_moment", blocks.shape), blocks.means(square(g)))
    state["first_moment"] = m
    state["second_moment"] = v
    let denominator = squareRoot(v / scalars.correction("beta2")) + scalars.epsilon
    let rate = scalars.learningRate / scalars.correction("beta1") / denominator
    return .step(m * blocks.spread(rate))
  }

  /// How a parameter falls into blocks.
  enum Blocks {
    /// One for each of so many heads, whose rows lie together.
    case heads(Int, rows: Int)
    /// One for each row.
    case rows(Int)
    /// One.
    case whole

    init(_ parameter: Parameter) {
      guard parameter.shape.rank == 2 else {
        self = .whole
        return
      }
      let rows = parameter.shape.rows
      switch parameter.role {
      case .attentionQuery, .attentionKey: self = .heads(parameter.heads ?? 1, rows: rows)
      case .attentionValue, .attentionOutput, .mlpIn, .mlpGate, .mlpOut, .embedding, .head,
        .valueEmbedding, .gate:
        self = .rows(rows)
      case .normGain, .queryKeyNormGain, .scalar: self = .whole
      }
    }

    /// One number for each block.
    var shape: Shape {
      switch self {
      case .heads(let count, _), .rows(let count): [count, 1]
      case .whole: [1]
      }
    }

    /// The mean over each block; by way of rows, so that nothing as large as the parameter is written.
    func means(_ x: Tensor) -> Tensor {
      let sums =
        switch self {
        case .heads(let count, let rows):
          x.sum(.columns).reshaped([count, rows / count]).sum(.columns)
        case .rows: x.sum(.columns)
        case .whole: x.sum().reshaped([1])
        }
      return sums / Float(x.shape.count / shape.count)
    }

    /// A block's number for each row of the parameter.
    func spread(_ x: Tensor) -> Tensor {
      switch self {
      case .heads(let count, let rows):
        x.broadcast(to: [count, rows / count]).reshaped([rows, 1])
      case .rows: x
      // No axes: it stretches over a parameter of any shape, a single number's too.
      case .whole: x.reshaped([])
      }
    }
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    let v = state.zeros("second_moment", Blocks(state.parameter).shape)
    return Optimizers.effectiveRate(secondMoment: v, scalars)
  }
}
