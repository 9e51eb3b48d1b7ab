// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// Odd matrix polynomials that push singular values towards 1.
enum NewtonSchulz {
  /// Jordan et al., 2024: five times the same quintic.
  static let quintic = [(Double, Double, Double)](
    repeating: (3.4445, -4.7750, 2.0315), count: 5)

  /// Amsel et al., 2025 (Polar Express), with the safety factors of the speedrun.
  static let polarExpress = [
    (8.156554524902461, -22.48329292557795, 15.878769915207462),
    (4.042929935166739, -2.808917465908714, 0.5000178451051316),
    (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
    (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
    (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
  ]

  /// X = a X + (b A + c A^2) X with A = X X^T, on the side that makes A small.
  ///
  /// Before it X = U / (||U|| + 1e-7), for Polar Express U / (1.02 ||U|| + 1e-6).
  static func orthogonalized(_ u: ReferenceMatrix, isPolarExpress: Bool) -> ReferenceMatrix {
    let length = isPolarExpress ? 1.02 * norm(u.values) + 1e-6 : norm(u.values) + 1e-7
    let x = iterated(
      (1 / length) * (u.rows > u.columns ? u.transposed : u),
      isPolarExpress ? polarExpress : quintic)
    return u.rows > u.columns ? x.transposed : x
  }

  /// The iterations by themselves.
  static func iterated(
    _ start: ReferenceMatrix, _ coefficients: [(Double, Double, Double)]
  ) -> ReferenceMatrix {
    var x = start
    for (a, b, c) in coefficients {
      let product = x * x.transposed
      x = a * x + (b * product + c * (product * product)) * x
    }
    return x
  }

  /// What an orthogonal step of m x n is multiplied by.
  static func scale(_ name: String, _ m: Int, _ n: Int) -> Double {
    switch name {
    case "spectral": max(1, Double(m) / Double(n)).squareRoot()
    case "match-rms": 0.2 * Double(max(m, n)).squareRoot()
    case "none": 1
    default: preconditionFailure("no scale '\(name)'")
    }
  }
}

/// Muon (Jordan et al., 2024): momentum, orthogonalised.
///
///     M = mu M + G (heavy ball) or mu M + (1-mu) G (average);   U = M, with Nesterov G + mu M or (1-mu) G + mu M
///     W = W - lr scale NewtonSchulz(U)
///
/// Per head: query, key and value are cut into heads along their rows, output along its columns.
struct MuonReference: ProposingReference {
  static let needsHiddenMatrices = true

  let parameters: [ReferenceParameter]
  private let isAverage: Bool
  private let isNesterov: Bool
  private let isPolarExpress: Bool
  private let scale: String
  private let isPerHead: Bool
  private var momentum: [[Double]]

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    isAverage = options.choice("momentum_form") == "ema"
    isNesterov = options.choice("nesterov") == "true"
    isPolarExpress = options.choice("coefficients") == "polar-express"
    scale = options.choice("scale")
    isPerHead = options.choice("per_head") == "true"
    momentum = zeros(parameters)
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    let mu = hyperparameters.value("momentum")
    let rate = hyperparameters.value("learning_rate")
    let share = isAverage ? 1 - mu : 1
    var steps = gradients
    for (p, parameter) in parameters.enumerated() {
      var u = gradients[p]
      for i in u.indices {
        momentum[p][i] = mu * momentum[p][i] + share * gradients[p][i]
        u[i] = isNesterov ? share * gradients[p][i] + mu * momentum[p][i] : momentum[p][i]
      }
      let matrix = ReferenceMatrix(parameter.rows, parameter.columns, u)
      steps[p] = orthogonalized(matrix, parameter).values.map { rate * $0 }
    }
    return steps
  }

  private func orthogonalized(
    _ u: ReferenceMatrix, _ parameter: ReferenceParameter
  ) -> ReferenceMatrix {
    let heads = isPerHead ? parameter.heads ?? 1 : 1
    let isAcross = parameter.role == .attentionOutput
    let height = isAcross ? u.rows : u.rows / heads
    let width = isAcross ? u.columns / heads : u.columns
    var result = u
    for head in 0..<heads {
      let row = isAcross ? 0 : head * height
      let column = isAcross ? head * width : 0
      let block = u.block(rows: row..<row + height, columns: column..<column + width)
      let orthogonal = NewtonSchulz.orthogonalized(block, isPolarExpress: isPolarExpress)
      result.setBlock(
        NewtonSchulz.scale(scale, height, width) * orthogonal, row: row, column: column)
    }
    return result
  }
}

/// NorMuon (Li et al., 2025): Muon with rows normalised by their own second moments.
///
///     M = mu M + (1-mu) G;   U = (1-mu) G + mu M;   V = PolarExpress(U)
///     s_r = b2 s_r + (1-b2) mean_j V_rj^2;   k_r = 1 / sqrt(max(s_r, 1e-10))
///     V = k V ||V|| / max(||k V||, 1e-10);   W = W - lr scale V
struct NorMuonReference: ProposingReference {
  static let needsHiddenMatrices = true

  let parameters: [ReferenceParameter]
  private let scale: String
  private let isLongerAxis: Bool
  private var momentum: [[Double]]
  private var rowMoments: [[Double]]

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    scale = options.choice("scale")
    isLongerAxis = options.choice("statistics") == "longer-axis"
    momentum = zeros(parameters)
    rowMoments = parameters.map { [Double](repeating: 0, count: max($0.rows, $0.columns)) }
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    let mu = hyperparameters.value("momentum")
    var steps = gradients
    for (p, parameter) in parameters.enumerated() {
      let u = Self.nesterov(mu, &momentum[p], gradients[p])
      let v = NewtonSchulz.orthogonalized(
        ReferenceMatrix(parameter.rows, parameter.columns, u), isPolarExpress: true)
      let isTurned = isLongerAxis && v.columns > v.rows
      let lines = Self.normalised(
        isTurned ? v.transposed : v, hyperparameters.value("beta2"), &rowMoments[p])
      let normalised = isTurned ? lines.transposed : lines
      let factor =
        hyperparameters.value("learning_rate")
        * NewtonSchulz.scale(scale, parameter.rows, parameter.columns)
      steps[p] = normalised.values.map { factor * $0 }
    }
    return steps
  }

  /// Momentum as an average, looked ahead.
  static func nesterov(_ mu: Double, _ momentum: inout [Double], _ g: [Double]) -> [Double] {
    momentum.average(mu, g)
    return zip(g, momentum).map { (1 - mu) * $0 + mu * $1 }
  }

  /// Rows divided by the roots of their second moments; the norm of the whole stays.
  static func normalised(
    _ v: ReferenceMatrix, _ beta2: Double, _ rowMoments: inout [Double]
  ) -> ReferenceMatrix {
    var result = v
    for r in 0..<v.rows {
      var mean = 0.0
      for j in 0..<v.columns { mean += v[r, j] * v[r, j] / Double(v.columns) }
      rowMoments[r] = beta2 * rowMoments[r] + (1 - beta2) * mean
      for j in 0..<v.columns { result[r, j] /= max(rowMoments[r], 1e-10).squareRoot() }
    }
    return (norm(v.values) / max(norm(result.values), 1e-10)) * result
  }
}
