// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// SOAP (Vyas et al., 2024): Adam in the eigenbasis of Shampoo's preconditioner.
///
///     first update:  L = (1-b) G G^T;   R = (1-b) G^T G;   Q_L, Q_R their eigenvectors; weights stay
///     then, t = 1, 2, ...:
///     G' = Q_L^T G Q_R;   M = b1 M + (1-b1) G;   M' = Q_L^T M Q_R;   V = b2 V + (1-b2) G'^2
///     W = W (1 - lr wd) - lr sqrt(1-b2^t) / (1-b1^t)  Q_L (M' / (sqrt(V) + eps)) Q_R^T
///     L = b L + (1-b) G G^T;   R = b R + (1-b) G^T G
///     every k: Q = the orthogonal factor of L Q, its columns and V's rows first ordered by descending q^T L q; R likewise
///
/// Vectors are updated by Adam, from the second update on too. Keeping M unrotated is the same as turning it from basis to
/// basis.
struct SOAPReference: OptimizerReference {
  /// A side longer than this keeps its own basis.
  static let longestSide = 10000

  private let parameters: [ReferenceParameter]
  private var t = -1
  private var m: [[Double]]
  private var v: [[Double]]
  private var left: [ReferenceMatrix?]
  private var right: [ReferenceMatrix?]
  /// The bases; a test may put others that are as good in their place, where eigenvalues coincide.
  var leftBasis: [ReferenceMatrix?]
  var rightBasis: [ReferenceMatrix?]
  private var correction1 = BiasCorrection()
  private var correction2 = BiasCorrection()

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    m = zeros(parameters)
    v = zeros(parameters)
    left = parameters.map {
      $0.isMatrix && $0.rows <= Self.longestSide ? ReferenceMatrix(zeros: $0.rows, $0.rows) : nil
    }
    right = parameters.map {
      $0.isMatrix && $0.columns <= Self.longestSide
        ? ReferenceMatrix(zeros: $0.columns, $0.columns) : nil
    }
    leftBasis = left
    rightBasis = right
  }

  mutating func step(
    _ weights: inout [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) {
    t += 1
    let beta = hyperparameters.value("shampoo_beta")
    let shapes = parameters.map { ($0.rows, $0.columns) }
    let matrices = zip(shapes, gradients).map { ReferenceMatrix($0.0, $0.1, $1) }
    if t > 0 { update(&weights, matrices, hyperparameters) }
    for (p, g) in matrices.enumerated() {
      if let old = left[p] { left[p] = beta * old + (1 - beta) * (g * g.transposed) }
      if let old = right[p] { right[p] = beta * old + (1 - beta) * (g.transposed * g) }
      if t == 0 {
        leftBasis[p] = left[p]?.eigenvectors.vectors
        rightBasis[p] = right[p]?.eigenvectors.vectors
      } else if t % Int(hyperparameters.value("precondition_every")) == 0 {
        refresh(p)
      }
    }
  }

  private mutating func update(
    _ weights: inout [[Double]], _ gradients: [ReferenceMatrix],
    _ hyperparameters: [String: Double]
  ) {
    let beta1 = hyperparameters.value("beta1")
    let beta2 = hyperparameters.value("beta2")
    let rate = hyperparameters.value("learning_rate")
    let epsilon = hyperparameters.value("epsilon")
    let c1 = correction1.advance(beta1)
    let c2 = correction2.advance(beta2)
    for (p, g) in gradients.enumerated() {
      m[p].average(beta1, g.values)
      v[p].averageSquares(beta2, rotated(g, p).values)
      var ratio = rotated(ReferenceMatrix(g.rows, g.columns, m[p]), p)
      for i in ratio.values.indices {
        ratio.values[i] /= v[p][i].squareRoot() + epsilon
      }
      let direction = rotatedBack(ratio, p).values
      let decay = parameters[p].decays ? rate * hyperparameters.weightDecay : 0
      for i in direction.indices {
        weights[p][i] =
          weights[p][i] * (1 - decay) - rate * c2.squareRoot() / c1 * direction[i]
      }
    }
  }

  private func rotated(_ x: ReferenceMatrix, _ p: Int) -> ReferenceMatrix {
    let half = leftBasis[p].map { $0.transposed * x } ?? x
    return rightBasis[p].map { half * $0 } ?? half
  }

  private func rotatedBack(_ x: ReferenceMatrix, _ p: Int) -> ReferenceMatrix {
    let half = leftBasis[p].map { $0 * x } ?? x
    return rightBasis[p].map { half * $0.transposed } ?? half
  }

  private mutating func refresh(_ p: Int) {
    var moments = ReferenceMatrix(parameters[p].rows, parameters[p].columns, v[p])
    if let basis = leftBasis[p], let outer = left[p] {
      let order = Self.descending(outer, basis)
      moments = moments.rows(order)
      leftBasis[p] = (outer * basis.columns(order)).orthogonalized
    }
    if let basis = rightBasis[p], let outer = right[p] {
      let order = Self.descending(outer, basis)
      moments = moments.columns(order)
      rightBasis[p] = (outer * basis.columns(order)).orthogonalized
    }
    v[p] = moments.values
  }

  /// The columns of a basis by descending q^T A q.
  private static func descending(_ a: ReferenceMatrix, _ basis: ReferenceMatrix) -> [Int] {
    let product = basis.transposed * (a * basis)
    return (0..<basis.columns).sorted { product[$0, $0] > product[$1, $1] }
  }
}
