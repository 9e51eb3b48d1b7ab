// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Schedules

/// Reads `pause`: one table or several.
struct SchedulePauseSettings {
  let section: ConfigurationSection
  let context: ScheduleContext

  /// The value of `after` that stands for every stage.
  static let everyStage = "stage"

  /// The pauses; impossible ones are left out and have been reported.
  func read(stages: Schedule, steps: Int) -> [SchedulePause] {
    let names = stages.stages.map(\.name)
    let events = stages.events(forSteps: steps)
    return section.tables("pause", orOne: true).compactMap { table in
      let group = table.string("group", doc: "the group of parameters that is left alone")
      let after = table.string(
        "after", default: Self.everyStage, doc: "the stage it follows; 'stage' is every stage")
      let length = table.integer("steps", in: 1...1_000_000_000, doc: "length of the pause")
      if !group.isEmpty { context.check(group: group, in: table) }
      let mode =
        table.optionalChoice(
          "mode", of: SchedulePause.Mode.self,
          doc: "hold: no updates, buffers stay; zero-gradients: updates go on with zeros; hold")
        ?? .hold
      let pause = SchedulePause(
        group: group, after: after == Self.everyStage ? .everyStage : .stage(after), steps: length,
        mode: mode)
      do throws(ScheduleError) {
        try pause.validate(events: events, stages: names)
        return pause
      } catch {
        let near = names.contains(after) ? nil : nearest(to: after, among: names)
        table.refuse(
          "after", message: error.message + (near.map { "; did you mean '\($0)'?" } ?? ""))
        return nil
      }
    }
  }
}
