// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RandomStreams
import RunRecords
import Statistics
import Testing

@testable import Comparison

/// Runs that nobody trained: three lambdas that walk, and a gate that is updated every second step.
struct InventedScalars {
  let path: String
  var steps = 120
  var stages = [("short", 0), ("long", 60)]
  var every = 1

  // `drift` is added to the second lambda at each step from half of the run on, `jump` to the first where the second stage begins;
  // `jitter` is the gate's.
  @discardableResult
  func run(
    _ name: String, seed: UInt64, drift: Double = 0, jitter: Double = 0.01, jump: Double = 0,
    float8: Bool = false
  ) throws -> String {
    let folder = path + "/" + name
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let header = TrajectoryHeader(
      steps: steps, every: every, stages: stages.map { .init(name: $0.0, firstStep: $0.1) },
      pauses: [.init(group: "scalars", from: stages.last?.1 ?? 0, to: (stages.last?.1 ?? 0) + 4)],
      parameters: [
        .init(name: "lambdas", role: "scalar", group: "scalars", shape: [3]),
        .init(name: "gate", role: "gate", group: "gates", shape: [4, 20]),
      ], numbers: ["batch_tokens"],
      summarized: [.init(name: "head", role: "head", group: "rest", shape: [64, 64])])
    let writer = try TrajectoryWriter(
      path: folder + "/trajectories.bin", header: header, keepingBytes: 0)
    let noise = RandomStream(seed: seed, name: "scalars")
    var lambdas: [Double] = [1, 1, 1]
    var gate = [Float](repeating: 0, count: 80)
    for step in 0..<steps {
      for place in 0..<3 { lambdas[place] += 0.01 * noise.normal(at: 4 * step + place) }
      if 2 * step >= steps { lambdas[1] += drift }
      if step == stages.last?.1 { lambdas[0] += jump }
      if step % 2 == 1 {
        let size = Float(jitter * noise.normal(at: 4 * step + 3))
        gate = gate.map { _ in Float(step) / 100 + size }
      }
      if step % every == 0 {
        try lambdas.map(Float.init).withUnsafeBufferPointer { lambdas in
          try gate.withUnsafeBufferPointer {
            try writer.append(step: step, numbers: [Float(step)], values: [lambdas, $0])
          }
        }
      }
      if step % 50 == 0 {
        try writer.append(step: step, summaries: [(0..<7).map { Float(step + 1 + $0) }])
      }
    }
    let metrics = try MetricsWriter(path: folder + "/metrics.jsonl", keeping: .all)
    if float8 {
      for step in [0, 60] {
        try metrics.append(
          Float8Record(
            step: step,
            tensors: [
              .weight: .init(
                scale: 0.5, limit: 448, saturated: Double(seed) / 10,
                quantiles: [1, 2, 3, 4, Double(step) + 5])
            ]))
      }
    }
    return folder
  }
}

@Suite struct ScalarComparisonTests {
  final class Folder {
    let path = NSTemporaryDirectory() + "assay-scalars-" + UUID().uuidString
    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  typealias Arm = ScalarComparison.Arm

  static func arms(
    _ folder: Folder, drift: Double = 0, jitter: Double = 0.01, jump: Double = 0
  ) throws -> [Arm] {
    let runs = InventedScalars(path: folder.path)
    return [
      Arm(name: "base", folders: try (1...4).map { try runs.run("base-\($0)", seed: $0) }),
      Arm(
        name: "other",
        folders: try (5...8).map {
          try runs.run("other-\($0)", seed: $0, drift: drift, jitter: jitter, jump: jump)
        }),
    ]
  }

  @Test("What is shown of a parameter depends on what its numbers mean")
  func scalars() throws {
    let folder = Folder()
    let comparison = try ScalarComparison(arms: Self.arms(folder), baseline: "base")
    #expect(
      comparison.scalars.map(\.name) == [
        "lambdas[0]", "lambdas[1]", "lambdas[2]", "gate, root mean square",
      ])
    #expect(comparison.positions == (0..<120).map(Double.init))
    #expect(comparison.scalars.allSatisfy { $0.courses.map(\.arm) == ["base", "other"] })
    #expect(comparison.transitions.map(\.name) == ["long"])
    #expect(comparison.transitions.map(\.start) == [59.5])
    #expect(comparison.pauses == [.init(start: 59.5, end: 63.5, name: "scalars")])
    // All values of the gate are the same, so is their root mean square.
    let gate = try #require(comparison.scalars.last?.courses.first?.envelope.mean[119])
    #expect(abs(gate - 1.19) < 0.03)
    #expect(comparison.norms.map(\.parameter.name) == ["head"])
    #expect(comparison.norms[0].steps == [0, 50, 100])
    #expect(comparison.norms[0].courses[1].envelope.mean == [1, 51, 101])
    #expect(
      comparison.norms[0].quantiles.map(\.name) == ["q10", "q50", "q90", "q99", "q999", "max"])
    #expect(comparison.norms[0].quantiles[5].courses[1].envelope.mean == [7, 57, 107])
    #expect(comparison.numbers.map(\.name) == ["batch_tokens"])
    #expect(comparison.numbers[0].courses[1].envelope.mean == comparison.positions)
    #expect(comparison.notes.isEmpty && comparison.float8.isEmpty)
  }

  @Test("In equal arms nothing departs; what drifts away does, and only that")
  func departures() throws {
    let folder = Folder()
    let equal = try ScalarComparison(arms: Self.arms(folder), baseline: "base")
    #expect(equal.departures.isEmpty && equal.rule?.scalars == 4)
    let drifting = try ScalarComparison(
      arms: Self.arms(folder, drift: 0.1), baseline: "base")
    #expect(drifting.departures.map(\.scalar) == ["lambdas[1]"])
    let found = try #require(drifting.departures.first)
    #expect(found.arm == "other" && found.departure.isAbove)
    #expect(found.position > 60 && found.position < 90)
  }

  @Test("Without a second run of the baseline no departure is told, and that is said")
  func tooFew() throws {
    let folder = Folder()
    var arms = try Self.arms(folder, drift: 1)
    arms[0].folders.removeLast(3)
    let comparison = try ScalarComparison(arms: arms, baseline: "base")
    #expect(comparison.rule == nil && comparison.departures.isEmpty)
    #expect(comparison.notes.contains { $0.contains("fewer than two runs") })
    #expect(comparison.scalars.count == 4)
  }

  @Test("Roughness is that of updates, beside that of every step, and over the baseline's")
  func roughness() throws {
    let folder = Folder()
    let comparison = try ScalarComparison(
      arms: Self.arms(folder, jitter: 0.03), baseline: "base")
    let rows = comparison.roughness.filter { $0.parameter == "gate" }
    #expect(rows.map(\.arm) == ["base", "other"])
    let (base, other) = (rows[0], rows[1])
    // Noise of 0.01 around a line: sqrt(6) of it.
    #expect(abs(try #require(base.updates.value) / (0.01 * 6.0.squareRoot()) - 1) < 0.2)
    #expect(base.updates.count == 4 && base.ratio == 1)
    #expect(abs(try #require(other.ratio) - 3) < 0.5)
    #expect(base.everyStep.value != base.updates.value)
  }

  @Test("A jump at a transition is found in the arm that has it")
  func jumps() throws {
    let folder = Folder()
    let comparison = try ScalarComparison(arms: Self.arms(folder, jump: 0.5), baseline: "base")
    let rows = comparison.jumps.filter { $0.scalar == "lambdas[0]" }
    #expect(rows.map(\.arm) == ["base", "other"])
    #expect(rows.allSatisfy { $0.transition == "short \u{2192} long" && $0.step == 60 })
    #expect(abs(rows[1].size - 0.5) < 0.1 && abs(rows[0].size) < 0.1)
    #expect(try #require(rows[1].unusual) > 5 && abs(try #require(rows[0].unusual)) < 3)
  }

  @Test("Runs of other lengths lie over each other by stage, and by step with gaps")
  func stages() throws {
    let folder = Folder()
    var arms = try Self.arms(folder)
    var short = InventedScalars(path: folder.path)
    short.steps = 60
    short.stages = [("short", 0), ("long", 20)]
    arms[1].folders = try (11...13).map { try short.run("short-\($0)", seed: $0) }
    let staged = try ScalarComparison(arms: arms, baseline: "base", alignment: .stage)
    #expect(staged.positions.count == 120 && staged.positions.last == 2)
    #expect(staged.transitions.map(\.start) == [1] && staged.transitionsDiffer)
    #expect(staged.scalars.allSatisfy { $0.courses[1].envelope.mean.allSatisfy(\.isFinite) })
    let stepped = try ScalarComparison(arms: arms, baseline: "base")
    #expect(stepped.positions.count == 120)
    #expect(stepped.scalars[0].courses[1].envelope.mean.map(\.isFinite).last == false)
    #expect(stepped.scalars[0].courses[1].envelope.mean[59].isFinite)
    #expect(stepped.notes.contains { $0.contains("Aligned by stage") })
    short.stages = [("only", 0)]
    arms[1].folders = [try short.run("one-stage", seed: 20)]
    #expect(throws: ComparisonError.self) {
      try ScalarComparison(arms: arms, baseline: "base", alignment: .stage)
    }
  }

  @Test("Runs recorded less often are compared where all have values, and what is dropped is said")
  func otherSteps() throws {
    let folder = Folder()
    var sparse = InventedScalars(path: folder.path)
    sparse.every = 5
    var arms = try Self.arms(folder)
    arms[1].folders = try (11...14).map { try sparse.run("sparse-\($0)", seed: $0, drift: 0.1) }
    let comparison = try ScalarComparison(arms: arms, baseline: "base")
    let found = try #require(comparison.departures.first)
    #expect(found.scalar == "lambdas[1]" && found.departure.isAbove && found.departure.isAtEnd)
    #expect(found.position > 60 && found.position < 95 && Int(found.position) % 5 == 0)
    #expect(comparison.notes.contains { $0.contains("at 24 of 120 places; a departure takes 5") })
    #expect(comparison.roughness.allSatisfy { ($0.ratio != nil) == ($0.arm == "base") })
    #expect(comparison.notes.contains { $0.contains("other distances than the baseline: other.") })
    sparse.every = 40
    arms[1].folders = [try sparse.run("rare", seed: 15, drift: 0.1)]
    let rare = try ScalarComparison(arms: arms, baseline: "base")
    #expect(rare.departures.isEmpty)
    #expect(rare.notes.contains { $0.contains("at 3 of 120 places; too few") })
  }

  @Test("A run that ended outside is not back")
  func ended() throws {
    let folder = Folder()
    var arms = try Self.arms(folder)
    var short = InventedScalars(path: folder.path)
    short.steps = 100
    arms[1].folders = try (11...14).map { try short.run("short-\($0)", seed: $0, drift: 0.1) }
    let comparison = try ScalarComparison(arms: arms, baseline: "base")
    #expect(comparison.departures.map(\.scalar) == ["lambdas[1]"])
    #expect(comparison.departures.first?.departure.isAtEnd == true)
  }

  @Test("A stage of one step counts with the next, so that a rate that is a step late aligns")
  func lateRate() throws {
    let folder = Folder()
    var arms = try Self.arms(folder, jump: 0.5)
    var late = InventedScalars(path: folder.path)
    late.stages = [("short", 0), ("long, first rate", 60), ("long", 61)]
    arms[0].folders = try (11...14).map { try late.run("late-\($0)", seed: $0) }
    let comparison = try ScalarComparison(arms: arms, baseline: "base", alignment: .stage)
    #expect(!comparison.transitionsDiffer && comparison.positions.last == 2)
    #expect(comparison.transitions == [.init(start: 1, name: "long")])
    #expect(Set(comparison.jumps.map(\.transition)) == ["short \u{2192} long"])
    #expect(comparison.jumps.allSatisfy { $0.step == 60 })
    func starts(_ steps: [Int], of count: Int) -> [Int] {
      TrajectoryHeader(
        steps: count, every: 1, stages: steps.map { .init(name: "\($0)", firstStep: $0) },
        parameters: []
      ).alignedStages.map(\.firstStep)
    }
    #expect(starts([0, 665, 666, 1330, 1331, 1995], of: 2035) == [0, 665, 1330, 1995])
    #expect(starts([0, 1, 2, 3, 9], of: 10) == [0, 9], "the last stage has no next")
    #expect(starts([0, 5, 12], of: 10) == [0, 5] && starts([0, 1], of: 9) == [0])
  }

  @Test("A copy of a run in its arm is left out, with a note")
  func copies() throws {
    let folder = Folder()
    let runs = InventedScalars(path: folder.path)
    func run(_ name: String, seed: UInt64, dataSeed: Int = 1) throws -> String {
      var source = ConfigurationSource()
      let text = "training.seed = \(seed)\ntraining.data_seed = \(dataSeed)\nrun.folder = '\(name)'"
      try source.add(preset: "invented", text: text)
      let reader = ConfigurationReader(source)
      for key in ["seed", "data_seed"] {
        _ = reader.section("training").integer(key, default: 0, in: 0...9, doc: "")
      }
      _ = reader.section("run").string("folder", default: "", doc: "")
      _ = try RunFolder.create(
        at: folder.path + "/" + name, configurationText: text,
        configurationJSON: try reader.finish().json)
      return try runs.run(name, seed: seed)
    }
    let base = try ["a", "b"].map { try run($0, seed: 1) }
    let other = try run("c", seed: 2)
    func comparison(_ base: [String]) throws -> ScalarComparison {
      try ScalarComparison(
        arms: [Arm(name: "base", folders: base), Arm(name: "other", folders: [other])],
        baseline: "base")
    }
    let alone = try comparison(base)
    #expect(alone.arms[0].folders == [base[0]] && alone.rule == nil && alone.departures.isEmpty)
    #expect(alone.notes.contains { $0.contains("\(base[1]) is left out") })
    let three = try comparison(base + [run("d", seed: 1, dataSeed: 2)])
    #expect(three.arms[0].folders.count == 2 && three.rule != nil)
  }

  @Test("Metrics that cannot be read cost what an 8-bit head did, and nothing else")
  func unreadableMetrics() throws {
    let folder = Folder()
    let arms = try Self.arms(folder)
    let file = arms[1].folders[0] + "/metrics.jsonl"
    try FileManager.default.removeItem(atPath: file)
    try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: true)
    let comparison = try ScalarComparison(arms: arms, baseline: "base")
    #expect(comparison.scalars.count == 4 && comparison.rule != nil)
    #expect(comparison.notes.contains { $0.contains(arms[1].folders[0]) && $0.contains("8-bit") })
  }

  @Test("What an 8-bit head did is a mean over runs, before and after scaling")
  func float8() throws {
    let folder = Folder()
    let runs = InventedScalars(path: folder.path)
    let arm = Arm(
      name: "a",
      folders: [
        try runs.run("a1", seed: 1, float8: true), try runs.run("a2", seed: 3, float8: true),
      ])
    let comparison = try ScalarComparison(arms: [arm], baseline: nil)
    let course = try #require(comparison.float8.first)
    #expect(comparison.float8.count == 1 && course.tensor == .weight && course.limit == 448)
    #expect(course.steps == [0, 60] && course.saturated == [0.2, 0.2])
    #expect(course.quantiles[4] == [5, 65] && course.scaledQuantiles[4] == [10, 130])
  }

  @Test("Runs without a record are named, and the others are shown")
  func silent() throws {
    let folder = Folder()
    var arms = try Self.arms(folder)
    let run = arms[1].folders[0]
    try FileManager.default.removeItem(atPath: run + "/trajectories.bin")
    let comparison = try ScalarComparison(arms: arms, baseline: "base")
    #expect(comparison.notes.contains { $0.contains(run) })
    arms = [Arm(name: "none", folders: [run])]
    #expect(try ScalarComparison(arms: arms, baseline: nil).isEmpty)
  }

  @Test(
    "An arm is named after what its runs have in common",
    arguments: [
      (["r/adamw-1", "r/adamw-2"], "adamw"), (["x/b-seed-1", "x/b-seed-12"], "b"),
      (["a/one"], "one"), (["a/s1", "b/s2"], "s"), (["a/1", "a/2"], "1"),
      (["t/main.slow.0123", "t/main.slow.4567"], "main.slow"),
    ])
  func names(folders: [String], expected: String) {
    #expect(Arm.name(of: folders) == expected)
  }
}
