// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Row and column means of squares, and the second moment they stand for: V = R C^T / mean(R).
struct FactoredSquares {
  var rows: [Double]
  var columns: [Double]

  init(_ parameter: ReferenceParameter) {
    rows = [Double](repeating: 0, count: parameter.rows)
    columns = [Double](repeating: 0, count: parameter.columns)
  }

  /// Averages in the row and column means of squares that were computed before.
  mutating func average(_ decay: Double, _ squares: [Double]) {
    let (m, n) = (rows.count, columns.count)
    for i in 0..<m {
      var sum = 0.0
      for j in 0..<n { sum += squares[i * n + j] }
      rows[i] = decay * rows[i] + (1 - decay) * sum / Double(n)
    }
    for j in 0..<n {
      var sum = 0.0
      for i in 0..<m { sum += squares[i * n + j] }
      columns[j] = decay * columns[j] + (1 - decay) * sum / Double(m)
    }
  }

  /// The whole second moment; zeros while nothing was seen.
  var moment: [Double] {
    let mean = rows.reduce(0, +) / Double(rows.count)
    var v = [Double](repeating: 0, count: rows.count * columns.count)
    if mean == 0 { return v }
    for i in rows.indices {
      for j in columns.indices { v[i * columns.count + j] = rows[i] * columns[j] / mean }
    }
    return v
  }
}

/// A second moment: factored, or one number for each number.
enum SecondMoment {
  case factored(FactoredSquares)
  case full([Double])

  mutating func average(_ decay: Double, _ squares: [Double]) {
    switch self {
    case .factored(var factors):
      factors.average(decay, squares)
      self = .factored(factors)
    case .full(var v):
      v.average(decay, squares)
      self = .full(v)
    }
  }

  var moment: [Double] {
    switch self {
    case .factored(let factors): factors.moment
    case .full(let v): v
    }
  }
}

/// Adafactor as the optimizer study has it (Zhao et al., 2024): Adam with a factored second moment in matrices.
///
///     R = b2 R + (1-b2) row means of g^2;   C likewise;   V = R C^T / mean(R)
///     w = w - lr (m / (1-b1^t)) / (sqrt(V / (1-b2^t)) + eps)
struct FactoredAdamReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private var m: [[Double]]
  private(set) var second: [SecondMoment]
  private var correction1 = BiasCorrection()
  private var correction2 = BiasCorrection()

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    m = zeros(parameters)
    second = parameters.map {
      $0.isMatrix
        ? .factored(FactoredSquares($0)) : .full([Double](repeating: 0, count: $0.count))
    }
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    let rate = hyperparameters.value("learning_rate")
    let beta1 = hyperparameters.value("beta1")
    let beta2 = hyperparameters.value("beta2")
    let epsilon = hyperparameters.value("epsilon")
    let c1 = correction1.advance(beta1)
    let c2 = correction2.advance(beta2)
    var steps = gradients
    for p in gradients.indices {
      m[p].average(beta1, gradients[p])
      second[p].average(beta2, gradients[p].map { $0 * $0 })
      let v = second[p].moment
      for i in v.indices {
        steps[p][i] = rate * (m[p][i] / c1) / ((v[i] / c2).squareRoot() + epsilon)
      }
    }
    return steps
  }
}

/// Adafactor as in Zhai et al., 2022 (Scaling Vision Transformers).
///
///     b2 = min(cap, 1 - t^-c);   V from g^2 + eps, factored in matrices whose sides are 32 or more
///     u = g / sqrt(V);   with clipping: u = u / max(1, RMS(u) / d)
///     m = b1 m + (1-b1) u, kept in bfloat16;   w = w - lr m, with the m before rounding
struct BigVisionAdafactorReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private let clips: Bool
  private let roundsMomentum: Bool
  private var t = 0.0
  private var m: [[Double]]
  private var second: [SecondMoment]

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    clips = options.choice("clipping") == "on"
    roundsMomentum = options.choice("momentum_type") == "bf16"
    m = zeros(parameters)
    second = parameters.map {
      $0.isMatrix && min($0.rows, $0.columns) >= 32
        ? .factored(FactoredSquares($0)) : .full([Double](repeating: 0, count: $0.count))
    }
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    t += 1
    let rate = hyperparameters.value("learning_rate")
    let beta1 = hyperparameters.value("beta1")
    let beta2 = min(
      hyperparameters.value("beta2_cap"), 1 - pow(t, -hyperparameters.value("decay_exponent")))
    let epsilon = hyperparameters.value("epsilon")
    var steps = gradients
    for p in gradients.indices {
      second[p].average(beta2, gradients[p].map { $0 * $0 + epsilon })
      let v = second[p].moment
      var u = gradients[p]
      for i in u.indices { u[i] /= v[i].squareRoot() }
      if clips {
        let excess = max(1, rootMeanSquare(u) / hyperparameters.value("clip_threshold"))
        for i in u.indices { u[i] /= excess }
      }
      m[p].average(beta1, u)
      steps[p] = m[p].map { rate * $0 }
      if roundsMomentum { m[p] = m[p].map(roundedToBFloat16) }
    }
    return steps
  }
}

/// The nearest number of bfloat16 (8 bits of significand), ties to even, of a number in single precision.
func roundedToBFloat16(_ number: Double) -> Double {
  let x = Double(Float(number))
  if x == 0 || !x.isFinite { return x }
  // The gap between neighbours at x; bfloat16 has float32's exponents.
  let exponent = max(x.exponent, -126)
  let gap = scalbn(1.0, Int(exponent) - 7)
  return (x / gap).rounded(.toNearestOrEven) * gap
}

/// Adafactor as first published (Shazeer and Stern, 2018, algorithms 4 and 5).
///
///     b2 = 1 - t^-c;   V from g^2 + eps1, factored in matrices
///     u = g / sqrt(V);   u = u / max(1, RMS(u) / d)
///     alpha = lr max(eps2, RMS(w)), or lr without parameter scale
///     with b1: m = b1 m + (1-b1) alpha u and w = w - m; else w = w - alpha u
struct OriginalAdafactorReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private let scales: Bool
  private var t = 0.0
  private var m: [[Double]]
  private var second: [SecondMoment]

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    scales = options.choice("parameter_scale") == "true"
    m = zeros(parameters)
    second = parameters.map {
      $0.isMatrix
        ? .factored(FactoredSquares($0)) : .full([Double](repeating: 0, count: $0.count))
    }
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    t += 1
    let beta1 = hyperparameters.value("beta1")
    let beta2 = 1 - pow(t, -hyperparameters.value("decay_exponent"))
    let epsilon1 = hyperparameters.value("epsilon1")
    for p in gradients.indices {
      second[p].average(beta2, gradients[p].map { $0 * $0 + epsilon1 })
      let v = second[p].moment
      var u = gradients[p]
      for i in u.indices { u[i] /= v[i].squareRoot() }
      var alpha = hyperparameters.value("learning_rate")
      if scales {
        alpha *= max(hyperparameters.value("epsilon2"), rootMeanSquare(weights[p]))
      }
      let excess = max(1, rootMeanSquare(u) / hyperparameters.value("clip_threshold"))
      for i in u.indices { u[i] *= alpha / excess }
      m[p].average(beta1, u)
    }
    return m
  }
}
