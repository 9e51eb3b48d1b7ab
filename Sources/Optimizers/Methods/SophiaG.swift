// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Sophia-G: momentum over an estimate of the curvature, clipped entry by entry.
///
/// Liu et al., *Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training*, 2023
/// (https://arxiv.org/abs/2305.14342), algorithms 2 and 3. B is the number of targets that count in a batch, and G the
/// gradient of its mean loss with labels drawn from the model's own softmax:
///
///     h = beta2 h + (1 - beta2) G^2           before updates 1, 1 + k, 1 + 2 k, ...
///     m = beta1 m + (1 - beta1) g
///     w = w - lr wd w - lr clip(m / (rho B h + epsilon), 1)
public struct SophiaG: OptimizerMethod {
  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// Two fp32 numbers of state for each parameter.
  public static let card = OptimizerCard(
    name: "sophia-g",
    paper:
      "Liu et al., Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training, 2023, https://arxiv.org/abs/2305.14342",
    equation: """
      h = beta2 h + (1 - beta2) G^2      before updates 1, 1 + k, ...; G: gradient with sampled labels; k: curvature_every
      m = beta1 m + (1 - beta1) g
      w = w - lr wd w - lr sign(m) min(|m| / (rho B h + epsilon), 1)      B: counted targets of a batch
      """,
    hyperparameters: [
      .learningRate(1e-4, search: 1e-5...1e-1, source: "Liu et al., 2023, the authors' code"),
      .decayFactor(
        "beta1", 0.965, source: "Liu et al., 2023, the authors' code",
        summary: "decay of the average gradient", search: [0.9, 0.95, 0.965, 0.98]),
      .decayFactor(
        "beta2", 0.99, source: "Liu et al., 2023, the authors' code",
        summary: "decay of the average curvature, once for each observation"),
      .init(
        "rho", defaultValue: 0.04, range: 0...1e6,
        search: .list([0.01, 0.02, 0.04, 0.08]), source: "Liu et al., 2023, the authors' code",
        summary: "how large a step the curvature allows: larger clips less; 0 clips everything"),
      .epsilon(
        1e-15, source: "Liu et al., 2023, the authors' code",
        summary: "added to the curvature"),
      .weightDecay(0.1, source: "Liu et al., 2023, the authors' code"),
      .init(
        "curvature_every", defaultValue: 10, range: 1...1e6, isCount: true,
        source: "Liu et al., 2023, the authors' code",
        summary: "updates from one curvature observation to the next"),
    ],
    state: .perNumber(2),
    observation: .sampledLabels(every: "curvature_every"), scope: .element,
    deviations: [
      "The denominator is rho B h + epsilon, as in the authors' code; the paper writes max(gamma h, epsilon) with the "
        + "batch size inside h.",
      "The curvature is observed before the update of the same step, first at update 1; the authors' code observes after "
        + "updates k, 2 k, ... and is signum until then.",
    ],
    caveats: [
      "One more gradient every k updates, with a forward pass of its own: charged to the run.",
      "While h is 0 (no observation yet, or rho = 0) it is signum, except where 0 < |m| < epsilon.",
      "h is not corrected for its start at zero: at first it is (1 - beta2) of its value, and more entries are clipped.",
      "The authors choose rho so that 10 to 50 percent of the entries are not clipped, and pair lr 6e-4 with rho 0.05 and "
        + "weight decay 0.2 at 125M parameters.",
    ])

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let m = scalars.average("beta1", state.zeros("momentum", like: w), g)
    let h = state.zeros("curvature", like: w)
    state["momentum"] = m
    let (least, most) = (w.graph.constant(-1), w.graph.constant(1))
    let ratio = m / (scalars["rho"] * scalars["batch_tokens"] * h + scalars.epsilon)
    return .step(scalars.learningRate * maximum(least, minimum(ratio, most)))
  }

  /// The Gauss-Newton-Bartlett estimate, but for the factor B that the update applies.
  public func observe(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) {
    let h = state.zeros("curvature", like: w)
    state["curvature"] = scalars.average("beta2", h, square(g))
  }
}
