// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A named piece of a schedule: a curve over a number of steps.
public struct ScheduleStage: Codable, Equatable, Sendable {
  /// The name by which other rules refer to the stage, unique in its schedule.
  public var name: String

  /// How many steps the stage lasts, at least 1; `nil` lasts until the end of the run.
  public var steps: Int?

  /// The factor as a function of the step inside the stage.
  public var curve: ScheduleCurve

  /// Creates a stage.
  ///
  /// - Parameters:
  ///   - name: a name unique in the schedule, for example `warm-up`.
  ///   - steps: the length in steps, at least 1; `nil` for a curve that needs none, to the end of the run.
  ///   - curve: the factor as a function of the step inside the stage.
  public init(name: String, steps: Int?, curve: ScheduleCurve) {
    self.name = name
    self.steps = steps
    self.curve = curve
  }
}
