// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
import Schedules
import TensorFiles
import TensorGraph
import Testing

@testable import Training

/// Whole training steps of the records, scaled down, against PyTorch in float64 (`Scripts/fixtures/speedrun.py`): transitions, batches
/// that grow, gradients of two steps, a pause, several tokens ahead, the late split of the table.
@Suite struct SpeedrunTrainingTests {
  /// What of a record's preset is scaled down.
  struct Record: Sendable, CustomTestStringConvertible {
    var name: String
    var scheduled: Int
    /// First steps of the second and third stage.
    var changes: [Int]
    /// The rate's plateau in each stage.
    var factors: [Double]
    var pause: Int?
    var more: [String] = []
    var testDescription: String { name }
  }

  static let records = [
    // The plateau of step 1 is still 1, for 1/3 is not above 1/3, but it is the second stage.
    Record(name: "A", scheduled: 3, changes: [1, 2], factors: [1, 1, 1.51, 1.93]),
    Record(name: "B", scheduled: 8, changes: [3, 6], factors: [1, 1.51, 1.93, 1.93], pause: 2),
    Record(
      name: "C", scheduled: 5, changes: [2, 4], factors: [1, 1.52, 1.73, 1.73], pause: 1,
      more: [
        "--schedule.untie_at=4",
        "--schedule.prediction_weight_2.cooldown_steps=1.6666666666666667",
        "--schedule.prediction_weight_2.cooldown_until=3.3333333333333335",
        "--schedule.prediction_weight_3.cooldown_steps=1.6666666666666667",
        "--schedule.prediction_weight_3.cooldown_until=1.6666666666666667",
      ]),
  ]

  /// What PyTorch has written.
  struct Fixture: Decodable {
    struct Row: Decodable {
      let momentum, loss, learning_rate_factor, attention_scale: Double
      let window, window_short, batch: Int
      let prediction_weights: [Double]
    }
    struct Validation: Decodable { let settings_of_last_step, final_windows: Double }
    struct Changes: Decodable {
      let zeros: [String]?
      let constants: [String: Float]?
      let attention_lambdas: [Float]?
    }
    struct Parameter: Decodable {
      let name: String
      let updates: Int
    }
    let schedule: [Row]
    let validation: Validation
    let changes_of_initial: Changes
    let parameters: [Parameter]
    let loss_scale: Double
  }

  static let folder = ModelFixture.folder.deletingLastPathComponent()
    .appendingPathComponent("speedrun")

  /// Sequences of a fixture, one after another.
  final class Source: BatchSource {
    let vocabularySize = 61
    let fingerprint = "fixture"
    let bytesPerToken: Double? = nil
    let validationTokens = 160
    private let tensors: [String: [Int]]
    private var (next, nextValidation) = (0, 0)

    init(_ file: TensorFile) throws {
      var tensors: [String: [Int]] = [:]
      for part in ["batch", "validation"] {
        for name in ["tokens", "targets", "documents"] {
          tensors["\(part).\(name)"] = try file.integers("\(part).\(name)").map { Int($0) }
        }
      }
      self.tensors = tensors
    }

    var position: String { String(next) }
    func move(to position: String) throws { next = Int(position) ?? 0 }
    func restartValidation() { nextValidation = 0 }

    func fill(_ batch: StepBatch) throws {
      copy("batch", from: next, to: batch)
      next += batch.count
    }

    func fillValidation(_ batch: StepBatch) throws -> Int {
      let left = max(0, validationTokens - nextValidation)
      copy("validation", from: nextValidation, to: batch)
      nextValidation += batch.count
      return min(left, batch.count)
    }

    /// What lies beyond the end has targets that do not count.
    private func copy(_ part: String, from first: Int, to batch: StepBatch) {
      func number(_ name: String, _ index: Int, else missing: Int) -> Int32 {
        let numbers = tensors["\(part).\(name)"] ?? []
        return Int32(numbers.indices.contains(index) ? numbers[index] : missing)
      }
      for index in 0..<batch.count {
        batch.tokens[index] = number("tokens", first + index, else: 0)
        batch.targets[index] = number("targets", first + index, else: -1)
        batch.documents?[index] = number("documents", first + index, else: 0)
      }
    }
  }

  // MARK: - The small run

  /// The preset with other sizes, and with the momentum of each step by itself.
  static func configuration(
    _ record: Record, _ fixture: Fixture, folder: String
  ) throws -> TrainingConfiguration {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Presets/speedrun-\(record.name).toml")
    var text = try String(contentsOf: file, encoding: .utf8)
    let start = try #require(text.range(of: "[schedule.momentum]"))
    let end = try #require(text.range(of: "to = 0.85\n"))
    text.replaceSubrange(start.lowerBound..<end.upperBound, with: "")
    let ends = record.changes + [record.scheduled]
    let blocks = [3, 7, 11, 13]
    let stages = (0..<4).map { stage in
      let until = stage < 3 ? ", until = \(ends[stage])" : ""
      return "{name = 's\(stage)'\(until), factor = \(record.factors[stage]), "
        + "batch_tokens = \(80 * min(stage + 1, 3)), attention_window = \(4 * blocks[stage] + 1), "
        + "attention_window_short = \(4 * (blocks[stage] / 2) + 1)}"
    }
    let momentum = fixture.schedule.enumerated().map { step, row in
      "{name = 'm\(step)', \(step < fixture.schedule.count - 1 ? "steps = 1, " : "")value = \(row.momentum)}"
    }
    var overrides = [
      "model.vocabulary_size": "61", "model.width": "24", "model.heads": "3",
      "model.context_length": "80", "model.float8_head": "false",
      "training.steps": "\(fixture.schedule.count)", "training.batch_tokens": "80",
      "training.accumulation_steps": "1", "evaluation.tokens": "0",
      "evaluation.context_length": "80", "evaluation.final.attention_window": "81",
      "evaluation.final.attention_window_short": "25", "machine.precision": "fp32",
      "schedule.cooldown_steps": "\(0.55 * Double(record.scheduled))",
      "schedule.cooldown_until": "\(record.scheduled)",
      "schedule.stage": "[\(stages.joined(separator: ", "))]",
      "schedule.momentum": "{kind = 'stages', stage = [\(momentum.joined(separator: ", "))]}",
      "run.folder": folder + "/run",
    ].map { "--\($0.key)=\($0.value)" }.sorted()
    if let pause = record.pause { overrides.append("--schedule.pause.steps=\(pause)") }
    var source = ConfigurationSource()
    try source.add(preset: record.name, text: text)
    try source.add(overrides: overrides + record.more)
    return try TrainingConfiguration(source)
  }

  static func fill(_ run: TrainingRun, _ changes: Fixture.Changes) throws {
    try fill(run.tensors, run.steps.definition.model.parameters, changes)
  }

  static func fill(
    _ tensors: KeptTensors, _ parameters: [Parameter], _ changes: Fixture.Changes
  ) throws {
    let file = try TensorFile(path: Self.folder.appendingPathComponent("weights.safetensors").path)
    for parameter in parameters {
      let memory = try #require(try tensors.values(parameter.name, for: .writing))
      if file["initial." + parameter.name] != nil {
        try file.read("initial." + parameter.name, into: memory)
      }
      if changes.zeros?.contains(parameter.name) == true { memory.update(repeating: 0) }
      if let constant = changes.constants?[parameter.name] { memory.update(repeating: constant) }
      if let pair = changes.attention_lambdas, parameter.name == "attention_lambdas" {
        for index in memory.indices { memory[index] = pair[index % 2] }
      }
    }
    try tensors.initializeState()
  }

  // MARK: - The tests

  /// What is asked of ten steps in single precision; PyTorch's own stray up to 3e-5 from its float64.
  static let tolerance = 1e-4

  @Test("Some steps of a record end where PyTorch's do", arguments: records)
  func training(_ record: Record) throws {
    let name = "training-" + record.name.lowercased()
    let json = try Data(contentsOf: Self.folder.appendingPathComponent(name + ".json"))
    let fixture = try JSONDecoder().decode(Fixture.self, from: json)
    let file = try TensorFile(
      path: Self.folder.appendingPathComponent(name + ".safetensors").path)
    let folder = try TemporaryFolder()
    let configuration = try Self.configuration(record, fixture, folder: folder.path)
    let run = try TrainingRun(
      configuration, runtime: TestRuntime.cpu.provider, source: Source(file))
    try Self.fill(run, fixture.changes_of_initial)

    let names = fixture.parameters.map(\.name)
    #expect(Set(names) == Set(run.steps.definition.model.parameters.map(\.name)))
    let norms = try file.doubles("parameter_norms")
    for (index, row) in fixture.schedule.enumerated() {
      let numbers = configuration.modelNumbers(at: index)
      #expect(
        configuration.schedule.run.value(of: "momentum", group: "gates", at: index) == row.momentum)
      #expect(
        abs(configuration.schedule.run.learningRateFactor(at: index) - row.learning_rate_factor)
          <= 1e-13)
      #expect(abs((numbers.scalars["attention_scale"] ?? 0) - row.attention_scale) <= 1e-15)
      #expect(numbers.scalars["attention_window"] == Double(row.window + 1))
      #expect(numbers.scalars["attention_window_short"] == Double(row.window_short + 1))
      let result = try StepVariantTests.take(run, index)
      #expect(result.countedTargets == 80 * row.batch)
      let loss = result.loss * Double(result.countedTargets) * fixture.loss_scale
      #expect(abs(loss / row.loss - 1) <= Self.tolerance, "loss of step \(index)")
      for (place, name) in names.enumerated() {
        let expected = norms[index * names.count + place]
        let values = try #require(try run.tensors.values(name, for: .reading))
        let norm = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(
          abs(norm - expected) <= Self.tolerance * max(expected, 1e-3),
          "\(name) after step \(index)")
      }
      // PyTorch's norms are those before the copy.
      if let untie = configuration.schedule.untie, untie.step == index + 1 {
        try run.steps.untie(run.tensors, untie.state)
      }
    }
    for parameter in fixture.parameters {
      let group = try #require(run.steps.definition.optimizer.group(of: parameter.name))
      let clock = run.step.state.clock[group.name]
      #expect(clock.updates == parameter.updates, "\(parameter.name)")
    }
    // The wider window of the last evaluation, rotary positions as they were.
    let last = fixture.schedule.count
    for (after, expected) in [
      (last - 1, fixture.validation.settings_of_last_step),
      (last, fixture.validation.final_windows),
    ] {
      let found = try #require(
        try run.evaluators.run(
          configuration.evaluationNumbers(after: after), after: after, StopRequest()))
      #expect(found.tokens == 160)
      #expect(abs(found.crossEntropy / expected - 1) <= Self.tolerance)
    }
    let probes = try TensorFile(
      path: Self.folder.appendingPathComponent("weights.safetensors").path
    ).doubles("probes")
    for (row, name) in names.enumerated() {
      let values = try #require(try run.tensors.values(name, for: .reading).map(Array.init))
      let error: Double
      if file["final_sketch"] != nil {
        let sketch = try file.doubles("final_sketch")[row * 9..<(row + 1) * 9]
        error = SpeedrunFixture.error(values, sketch: Array(sketch), probes: probes)
      } else {
        error = relativeError(values, try file.doubles("final." + name))
      }
      #expect(error <= Self.tolerance, "\(name): \(error)")
    }
  }
}
