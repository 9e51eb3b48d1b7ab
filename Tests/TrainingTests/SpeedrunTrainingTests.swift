// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
import TensorFiles
import TensorGraph
import Testing

@testable import Training

/// Whole training steps of the records at a small width against PyTorch: the presets themselves, with other sizes and shorter stages.
@Suite struct SpeedrunTrainingTests {
  /// What PyTorch did, written by `Scripts/fixtures/speedrun.py`.
  struct Record: Decodable {
    struct Row: Decodable {
      var step, batch: Int
      var learning_rate_factor, momentum, attention_scale, loss: Double
      var window, window_short: Int
      var frequencies: [Float]
      var prediction_weights: [Double]
      var paused, adam_updates, untied: Bool
    }
    struct Trained: Decodable {
      var name: String
      var updates: Int
    }
    struct Changes: Decodable {
      var zeros: [String]?
      var constants: [String: Float]?
      var attention_lambdas: [Float]?
    }
    struct Validation: Decodable {
      var settings_of_last_step, final_windows: Double
      var final_window: Int
    }

    var schedule: [Row]
    var parameters: [Trained]
    var changes_of_initial: Changes
    var validation: Validation
    var loss_scale: Double
  }

  /// The last steps of the stages, and what stands in them.
  struct Plan: Sendable, CustomTestStringConvertible {
    var name: String
    var steps: Int
    /// First step of each stage, batch, factor, window.
    var stages: [(end: Int, batch: Int, factor: Double, window: Int)]
    var cooldown: (steps: Double, until: Int)
    /// The course of the momentum; where up and down do not both fit, the record's rule goes down at once.
    var momentum = """
      kind = "wsd"
      from = 0.95
      warmup_steps = 4
      warmup_from = 0.85
      cooldown = "linear"
      cooldown_steps = 3
      to = 0.85
      """
    var extra = ""
    var pause = 0
    var testDescription: String { name }
  }

  static let plans = [
    Plan(
      name: "B", steps: 10,
      stages: [(3, 1, 1, 12), (6, 2, 1.51, 28), (8, 3, 1.93, 44), (10, 3, 1.93, 52)],
      cooldown: (4.4, 8), pause: 2),
    Plan(
      name: "C", steps: 6,
      stages: [(2, 1, 1, 12), (4, 2, 1.52, 28), (5, 3, 1.73, 44), (6, 3, 1.73, 52)],
      cooldown: (2.75, 5), momentum: momentum(up: "from = 0.85\nto = 0.925\nsteps = 3"),
      extra: """
        untie_at = 4
        [schedule.prediction_weight_2]
        kind = "stages"
        cooldown_steps = 1.6666666666666667
        cooldown_until = 3.3333333333333335
        to = 0.0
        [[schedule.prediction_weight_2.stage]]
        name = "half"
        value = 0.5
        [schedule.prediction_weight_3]
        kind = "stages"
        cooldown_steps = 1.6666666666666667
        cooldown_until = 1.6666666666666667
        to = 0.0
        [[schedule.prediction_weight_3.stage]]
        name = "quarter"
        value = 0.25
        """, pause: 1),
    Plan(
      name: "A", steps: 4,
      stages: [
        (1, 1, 1, 12), (2, 2, 1, 28), (3, 3, 1.51, 44), (4, 3, 1.51, 52),
      ], cooldown: (1.65, 3), momentum: momentum(up: "value = 0.85\nsteps = 1")),
  ]

  private static func momentum(up: String) -> String {
    """
    kind = "stages"
    [[schedule.momentum.stage]]
    name = "up"
    \(up)
    [[schedule.momentum.stage]]
    name = "down"
    from = 0.95
    to = 0.85
    """
  }

  static func configuration(_ plan: Plan, folder: String) throws -> TrainingConfiguration {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Presets/speedrun-\(plan.name).toml")
    let record = try String(contentsOf: file, encoding: .utf8)
    // The preset's own table of the optimizer; sizes and schedule are the fixture's.
    let start = try #require(record.range(of: "\n[optimizer]"))
    let end = try #require(record.range(of: "\n[schedule]"))
    var text = """
      [data]
      path = "none"
      document_mask = true
      [model]
      architecture = "speedrun"
      vocabulary_size = 61
      width = 24
      layers = 11
      heads = 3
      head_width = 8
      context_length = 80
      embedding = "\(plan.name == "C" ? "tied-then-untied" : "tied")"
      predictions = \(plan.name == "C" ? 3 : 1)
      [training]
      steps = \(plan.steps)
      batch_tokens = 80
      loss_divisor = 8
      [evaluation]
      every = 0
      tokens = 0
      [evaluation.final]
      attention_window = 81
      attention_window_short = 41
      [machine]
      precision = "fp32"
      [checkpoint]
      final = "none"
      [run]
      folder = "\(folder)/run"

      """
    text += record[start.lowerBound..<end.lowerBound]
    text += """

      [schedule]
      kind = "stages"
      cooldown = "linear"
      cooldown_steps = \(plan.cooldown.steps)
      cooldown_until = \(plan.cooldown.until)
      final_fraction = 0.1

      """
    if plan.pause > 0 {
      text += "pause = { group = \"scalars\", after = \"stage\", steps = \(plan.pause) }\n"
    }
    text +=
      plan.extra + """

        [schedule.momentum]
        """
    text += "\n" + plan.momentum + "\n"
    for (index, stage) in plan.stages.enumerated() {
      text += """
        [[schedule.stage]]
        name = "stage \(index)"
        factor = \(stage.factor)
        batch_tokens = \(80 * stage.batch)
        attention_window = \(stage.window + 1)
        attention_window_short = \(stage.window / 8 * 4 + 1)

        """
      if index + 1 < plan.stages.count { text += "until = \(stage.end)\n" }
    }
    var source = ConfigurationSource()
    try source.add(preset: "small \(plan.name)", text: text)
    return try TrainingConfiguration(source)
  }

  @Test("The steps of a record end where PyTorch's end", arguments: plans)
  func steps(_ plan: Plan) throws {
    let folder = try TemporaryFolder()
    let name = "training-" + plan.name.lowercased()
    let path = SpeedrunFixture.folder.appendingPathComponent(name)
    let record = try JSONDecoder().decode(
      Record.self, from: Data(contentsOf: path.appendingPathExtension("json")))
    let file = try TensorFile(path: path.appendingPathExtension("safetensors").path)
    let source = try FixtureSource(file)
    let run = try TrainingRun(
      Self.configuration(plan, folder: folder.path), runtime: TestRuntime.cpu.provider,
      source: source)
    try Self.setWeights(run, record.changes_of_initial)
    #expect(run.configuration.training.steps == record.schedule.count)
    for row in record.schedule {
      let settings = run.settings(at: row.step)
      Self.check(settings, row)
      let result = try StepVariantTests.take(run, row.step)
      // The fixture's loss is a sum over tokens divided by eight.
      let tokens = Double(80 * row.batch)
      #expect(
        abs(result.loss * tokens * record.loss_scale / row.loss - 1) < 1e-4, "step \(row.step)")
      if let untie = run.configuration.schedule.untie, untie.step == row.step + 1 {
        run.steps.untie(run.tensors, untie.state)
      }
    }
    try Self.compare(run, record, file)
  }

  /// The numbers of a step are the fixture's.
  private static func check(_ settings: TrainingStep.Settings, _ row: Record.Row) {
    let numbers = settings.modelScalars
    func near(_ a: Double?, _ b: Double) -> Bool { abs((a ?? .nan) - b) < 1e-12 }
    let at = "step \(row.step)"
    #expect(near(numbers["attention_window"], Double(row.window + 1)), "\(at)")
    #expect(near(numbers["attention_window_short"], Double(row.window_short + 1)), "\(at)")
    #expect(near(numbers["attention_scale"], row.attention_scale), "\(at)")
    let frequencies = settings.modelVectors["rotary_frequencies"] ?? []
    #expect(frequencies.count == row.frequencies.count)
    for (found, expected) in zip(frequencies, row.frequencies) {
      #expect(abs(found - expected) <= 1e-6 * expected, "\(at)")
    }
    if numbers["prediction_weight_2"] != nil {
      #expect(near(numbers["prediction_weight_2"], row.prediction_weights[1]), "\(at)")
      #expect(near(numbers["prediction_weight_3"], row.prediction_weights[2]), "\(at)")
    }
    let matrices = settings.conditions.hyperparameters["attention"] ?? [:]
    #expect(near(matrices["momentum"], row.momentum), "\(at)")
    #expect(near(matrices["learning_rate"], 0.023 * row.learning_rate_factor), "\(at)")
    #expect(settings.conditions.paused.contains("scalars") == row.paused, "\(at)")
  }

  private static func setWeights(_ run: TrainingRun, _ changes: Record.Changes) throws {
    let weights = try TensorFile(
      path: SpeedrunFixture.folder.appendingPathComponent("weights.safetensors").path)
    for parameter in run.steps.definition.model.parameters {
      let memory = try #require(run.tensors.values(parameter.name))
      try weights.read("initial." + parameter.name, into: memory)
      if changes.zeros?.contains(parameter.name) == true { memory.update(repeating: 0) }
      if let number = changes.constants?[parameter.name] { memory.update(repeating: number) }
      if parameter.name == "attention_lambdas", let numbers = changes.attention_lambdas {
        for index in memory.indices { memory[index] = numbers[index % numbers.count] }
      }
    }
  }

  /// Every parameter, and how often it was updated.
  private static func compare(_ run: TrainingRun, _ record: Record, _ file: TensorFile) throws {
    let sketches = file.entries.contains { $0.name == "final_sketch" }
    let probes = try TensorFile(
      path: SpeedrunFixture.folder.appendingPathComponent("weights.safetensors").path
    ).doubles("probes")
    let optimizer = run.steps.definition.optimizer
    for (row, trained) in record.parameters.enumerated() {
      let found = Array(try #require(run.tensors.values(trained.name)))
      let group = try #require(optimizer.group(of: trained.name))
      #expect(run.step.state.clock[group.name].updates == trained.updates, "\(trained.name)")
      if sketches {
        let truth = try file.doubles("final_sketch")[row * 9..<(row + 1) * 9]
        #expect(
          SpeedrunFixture.error(found, sketch: Array(truth), probes: probes) < 1e-4,
          "\(trained.name)")
      } else {
        let truth = try file.doubles("final." + trained.name)
        #expect(relativeError(found, truth) < 1e-4, "\(trained.name)")
      }
    }
  }
}

/// The batches of a fixture, one after another.
private final class FixtureSource: BatchSource {
  let vocabularySize = 61
  let fingerprint = "fixture"
  let bytesPerToken: Double? = nil
  let validationTokens: Int
  private let batches: [[Int32]]
  private let held: [[Int32]]
  private var next = 0
  private var nextValidation = 0

  init(_ file: TensorFile) throws {
    func read(_ prefix: String) throws -> [[Int32]] {
      try ["tokens", "targets", "documents"].map {
        try file.integers("\(prefix).\($0)").map { Int32($0) }
      }
    }
    batches = try read("batch")
    held = try read("validation")
    validationTokens = held[0].count
  }

  var position: String { String(next) }
  func move(to position: String) throws { next = Int(position) ?? 0 }

  func fill(_ batch: StepBatch) throws {
    copy(batches, from: next, into: batch, count: batch.count)
    next += batch.count
  }

  func restartValidation() { nextValidation = 0 }

  func fillValidation(_ batch: StepBatch) throws -> Int {
    let count = min(batch.count, validationTokens - nextValidation)
    copy(held, from: nextValidation, into: batch, count: count)
    nextValidation += count
    return count
  }

  private func copy(_ from: [[Int32]], from first: Int, into batch: StepBatch, count: Int) {
    for index in 0..<count {
      batch.tokens[index] = from[0][first + index]
      batch.targets[index] = from[1][first + index]
      batch.documents?[index] = from[2][first + index]
    }
  }
}
