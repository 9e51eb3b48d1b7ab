// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Everything about a run that is a pure function of the step: the learning rate's course, other scalars, events, pauses.
///
/// Nothing is remembered from step to step, so a resumed run needs none of it in its checkpoint.
public struct RunSchedule: Equatable, Sendable {
  /// The number of steps of the run.
  public let steps: Int

  /// The course of the learning rate as a share of its peak.
  public let learningRate: Schedule

  /// Other scalars, in the order in which they were given.
  public let scalars: [ScheduledScalar]

  /// Whose stages are the run's; its values mean nothing when it is not the learning rate's.
  private let stages: Schedule

  /// The transitions between the run's stages, in order.
  public let events: [StageEvent]

  /// The pauses, in the order in which they were given.
  public let pauses: [SchedulePause]

  /// Puts a run's schedule together.
  ///
  /// - Parameters:
  ///   - steps: the number of steps of the run, at least 1.
  ///   - learningRate: the course of the learning rate as a share of its peak.
  ///   - stages: whose stages are the run's; `nil`: the learning rate's.
  ///   - scalars: other scalars; each name at most once for each group and once for all groups.
  ///   - pauses: pauses after the run's stages.
  /// - Throws: ``ScheduleError`` when a schedule does not fit the run, two hold for the same scalar, or a pause cannot begin.
  public init(
    steps: Int, learningRate: Schedule, stages: Schedule? = nil, scalars: [ScheduledScalar] = [],
    pauses: [SchedulePause] = []
  ) throws(ScheduleError) {
    try learningRate.validate(forSteps: steps)
    try stages?.validate(forSteps: steps)
    for (index, scalar) in scalars.enumerated() {
      try scalar.schedule.validate(forSteps: steps)
      if let other = scalars[..<index].first(where: { $0.isFor(scalar.name, scalar.group) }) {
        throw ScheduleError(
          .overlap, "\(other.description) is scheduled twice; remove one of the schedules")
      }
    }
    self.stages = stages ?? learningRate
    events = self.stages.events(forSteps: steps)
    for pause in pauses {
      try pause.validate(events: events, stages: self.stages.stages.map(\.name))
    }
    self.steps = steps
    self.learningRate = learningRate
    self.scalars = scalars
    self.pauses = pauses
  }

  /// The learning rate of a step as a share of its peak.
  ///
  /// - Parameter step: zero-based optimizer update.
  /// - Returns: the factor; times the peak it is the learning rate.
  public func learningRateFactor(at step: Int) -> Double { learningRate.value(at: step) }

  /// The value of a scalar at a step.
  ///
  /// - Parameters:
  ///   - scalar: its name, for example `momentum` or `batch_tokens`.
  ///   - group: the group of parameters it is for; a schedule of that group goes before one of all groups.
  ///   - step: zero-based optimizer update.
  /// - Returns: the value in the scalar's own unit, `nil` when nothing schedules it.
  public func value(of scalar: String, group: String? = nil, at step: Int) -> Double? {
    let own = group.flatMap { group in scalars.first { $0.isFor(scalar, group) } }
    return (own ?? scalars.first { $0.isFor(scalar, nil) })?.schedule.value(at: step)
  }

  /// The value of a scalar at a step from the schedule that is for exactly that group, or for the run; `nil` without one.
  public func ownValue(of scalar: String, group: String? = nil, at step: Int) -> Double? {
    scalars.first { $0.isFor(scalar, group) }?.schedule.value(at: step)
  }

  /// The name of the run's stage at a step.
  public func stage(at step: Int) -> String { stages.stage(at: step).name }

  /// The steps at which a group of parameters is left alone, whatever it goes through.
  ///
  /// Its gradients are ignored; what becomes of its buffers says ``pauseSpans(of:)``.
  ///
  /// - Parameter group: the name of the group.
  /// - Returns: ranges of steps of the run, in order; they do not touch.
  public func pauses(of group: String) -> [Range<Int>] {
    var merged: [Range<Int>] = []
    for span in pauseSpans(of: group) {
      if let last = merged.last, span.steps.lowerBound == last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<span.steps.upperBound
      } else {
        merged.append(span.steps)
      }
    }
    return merged
  }

  /// The steps at which a group of parameters is left alone, apart by what it goes through.
  ///
  /// - Parameter group: the name of the group.
  /// - Returns: spans of steps of the run, in order; two that touch have different modes.
  public func pauseSpans(of group: String) -> [PauseSpan] {
    let ranges = pauses.filter { $0.group == group }.flatMap { $0.ranges(events: events) }
      .map { $0.clamped(to: 0..<steps) }
    // Between two bounds nothing begins or ends, so that the mode is one.
    let bounds = Set(ranges.flatMap { [$0.lowerBound, $0.upperBound] }).sorted()
    var spans: [PauseSpan] = []
    for (start, end) in zip(bounds, bounds.dropFirst()) {
      guard let mode = pauseMode(of: group, at: start) else { continue }
      if let last = spans.last, last.mode == mode, last.steps.upperBound == start {
        spans[spans.count - 1].steps = last.steps.lowerBound..<end
      } else {
        spans.append(PauseSpan(steps: start..<end, mode: mode))
      }
    }
    return spans
  }

  /// Whether a group of parameters is left alone at a step.
  public func isPaused(_ group: String, at step: Int) -> Bool {
    pauses.contains { pause in
      pause.group == group && pause.ranges(events: events).contains { $0.contains(step) }
    }
  }

  /// What a group goes through at a step; nil: it is not paused.
  ///
  /// Where two pauses meet, one that holds goes before one that feeds zeros.
  public func pauseMode(of group: String, at step: Int) -> SchedulePause.Mode? {
    let modes = pauses.filter { pause in
      pause.group == group && pause.ranges(events: events).contains { $0.contains(step) }
    }.map(\.mode)
    return modes.contains(.hold) ? .hold : modes.first
  }

  /// Whether the learning rate of some group is below an earlier one at some step.
  public var isDecaying: Bool {
    isDecaying(for: nil) || scalars.contains { $0.group != nil && isDecaying(for: $0.group) }
  }

  /// Whether the learning rate of a group is below an earlier one at some step.
  ///
  /// A warm-up is no decay. Methods that average over all steps mind.
  ///
  /// - Parameter group: the group; nil: any that has no learning rate of its own.
  /// - Returns: whether it falls anywhere in the run.
  public func isDecaying(for group: String?) -> Bool {
    let own = group.flatMap { group in
      scalars.first { $0.isFor(ScheduledScalar.learningRate, group) }
    }
    return (own?.schedule ?? learningRate).isDecaying(forSteps: steps)
  }
}
