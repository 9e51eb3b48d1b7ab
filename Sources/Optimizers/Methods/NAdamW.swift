// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TensorGraph

/// Adam with Nesterov momentum and decoupled weight decay.
///
/// Dozat, *Incorporating Nesterov Momentum into Adam*, 2016 (https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ). Two
/// forms are in use under this name; they differ in two numbers that the host computes, a_t and c_t:
///
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g^2
///     w = w - lr wd w - lr (a_t g + c_t m) / (sqrt(v / (1 - beta2^t)) + epsilon)
public struct NAdamW: OptimizerMethod {
  private let warmsMomentum: Bool

  /// Makes the method; option `form`.
  public init(_ options: MethodOptions) {
    warmsMomentum = options["form"] == "torch"
  }

  /// Two fp32 numbers of state for each parameter.
  public static let card = OptimizerCard(
    name: "nadamw",
    paper:
      "Dozat, Incorporating Nesterov Momentum into Adam, 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
    equation: """
      m = beta1 m + (1 - beta1) g
      v = beta2 v + (1 - beta2) g^2
      w = w - lr wd w - lr (a_t g + c_t m) / (sqrt(v / (1 - beta2^t)) + epsilon)
      torch: mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2), P_t = mu_1 mu_2 ... mu_t
             a_t = (1 - mu_t) / (1 - P_t), c_t = mu_(t+1) / (1 - P_(t+1))
      optax: a_t = (1 - beta1) / (1 - beta1^t), c_t = beta1 / (1 - beta1^(t+1))
      """,
    hyperparameters: [
      .learningRate(1e-3, search: 1e-4...1e-1, source: "Kingma and Ba, 2015, algorithm 1"),
      .decayFactor(
        "beta1", 0.9, source: "Kingma and Ba, 2015, algorithm 1",
        summary: "decay of the average gradient", search: [0.8, 0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.999, source: "Dozat, 2016, section 3",
        summary: "decay of the average squared gradient", search: [0.9, 0.95, 0.99, 0.999]),
      .epsilon(
        1e-8, source: "Kingma and Ba, 2015, algorithm 1", summary: "added to the root of v"),
      .weightDecay(0.1, source: "Brown et al., 2020, appendix B, for Adam"),
      .init(
        "momentum_decay", defaultValue: 0.004, range: 0...1e3,
        source: "Dozat, 2016, section 3: 0.96^(t / 250)",
        summary: "how fast mu_t rises from beta1 / 2 to beta1; without effect in the form optax"),
    ],
    options: [
      .init(
        "form", choices: ["torch", "optax"], source: "Dozat, 2016, section 3",
        summary: "the momentum's weight follows the paper's warm-up, or is constant")
    ],
    state: .perNumber(2), scope: .element,
    deviations: [
      "v is corrected by 1 / (1 - beta2^t); the paper's algorithm 2 multiplies by beta2 as well, which no code in use does.",
      "Weight decay is decoupled and scaled by the learning rate (Loshchilov and Hutter, 2019).",
      "In the form torch, m averages with beta1 while mu_t weighs it, as the code of that name has it; the paper averages "
        + "with mu_t.",
    ],
    caveats: [
      "timm's NAdamW is a third form: it divides both terms of the optax form by 1 - beta1^t."
    ])

  /// What every method gets, a_t as `gradient_weight` and c_t as `momentum_weight`.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    var result = decayFactorScalars(hyperparameters, &memory)
    let beta1 = number("beta1", of: hyperparameters)
    let decay = number("momentum_decay", of: hyperparameters)
    func mu(_ t: Int) -> Double {
      warmsMomentum ? beta1 * (1 - 0.5 * pow(0.96, Double(t) * decay)) : beta1
    }
    let product = (memory["mu_product"] ?? 1) * mu(update)
    memory["mu_product"] = product
    result["gradient_weight"] = (1 - mu(update)) / (1 - product)
    result["momentum_weight"] = mu(update + 1) / (1 - product * mu(update + 1))
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
    let ahead = scalars["gradient_weight"] * g + scalars["momentum_weight"] * m
    let denominator = squareRoot(v / scalars.correction("beta2")) + scalars.epsilon
    return .step(scalars.learningRate * (ahead / denominator))
  }

  /// The learning rate over the root of v.
  public func effectiveRate(
    _ w: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Tensor? {
    Optimizers.effectiveRate(
      secondMoment: state.zeros("second_moment", like: w), scalars)
  }
}
