// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords
import TensorFiles
import Testing
import Training

/// What a run leaves when it is over: its seal, its verdict, its checkpoints.
@Suite struct RunEndTests {
  @discardableResult
  func train(
    _ configuration: TrainingConfiguration, stopAfter: Int? = nil,
    events: (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingSummary {
    let stop = StopRequest()
    return try withoutActuallyEscaping(events) { events in
      try TrainingRun.train(
        configuration, runtime: TestRuntime.cpu.provider, source: smallSource(), stop: stop
      ) { event in
        if case .step(let report) = event, report.step == stopAfter { stop.request() }
        events(event)
      }
    }
  }

  func edited(_ folder: String) throws -> [String]? {
    try RunSeal.editedFiles(of: folder) { SHA256.hexadecimal(of: $0) }
  }

  // MARK: - Seals

  @Test("A run that has ended is sealed, one that can go on is not, and edited files are named")
  func seals() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path)
    let first = try train(configuration, stopAfter: 1)
    #expect(try edited(first.folder) == nil)
    let run = try train(configuration).folder
    #expect(try edited(run) == [])
    let seal = try #require(try RunSeal.read(from: run))
    #expect(
      Set(seal.files.keys) == [
        "configuration.json", "contract.json", "optimizer.json", "metrics.jsonl",
        "trajectories.bin", "sessions.json", "outcome.json",
      ])

    // Timings and the text for people are not sealed.
    try Data("{}".utf8).write(to: URL(fileURLWithPath: run + "/timings.jsonl"))
    #expect(try edited(run) == [])
    let outcome = URL(fileURLWithPath: run + "/outcome.json")
    let text = try String(contentsOf: outcome, encoding: .utf8)
    try Data(
      text.replacingOccurrences(of: "\"validationLoss\" : 2", with: "\"validationLoss\" : 1").utf8
    )
    .write(to: outcome)
    #expect(try edited(run) == ["outcome.json"])
    try FileManager.default.removeItem(atPath: run + "/contract.json")
    try Data("{}".utf8).write(to: URL(fileURLWithPath: run + "/trial.json"))
    #expect(try edited(run) == ["contract.json", "outcome.json", "trial.json"])
  }

  @Test("SHA-256 of the standard's example")
  func standard() {
    #expect(
      SHA256.hexadecimal(of: "abc")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  // MARK: - Divergence

  /// A run whose first update throws the weights far away, and a finite loss with them.
  static let thrown = [
    "training.steps": "20", "optimizer.name": "signum", "optimizer.learning_rate": "3",
    "optimizer.weight_decay": "0", "schedule.kind": "constant", "schedule.warmup_steps": "0",
    "evaluation.every": "1", "optimizer.gradient_clip": "0",
  ]

  @Test("Three evaluations in a row above the first loss and the margin end a run as diverged")
  func certificate() throws {
    let folder = try TemporaryFolder()
    var losses: [Double] = []
    let summary = try train(
      smallConfiguration(
        folder.path, Self.thrown.merging(["training.divergence_margin": "1"]) { $1 })
    ) { event in
      if case .evaluation(let report) = event { losses.append(report.loss) }
    }
    #expect(summary.outcome == .diverged)
    let first = try #require(losses.first)
    // Not one evaluation later than the rule allows.
    let end = losses.indices.first { end in
      end >= 3 && losses[end - 2...end].allSatisfy { $0 > first + 1 }
    }
    #expect(end == losses.count - 1, "\(losses)")
    #expect(summary.progress.step < 20)
    let outcome = try RunRecord(path: summary.folder).outcome
    #expect(outcome.status == .diverged)
    let reason = try #require(outcome.reason)
    #expect(reason.contains("3 evaluations in a row") && reason.contains("1.0 nats"), "\(reason)")
  }

  @Test("Without a margin, below it, and during the warm-up, no run ends that way")
  func noCertificate() throws {
    let folder = try TemporaryFolder()
    for (name, changes) in [
      ("none", [:]), ("wide", ["training.divergence_margin": "1e6"]),
      ("warm", ["training.divergence_margin": "1", "schedule.warmup_steps": "20"]),
    ] {
      let configuration = try smallConfiguration(
        folder.path + "/" + name, Self.thrown.merging(changes) { $1 })
      #expect(try train(configuration).outcome == .finished, "\(name)")
    }
  }

  @Test("An interruption between the three evaluations changes nothing")
  func interruptedCertificate() throws {
    let folder = try TemporaryFolder()
    func configuration(_ name: String) throws -> TrainingConfiguration {
      try smallConfiguration(
        folder.path + "/" + name, Self.thrown.merging(["training.divergence_margin": "1"]) { $1 })
    }
    let whole = try train(configuration("whole"))
    let parts = try configuration("parts")
    #expect(try train(parts, stopAfter: 1).outcome == .interrupted)
    let rest = try train(parts)
    #expect(rest.outcome == .diverged)
    #expect(rest.progress.step == whole.progress.step)
    #expect(rest.progress.initialLoss == whole.progress.initialLoss)
  }

  // MARK: - Checkpoints

  func checkpoints(_ folder: String) -> [Int] {
    CheckpointStore(folder: folder + "/checkpoints").steps()
  }

  @Test("A run can end without checkpoints, and is still a finished run")
  func noCheckpoint() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path, ["checkpoint.final": "none"])
    var saved: [Int] = []
    let first = try train(configuration, stopAfter: 3) { event in
      if case .checkpoint(let step, _) = event { saved.append(step) }
    }
    // What may go on keeps what it needs for that.
    #expect(first.outcome == .interrupted && saved == [2, 4])
    #expect(checkpoints(first.folder) == [4, 2])
    let second = try train(configuration)
    #expect(second.outcome == .finished && second.checkpoint == nil)
    #expect(checkpoints(second.folder) == [])
    let again = try train(configuration)
    #expect(again.outcome == .finished && again.checkpoint == nil)
    #expect(again.evaluation?.loss == second.evaluation?.loss)
    let error = try #require(throws: TrainingError.self) { try TrainedModel(run: second.folder) }
    #expect(error.message.contains("no checkpoint"))
  }

  @Test(
    "A run can end with the weights alone, which evaluation and export read as from a whole checkpoint",
    arguments: ["adamw", "schedule-free-adamw"])
  func weightsOnly(method: String) throws {
    let folder = try TemporaryFolder()
    func run(_ final: String) throws -> (tensors: TensorFile, exported: TensorFile) {
      let summary = try train(
        smallConfiguration(
          folder.path + "/" + final,
          ["optimizer.name": method, "checkpoint.final": final, "schedule.kind": "constant"]))
      let path = folder.path + "/" + final + ".safetensors"
      try TrainedModel(run: summary.folder, runtime: TestRuntime.cpu.provider).export(to: path)
      #expect(final == "full" || checkpoints(summary.folder) == [6])
      return (
        try TensorFile(path: try #require(summary.checkpoint) + "/tensors.safetensors"),
        try TensorFile(path: path)
      )
    }
    let (full, weights) = (try run("full"), try run("weights"))
    for entry in full.exported.entries {
      #expect(try weights.exported.floats(entry.name) == full.exported.floats(entry.name))
    }
    let states = weights.tensors.entries.map(\.name).filter { $0.hasPrefix("optimizer.") }
    #expect(full.tensors.entries.contains { $0.name.hasPrefix("optimizer.second_moment") })
    #expect(!states.contains { $0.hasPrefix("optimizer.second_moment") })
    // The average is made of z, so z has to stay.
    #expect(states.isEmpty == (method == "adamw"))
  }

  @Test("A run killed between its last weights and its outcome goes on from the checkpoint before")
  func killedWithWeights() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path, ["checkpoint.final": "weights"])
    let interrupted = try train(configuration, stopAfter: 3)
    let copy = folder.path + "/copy"
    try FileManager.default.copyItem(
      atPath: interrupted.folder + "/checkpoints/step-00000004", toPath: copy)
    let ended = try train(configuration)
    let metrics = try Data(contentsOf: URL(fileURLWithPath: ended.folder + "/metrics.jsonl"))
    // As if the process had died before it could write the outcome.
    try FileManager.default.moveItem(
      atPath: copy, toPath: ended.folder + "/checkpoints/step-00000004")
    do {
      let open = try RunFolder.open(at: ended.folder)
      var outcome = try open.outcome()
      outcome.status = .running
      try open.setOutcome(outcome)
    }
    var firstStep: Int?
    let again = try train(configuration) { event in
      if case .started(let start) = event { firstStep = start.firstStep }
    }
    #expect(firstStep == 4)
    #expect(again.outcome == .finished && again.evaluation?.loss == ended.evaluation?.loss)
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: again.folder + "/metrics.jsonl")) == metrics)
    #expect(try edited(again.folder) == [])
  }

  @Test("A checkpoint is saved when so many seconds have passed, and never without the key")
  func seconds() throws {
    let folder = try TemporaryFolder()
    for (seconds, expected) in [("1e-9", [1, 2, 3, 4, 5]), ("0", []), ("3600", [])] {
      var saved: [Int] = []
      let configuration = try smallConfiguration(
        folder.path + "/" + seconds,
        ["checkpoint.every": "0", "checkpoint.seconds": seconds, "checkpoint.final": "none"])
      try train(configuration) { event in
        if case .checkpoint(let step, _) = event { saved.append(step) }
      }
      #expect(saved == expected, "\(seconds)")
    }
  }
}
