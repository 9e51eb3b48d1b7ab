// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Testing
import Training

@Suite struct TrialSharingTests {
  private func sharing(_ changes: [String: String] = [:]) throws -> TrialSharing? {
    var values = [
      "data.path": "none", "machine.device": "xla:cpu", "machine.batch_runs": "4",
      "optimizer.name": "adamw", "training.steps": "100",
    ]
    values.merge(changes) { $1 }
    var source = ConfigurationSource()
    try source.add(overrides: values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
    return TrialSharing(try TrainingConfiguration(source))
  }

  @Test(
    "Trials share a program whatever the numbers that a step reads",
    arguments: [
      ["optimizer.learning_rate": "0.5"], ["optimizer.weight_decay": "0"],
      ["optimizer.beta1": "0.5", "optimizer.epsilon": "1e-3"], ["optimizer.gradient_clip": "0"],
      ["schedule.kind": "constant", "schedule.warmup_steps": "7"],
      ["run.folder": "elsewhere"],
      ["training.seed": "9", "training.data_seed": "1"],
    ])
  func shared(changes: [String: String]) throws {
    let plain = try #require(try sharing())
    #expect(try sharing(changes) == plain)
    #expect(plain.runs == 4 && plain.device == "xla:cpu")
  }

  @Test(
    "Trials that need other programs, other text or other steps share none",
    arguments: [
      ["optimizer.name": "lion"], ["model.width": "64"], ["training.steps": "101"],
      ["evaluation.every": "3"], ["training.seed": "9"], ["training.data_seed": "9"],
      ["optimizer.cautious": "plain"], ["optimizer.average_decay": "0.9"],
      ["machine.precision": "bf16"], ["machine.batch_runs": "3"],
    ])
  func apart(changes: [String: String]) throws {
    #expect(try sharing(changes) != sharing())
  }

  @Test(
    "Averages of weights may differ in their decay, and where text has one order seeds may differ")
  func numbers() throws {
    #expect(
      try sharing(["optimizer.average_decay": "0.9"])
        == sharing(["optimizer.average_decay": "0.99"]))
    let documents = ["data.order": "documents"]
    #expect(
      try sharing(documents) == sharing(documents.merging(["training.seed": "9"]) { $1 }))
  }

  @Test("A trial that asks for one run, or runs on this machine's processor, shares with none")
  func alone() throws {
    #expect(try sharing(["machine.batch_runs": "1"]) == nil)
    #expect(try sharing(["machine.device": "cpu", "machine.batch_runs": "1"]) == nil)
    let error = #expect(throws: ConfigurationError.self) {
      try sharing(["machine.device": "cpu"])
    }
    #expect(error?.description.contains("machine.batch_runs") == true)
    #expect(error?.description.contains("has no effect") == true)
  }
}
