// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Synthetic data, a run on them, its plan, and finding it again.
@Suite(.timeLimit(.minutes(20))) struct RunsTests {
  static let configuration = """
    [data]
    path = "d"
    [model]
    width = 32
    layers = 1
    head_width = 16
    context_length = 16
    [training]
    batch_tokens = 128
    steps = 3
    [evaluation]
    tokens = 512
    [optimizer]
    name = "adamw"
    """

  @Test func runsOnSyntheticTextAreListedFilteredAndIndexed() throws {
    let workspace = try Workspace()
    let made = try Command.run(
      "data", "synthesize", "--output", "d", "--tokens", "4000", "--validation-tokens", "1000",
      "--vocabulary", "64", "--classes", "8", in: workspace.folder)
    #expect(made.code == 0 && made.errors.contains("nats a token"), "\(made)")
    let inspected = try Command.run("data", "inspect", "d", in: workspace.folder)
    #expect(inspected.output.contains("\nfloor       "), "\(inspected)")

    try workspace.write(Self.configuration, to: "c.toml")
    let plan = try Command.run("plan", "c.toml", "--json", in: workspace.folder)
    let planned = try plan.json()["memoryBytes"] as? Int
    for (name, rate) in [("one", "0.01"), ("two", "0.02")] {
      let run = try Command.run(
        "train", "c.toml", "--run.folder=runs/\(name)", "--optimizer.learning_rate=\(rate)",
        in: workspace.folder)
      #expect(run.code == 0, "\(run)")
    }
    let all = try Command.run("runs", in: workspace.folder)
    #expect(all.code == 0 && all.output.contains("runs/one") && all.output.contains("runs/two"))
    #expect(workspace.exists("index.sqlite"))

    let some = try Command.run(
      "runs", "--where", "optimizer.learning_rate>0.015", "--json", in: workspace.folder)
    let listed = try #require(try some.json()["runs"] as? [[String: Any]])
    #expect(listed.count == 1 && listed[0]["path"] as? String == "runs/two", "\(some)")
    let numbers = try #require(listed[0]["numbers"] as? [String: Double])
    // The plan knew the memory.
    if let peak = numbers["peakBytes"], let planned {
      #expect(abs(Double(planned) / peak - 1) < 0.05)
    }
    let csv = try Command.run(
      "runs", "--csv", "--sort", "-optimizer.learning_rate", "--limit", "1", in: workspace.folder)
    let lines = csv.output.split(separator: "\n")
    #expect(lines.count == 2 && lines[1].hasPrefix("runs/two,"), "\(csv)")

    // Damage is named, and the rest is there.
    try workspace.write("{", to: "runs/one/outcome.json")
    let index = try Command.run("index", in: workspace.folder)
    #expect(index.code == 0 && index.errors.contains("left out: runs/one: "), "\(index)")
    #expect(index.errors.contains("1 runs are in ./index.sqlite"), "\(index)")
  }

  @Test func aStudyIsPricedWithoutRunningAnythingOrHavingItsData() throws {
    let workspace = try Workspace()
    try workspace.write(
      Self.configuration.replacingOccurrences(
        of: "[model]", with: "[model]\nvocabulary_size = 64"), to: "c.toml")
    try workspace.write(
      """
      base = "c.toml"
      baseline = "one"
      [budget]
      steps = 3
      [seeds]
      reporting = 4
      [[arm]]
      name = "one"
      optimizer.name = "adamw"
      [[arm]]
      name = "two"
      optimizer.name = "soap"
      """, to: "study.toml")
    let price = try Command.run("plan", "study.toml", in: workspace.folder)
    #expect(price.code == 0 && price.output.contains("8 trials"), "\(price)")
    #expect(try workspace.list("") == ["c.toml", "study.toml"])
    let json = try Command.run(
      "plan", "study.toml", "--json", "--flops-per-second", "1e9", in: workspace.folder)
    let arms = try #require(try json.json()["arms"] as? [[String: Any]])
    #expect(arms.map { $0["arm"] as? String } == ["one", "two"], "\(json)")
    // At a given speed all operations take their time, one trial after the other.
    let flops = try #require(try json.json()["flops"] as? [String: Double])
    let seconds = try #require(try json.json()["seconds"] as? [String: Double])
    #expect((seconds["expected"] ?? 0) >= (flops["expected"] ?? 1) / 1e9 * 0.999)
    let refused = try Command.run("plan", "c.toml", "--size", "paper", in: workspace.folder)
    #expect(refused.code == 64 && refused.errors.contains("is no study"), "\(refused)")
  }

  @Test(arguments: [
    (["runs", "--where", "loss"], "is not a condition"),
    (["runs", "--status", "done"], "give one of running"),
    (["runs", "nowhere"], "there is no folder 'nowhere'"),
    (["index", "nowhere"], "there is no folder 'nowhere'"),
    (["plan", "c.toml", "--flops-per-second", "0"], "give a positive number"),
    (["data", "synthesize", "--output", "x", "--share", "2"], "the share must be from 0 to 1"),
  ])
  func mistakesAreOneLineAndCode64(arguments: [String], text: String) throws {
    let workspace = try Workspace()
    try workspace.write(Self.configuration, to: "c.toml")
    let result = try Command.run(arguments, in: workspace.folder)
    #expect(result.code == 64 && result.errors.contains(text), "\(result)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
  }
}
