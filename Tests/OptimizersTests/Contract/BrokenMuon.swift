// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import TensorGraph

extension BrokenOptimizers {
  /// Five quintic iterations on the rows' side, whatever the shape.
  private static func orthogonalized(_ u: Tensor) -> Tensor {
    var x = u / (squareRoot(square(u).sum()) + 1e-7)
    for _ in 0..<5 {
      let a = x.exactProduct(x, transposeRight: true)
      let b = a * -4.775 + a.exactProduct(a) * 2.0315
      x = x * 3.4445 + b.exactProduct(x)
    }
    return x
  }

  /// sqrt(max(1, m / n)).
  private static func spectral(_ shape: Shape) -> Float {
    max(1, Float(shape.rows) / Float(shape.columns)).squareRoot()
  }

  private static func lookAhead(
    _ w: Tensor, _ g: Tensor, _ state: inout StateBuilder, _ scalars: Scalars
  ) -> Tensor {
    let m = scalars.momentum * state.zeros("momentum", like: w) + g
    state["momentum"] = m
    return g + scalars.momentum * m
  }

  /// Muon that orthogonalises halves of the columns as if each were the matrix: what a shard or a fused projection does.
  struct ShardedMuon: OptimizerMethod {
    static let card = Muon.card
    init(_ options: MethodOptions) {}
    func update(
      _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
    ) -> Update {
      let u = lookAhead(w, g, &state, scalars)
      let rows = w.shape.rows / 2 * 2
      guard rows == w.shape.rows else {
        return .step(scalars.learningRate * spectral(w.shape) * orthogonalized(u))
      }
      let shards = u.reshaped([2, rows / 2 * w.shape.columns])
      // Both halves divided by their own norms: the singular values of the whole are no longer 1.
      let norms = squareRoot(square(shards).sum(.columns))
      let scaled = (shards / norms).reshaped(w.shape)
      return .step(scalars.learningRate * spectral(w.shape) * orthogonalized(scaled))
    }
  }

  /// Muon that multiplies the long sides of tall matrices.
  struct UntransposedMuon: OptimizerMethod {
    static let card = Muon.card
    init(_ options: MethodOptions) {}
    func update(
      _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
    ) -> Update {
      let u = lookAhead(w, g, &state, scalars)
      return .step(scalars.learningRate * spectral(w.shape) * orthogonalized(u))
    }
  }

  /// Muon that takes whatever it gets.
  struct EverywhereMuon: OptimizerMethod {
    static let card = OptimizerCard(
      name: Muon.card.name, paper: Muon.card.paper, equation: Muon.card.equation,
      hyperparameters: Muon.card.hyperparameters, options: Muon.card.options,
      state: Muon.card.state, eligibility: .all)
    init(_ options: MethodOptions) {}
    func update(
      _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
    ) -> Update {
      let u = lookAhead(w, g, &state, scalars)
      let matrix = w.shape.rank == 2 ? u : u.reshaped([1, w.shape.count])
      return .step(scalars.learningRate * orthogonalized(matrix).reshaped(w.shape))
    }
  }
}
