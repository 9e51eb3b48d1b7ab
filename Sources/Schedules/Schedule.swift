// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A scalar as a pure function of the step: `value(step) = scale * factor(step)`.
///
/// The factor is given by stages that follow one another, and possibly a cooldown laid over them. Any scalar can be scheduled: a learning rate,
/// a momentum, a weight decay, a number of tokens. Steps are zero-based optimizer updates. Two runs with
/// the same schedule get the same bits; nothing is remembered from step to step, so resuming needs no state.
public struct Schedule: Equatable, Sendable {
  /// What every factor is multiplied by, for example the peak learning rate; in the unit of the scalar.
  public let scale: Double

  /// The pieces, in order; only the last may be endless.
  public let stages: [ScheduleStage]

  /// An end laid over the stages, if any; it is no stage, and its beginning no event.
  public let cooldown: ScheduleCooldown?

  /// Creates a schedule from stages.
  ///
  /// - Parameters:
  ///   - scale: what every factor is multiplied by; finite.
  ///   - stages: at least one, with distinct names; every length at least 1; only the last endless.
  ///   - cooldown: an end laid over the stages.
  /// - Throws: ``ScheduleError`` when one of these conditions does not hold.
  public init(
    scale: Double = 1, stages: [ScheduleStage], cooldown: ScheduleCooldown? = nil
  ) throws(ScheduleError) {
    guard scale.isFinite else {
      throw ScheduleError(
        .invalidValue, "the scale of a schedule is \(scale); give a finite number")
    }
    guard !stages.isEmpty else {
      throw ScheduleError(
        .invalidStages, "a schedule without stages has no value; give at least one stage")
    }
    var names: Set<String> = []
    var end = 0
    for (index, stage) in stages.enumerated() {
      guard names.insert(stage.name).inserted else {
        throw ScheduleError(
          .invalidStages, "two schedule stages are named '\(stage.name)'; rename one of them")
      }
      try stage.curve.validate(stage: stage.name)
      if let steps = stage.steps {
        guard steps >= 1 else {
          throw ScheduleError(
            .invalidLength,
            "schedule stage '\(stage.name)' has \(steps) steps; give at least 1 or leave it out")
        }
        let (sum, overflow) = end.addingReportingOverflow(steps)
        guard !overflow else {
          throw ScheduleError(
            .invalidLength, "the stages up to '\(stage.name)' have more than \(Int.max) steps")
        }
        end = sum
      } else {
        guard stage.curve.isEndless else {
          throw ScheduleError(
            .invalidLength,
            "schedule stage '\(stage.name)' needs a length: its curve ends somewhere")
        }
        guard index == stages.count - 1 else {
          throw ScheduleError(
            .invalidStages,
            "stage '\(stages[index + 1].name)' follows '\(stage.name)', which never ends; "
              + "give '\(stage.name)' a length")
        }
      }
    }
    try cooldown?.validate()
    self.scale = scale
    self.stages = stages
    self.cooldown = cooldown
  }

  /// The same course with every value multiplied.
  ///
  /// - Parameter factor: for example the peak learning rate of a course that is given as shares of it.
  /// - Returns: the schedule; from a scale of 1, its values are `factor * value(at:)` to the bit.
  /// - Throws: ``ScheduleError`` when the product is not finite.
  public func scaled(by factor: Double) throws(ScheduleError) -> Schedule {
    try Schedule(scale: scale * factor, stages: stages, cooldown: cooldown)
  }

  /// The value at a step.
  ///
  /// - Parameter step: zero-based optimizer update, not negative. At and after the end of the last
  ///   stage the value stays at the one the last stage ends with.
  /// - Returns: `scale * factor(step)`, in the unit of the scalar.
  /// - Complexity: O(number of stages), no allocation.
  public func value(at step: Int) -> Double {
    let (index, local) = position(at: step)
    let own = stages[index].curve.factor(at: local, of: stages[index].steps ?? 1)
    return scale * (cooldown?.factor(over: own, at: step) ?? own)
  }

  /// The stage a step belongs to; after the end, the last stage.
  ///
  /// - Parameter step: zero-based optimizer update, not negative.
  /// - Returns: the stage in force at that step.
  public func stage(at step: Int) -> ScheduleStage {
    stages[position(at: step).index]
  }

  /// The step at which a stage begins, or `nil` when no stage has that name.
  public func start(ofStage name: String) -> Int? {
    var start = 0
    for stage in stages {
      if stage.name == name { return start }
      start += stage.steps ?? 0
    }
    return nil
  }

  /// The sum of all stage lengths in steps, or `nil` when the last stage is endless.
  public var length: Int? {
    var sum = 0
    for stage in stages {
      guard let steps = stage.steps else { return nil }
      sum += steps
    }
    return sum
  }

  /// Checks that the stages fit a run.
  ///
  /// - Parameter steps: the number of steps of the run.
  /// - Throws: ``ScheduleError`` when the stages, or the cooldown, need more steps than that.
  public func validate(forSteps steps: Int) throws(ScheduleError) {
    let needed = stages.reduce(0) { $0 + ($1.steps ?? 0) }
    guard needed <= steps else {
      let parts = stages.map { "\($0.name) \($0.steps.map(String.init) ?? "rest")" }
      throw ScheduleError(
        .longerThanRun,
        "the stages of a schedule need \(needed) steps (\(parts.joined(separator: ", "))) "
          + "but the run has \(steps); shorten a stage or lengthen the run")
    }
    if let cooldown, cooldown.stop > Double(steps) {
      throw ScheduleError(
        .longerThanRun,
        "the cooldown of a schedule stops at step \(cooldown.stop) but the run has \(steps); "
          + "let it stop earlier or lengthen the run")
    }
  }

  /// The index of the stage at a step, and the step inside that stage.
  private func position(at step: Int) -> (index: Int, local: Int) {
    precondition(step >= 0, "steps are zero-based, got \(step)")
    var local = step
    for index in stages.indices {
      guard let steps = stages[index].steps else { return (index, local) }
      if local < steps { return (index, local) }
      if index == stages.count - 1 { return (index, steps) }
      local -= steps
    }
    preconditionFailure("a schedule has at least one stage")
  }
}

// MARK: - Codable

extension Schedule: Codable {
  private enum CodingKeys: String, CodingKey { case scale, stages, cooldown }

  /// Reads a schedule and checks it like the initialiser does.
  ///
  /// - Parameter decoder: where to read from.
  /// - Throws: ``ScheduleError`` for an impossible schedule, or a decoding error.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      scale: container.decode(Double.self, forKey: .scale),
      stages: container.decode([ScheduleStage].self, forKey: .stages),
      cooldown: container.decodeIfPresent(ScheduleCooldown.self, forKey: .cooldown))
  }
}
