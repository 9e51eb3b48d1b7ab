// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A rule that leaves a group of parameters alone for some steps after a stage.
public struct SchedulePause: Equatable, Sendable {
  /// The moment at which a pause begins.
  public enum Moment: Equatable, Sendable {
    /// Whenever one stage follows another.
    case everyStage
    /// When this stage ends.
    case stage(String)
  }

  /// What a group goes through while it is paused.
  public enum Mode: String, Sendable, CaseIterable {
    /// It makes no updates: weights, buffers and the count of updates stay as they are.
    case hold
    /// It makes its updates, with gradients of zero: averages decay, and weights go on with what is left of them.
    case zeroGradients = "zero-gradients"
  }

  /// The group of parameters.
  public var group: String

  /// When it begins.
  public var after: Moment

  /// How many steps it lasts, the first step of the new stage included.
  public var steps: Int

  /// What the group goes through.
  public var mode: Mode

  /// Describes a pause.
  public init(group: String, after: Moment, steps: Int, mode: Mode = .hold) {
    self.group = group
    self.after = after
    self.steps = steps
    self.mode = mode
  }

  /// The steps, for the events of a run; they may overlap and go beyond the run.
  func ranges(events: [StageEvent]) -> [Range<Int>] {
    events.filter { event in
      switch after {
      case .everyStage: true
      case .stage(let name): event.from == name
      }
    }.map { $0.step..<($0.step + steps) }
  }

  /// Checks that the pause can begin.
  ///
  /// - Parameters:
  ///   - events: the transitions of the run.
  ///   - stages: the names of all stages.
  /// - Throws: ``ScheduleError`` when there is no such stage, it does not end before the run does, or the length is below 1.
  public func validate(events: [StageEvent], stages: [String]) throws(ScheduleError) {
    guard steps >= 1, steps <= 1_000_000_000 else {
      throw ScheduleError(
        .invalidPause, "the pause of group '\(group)' has \(steps) steps; give at least 1")
    }
    guard ranges(events: events).isEmpty else { return }
    let known = stages.map { "'\($0)'" }.joined(separator: ", ")
    switch after {
    case .everyStage:
      throw ScheduleError(
        .invalidPause,
        "the pause of group '\(group)' waits for a stage to end, but the run has only \(known); "
          + "give the schedule stages or remove the pause")
    case .stage(let name):
      throw ScheduleError(
        .invalidPause,
        stages.contains(name)
          ? "the pause of group '\(group)' waits for stage '\(name)', which lasts until the run ends; "
            + "name an earlier stage of \(known)"
          : "the pause of group '\(group)' waits for stage '\(name)', which does not exist; the stages are \(known)"
      )
    }
  }
}

/// Steps at which a group of parameters is left alone, all in one way.
public struct PauseSpan: Equatable, Sendable {
  /// The steps, from 0.
  public var steps: Range<Int>

  /// What the group goes through.
  public var mode: SchedulePause.Mode

  /// Describes a span.
  public init(steps: Range<Int>, mode: SchedulePause.Mode) {
    self.steps = steps
    self.mode = mode
  }
}
