// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import Synchronization
import TensorGraph

extension BrokenOptimizers {
  /// One mistake in Adam.
  protocol Mistake: Sendable {
    static var kind: AdamMistake { get }
  }

  enum AdamMistake: Sendable {
    case uncorrected, twiceCorrected, earlyEpsilon, coupledDecay, decayedGains, noDecay,
      relativeStep, unclearedGradients, hiddenCounter, trainingSteps, spareState
  }

  enum Uncorrected: Mistake { static let kind = AdamMistake.uncorrected }
  enum TwiceCorrected: Mistake { static let kind = AdamMistake.twiceCorrected }
  enum EarlyEpsilon: Mistake { static let kind = AdamMistake.earlyEpsilon }
  enum CoupledDecay: Mistake { static let kind = AdamMistake.coupledDecay }
  enum DecayedGains: Mistake { static let kind = AdamMistake.decayedGains }
  enum NoDecay: Mistake { static let kind = AdamMistake.noDecay }
  enum RelativeStep: Mistake { static let kind = AdamMistake.relativeStep }
  enum UnclearedGradients: Mistake { static let kind = AdamMistake.unclearedGradients }
  enum HiddenCounter: Mistake { static let kind = AdamMistake.hiddenCounter }
  enum TrainingSteps: Mistake { static let kind = AdamMistake.trainingSteps }
  enum SpareState: Mistake { static let kind = AdamMistake.spareState }

  /// AdamW but for one mistake.
  struct Adam<M: Mistake>: OptimizerMethod {
    /// A count beside the clock: shared by copies, lost with the process.
    final class Counter: Sendable {
      private let count = Mutex(0)
      func next() -> Int {
        count.withLock {
          $0 += 1
          return $0
        }
      }
    }

    static var card: OptimizerCard { AdamW.card }
    private let counter = Counter()

    init(_ options: MethodOptions) {}

    func scalars(
      _ hyperparameters: [String: Double], update: Int, memory: inout [String: Double]
    ) -> [String: Double] {
      var result = decayFactorScalars(hyperparameters, &memory)
      func count(_ t: Int) {
        for name in ["beta1", "beta2"] {
          result["\(name)_correction"] = 1 - pow(hyperparameters[name] ?? 0, Double(t))
        }
      }
      switch M.kind {
      case .uncorrected:
        result["beta1_correction"] = 1
        result["beta2_correction"] = 1
      case .twiceCorrected:
        for name in ["beta1", "beta2"] {
          let once = result["\(name)_correction"] ?? 1
          result["\(name)_correction"] = once * once
        }
      case .coupledDecay, .noDecay, .decayedGains:
        result["wanted_decay"] =
          (hyperparameters["learning_rate"] ?? 0) * (hyperparameters["weight_decay"] ?? 0)
        result["decay"] = 0
      case .relativeStep: result["learning_rate"] = 1 / (Double(update) + 1).squareRoot()
      case .hiddenCounter, .trainingSteps: count(counter.next())
      case .earlyEpsilon, .unclearedGradients, .spareState: break
      }
      return result
    }

    func update(
      _ w: Tensor, gradient: Tensor, state: inout StateBuilder, scalars: Scalars
    ) -> Update {
      var g = gradient
      if M.kind == .coupledDecay, scalars.decays { g = g + scalars.weightDecay * w }
      if M.kind == .unclearedGradients {
        g = state.zeros("gradient", like: w) + g
        state["gradient"] = g
      }
      if M.kind == .spareState { state["spare"] = state.zeros("spare", like: w) }
      let m = scalars.average("beta1", state.zeros("first_moment", like: w), g)
      let v = scalars.average("beta2", state.zeros("second_moment", like: w), square(g))
      state["first_moment"] = m
      state["second_moment"] = v
      let (c1, c2) = (scalars.correction("beta1"), scalars.correction("beta2"))
      var step = scalars.learningRate * (m / c1 / (squareRoot(v / c2) + scalars.epsilon))
      if M.kind == .earlyEpsilon {
        step =
          scalars.learningRate * squareRoot(c2) / c1 * (m / (squareRoot(v) + scalars.epsilon))
      }
      if M.kind == .decayedGains { return .weights(w - (scalars["wanted_decay"] * w + step)) }
      return .step(step)
    }
  }
}
