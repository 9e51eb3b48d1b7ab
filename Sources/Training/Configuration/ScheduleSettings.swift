// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import Schedules

/// Section `[schedule]`: everything of a run that changes with the step.
///
/// The section itself is the course of the learning rate, whose peak is `optimizer.learning_rate`; `[[schedule.stage]]` are the
/// stages of the run; `[schedule.NAME]` is the course of another scalar; `pause` leaves groups of parameters alone after stages.
public struct ScheduleSettings: Sendable {
  /// The courses after warm-up.
  public enum Kind: String, Sendable, CaseIterable {
    /// The same value to the end.
    case constant
    /// Straight to the end value.
    case linear
    /// Half a cosine to the end value.
    case cosine
    /// A power of what is left of the way.
    case polynomial
    /// Chen et al., 2022: `(1 - z) / (1/2 + (1 - z) / 2)`.
    case rex
    /// Warm-up, stable, cooldown.
    case wsd
    /// The inverse square root of the step, possibly with a cooldown.
    case inverseSquareRoot = "inverse-square-root"
    /// Smith, 2018: up, down, and further down.
    case oneCycle = "one-cycle"
    /// What the stages say, possibly with a cooldown.
    case stages
  }

  /// The ways of a cooldown.
  enum Cooldown: String, CaseIterable {
    case linear, cosine, sqrt

    var shape: ScheduleShape {
      switch self {
      case .linear: .linear
      case .cosine: .cosine
      case .sqrt: .squareRoot
      }
    }
  }

  /// `kind`: the course of the learning rate; cosine, and constant for methods that ask for it.
  public let kind: Kind
  /// `allow_decay`: whether a method that wants a constant learning rate takes one that falls; false.
  public let allowsDecay: Bool
  /// `untie_at`, `untie_state`: when tokens get a table of their own; nil: never, or from the first step.
  public let untie: UntieSettings?
  /// The whole schedule, as a function of the step.
  public let run: RunSchedule

  /// `warmup_steps`: the length of the learning rate's warm-up; 0 where it has none.
  public var warmupSteps: Int {
    run.learningRate.stages.first { $0.name == "warm-up" }?.steps ?? 0
  }

  init(_ section: ConfigurationSection, _ context: ScheduleContext) {
    kind = section.choice(
      "kind", default: context.defaultKind, doc: "the course of the learning rate after warm-up")
    allowsDecay =
      section.isGiven("allow_decay")
      ? section.boolean(
        "allow_decay", default: false,
        doc: "lets a method that wants a constant learning rate have one that falls")
      : false
    untie = UntieSettings.read(section, context)
    let rows = StageReader(section: section, context: context).read()
    let learningRate = CourseReader(
      section: section, context: context, scalar: nil, rows: rows
    ).read(kind)
    if kind != .stages {
      for row in rows {
        for key in StageCurveReader.keys where row.section.isGiven(key) {
          section.contradiction(
            "stage[\(rows.firstIndex { $0.start == row.start } ?? 0)].\(key)", "kind",
            message:
              "the learning rate does not follow the stages; choose kind = \"stages\" or remove the key"
          )
        }
      }
    }
    let stages = rows.isEmpty ? learningRate : StageRow.names(rows) ?? learningRate
    let scalars = ScalarReader(section: section, context: context, rows: rows).read()
    let pauses = SchedulePauseSettings(section: section, context: context).read(
      stages: stages, steps: context.steps)
    run = Self.run(
      section, steps: context.steps, learningRate: learningRate, stages: stages, scalars: scalars,
      pauses: pauses)
  }

  /// The schedule as a whole; any other one when it is impossible, which has then been reported.
  private static func run(
    _ section: ConfigurationSection, steps: Int, learningRate: Schedule, stages: Schedule,
    scalars: [ScheduledScalar], pauses: [SchedulePause]
  ) -> RunSchedule {
    do throws(ScheduleError) {
      return try RunSchedule(
        steps: steps, learningRate: learningRate, stages: stages, scalars: scalars, pauses: pauses)
    } catch {
      section.contradiction("kind", message: error.message)
    }
    guard let standIn = try? RunSchedule(steps: steps, learningRate: CourseReader.placeholder)
    else { preconditionFailure("a constant course fits every run") }
    return standIn
  }
}

extension StageRow {
  /// The stages without values; nil when there are none.
  static func names(_ rows: [StageRow]) -> Schedule? {
    try? Schedule(
      stages: rows.enumerated().map { index, row in
        ScheduleStage(
          name: row.name, steps: index == rows.count - 1 ? nil : row.length, curve: .constant(1))
      })
  }
}
