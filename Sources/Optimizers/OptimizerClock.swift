// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How far each group of an optimizer has come: what the host must keep to go on exactly.
public struct OptimizerClock: Codable, Equatable, Sendable {
  /// One group's count.
  public struct Group: Codable, Equatable, Sendable {
    /// Steps seen: updates, rests and pauses.
    public var steps = 0
    /// Updates made.
    public var updates = 0
    /// Extra gradients taken in.
    public var observations = 0
    /// Numbers that the method's host part keeps.
    public var memory: [String: Double] = [:]

    /// The start.
    public init() {}
  }

  /// The groups by name.
  public var groups: [String: Group] = [:]

  /// The start of a run.
  public init() {}

  /// Lets a group go on from where another is, as after a copy of the other's weights and state.
  ///
  /// - Parameters:
  ///   - group: the group that goes on.
  ///   - other: where it goes on from; nil: it starts anew, but keeps time with the others.
  public mutating func restart(_ group: String, from other: String?) {
    var count = other.map { self[$0] } ?? Group()
    count.steps = self[group].steps
    self[group] = count
  }

  /// The count of a group.
  public subscript(group: String) -> Group {
    get { groups[group] ?? Group() }
    set { groups[group] = newValue }
  }
}

/// The numbers that one step is run with; schedules have been applied.
public struct StepConditions: Sendable {
  /// Hyperparameters in force that differ from the groups' own: by group, then by name.
  public var hyperparameters: [String: [String: Double]] = [:]
  /// The largest global gradient norm; infinity: no clipping.
  public var gradientClip = Double.infinity
  /// The largest norm of a group's gradients, where that is scheduled.
  public var groupClips: [String: Double] = [:]
  /// Norms of groups' gradients over all ranks, where an optimizer is one rank's and clips.
  public var gradientNorms: [String: Double] = [:]
  /// Groups that are paused: gradients ignored, weights and state kept.
  public var paused: Set<String> = []
  /// Groups that are silenced: updates go on, with gradients of zero.
  public var silenced: Set<String> = []
  /// Targets that count in this step's batch.
  public var batchTokens = 1

  /// The groups' own numbers, no clipping.
  public init() {}
}

extension Optimizer {
  /// The hyperparameters of a group in force at a step.
  public func hyperparameters(
    of group: ParameterGroup, _ conditions: StepConditions
  ) -> [String: Double] {
    group.hyperparameters.merging(conditions.hyperparameters[group.name] ?? [:]) { $1 }
  }

  /// The value of every scalar leaf of one step's programs, by label; counts the step.
  ///
  /// Keep the clock as it was when the step is skipped.
  public func numbers(
    _ conditions: StepConditions, advancing clock: inout OptimizerClock
  ) -> [String: Double] {
    var result = [Self.clipLabel: conditions.gradientClip]
    if let givenNorms {
      precondition(
        conditions.gradientClip == .infinity
          || trained.allSatisfy { givenNorms.contains($0.name) },
        "a rank clips all gradients, and the rules of its plan do not say so")
      for group in givenNorms {
        guard let norm = conditions.gradientNorms[group] else {
          preconditionFailure("the norm of group '\(group)' over all ranks is missing")
        }
        // A group that ignores its gradients does not count.
        let ignores = conditions.paused.contains(group) || conditions.silenced.contains(group)
        result[Scalars.label("gradient_norm", group: group)] = ignores ? 0 : norm
      }
    }
    for group in resting {
      clock[group.name].steps += 1
      result[Scalars.label("updates", group: group.name)] = 0
    }
    for group in trained {
      let isPaused = conditions.paused.contains(group.name)
      precondition(
        !isPaused || group.settings.isPausable, "group '\(group.name)' was not made to be paused")
      let isSilenced = conditions.silenced.contains(group.name)
      precondition(
        !isSilenced || group.settings.canBeSilenced,
        "group '\(group.name)' was not made to be silenced")
      var count = clock[group.name]
      count.steps += 1
      let updates = !isPaused && count.steps % group.settings.every == 0
      var numbers: [String: Double]
      if updates {
        count.updates += 1
        numbers = self.numbers(group, conditions, update: count.updates, memory: &count.memory)
      } else {
        // The equations are computed and thrown away: any finite numbers will do, but not the method's memory.
        var aside = count.memory
        numbers = self.numbers(group, conditions, update: count.updates + 1, memory: &aside)
      }
      numbers["attends"] = isPaused || isSilenced ? 0 : 1
      numbers["updates"] = updates ? 1 : 0
      clock[group.name] = count
      for (name, number) in numbers { result[Scalars.label(name, group: group.name)] = number }
    }
    return result
  }

  private func numbers(
    _ group: ParameterGroup, _ conditions: StepConditions, update: Int,
    memory: inout [String: Double]
  ) -> [String: Double] {
    var hyperparameters = hyperparameters(of: group, conditions)
    let settings = group.settings
    let rate = (hyperparameters["learning_rate"] ?? 0) * settings.learningRateMultiplier
    let weightDecay = (hyperparameters["weight_decay"] ?? 0) * settings.weightDecayMultiplier
    hyperparameters["learning_rate"] = rate
    hyperparameters["weight_decay"] = weightDecay
    var numbers =
      group.method?.scalars(hyperparameters, update: update, memory: &memory) ?? [:]
    let scale = settings.decayScale == .learningRate ? rate : rate * rate
    numbers["decay"] = numbers["decay"] ?? scale * weightDecay
    numbers["batch_tokens"] = Double(conditions.batchTokens)
    if let clip = settings.gradientClip {
      numbers["gradient_clip"] = conditions.groupClips[group.name] ?? clip
    }
    if let average = settings.averageDecay { numbers["one_minus_average_decay"] = 1 - average }
    return numbers
  }

  /// The extra gradients that a group wants before its next update.
  public func observationsDue(
    _ group: ParameterGroup, _ conditions: StepConditions, _ clock: OptimizerClock
  ) -> Int {
    guard let card = group.card, let observation = card.observation else { return 0 }
    let values = hyperparameters(of: group, conditions)
    let count = clock[group.name]
    switch observation {
    case .firstBatches(let name):
      return count.updates == 0 ? max(0, Int(values[name] ?? 0) - count.observations) : 0
    case .sampledLabels(let name):
      let isUpdate =
        !conditions.paused.contains(group.name)
        && (count.steps + 1) % group.settings.every == 0
      return isUpdate && count.updates % max(1, Int(values[name] ?? 1)) == 0 ? 1 : 0
    }
  }

  /// The upkeep of a group's state after the last update.
  public func upkeepDue(
    _ group: ParameterGroup, _ conditions: StepConditions, before: OptimizerClock,
    after: OptimizerClock
  ) -> Upkeep? {
    let updates = after[group.name].updates
    guard updates > before[group.name].updates else { return nil }
    return group.method?.upkeep(after: updates, hyperparameters(of: group, conditions))
  }
}
