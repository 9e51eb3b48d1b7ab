// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The plugin's file; nil where tests have none.
private let plugin = ProcessInfo.processInfo.environment["ASSAY_XLA_PLUGIN"]

/// Studies whose trials share programs on a device.
@Suite(.enabled(if: plugin != nil), .timeLimit(.minutes(20)), .serialized)
struct SharedProgramTests {
  /// How far the validation loss of a trial in a shared program lies from that of the trial alone after 20 steps.
  static let tolerance = 1e-4

  /// Two arms of one method on three seeds; where text is read in one order, all six may share programs.
  private func writeStudy(_ workspace: Workspace, runs: Int, steps: Int = 20) throws {
    if !workspace.exists("data") { try workspace.prepareData() }
    try workspace.writeConfiguration(steps: steps, checkpointEvery: 10)
    try workspace.write(
      """
      name = "tiny"
      question = "Which of two?"
      base = "config.toml"
      folder = "study-\(runs)"
      [common]
      data.order = "documents"
      machine.device = "xla:\(plugin ?? "")"
      machine.batch_runs = \(runs)
      machine.precision = "fp32"
      evaluation.every = \(max(1, steps / 4))
      checkpoint.final = "none"
      [budget]
      steps = \(steps)
      [seeds]
      reporting = 3
      [[arm]]
      optimizer.name = "adamw"
      optimizer.learning_rate = 0.002
      [[arm]]
      name = "calm"
      optimizer.name = "adamw"
      optimizer.learning_rate = 0.001
      """, to: "study-\(runs).toml")
  }

  private func validationLosses(_ workspace: Workspace, _ trial: String) throws -> [Double] {
    let text = String(decoding: try workspace.read(trial + "/metrics.jsonl"), as: UTF8.self)
    return try text.split(separator: "\n").compactMap { line in
      let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return record?["validationLoss"] as? Double
    }
  }

  private func expectSame(_ workspace: Workspace, _ one: String, _ other: String) throws {
    let trials = try workspace.list(one + "/trials").sorted()
    #expect(trials == (try workspace.list(other + "/trials").sorted()) && trials.count == 6)
    for trial in trials {
      let (first, second) = ("\(one)/trials/\(trial)", "\(other)/trials/\(trial)")
      // Sessions are noted where a run was gone on with.
      let files = try [first, second].map { folder in
        try workspace.list(folder).filter { $0 != "sessions.json" }.sorted()
      }
      #expect(files[0] == files[1])
      for file in ["contract.json", "optimizer.json", "trial.json"] {
        #expect(
          try workspace.read("\(first)/\(file)") == workspace.read("\(second)/\(file)"),
          "\(trial)/\(file)")
      }
      let (expected, found) = (
        try validationLosses(workspace, first), try validationLosses(workspace, second)
      )
      #expect(expected.count == found.count && expected.count > 1)
      for (value, reference) in zip(found, expected) {
        #expect(abs(value - reference) < Self.tolerance, "\(trial)")
      }
    }
  }

  @Test func aStudyThatSharesProgramsEndsAsOneThatDoesNot() throws {
    let workspace = try Workspace()
    try writeStudy(workspace, runs: 1)
    try writeStudy(workspace, runs: 3)
    let price = try workspace.run("compare", "study-3.toml", "--dry-run", "--jobs", "1")
    #expect(price.output.contains("the 6 trials that can start now are 2 programs"), "\(price)")
    let alone = try workspace.run("compare", "study-1.toml", "--jobs", "2")
    #expect(alone.code == 0 && !alone.errors.contains("share a program"), "\(alone)")
    let shared = try workspace.run("compare", "study-3.toml", "--jobs", "1")
    #expect(shared.code == 0 && !shared.errors.contains("failed"), "\(shared)")
    try expectSame(workspace, "study-1", "study-3")
    for trial in try workspace.list("study-3/trials") {
      let machine = String(
        decoding: try workspace.read("study-3/trials/\(trial)/machine.json"), as: UTF8.self)
      #expect(machine.contains("\"runs_in_program\" : \"3\""), "\(machine)")
    }
  }

  @Test func killedInTheMiddleTheSameCommandGoesOn() throws {
    let workspace = try Workspace()
    try writeStudy(workspace, runs: 1, steps: 60)
    try writeStudy(workspace, runs: 3, steps: 60)
    let alone = try workspace.run("compare", "study-1.toml", "--jobs", "2")
    #expect(alone.code == 0, "\(alone)")
    let running = try workspace.start("compare", "study-3.toml", "--jobs", "1")
    // Until a trial of the first three has saved something to go on from.
    var hasSaved = false
    while !hasSaved, !running.hasEnded() {
      usleep(2000)
      hasSaved = ((try? workspace.list("study-3/trials")) ?? []).contains { trial in
        ((try? workspace.list("study-3/trials/\(trial)/checkpoints")) ?? []).isEmpty == false
      }
    }
    let processes = children(of: running.process)
    running.send(SIGKILL)
    _ = running.wait()
    for process in processes { kill(process, SIGKILL) }
    #expect(hasSaved)
    let result = try workspace.run("compare", "study-3.toml", "--jobs", "1")
    #expect(result.code == 0, "\(result)")
    #expect(try Set(workspace.statuses(of: "study-3").values) == ["finished"])
    try expectSame(workspace, "study-1", "study-3")
  }

  @Test func aRunOfItsOwnRefusesToShare() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 2)
    let single = try workspace.run(
      "train", "config.toml", "-o", "run", "--machine.device=xla:cpu", "--machine.batch_runs=2")
    #expect(single.code == 64 && single.errors.contains("trials of a study"), "\(single)")
    let processor = try workspace.run("train", "config.toml", "-o", "run", "--machine.batch_runs=2")
    #expect(processor.code == 64 && processor.errors.contains("has no effect"), "\(processor)")
    #expect(!workspace.exists("run"))
  }
}
