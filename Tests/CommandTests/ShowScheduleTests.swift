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

  @Test func theTextSaysHowGroupsArePaused() throws {
    let workspace = try workspace()
    let held = try workspace.run("show", "schedule", "config.toml")
    #expect(
      held.output.contains("\npause (hold): group 'scalars' makes no updates at steps 40 to 49\n"),
      "\(held)")
    #expect(!held.output.contains("zero-gradients") && !held.output.contains("untie_at"))
    // Two pauses that meet: where both hold, none is made; then it goes on with zeros.
    let both = try workspace.run(
      "show", "schedule", "config.toml",
      "--schedule.pause=[{ group = \"scalars\", steps = 4 }, "
        + "{ group = \"scalars\", steps = 10, mode = \"zero-gradients\" }]")
    #expect(
      both.output.contains("pause (hold): group 'scalars' makes no updates at steps 40 to 43\n"))
    #expect(
      both.output.contains(
        "pause (zero-gradients): group 'scalars' makes updates with gradients of zero at steps 44 to 49"
      ),
      "\(both)")
  }

  @Test func theRecordsShowPausesAndTheLateTable() throws {
    let workspace = try Workspace()
    let late = try workspace.run("show", "schedule", "speedrun-C")
    #expect(late.code == 0 && late.errors.isEmpty, "\(late)")
    let lines = late.output.split(separator: "\n").suffix(2).map(String.init)
    #expect(
      lines == [
        "pause (hold): group 'scalars' makes no updates at steps 627 to 666, 1,254 to 1,293, 1,880 to 1,919",
        "untie_at 1,254 (copy): lookups move to embedding.weight, weights and state copied from head.weight",
      ])
    let anew = try workspace.run(
      "show", "schedule", "speedrun-C", "--schedule.untie_state=reset", "--json"
    ).json()
    let untie = try #require(anew["untie"] as? [String: Any])
    #expect(untie["step"] as? Int == 1254 && untie["state"] as? String == "reset")
    let pauses = try #require(anew["pauses"] as? [[String: Any]])
    #expect(pauses.map { $0["mode"] as? String } == ["hold", "hold", "hold"])
  }

  /// Record 52 of the NanoGPT speedrun; steps, tokens and updates are the published ones.
  @Test func aDryRunOfARecordNamesEveryEvent() throws {
    let workspace = try Workspace()
    let result = try workspace.run("show", "schedule", "speedrun-B", "--events")
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    let lines = result.output.split(separator: "\n").map { line in
      line.split(separator: " ").joined(separator: " ")
    }
    for line in [
      "654 stage 'second' follows 'first'", "654 batch_tokens 131072 -> 262144",
      "654 learning_rate 1 -> 1.51", "1,307 learning_rate 0.955417 -> 1.20853",
      "654 group 'scalars' is paused for 40 steps", "694 group 'scalars' goes on",
      "1,307 group 'scalars' is paused for 40 steps", "1,347 group 'scalars' goes on",
      "1,960 group 'scalars' is paused for 40 steps", "1,999 last update",
      "2,000 final evaluation, attention_window 2561, attention_window_short 769",
      "2,000 steps, 529,399,808 tokens",
    ] {
      #expect(lines.contains(line), "\(line): \(result)")
    }
    // Frequencies and scale after each change of the long window.
    for (step, scale) in [
      ("654", "0.1 -> 0.116946"), ("1,307", "0.116946 -> 0.127518"),
      ("1,960", "0.127518 -> 0.131778"),
    ] {
      #expect(lines.contains { $0.hasPrefix("\(step) attention_scale \(scale), f_0 1") }, "\(step)")
    }
    #expect(lines.last?.hasPrefix("updates: head 1,000, ") == true)
    #expect(lines.last?.contains("scalars 940") == true)

    let json = try workspace.run("show", "schedule", "speedrun-B", "--events", "--json").json()
    #expect(json["tokens"] as? Int == 529_399_808 && json["steps"] as? Int == 2000)
    let events = try #require(json["events"] as? [[String: Any]])
    let begins = events.filter { $0["kind"] as? String == "pause-begin" }
    #expect(begins.map { $0["step"] as? Int } == [654, 1307, 1960])
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
    #expect(pauses[0]["mode"] as? String == "hold" && json["untie"] == nil)
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
