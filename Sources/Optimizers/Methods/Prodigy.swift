// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Adam with a step size that the method estimates itself, once for all parameters of its group.
///
/// Mishchenko and Defazio, *Prodigy: An Expeditiously Adaptive Parameter-Free Learner*, 2023 (https://arxiv.org/abs/2306.06101),
/// algorithm 4, as in the authors' code. d is a lower estimate of the distance from the start w_0 to a solution; sums run over all
/// parameters; beta3 = sqrt(beta2). For update t = 1, 2, ...:
///
///     f = d lr b,  b = 1 or sqrt(1 - beta2^t) / (1 - beta1^t)
///     n = beta3 n + (d / d0) f sum of g (w_0 - w)
///     s = beta3 s + (d / d0) f g                  (safeguard: d instead of f)
///     m = beta1 m + (1 - beta1) d g
///     v = beta2 v + (1 - beta2) d^2 g^2
///     d' = min(max of all d_coefficient n / sum of |s|, d growth_rate)
///     w = w - f wd w - f m / (sqrt(v) + d' epsilon);  d = d'
public struct Prodigy: OptimizerMethod {
  private let ignoresRate: Bool
  private let correctsBias: Bool

  /// Makes the method; options `safeguard_warmup` and `bias_correction`.
  public init(_ options: MethodOptions) {
    ignoresRate = options.isOn("safeguard_warmup")
    correctsBias = options.isOn("bias_correction")
  }

  /// Four fp32 numbers of state for each parameter, three for each group.
  public static let card = OptimizerCard(
    name: "prodigy",
    paper:
      "Mishchenko and Defazio, Prodigy: An Expeditiously Adaptive Parameter-Free Learner, 2023, https://arxiv.org/abs/2306.06101",
    equation: """
      f = d lr b, b = 1 or sqrt(1 - beta2^t) / (1 - beta1^t)
      n = sqrt(beta2) n + (d / d0) f sum(g (w_0 - w))
      s = sqrt(beta2) s + (d / d0) f g, or with safeguard (d / d0) d g
      m = beta1 m + (1 - beta1) d g
      v = beta2 v + (1 - beta2) d^2 g^2
      e = d_coefficient n / sum(|s|)
      d_max = max(d_max, e); d' = min(d_max, growth_rate (d, or max(d, e) while d = d0))
      w = w - f wd w - f m / (sqrt(v) + d' epsilon); d = d'
      """,
    hyperparameters: [
      .learningRate(
        1, search: 1e-1...1e1, source: "Mishchenko and Defazio, 2023; schedules multiply it"),
      .decayFactor(
        "beta1", 0.9, source: "Mishchenko and Defazio, 2023, authors' code",
        summary: "decay of the average gradient", search: [0.8, 0.9, 0.95]),
      .decayFactor(
        "beta2", 0.999, source: "Mishchenko and Defazio, 2023, authors' code",
        summary: "decay of the average squared gradient; its root is that of the estimate of d",
        search: [0.95, 0.99, 0.999]),
      .epsilon(
        1e-8, source: "Mishchenko and Defazio, 2023, authors' code",
        summary: "times d, added to the root of v"),
      .weightDecay(0, source: "Mishchenko and Defazio, 2023, authors' code"),
      .init(
        "d0", defaultValue: 1e-6, range: 0...1, excludesLowerBound: true,
        source: "Mishchenko and Defazio, 2023, authors' code", summary: "the first d"),
      .init(
        "d_coefficient", defaultValue: 1, range: 0...1e3, excludesLowerBound: true,
        search: .list([0.1, 0.5, 1, 2, 10]),
        source: "Mishchenko and Defazio, 2023, authors' code",
        summary: "multiplies the estimate of d: the way to tune the method"),
      .init(
        "growth_rate", defaultValue: 1e30, range: 1...1e30,
        source: "Mishchenko and Defazio, 2023, authors' code, which has infinity",
        summary: "the most that d grows by in one update"),
    ],
    options: [
      .init(
        "safeguard_warmup", choices: ["false", "true"],
        source: "Mishchenko and Defazio, 2023, authors' code",
        summary: "leaves the learning rate out of s, so that a warm-up does not inflate d"),
      .init(
        "bias_correction", choices: ["false", "true"],
        source: "Mishchenko and Defazio, 2023, authors' code",
        summary: "multiplies the step by Adam's bias corrections"),
    ],
    state: .perNumber(4), scope: .group,
    deviations: [
      "The authors' code makes no update, not even of decay, while all gradients so far are 0, or while the learning rate is "
        + "0; here d stays, and the other equations hold.",
      "With beta1 = 0 the authors' code steps along d' g; here it is d g, as for any other beta1.",
    ],
    caveats: [
      "d belongs to a group: a policy of several groups estimates several. The state adds three numbers for each group.",
      "Pair a warm-up with safeguard_warmup, or d is estimated too large.",
      "The method decays by f wd itself, so the masks of cautious updates and cautious decay do not apply.",
    ])

  /// AdamW's numbers, `beta3` and `bias`, the factor b.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    var result = decayFactorScalars(hyperparameters, &memory)
    result["beta3"] = (hyperparameters["beta2"] ?? 0).squareRoot()
    result["bias"] = 1
    if correctsBias, let first = result["beta1_correction"], let second = result["beta2_correction"]
    {
      result["bias"] = second.squareRoot() / first
    }
    return result
  }

  /// All parameters: first their moments and sums, then d, then their steps.
  public func update(_ members: inout [GroupMember], shared: inout StateBuilder) -> [Update] {
    guard let scalars = members.first?.scalars,
      let zero = members.first?.parameter.graph.constant(0)
    else { return [] }
    let d0 = scalars["d0"]
    // Kept numbers start as 0, for no constant knows d0; from the first update on they are at least d0.
    let d = maximum(shared.zeros("d", []), d0)
    let largest = maximum(shared.zeros("d_max", []), d0)
    let rate = d * scalars.learningRate * scalars["bias"]
    let weight = d / d0 * (ignoresRate ? d : rate)

    var (product, norm) = (zero, zero)
    for index in members.indices {
      let sums = accumulate(&members[index], d: d, weight: weight)
      product = product + sums.product
      norm = norm + sums.norm
    }

    let numerator = scalars["beta3"] * shared.zeros("numerator", []) + d / d0 * rate * product
    let estimate = select(
      less(zero, norm), scalars["d_coefficient"] * numerator / norm, d)
    let newLargest = maximum(largest, estimate)
    let grown = select(equal(d, d0), maximum(d, estimate), d) * scalars["growth_rate"]
    let newD = minimum(newLargest, grown)
    shared["d"] = newD
    shared["d_max"] = newLargest
    shared["numerator"] = numerator

    return members.indices.map { index in
      let (w, state) = (members[index].parameter, members[index].state)
      guard let m = state["first_moment"], let v = state["second_moment"] else {
        preconditionFailure("no moments of '\(state.parameter.name)'")
      }
      let step = rate * (m / (squareRoot(v) + newD * scalars.epsilon))
      guard members[index].scalars.decays else { return .weights(w - step) }
      return .weights(w - (d * scalars["bias"] * scalars.decay * w + step))
    }
  }

  /// The moments and s of one parameter; returns its parts of the two sums.
  private func accumulate(
    _ member: inout GroupMember, d: Tensor, weight: Tensor
  ) -> (product: Tensor, norm: Tensor) {
    let (w, scalars) = (member.parameter, member.scalars)
    let scaled = d * member.gradient
    let m = scalars.average("beta1", member.state.zeros("first_moment", like: w), scaled)
    let v = scalars.average("beta2", member.state.zeros("second_moment", like: w), square(scaled))
    let start = member.state.copy("start")
    let s = scalars["beta3"] * member.state.zeros("accumulated", like: w) + weight * member.gradient
    member.state["first_moment"] = m
    member.state["second_moment"] = v
    member.state["accumulated"] = s
    return ((member.gradient * (start - w)).sum(), absolute(s).sum())
  }

  /// Never called: d needs all parameters of a group.
  public func update(
    _ w: Tensor, gradient: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    preconditionFailure("prodigy updates a group as a whole")
  }
}
