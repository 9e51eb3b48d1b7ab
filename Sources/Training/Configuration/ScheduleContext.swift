// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Optimizers

/// What section `[schedule]` has to know of the others.
struct ScheduleContext: Sendable {
  /// The number of steps of the run.
  var steps: Int
  /// What can be scheduled besides the learning rate.
  var scalars: [SchedulableScalar] = []
  /// The names of the groups of parameters; nil: not known yet.
  var groups: [String]?
  /// The course of the learning rate when none is given.
  var defaultKind = ScheduleSettings.Kind.cosine
}

extension ScheduleContext {
  /// What the other sections of a configuration say.
  ///
  /// - Parameter groups: the trained groups of parameters; nil: the policy does not fit the model, which has been reported.
  init(
    model: ModelSettings, training: StepSettings, optimizer: OptimizerSettings,
    groups: [ParameterGroup]?
  ) {
    var hyperparameters: [SchedulableScalar] = []
    for (index, card) in ([optimizer.card] + (groups ?? []).compactMap(\.card)).enumerated() {
      for declared in card.hyperparameters
      where !hyperparameters.contains(where: { $0.name == declared.name }) {
        let (lower, upper) = (declared.range.lowerBound, declared.range.upperBound)
        hyperparameters.append(
          SchedulableScalar(
            declared.name,
            in: declared.excludesUpperBound ? .within(lower..<upper) : .within(lower...upper),
            configured: index == 0 ? optimizer.policy.hyperparameters[declared.name] : nil))
      }
    }
    self.init(
      steps: training.steps,
      scalars: hyperparameters + [
        .gradientClip(configured: optimizer.gradientClip),
        .batchTokens(
          configured: training.batchTokens,
          multipleOf: model.contextLength * training.accumulationSteps),
        .attentionWindow(configured: model.attentionWindow), .zLoss(configured: model.zLoss),
      ], groups: groups?.map(\.name),
      defaultKind: optimizer.card.wantsConstantRate ? .constant : .cosine)
  }

  /// A step that a configuration may give in three ways.
  ///
  /// - Parameter position: a whole number of steps, from the end of the run when negative; or a part of the run, in (0, 1).
  /// - Returns: the step; of a part of the run, the first step at or after it. Nil when it is none of these.
  func step(at position: Double) -> Int? {
    if position > 0, position < 1 { return steps(ofShare: position) }
    guard let whole = Int(exactly: position) else { return nil }
    return whole < 0 ? steps + whole : whole
  }

  /// The steps of a part of the run, rounded up, except where only the rounding of its decimals makes it more than whole.
  func steps(ofShare share: Double) -> Int {
    let exact = share * Double(steps)
    let whole = exact.rounded()
    return Int(abs(exact - whole) <= 1e-9 * Double(steps) ? whole : exact.rounded(.up))
  }
}
