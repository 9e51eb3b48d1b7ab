// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TensorGraph

/// Adam in the eigenbasis of Shampoo's preconditioner.
///
/// Vyas et al., *SOAP: Improving and Stabilizing Shampoo using Adam*, 2024 (https://arxiv.org/abs/2409.11321), algorithm 3. For a
/// matrix w [m, n] the first update only sets L and R and their eigenbases; then, for t = 1, 2, ...:
///
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) (Q_L' g Q_R)^2
///     w = w - lr wd w - lr sqrt(1 - beta2^t) / (1 - beta1^t) Q_L ((Q_L' m Q_R) / (sqrt(v) + epsilon)) Q_R'
///     L = shampoo_beta L + (1 - shampoo_beta) g g'
///     R = shampoo_beta R + (1 - shampoo_beta) g' g
///
/// and after every `precondition_every` of these, for either side,
///
///     order the columns of Q, and v with them, by diag(Q' L Q), descending;  Q = orthonormal factor of L Q
///
/// A side longer than 10,000 has Q = I, and so do the sides of vectors.
public struct SOAP: OptimizerMethod {
  /// Longer sides are not turned (Vyas et al., 2024, the authors' code).
  static let longestSide = 10_000

  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// Adam's two numbers, and a preconditioner and a basis for each side of a matrix.
  public static let card = OptimizerCard(
    name: "soap",
    paper:
      "Vyas et al., SOAP: Improving and Stabilizing Shampoo using Adam, 2024, https://arxiv.org/abs/2409.11321",
    equation: """
      first update: only L, R (below) and their eigenvectors Q_L, Q_R; then t = 1, 2, ...
      m = beta1 m + (1 - beta1) g
      v = beta2 v + (1 - beta2) (Q_L' g Q_R)^2
      w = w - lr wd w - lr sqrt(1 - beta2^t) / (1 - beta1^t) Q_L ((Q_L' m Q_R) / (sqrt(v) + epsilon)) Q_R'
      L = shampoo_beta L + (1 - shampoo_beta) g g', R = shampoo_beta R + (1 - shampoo_beta) g' g
      every precondition_every updates: order the columns of Q_L, and the rows of v, by diag(Q_L' L Q_L), descending
      Q_L = orthonormal factor of L Q_L; Q_R, R and the columns of v alike
      """,
    hyperparameters: [
      .learningRate(3e-3, search: 1e-4...1e-1, source: "Vyas et al., 2024, the authors' code"),
      .decayFactor(
        "beta1", 0.95, source: "Vyas et al., 2024, section 5",
        summary: "decay of the average gradient", search: [0.9, 0.95, 0.98]),
      .decayFactor(
        "beta2", 0.95, source: "Vyas et al., 2024, section 5",
        summary: "decay of the average squared gradient in the eigenbasis",
        search: [0.9, 0.95, 0.99]),
      .decayFactor(
        "shampoo_beta", 0.95, source: "Vyas et al., 2024, the authors' code: as beta2",
        summary: "decay of L and R", search: [0.9, 0.95, 0.99]),
      .init(
        "epsilon", defaultValue: 1e-8, range: 0...1e3, excludesLowerBound: true,
        source: "Vyas et al., 2024, the authors' code", summary: "added to the root of v"),
      .weightDecay(0.01, source: "Vyas et al., 2024, the authors' code"),
      .init(
        "precondition_every", defaultValue: 10, range: 1...1e9, isCount: true,
        source: "Vyas et al., 2024, section 5", summary: "updates from one basis to the next"),
    ],
    state: StateSize("8 bytes a number, and 8 bytes a number of a square on each side turned") {
      parameter, _ in
      8 * parameter.shape.count
        + Side.allCases.filter { turns($0, parameter.shape) }.reduce(0) {
          $0 + 8 * parameter.shape[$1.rawValue] * parameter.shape[$1.rawValue]
        }
    },
    firstUpdate: .startsState,
    deviations: [
      "Decay takes its share of the weights before the step, as everywhere here; the authors' code and pytorch_optimizer take it after.",
      "m is kept in the weights' own coordinates and turned when it is used, which is what the authors' code comes to.",
    ],
    caveats: [
      "The first batch moves nothing.",
      "While L or R has less than full rank, part of its basis is arbitrary: implementations differ from there on.",
      "A vocabulary of up to 10,000 entries is a side like any other: its preconditioner outgrows the table, and most of "
        + "the time goes there. A rule can give embedding and head another method.",
      "The new basis is the work of a QR of every side, all at one step: steps differ in time.",
    ])

  /// Adam's numbers counted from the second update, and `rate`, lr sqrt(1 - beta2^t) / (1 - beta1^t).
  ///
  /// At the first update moments stay zero, and neither a step nor decay moves anything.
  public func scalars(
    _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
  ) -> [String: Double] {
    if update == 1 {
      var aside = memory
      var result = decayFactorScalars(hyperparameters, &aside)
      for name in ["one_minus_beta1", "one_minus_beta2", "rate", "decay"] { result[name] = 0 }
      return result
    }
    var result = decayFactorScalars(hyperparameters, &memory)
    let (first, second) = (result["beta1_correction"] ?? 1, result["beta2_correction"] ?? 1)
    result["rate"] = number("learning_rate", of: hyperparameters) * second.squareRoot() / first
    return result
  }

  /// The equations, but for the new bases.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let m = scalars.average("beta1", state.zeros("first_moment", like: w), g)
    var (turned, turnedGradient) = (m, g)
    for side in Side.allCases where Self.turns(side, w.shape) {
      let q = side.basis(&state, w.shape)
      turned = side.turned(turned, by: q)
      turnedGradient = side.turned(turnedGradient, by: q)
      state[side.name] = scalars.average(
        "shampoo_beta", side.preconditioner(&state, w.shape), side.square(g))
    }
    let v = scalars.average(
      "beta2", state.zeros("second_moment", like: w), square(turnedGradient))
    var step = turned / (squareRoot(v) + scalars.epsilon)
    for side in Side.allCases where Self.turns(side, w.shape) {
      step = side.turnedBack(step, by: side.basis(&state, w.shape))
    }
    state["first_moment"] = m
    state["second_moment"] = v
    return .step(scalars["rate"] * step)
  }

  /// Eigenvectors after the first update, and one step towards them after every so many others.
  public func upkeep(after update: Int, _ hyperparameters: [String: Double]) -> Upkeep? {
    if update == 1 { return .first }
    let every = max(1, Int(number("precondition_every", of: hyperparameters)))
    return (update - 1) % every == 0 ? .regular : nil
  }

  /// The new bases: orthogonal iteration (Golub and Van Loan, Matrix Computations, 8.2), one step.
  public func maintain(
    _ w: Tensor, upkeep: Upkeep, state: inout StateBuilder, scalars: Scalars
  ) {
    var v = state.zeros("second_moment", like: w)
    for side in Side.allCases where Self.turns(side, w.shape) {
      let preconditioner = side.preconditioner(&state, w.shape)
      let q = side.basis(&state, w.shape)
      if upkeep == .first {
        state[side.basisName] = preconditioner.symmetricEigenbasis()
        continue
      }
      let product = preconditioner.exactProduct(q)
      let order = (q * product).sum(.rows).descendingOrder()
      state[side.basisName] = product.columns(of: order).orthogonalBasis()
      v = side.ordered(v, order)
      state["second_moment"] = v
    }
  }

  private static func turns(_ side: Side, _ shape: Shape) -> Bool {
    shape.rank == 2 && shape[side.rawValue] <= longestSide
  }
}

/// The two sides of a matrix, by axis.
private enum Side: Int, CaseIterable {
  case left = 0
  case right = 1

  /// The preconditioner's name.
  var name: String { self == .left ? "left" : "right" }
  /// The basis' name.
  var basisName: String { name + "_basis" }

  /// L or R.
  func preconditioner(_ state: inout StateBuilder, _ shape: Shape) -> Tensor {
    state.zeros(name, [shape[rawValue], shape[rawValue]])
  }

  /// Q_L or Q_R.
  func basis(_ state: inout StateBuilder, _ shape: Shape) -> Tensor {
    state.zeros(basisName, [shape[rawValue], shape[rawValue]])
  }

  /// g g' or g' g.
  func square(_ g: Tensor) -> Tensor {
    g.exactProduct(
      g, transposeLeft: self == .right, transposeRight: self == .left, isSymmetric: true)
  }

  /// Q_L' x or x Q_R.
  func turned(_ x: Tensor, by q: Tensor) -> Tensor {
    self == .left ? q.exactProduct(x, transposeLeft: true) : x.exactProduct(q)
  }

  /// Q_L x or x Q_R'.
  func turnedBack(_ x: Tensor, by q: Tensor) -> Tensor {
    self == .left ? q.exactProduct(x) : x.exactProduct(q, transposeRight: true)
  }

  /// Rows or columns in another order.
  func ordered(_ x: Tensor, _ order: Tensor) -> Tensor {
    self == .left ? x.rows(of: order) : x.columns(of: order)
  }
}
