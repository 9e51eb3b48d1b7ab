// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LanguageModels
import TensorFiles
import TensorGraph
import Testing

@testable import Training

/// Every architecture in both precisions, and every event of a schedule.
@Suite(
  "XLA steps as the processor does: models and schedules", .enabled(if: XLAUnderTest.isPresent))
struct XLARunTests {
  static let models: [String: [String: String]] = [
    "decoder": ["model.layers": "2"],
    "decoder of documents": [
      "model.variant": "plain", "data.document_mask": "true", "model.z_loss": "0",
    ],
    "llama": [
      "model.architecture": "llama", "model.heads": "4", "model.key_value_heads": "2",
      "model.head_width": "4", "model.tied": "true",
    ],
    "speedrun": [
      "model.architecture": "speedrun", "model.width": "16", "model.head_deviation": "0.3",
    ],
  ]

  @Test("Twenty steps of an architecture", arguments: models.keys.sorted())
  func architecture(name: String) throws {
    let twins = try RunTwins(isMeasured: name == "speedrun") { folder in
      try smallConfiguration(
        folder, (Self.models[name] ?? [:]).merging(["training.steps": "20"]) { $1 })
    }
    try twins.expectAgreement(steps: 20, name)
  }

  @Test(
    "bfloat16 takes a run no farther from single precision than it does on the processor",
    arguments: models.keys.sorted())
  func bfloat16(name: String) throws {
    let steps = 4
    func run(_ provider: RuntimeProvider) throws -> (losses: [Double], error: Double) {
      let twins = try RunTwins(provider, provider) { folder in
        let precision = folder.hasSuffix("first") ? "fp32" : "bf16"
        return try smallConfiguration(
          folder,
          (Self.models[name] ?? [:]).merging([
            "machine.precision": precision, "training.batch_tokens": "64",
            // Steps that are as large as their gradients: of one as large for every weight, two signs of gradients next to zero make a
            // quarter of a small tensor's step.
            "optimizer.name": "sgd",
            "model.vocabulary_size": "32",
          ]) { $1 })
      }
      for index in 0..<steps { _ = try twins.take(index) }
      return (try twins.evaluations(after: steps), try twins.meanSquareDistance())
    }
    let (near, far) = (
      try run(TestRuntime.cpu.provider), try run(XLAUnderTest.provider())
    )
    #expect(far.error > 0, "bf16 was not computed")
    #expect(far.error <= 1.5 * near.error, "\(far.error) and \(near.error)")
    #expect(RunTwins.relative(far.losses) < 0.02)
  }

  /// Changes to twenty steps of the small run, by what happens in them.
  static let events: [String: [String: String]] = [
    "warm-up, plateau, cooldown": [
      "schedule.kind": "wsd", "schedule.cooldown_fraction": "0.3", "schedule.warmup_steps": "4",
    ],
    "other scalars": [
      "schedule.beta1": "{from = 0.9, to = 0.5}", "schedule.weight_decay": "{from = 0.3, to = 0.0}",
      "schedule.gradient_clip": "{from = 2.0, to = 0.5}",
    ],
    "a pause that holds": [
      "optimizer.rule": ScheduledRunTests.rules,
      "schedule.pause": "{group = 'top', after = 'warm-up', steps = 5}",
    ],
    "a pause with zeros": [
      "optimizer.rule": ScheduledRunTests.rules,
      "schedule.pause":
        "{group = 'top', after = 'warm-up', steps = 5, mode = 'zero-gradients'}",
    ],
    "batches that grow, by micro-batches": [
      "schedule.stage":
        "[{name = 'a', steps = 8, batch_tokens = 16}, {name = 'b', batch_tokens = 48}]"
    ],
    "sequences that get longer": [
      "schedule.stage":
        "[{name = 'a', steps = 8, context_length = 4}, {name = 'b', context_length = 8}]"
    ],
    "windows that get wider": [
      "model.architecture": "speedrun", "model.width": "16", "model.head_deviation": "0.3",
      "schedule.stage":
        "[{name = 'a', steps = 8, attention_window = 3}, {name = 'b', attention_window = 8}]",
    ],
    "a table that is untied": UntieTests.base,
    "gradients of two micro-batches": [
      "training.batch_tokens": "32", "training.accumulation_steps": "2",
    ],
    "steps out of line": ["optimizer.skip_deviations": "0.5", "optimizer.skip_window": "4"],
    "weights that are averaged, a group at every second step": [
      "optimizer.average_decay": "0.5",
      "optimizer.rule": #"[{name = "slow", roles = ["head"], every = 2}]"#,
    ],
    "extra gradients of micro-batches": [
      "optimizer.name": "sophia-g", "optimizer.curvature_every": "3",
      "training.batch_tokens": "32", "training.accumulation_steps": "2",
    ],
  ]

  /// Those in which single precision strays by more than that on the processor too: gradients that are zero but for rounding, and
  /// steps cut off at a curvature drawn at random.
  private static let measured = ["windows that get wider", "extra gradients of micro-batches"]

  @Test("Twenty steps with an event in them", arguments: events.keys.sorted())
  func event(name: String) throws {
    let twins = try RunTwins(isMeasured: Self.measured.contains(name)) { folder in
      try smallConfiguration(
        folder,
        ["training.steps": "20"].merging(Self.events[name] ?? [:]) { $1 })
    }
    try twins.expectAgreement(steps: 20, name)
  }

  @Test("All steps of a record", arguments: SpeedrunTrainingTests.records)
  func record(_ record: SpeedrunTrainingTests.Record) throws {
    let name = "training-" + record.name.lowercased()
    let json = try Data(
      contentsOf: SpeedrunTrainingTests.folder.appendingPathComponent(name + ".json"))
    let fixture = try JSONDecoder().decode(SpeedrunTrainingTests.Fixture.self, from: json)
    let file = try TensorFile(
      path: SpeedrunTrainingTests.folder.appendingPathComponent(name + ".safetensors").path)
    let twins = try RunTwins(
      source: { try SpeedrunTrainingTests.Source(file) }, isMeasured: true
    ) { folder in
      try SpeedrunTrainingTests.configuration(record, fixture, folder: folder)
    }
    for run in twins.runs {
      try SpeedrunTrainingTests.fill(
        run.tensors, run.steps.definition.model.parameters, fixture.changes_of_initial)
    }
    // A square is twice as far off as its root, and gradients of gates are small sums of large terms.
    try twins.expectAgreement(steps: fixture.schedule.count, first: 3e-5, record.name)
  }

  @Test("A step whose loss is no number is skipped, and the next is taken", arguments: [1, 2])
  func notFinite(accumulationSteps: Int) throws {
    let twins = try RunTwins { folder in
      try smallConfiguration(
        folder,
        [
          "training.batch_tokens": "32",
          "training.accumulation_steps": String(accumulationSteps),
        ])
    }
    for index in 0..<2 { _ = try twins.take(index) }
    func replace(_ run: RunTwins.Half, _ number: Float) throws -> Float {
      let weights = try #require(
        try run.tensors.values("blocks.0.mlp.in.weight", for: .readingAndWriting))
      defer { weights[3] = number }
      return weights[3]
    }
    let sound = try twins.runs.map { try replace($0, .nan) }
    let before = try twins.runs.map { try $0.bits() }
    for run in twins.runs {
      #expect(try run.take(2).skip == .notFinite)
    }
    #expect(try twins.runs.map { try $0.bits() } == before)
    for (run, number) in zip(twins.runs, sound) { _ = try replace(run, number) }
    #expect(try twins.take(3).worst <= 1e-5)
  }
}
