// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Muon with a step size for each row, that is for each neuron.
///
/// Li et al., *NorMuon: Making Muon more efficient and scalable*, 2025 (https://arxiv.org/abs/2510.05491), in the form of the NanoGPT
/// speedrun (https://github.com/KellerJordan/modded-nanogpt, 2025). For a hidden matrix w, `[m, n]`, and each of its rows r:
///
///     M = mu M + (1 - mu) g
///     U = (1 - mu) g + mu M
///     V = orthogonal factor of U, see ``NewtonSchulz``
///     s_r = beta2 s_r + (1 - beta2) mean of V_r^2
///     k_r = 1 / sqrt(max(s_r, 1e-10))
///     w = w - lr^2 wd w [V w >= 0] - lr scale diag(k) V ||V|| / max(||diag(k) V||, 1e-10)
///
/// With `statistics = "longer-axis"` a matrix that is wider than tall has a step size for each column instead: the speedrun keeps
/// the projection out of the feed-forward layer transposed, and its stored rows are the columns of w.
public struct NorMuon: OptimizerMethod {
  private let scale: StepScale
  private let newtonSchulz: NewtonSchulz
  private let takesLongerAxis: Bool

  /// Makes the method; options `scale`, `statistics` and `precision`.
  public init(_ options: MethodOptions) {
    scale = StepScale(options["scale"])
    takesLongerAxis = options["statistics"] == Self.longerAxis
    newtonSchulz = NewtonSchulz(coefficients: "polar-express", precision: options["precision"])
  }

  /// One fp32 number of state for each parameter and one for each row.
  public static let card = OptimizerCard(
    name: "normuon",
    paper:
      "Li et al., NorMuon: Making Muon more efficient and scalable, 2025, https://arxiv.org/abs/2510.05491",
    equation: """
      M = mu M + (1 - mu) g
      U = (1 - mu) g + mu M
      V = Polar Express of U / (1.02 ||U|| + 1e-6), five iterations
      s = beta2 s + (1 - beta2) mean of V^2 over each row
      k = 1 / sqrt(max(s, 1e-10))
      w = w - lr^2 wd w [V w >= 0] - lr scale diag(k) V ||V|| / max(||diag(k) V||, 1e-10)
      """,
    hyperparameters: [
      .learningRate(0.023, search: 1e-3...1, source: speedrun),
      .decayFactor(
        "momentum", 0.95, source: speedrun, summary: "mu, the decay of the average gradient",
        search: [0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.95, source: "Li et al., 2025, and \(speedrun)",
        summary: "decay of the rows' mean squares", search: [0.9, 0.95, 0.99]),
      .init(
        "weight_decay", defaultValue: 1.2, range: 0...1e3, search: .list([0, 0.3, 1.2, 4.8]),
        source: speedrun, summary: "times the square of the learning rate, see decay_scale"),
    ],
    options: [
      StepScale.option([.none, .spectral, .matchRMS], source: speedrun),
      .init(
        "statistics", choices: ["rows", longerAxis], source: "Li et al., 2025, and \(speedrun)",
        summary:
          "what has a step size of its own: each row, or each line along the longer axis (a column of a wide matrix)"
      ),
      NewtonSchulz.precisionOption,
    ],
    state: StateSize("4 bytes a number, 4 a row") { parameter, options in
      let (rows, columns) = (parameter.shape.rows, parameter.shape.columns)
      let lines = options?["statistics"] == longerAxis ? max(rows, columns) : rows
      return 4 * (parameter.shape.count + lines)
    },
    eligibility: .hiddenMatrices(fallback: "adamw"), settings: settings,
    deviations: [
      "The paper's factor is the quintic iteration's, its step has the root mean square 0.2, and its decay is plain; this "
        + "follows the speedrun, where rows keep the norm of V and decay is cautious and quadratic in the rate.",
      "The speedrun's decay also has the factor of the step's shape; here it has lr^2 wd alone, so a scale other than none "
        + "does not change decay.",
      "The norm is taken in fp32 before the matrix is rounded to the type of the products.",
    ],
    caveats: [
      "A learning rate multiplier c multiplies decay by c^2; for the speedrun's matrices with c = 2 set the multiplier of "
        + "decay to 1/2.",
      "Embedding, head, gates, gains and scalars go to the fallback with its own defaults, whatever their shapes; gates come "
        + "here where a rule names their role.",
      "There is no golden trajectory: no public package has this form. Its parts are held against numbers worked out from "
        + "the published record.",
    ])

  private static let longerAxis = "longer-axis"
  private static let speedrun = "NanoGPT speedrun, 2025"

  /// Decay only where it and the step pull the same way, quadratic in the learning rate.
  private static var settings: GroupSettings {
    var settings = GroupSettings()
    settings.decayCaution = .inclusive
    settings.decayScale = .learningRateSquared
    return settings
  }

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let (rows, columns) = (w.shape.rows, w.shape.columns)
    precondition(w.shape.rank == 2, "normuon: '\(state.parameter.name)' \(w.shape) is not a matrix")
    let m = scalars.average("momentum", state.zeros("momentum", like: w), g)
    state["momentum"] = m
    let v = newtonSchulz.orthogonalized(scalars.average("momentum", m, g), scalars)

    // Everything from here to the step is one number a line: sums of squares of diag(k) V need no pass of their own.
    let isByColumns = takesLongerAxis && columns > rows
    let squares = square(v).sum(isByColumns ? .rows : .columns)
    let s = scalars.average(
      "beta2", state.zeros("row_second_moment", squares.shape),
      squares / Float(isByColumns ? rows : columns))
    state["row_second_moment"] = s
    let floor = w.graph.constant(1e-10)
    let k = reciprocalSquareRoot(maximum(s, floor))
    let norm = squareRoot(squares.sum())
    let rowNorm = squareRoot((square(k) * squares).sum())
    let rate = scalars.learningRate * scale.factor(rows, columns) * (norm / maximum(rowNorm, floor))
    return .step(rate * k * v)
  }
}
