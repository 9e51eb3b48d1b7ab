// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The first steps of a schedule, up to its main value.
public struct ScheduleWarmUp: Equatable, Sendable {
  /// `W`, the number of steps; 0 is no warm-up.
  public var steps: Int

  /// The value at the first step; `nil` starts at the main value divided by `W`.
  public var start: Double?

  /// Describes a warm-up.
  ///
  /// - Parameters:
  ///   - steps: `W`, the number of steps; 0 is no warm-up.
  ///   - start: the value at step 0, from where a straight line reaches the main value at step `W`. Without it the value is
  ///     `main * (step + 1) / W`: never 0, so that no step is lost, and the main value at step `W - 1`.
  public init(steps: Int, from start: Double? = nil) {
    self.steps = steps
    self.start = start
  }

  /// No warm-up.
  public static let none = ScheduleWarmUp(steps: 0)

  /// The stage, none when there are no steps.
  func stages(to main: Double) -> [ScheduleStage] {
    guard steps > 0 else { return [] }
    let curve = start.map { ScheduleCurve.linear(from: $0, to: main) } ?? .warmUp(to: main)
    return [ScheduleStage(name: "warm-up", steps: steps, curve: curve)]
  }

  /// Checks that the warm-up fits a run.
  ///
  /// - Throws: ``ScheduleError`` when the run has no steps, or the warm-up a negative number or more than the run.
  func validate(forSteps steps: Int) throws(ScheduleError) {
    guard steps >= 1 else {
      throw ScheduleError(
        .invalidLength, "a run of \(steps) steps has no schedule; give at least 1")
    }
    guard self.steps >= 0 else {
      throw ScheduleError(
        .invalidLength, "the warm-up has \(self.steps) steps; give 0 for none, or more")
    }
    guard self.steps <= steps else {
      throw ScheduleError(
        .longerThanRun,
        "the warm-up of \(self.steps) steps is longer than the run of \(steps) steps; "
          + "shorten the warm-up or lengthen the run")
    }
  }
}
