// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A scalar as a pure function of the step: `value(step) = scale * factor(step)`.
///
/// The factor is given by stages that follow one another. Any scalar can be scheduled: a learning rate,
/// a momentum, a weight decay, a number of tokens. Steps are zero-based optimizer updates. Two runs with
/// the same schedule get the same bits; nothing is remembered from step to step, so resuming needs no state.
public struct Schedule: Equatable, Sendable {
  /// What every factor is multiplied by, for example the peak learning rate; in the unit of the scalar.
  public let scale: Double

  /// The pieces, in order; only the last may be endless.
  public let stages: [ScheduleStage]

  /// Creates a schedule from stages.
  ///
  /// - Parameters:
  ///   - scale: what every factor is multiplied by; finite.
  ///   - stages: at least one, with distinct names; every length at least 1; only the last endless.
  /// - Throws: ``ScheduleError`` when one of these conditions does not hold.
  public init(scale: Double, stages: [ScheduleStage]) throws(ScheduleError) {
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
    self.scale = scale
    self.stages = stages
  }

  /// The value at a step.
  ///
  /// - Parameter step: zero-based optimizer update, not negative. At and after the end of the last
  ///   stage the value stays at the one the last stage ends with.
  /// - Returns: `scale * factor(step)`, in the unit of the scalar.
  /// - Complexity: O(number of stages), no allocation.
  public func value(at step: Int) -> Double {
    let (index, local) = position(at: step)
    return scale * stages[index].curve.factor(at: local, of: stages[index].steps ?? 1)
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
  /// - Throws: ``ScheduleError`` when the stages need more steps than that.
  public func validate(forSteps steps: Int) throws(ScheduleError) {
    let needed = stages.reduce(0) { $0 + ($1.steps ?? 0) }
    guard needed <= steps else {
      let parts = stages.map { "\($0.name) \($0.steps.map(String.init) ?? "rest")" }
      throw ScheduleError(
        .longerThanRun,
        "the stages of a schedule need \(needed) steps (\(parts.joined(separator: ", "))) "
          + "but the run has \(steps); shorten a stage or lengthen the run")
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

// MARK: - The schedules of the engine

extension Schedule {
  /// The same value at every step.
  ///
  /// - Parameter value: any finite number.
  /// - Returns: the endless schedule.
  /// - Throws: ``ScheduleError`` when the value is not finite.
  public static func constant(_ value: Double) throws(ScheduleError) -> Schedule {
    try Schedule(
      scale: value, stages: [ScheduleStage(name: "constant", steps: nil, curve: .constant(1))])
  }

  /// Linear warm-up, then the same value at every step.
  ///
  ///     step < W:   peak * (step + 1) / W
  ///     otherwise:  peak
  ///
  /// - Parameters:
  ///   - peak: the value after the warm-up.
  ///   - warmUpSteps: `W`, from 0 (no warm-up) to `steps`.
  ///   - steps: the number of steps of the run, at least 1.
  /// - Returns: the endless schedule.
  /// - Throws: ``ScheduleError`` when the warm-up does not fit the run or `peak` is not finite.
  public static func warmUpConstant(
    peak: Double, warmUpSteps: Int, steps: Int
  ) throws(ScheduleError) -> Schedule {
    try checkWarmUp(warmUpSteps, steps: steps)
    var stages: [ScheduleStage] = []
    if warmUpSteps > 0 {
      stages.append(ScheduleStage(name: "warm-up", steps: warmUpSteps, curve: .warmUp(to: 1)))
    }
    stages.append(ScheduleStage(name: "constant", steps: nil, curve: .constant(1)))
    return try Schedule(scale: peak, stages: stages)
  }

  /// Linear warm-up, then half a cosine down to a fraction of the peak.
  ///
  ///     step < W:   peak * (step + 1) / W
  ///     otherwise:  peak * (f + (1 - f) * (1 + cos(pi * (step - W) / (steps - W))) / 2)
  ///
  /// The last step of the run, `steps - 1`, is one step short of `f`; from `steps` on the value is `peak * f`.
  ///
  /// - Parameters:
  ///   - peak: the value at step `W`, and at the last step of the warm-up.
  ///   - warmUpSteps: `W`, from 0 (no warm-up) to `steps`.
  ///   - steps: the number of steps of the run, at least 1.
  ///   - finalFraction: `f`, in 0...1.
  /// - Returns: the schedule, of length `steps`.
  /// - Throws: ``ScheduleError`` when the warm-up does not fit the run, `f` is outside 0...1, or `peak`
  ///   is not finite.
  public static func warmUpCosine(
    peak: Double, warmUpSteps: Int, steps: Int, finalFraction: Double
  ) throws(ScheduleError) -> Schedule {
    try checkWarmUp(warmUpSteps, steps: steps)
    guard finalFraction >= 0, finalFraction <= 1 else {
      throw ScheduleError(
        .invalidValue, "the final fraction of a cosine is \(finalFraction); give one in 0...1")
    }
    var stages: [ScheduleStage] = []
    if warmUpSteps > 0 {
      stages.append(ScheduleStage(name: "warm-up", steps: warmUpSteps, curve: .warmUp(to: 1)))
    }
    if steps > warmUpSteps {
      let curve = ScheduleCurve.cosine(from: 1, to: finalFraction)
      stages.append(ScheduleStage(name: "cosine", steps: steps - warmUpSteps, curve: curve))
    }
    return try Schedule(scale: peak, stages: stages)
  }

  private static func checkWarmUp(_ warmUpSteps: Int, steps: Int) throws(ScheduleError) {
    guard steps >= 1 else {
      throw ScheduleError(
        .invalidLength, "a run of \(steps) steps has no schedule; give at least 1")
    }
    guard warmUpSteps >= 0 else {
      throw ScheduleError(
        .invalidLength, "the warm-up has \(warmUpSteps) steps; give 0 for none, or more")
    }
    guard warmUpSteps <= steps else {
      throw ScheduleError(
        .longerThanRun,
        "the warm-up of \(warmUpSteps) steps is longer than the run of \(steps) steps; "
          + "shorten the warm-up or lengthen the run")
    }
  }
}

// MARK: - Codable

extension Schedule: Codable {
  private enum CodingKeys: String, CodingKey { case scale, stages }

  /// Reads a schedule and checks it like the initialiser does.
  ///
  /// - Parameter decoder: where to read from.
  /// - Throws: ``ScheduleError`` for an impossible schedule, or a decoding error.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      scale: container.decode(Double.self, forKey: .scale),
      stages: container.decode([ScheduleStage].self, forKey: .stages))
  }
}
