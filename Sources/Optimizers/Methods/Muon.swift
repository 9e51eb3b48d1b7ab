// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Momentum, orthogonalised: every direction of a matrix moves by the same amount.
///
/// Jordan et al., *Muon: An optimizer for hidden layers in neural networks*, 2024 (https://kellerjordan.github.io/posts/muon/),
/// with the decay and the second scale of Liu et al., *Muon is Scalable for LLM Training*, 2025
/// (https://arxiv.org/abs/2502.16982). For a hidden matrix w, `[m, n]`:
///
///     M = mu M + g                                (average: mu M + (1 - mu) g)
///     U = g + mu M                                (average: (1 - mu) g + mu M; without Nesterov: M)
///     w = w - lr wd w - lr scale(m, n) orthogonal factor of U, see ``NewtonSchulz``
public struct Muon: OptimizerMethod {
  private let averages: Bool
  private let isNesterov: Bool
  private let isPerHead: Bool
  private let scale: StepScale
  private let newtonSchulz: NewtonSchulz

  /// Makes the method; options `momentum_form`, `nesterov`, `coefficients`, `scale`, `per_head` and `precision`.
  public init(_ options: MethodOptions) {
    averages = options["momentum_form"] == "ema"
    isNesterov = options.isOn("nesterov")
    isPerHead = options.isOn("per_head")
    scale = StepScale(options["scale"])
    newtonSchulz = NewtonSchulz(
      coefficients: options["coefficients"], precision: options["precision"])
  }

  /// One fp32 number of state for each parameter.
  public static let card = OptimizerCard(
    name: "muon",
    paper:
      "Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024, https://kellerjordan.github.io/posts/muon/",
    equation: """
      M = mu M + g, or as an average mu M + (1 - mu) g
      U = g + mu M, or (1 - mu) g + mu M; without Nesterov U = M
      X = U / (||U|| + 1e-7), or for Polar Express U / (1.02 ||U|| + 1e-6)
      five times A = X X', X = a X + (b A + c A A) X (X'X where U is taller than wide)
      w = w - lr wd w - lr scale X
      """,
    hyperparameters: [
      .learningRate(0.02, search: 1e-3...1, source: "Jordan et al., 2024, authors' code"),
      .decayFactor(
        "momentum", 0.95, source: "Jordan et al., 2024, authors' code",
        summary: "mu, the decay of the momentum", search: [0.9, 0.95, 0.98]),
      .weightDecay(0.1, source: "Liu et al., 2025, https://arxiv.org/abs/2502.16982"),
    ],
    options: [
      .init(
        "momentum_form", choices: ["heavy-ball", "ema"], source: "Jordan et al., 2024",
        summary: "sum of gradients or their average; the same direction while mu is constant"),
      .init(
        "nesterov", choices: ["true", "false"], source: "Jordan et al., 2024",
        summary: "looks one step of momentum ahead"),
      .init(
        "coefficients", choices: ["quintic", "polar-express"], source: "Jordan et al., 2024",
        summary: "polynomials of the iteration; polar-express is Amsel et al., 2025, "
          + "https://arxiv.org/abs/2505.16932"),
      StepScale.option(
        [.spectral, .matchRMS, .none], source: "Jordan et al., 2024, authors' code"),
      .init(
        "per_head", choices: ["false", "true"], source: "Jordan et al., 2024",
        summary: "orthogonalises each head's rows of query, key and value and its columns of "
          + "the output projection by themselves"),
      NewtonSchulz.precisionOption,
    ],
    state: .perNumber(1), eligibility: .hiddenMatrices(fallback: "adamw"),
    deviations: [
      "The norm is taken and divided by in fp32 before the matrix is rounded to the type of the products.",
      "With per_head the scale is that of the head's own block, the matrix that is orthogonalised.",
    ],
    caveats: [
      "Embedding, head, gains and scalars go to the fallback with its own defaults, whatever their shapes.",
      "The result is not exactly orthogonal: singular values from 3e-3 of the norm end up in [0.68, 1.21], or with "
        + "polar-express from 1e-3 in [0.85, 1.15]; smaller ones below.",
      "The step does not depend on the gradient's scale: clipping only weighs gradients against each other.",
      "PyTorch's Muon always multiplies in bfloat16.",
      "optax's muon corrects the two terms of U for bias one by one, and reads matrices as [in, out]: other directions at "
        + "first, and the scale of the transpose.",
    ])

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let momentum = state.zeros("momentum", like: w)
    let m =
      averages ? scalars.average("momentum", momentum, g) : scalars.momentum * momentum + g
    state["momentum"] = m
    let ahead = averages ? scalars.average("momentum", m, g) : g + scalars.momentum * m
    let x = orthogonalized(isNesterov ? ahead : m, of: state.parameter, scalars)
    return .step(scalars.learningRate * x.scale * x.factor)
  }

  /// The orthogonal factor of a matrix or of its heads' blocks, and the scale of what was orthogonalised.
  private func orthogonalized(
    _ u: Tensor, of parameter: Parameter, _ scalars: Scalars
  ) -> (factor: Tensor, scale: Float) {
    let (m, n) = (parameter.shape.rows, parameter.shape.columns)
    precondition(
      parameter.shape.rank == 2, "muon: '\(parameter.name)' \(parameter.shape) is not a matrix")
    guard isPerHead, let heads = parameter.heads else {
      return (newtonSchulz.orthogonalized(u, scalars), scale.factor(m, n))
    }
    switch parameter.role {
    case .attentionQuery, .attentionKey, .attentionValue:
      let blocks = u.reshaped([heads, m / heads, n])
      return (
        newtonSchulz.orthogonalized(blocks, scalars).reshaped([m, n]), scale.factor(m / heads, n)
      )
    case .attentionOutput:
      // A head's columns lie together once transposed; the factor of a transpose is the transposed factor.
      let blocks = u.transposed().reshaped([heads, n / heads, m])
      let factor = newtonSchulz.orthogonalized(blocks, scalars).reshaped([n, m]).transposed()
      return (factor, scale.factor(m, n / heads))
    default: return (newtonSchulz.orthogonalized(u, scalars), scale.factor(m, n))
    }
  }
}
