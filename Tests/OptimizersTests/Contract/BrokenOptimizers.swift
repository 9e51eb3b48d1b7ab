// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import Synchronization
import TensorGraph

/// Methods with one mistake each, of those that were found in published optimizers.
///
/// They carry the card of what they claim to be.
enum BrokenOptimizers {
  /// A mistake, and the checks that must find it.
  struct Case: Sendable {
    var mistake: String
    var method: any OptimizerMethod.Type
    var choices: [String: String] = [:]
    var found: Set<Contract>
  }

  static let cases = [
    Case(
      mistake: "momentum is reset at every step", method: ResetMomentum.self,
      found: [.follows, .followsInSinglePrecision, .remembers]),
    Case(
      mistake: "the momentum starts as a copy of the weights", method: CopiedMomentum.self,
      found: [.follows, .declaresItsState, .shrinks]),
    Case(
      mistake: "no bias correction", method: Adam<Uncorrected>.self,
      found: [.follows, .followsInSinglePrecision]),
    Case(
      mistake: "bias correction applied twice", method: Adam<TwiceCorrected>.self,
      found: [.follows, .followsInSinglePrecision]),
    Case(
      mistake: "epsilon before the correction where after was asked for",
      method: Adam<EarlyEpsilon>.self, found: [.follows, .followsInSinglePrecision]),
    Case(
      mistake: "decay coupled with the gradient", method: Adam<CoupledDecay>.self,
      found: [.follows, .shrinks]),
    Case(
      mistake: "decay applied to gains", method: Adam<DecayedGains>.self,
      found: [.follows, .shrinks, .sparesGains]),
    Case(
      mistake: "decay forgotten", method: Adam<NoDecay>.self,
      found: [.follows, .shrinks, .sparesGains]),
    Case(
      mistake: "the learning rate ignored", method: Adam<RelativeStep>.self,
      found: [.follows, .scalesWithRate]),
    Case(
      mistake: "momentum averages updates, not gradients", method: AveragedUpdates.self,
      found: [.follows, .followsInSinglePrecision]),
    Case(
      mistake: "gradients never cleared", method: Adam<UnclearedGradients>.self,
      found: [.follows, .declaresItsState]),
    Case(
      mistake: "the step counter is not in the checkpoint", method: Adam<HiddenCounter>.self,
      found: [.resumes]),
    Case(
      mistake: "the step counter counts training steps", method: Adam<TrainingSteps>.self,
      found: [.rests]),
    Case(
      mistake: "evaluated at y", method: EvaluatedAtY.self,
      found: [.follows, .followsInSinglePrecision]),
    Case(
      mistake: "shards orthogonalised by themselves", method: ShardedMuon.self,
      found: [.follows, .followsInSinglePrecision]),
    Case(
      mistake: "tall matrices not transposed", method: UntransposedMuon.self,
      found: [.staysSmall]),
    Case(
      mistake: "Newton-Schulz on vectors and tables", method: EverywhereMuon.self,
      found: [.takesItsParameters]),
    Case(
      mistake: "more state than the card says", method: Adam<SpareState>.self,
      found: [.declaresItsState]),
  ]

  // MARK: - Signum

  /// Signum that is SignSGD.
  struct ResetMomentum: OptimizerMethod {
    static let card = Signum.card
    init(_ options: MethodOptions) {}
    func update(
      _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
    ) -> Update {
      let m = scalars.average("momentum", state.zeros("momentum", like: w), g)
      state["momentum"] = m * 0
      return .step(scalars.learningRate * sign(of: m))
    }
  }

  /// Signum whose buffer starts as the weights.
  struct CopiedMomentum: OptimizerMethod {
    static let card = Signum.card
    init(_ options: MethodOptions) {}
    func update(
      _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
    ) -> Update {
      let m = scalars.average("momentum", state.copy("momentum"), g)
      state["momentum"] = m
      return .step(scalars.learningRate * sign(of: m))
    }
  }

  private static func sign(of x: Tensor) -> Tensor {
    let zero = x.graph.constant(0)
    return less(zero, x) - less(x, zero)
  }

  // MARK: - Schedule-free, Adafactor

  /// Schedule-Free SGD whose evaluation reads the point where gradients are taken.
  struct EvaluatedAtY: OptimizerMethod {
    static let card = ScheduleFreeSGD.card
    private let base: ScheduleFreeSGD
    init(_ options: MethodOptions) { base = ScheduleFreeSGD(options) }
    func scalars(
      _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
    ) -> [String: Double] {
      base.scalars(hyperparameters, update: update, memory: &memory)
    }
    func update(
      _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
    ) -> Update { base.update(w, gradient: g, state: &state, scalars: scalars) }
  }

  /// Adam with a factored second moment whose momentum averages what is already preconditioned.
  struct AveragedUpdates: OptimizerMethod {
    static let card = AdafactorAdam.card
    init(_ options: MethodOptions) {}
    func update(
      _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
    ) -> Update {
      let squares = square(g)
      var v: Tensor
      if w.shape.rank == 2 {
        let rows = scalars.average(
          "beta2", state.zeros("row", [w.shape.rows, 1]), squares.mean(.columns))
        let columns = scalars.average(
          "beta2", state.zeros("column", [w.shape.columns]), squares.mean(.rows))
        state["row"] = rows
        state["column"] = columns
        v = rows * columns / maximum(rows.mean(), w.graph.constant(1e-30))
      } else {
        v = scalars.average("beta2", state.zeros("second_moment", like: w), squares)
        state["second_moment"] = v
      }
      let u = g / (squareRoot(v / scalars.correction("beta2")) + scalars.epsilon)
      let m = scalars.average("beta1", state.zeros("momentum", like: w), u)
      state["momentum"] = m
      return .step(scalars.learningRate * (m / scalars.correction("beta1")))
    }
  }
}
