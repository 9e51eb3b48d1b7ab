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

  /// Muon that orthogonalises blocks where the whole matrix was asked for: what a shard or a fused projection does.
  struct ShardedMuon: OptimizerMethod {
    static let card = Muon.card
    private let base: Muon
    init(_ options: MethodOptions) {
      let blocks = try? MethodOptions(
        Muon.card, options.values.merging(["per_head": "true"]) { $1 })
      base = Muon(blocks ?? options)
    }
    func update(
      _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
    ) -> Update { base.update(w, gradient: g, state: &state, scalars: scalars) }
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
