// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// LAMB: Adam's direction with weight decay inside, as long for each tensor as the tensor itself.
///
/// You et al., *Large Batch Optimization for Deep Learning: Training BERT in 76 Minutes*, 2019
/// (https://arxiv.org/abs/1904.00962), algorithm 2, with the norm itself as the scaling function:
///
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g^2
///     r = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + wd w
///     w = w - lr |w| / |r| r                  |w| / |r| is 1 where either is 0
public struct LAMB: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// Two fp32 numbers of state for each parameter.
  public static let card = OptimizerCard(
    name: "lamb",
    paper:
      "You et al., Large Batch Optimization for Deep Learning: Training BERT in 76 Minutes, 2019, https://arxiv.org/abs/1904.00962",
    equation: """
      m = beta1 m + (1 - beta1) g
      v = beta2 v + (1 - beta2) g^2
      r = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + wd w
      w = w - lr |w| / |r| r      |w| / |r| is 1 where either is 0
      """,
    hyperparameters: [
      .learningRate(5e-3, search: 1e-4...1e-1, source: "You et al., 2019, BERT at batch 32768"),
      .decayFactor(
        "beta1", 0.9, source: "You et al., 2019, section 4",
        summary: "decay of the average gradient", search: [0.8, 0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.999, source: "You et al., 2019, section 4",
        summary: "decay of the average squared gradient", search: [0.9, 0.95, 0.99, 0.999]),
      .epsilon(
        1e-6, source: "You et al., 2019, the authors' code", summary: "added to the root of v"),
      .init(
        "weight_decay", defaultValue: 0.01, range: 0...1e3, search: .list([0, 0.01, 0.03, 0.1]),
        source: "You et al., 2019, section 4",
        summary: "part of r: it turns the step rather than lengthening it"),
    ],
    state: .perNumber(2),
    deviations: [
      "The scaling function of the paper is the identity, without bounds.",
      "Every tensor is scaled by its norm, gains too; common code leaves tensors without decay unscaled.",
    ],
    caveats: [
      "The learning rate is a share of each tensor's norm. A tensor that starts at zero takes its first steps unscaled.",
      "Decay is inside the step: the decay settings of a rule (where decay acts, the squared learning rate) change nothing; "
        + "a cautious rule masks the step together with its decay.",
      "pytorch_optimizer's Lamb corrects the bias of m alone, outside r, and counts |w| as at most 10.",
    ])

  /// What every method gets, but no decay outside the step.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    var result = decayFactorScalars(hyperparameters, &memory)
    result["decay"] = 0
    return result
  }

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let m = scalars.average("beta1", state.zeros("first_moment", like: w), g)
    let v = scalars.average("beta2", state.zeros("second_moment", like: w), square(g))
    state["first_moment"] = m
    state["second_moment"] = v
    let denominator = squareRoot(v / scalars.correction("beta2")) + scalars.epsilon
    var r = m / scalars.correction("beta1") / denominator
    if scalars.decays { r = r + scalars.weightDecay * w }
    let (size, length) = (norm(w), norm(r))
    let zero = w.graph.constant(0)
    let isMeasured = less(zero, size) * less(zero, length)
    let trust = select(isMeasured, size / length, w.graph.constant(1))
    return .step(scalars.learningRate * trust * r)
  }

  private func norm(_ tensor: Tensor) -> Tensor { squareRoot(square(tensor).sum()) }
}
