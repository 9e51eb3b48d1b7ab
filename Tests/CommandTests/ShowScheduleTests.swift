// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `assay show schedule`: numbers, programs' formats, the drawing, and mistakes.
@Suite(.timeLimit(.minutes(20))) struct ShowScheduleTests {
  static let configuration = """
    data.path = "not there, and not needed"
    training.steps = 100
    [optimizer]
    learning_rate = 0.5
    [[optimizer.rule]]
    name = "scalars"
    roles = ["head"]
    [schedule]
    kind = "stages"
    pause = { group = "scalars", steps = 10 }
    [[schedule.stage]]
    name = "high"
    until = 40
    [[schedule.stage]]
    name = "low, at last"
    factor = 0.5
    [schedule.weight_decay]
    from = 0.1
    to = 0.2
    """

  private func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.write(Self.configuration, to: "config.toml")
    return workspace
  }

  @Test func theTableShowsWhatChanges() throws {
    let result = try workspace().run("show", "schedule", "config.toml")
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    let rows = result.output.split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(rows.first == ["step", "learning_rate", "weight_decay", "stage", "paused"])
    #expect(rows.contains(["0", "0.5", "0.1", "high"]), "\(result)")
    #expect(rows.contains(["40", "0.25", "0.14", "low,", "at", "last", "scalars"]), "\(result)")
    #expect(rows.contains(["50", "0.25", "0.15", "low,", "at", "last"]), "\(result)")
    #expect(rows.count < 40, "\(result)")
  }

  @Test func commaSeparatedValuesHaveALineForEveryChange() throws {
    let workspace = try workspace()
    let moving = try workspace.run("show", "schedule", "config.toml", "--csv")
    let lines = moving.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 101, "\(moving)")
    #expect(lines[0] == "step,learning_rate,weight_decay,stage,paused")
    #expect(lines[41] == "40,0.25,0.14,\"low, at last\",scalars")
    let still = try workspace.run(
      "show", "schedule", "config.toml", "--csv", "--schedule.weight_decay=[]")
    #expect(
      still.output == """
        step,learning_rate,stage,paused
        0,0.5,high,
        40,0.25,"low, at last",scalars
        50,0.25,"low, at last",

        """, "\(still)")
  }

  @Test func jsonHasScalarsEventsAndPauses() throws {
    let json = try workspace().run("show", "schedule", "config.toml", "--json").json()
    #expect(json["steps"] as? Int == 100)
    let scalars = try #require(json["scalars"] as? [[String: Any]])
    #expect(scalars.map { $0["name"] as? String } == ["learning_rate", "weight_decay"])
    let changes = try #require(scalars[0]["changes"] as? [[String: Double]])
    #expect(changes == [["step": 0, "value": 0.5], ["step": 40, "value": 0.25]])
    let events = try #require(json["events"] as? [[String: Any]])
    #expect(events.count == 1 && events[0]["step"] as? Int == 40)
    let pauses = try #require(json["pauses"] as? [[String: Any]])
    #expect(pauses.count == 1 && pauses[0]["steps"] as? Int == 10)
  }

  @Test func theDrawingHasAChartForEachScalar() throws {
    let workspace = try workspace()
    let result = try workspace.run("show", "schedule", "config.toml", "--svg", "out.svg")
    #expect(result.code == 0 && result.errors.contains("wrote out.svg"), "\(result)")
    let svg = String(decoding: try workspace.read("out.svg"), as: UTF8.self)
    for text in ["learning_rate", "weight_decay", "low, at last", "scalars paused", "Step"] {
      #expect(svg.contains(text), "\(text)")
    }
    let failed = try workspace.run("show", "schedule", "config.toml", "--svg", "no/such/out.svg")
    #expect(failed.code == 1 && failed.errors.contains("choose another --svg"), "\(failed)")
  }

  @Test func mistakesAreCode64WithTheirPlace() throws {
    let workspace = try workspace()
    let both = try workspace.run("show", "schedule", "config.toml", "--csv", "--json")
    #expect(both.code == 64 && both.errors.contains("choose one"), "\(both)")
    let late = try workspace.run("show", "schedule", "config.toml", "--training.steps=30")
    #expect(late.code == 64, "\(late)")
    #expect(
      late.errors.contains("config.toml:13") && late.errors.contains("after the run's 30 steps"),
      "\(late)")
    #expect(late.output.isEmpty)
  }
}
