// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Optimizers

/// What section `[schedule]` has to know of the others.
struct ScheduleContext: Sendable {
  /// The number of steps of the run.
  var steps: Int
  /// What can be scheduled besides the learning rate of all groups.
  var scalars: [SchedulableScalar] = []
  /// Why the schedules of some other scalars would have no effect, by name; it follows from `model.predictions`.
  var withoutEffect: [String: String] = [:]
  /// The names of the groups that are trained; nil: not known, because something else is wrong.
  var groups: [String]?
  /// The course of the learning rate when none is given.
  var defaultKind = ScheduleSettings.Kind.cosine
}

extension ScheduleContext {
  /// What the other sections of a configuration say, and the groups that are trained, nil when something else is wrong.
  init(
    model: ModelSettings, training: StepSettings, optimizer: OptimizerSettings,
    groups: [ParameterGroup]?, schedulesContextLength: Bool
  ) {
    let hyperparameters =
      groups.map(Self.scalars)
      ?? optimizer.card.hyperparameters.filter { !$0.isCount }.map {
        SchedulableScalar(
          $0.name, in: $0.scheduledRange, configured: optimizer.policy.hyperparameters[$0.name],
          groups: [:])
      }
    var clips: [String: Double] = [:]
    for group in groups ?? [] { clips[group.name] = group.settings.gradientClip }
    self.init(
      steps: training.steps,
      scalars: hyperparameters + [
        .gradientClip(configured: optimizer.gradientClip, groups: clips),
        .batchTokens(
          configured: training.batchTokens,
          multipleOf: (schedulesContextLength ? 1 : model.contextLength)
            * training.accumulationSteps,
          named: schedulesContextLength
            ? "accumulation_steps" : "context_length x accumulation_steps"),
        .contextLength(configured: model.contextLength),
      ] + model.schedulable, withoutEffect: model.withoutEffect, groups: groups?.map(\.name),
      defaultKind: optimizer.card.wantsConstantRate ? .constant : .cosine)
  }

  /// Whether a schedule changes the length of sequences: then sizes of batches are checked step by step.
  static func schedulesContextLength(_ section: ConfigurationSection) -> Bool {
    let name = SchedulableScalar.contextLength
    return section.givenNames.contains(name)
      || section.tables("stage").contains { $0.givenNames.contains(name) }
  }

  /// The hyperparameters of all groups; counts are not for scheduling.
  private static func scalars(_ groups: [ParameterGroup]) -> [SchedulableScalar] {
    var declared: [OptimizerCard.Hyperparameter] = []
    for hyperparameter in groups.flatMap({ $0.card?.hyperparameters ?? [] })
    where !hyperparameter.isCount && !declared.contains(where: { $0.name == hyperparameter.name }) {
      declared.append(hyperparameter)
    }
    return declared.map { hyperparameter in
      var values: [String: Double] = [:]
      for group in groups { values[group.name] = group.hyperparameters[hyperparameter.name] }
      let distinct = Set(values.values)
      return SchedulableScalar(
        hyperparameter.name, in: hyperparameter.scheduledRange,
        configured: distinct.count == 1 ? distinct.first : nil, groups: values)
    }
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

extension OptimizerCard.Hyperparameter {
  /// The values that a schedule may give it.
  fileprivate var scheduledRange: NumberRange {
    let (lower, upper) = (range.lowerBound, range.upperBound)
    return switch (excludesLowerBound, excludesUpperBound) {
    case (false, false): .within(lower...upper)
    case (false, true): .within(lower..<upper)
    case (true, false): .above(lower, through: upper)
    case (true, true): .above(lower, below: upper)
    }
  }
}
