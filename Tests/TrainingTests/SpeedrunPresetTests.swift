// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
import RunRecords
import Schedules
import TensorGraph
import Testing

@testable import Training

/// The records of December 2025 as texts (https://github.com/KellerJordan/modded-nanogpt, pull requests 175, 177, 178): what a dry
/// run of each says, against its published rules, worked out apart.
@Suite struct SpeedrunPresetTests {
  /// A record.
  struct Record: Sendable, CustomTestStringConvertible {
    var name: String
    /// Scheduled steps; 40 more follow.
    var scheduled: Int
    /// First steps of new windows and batches.
    var changes: [Int]
    /// First steps of new plateaus of the rate.
    var jumps: [Int]
    var plateaus: [Double]
    var decayBegins: Int
    /// The rate before and after the second jump.
    var falls: (Double, Double)
    var tokens: Int
    /// Updates of Adam's groups, and of the scalars.
    var updates: (main: Int, scalars: Int)
    var testDescription: String { name }

    var steps: Int { scheduled + 40 }
  }

  static let records = [
    Record(
      name: "A", scheduled: 1995, changes: [665, 1330, 1995], jumps: [666, 1331],
      plateaus: [1, 1.51, 1.93], decayBegins: 898, falls: (0.9545, 1.2074), tokens: 538_705_920,
      updates: (1017, 1017)),
    Record(
      name: "B", scheduled: 1960, changes: [654, 1307, 1960], jumps: [654, 1307],
      plateaus: [1, 1.51, 1.93], decayBegins: 882, falls: (0.9554, 1.2085), tokens: 529_399_808,
      updates: (1000, 940)),
    Record(
      name: "C", scheduled: 1880, changes: [627, 1254, 1880], jumps: [627, 1254],
      plateaus: [1, 1.52, 1.73], decayBegins: 846, falls: (0.9611, 1.0868), tokens: 508_428_288,
      updates: (960, 900)),
  ]

  static func read(
    _ record: Record, _ override: String? = nil
  ) throws -> TrainingConfiguration {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Presets/speedrun-\(record.name).toml")
    var source = ConfigurationSource()
    try source.add(preset: record.name, text: String(contentsOf: file, encoding: .utf8))
    if let override { try source.add(overrides: [override]) }
    return try TrainingConfiguration(source)
  }

  // MARK: - The schedule

  /// Everything as the record's own rules say, in doubles, with their tests as they are: strict, not strict, rounded down.
  @Test("Every number of every step is the record's", arguments: records)
  func steps(_ record: Record) throws {
    let configuration = try Self.read(record)
    let run = configuration.schedule.run
    #expect(configuration.training.steps == record.steps)
    let batches = [131_072, 262_144, 393_216, 393_216]
    let blocks = [3, 7, 11, 13]
    for step in 0..<record.steps {
      let x = Double(step) / Double(record.scheduled)
      let phase = step >= record.scheduled ? 3 : Int((3 * x).rounded(.down))
      #expect(configuration.batchTokens(at: step) == batches[phase], "step \(step)")
      #expect(configuration.contextLength(at: step) == batches[phase] / 8, "step \(step)")
      let numbers = configuration.modelNumbers(at: step)
      #expect(numbers.scalars["attention_window"] == Double(128 * blocks[phase] + 1))
      #expect(numbers.scalars["attention_window_short"] == Double(128 * (blocks[phase] / 2) + 1))
      let yarn = YaRN(headWidth: 128, after: blocks[...phase].map { 128 * $0 + 1 })
      #expect(numbers.scalars["attention_scale"] == yarn.attentionScale)
      #expect(numbers.vectors["rotary_frequencies"] == yarn.frequencies.map { Float($0) })

      let plateau = record.plateaus[x > 2 / 3 ? 2 : x > 1 / 3 ? 1 : 0]
      let left = (1 - x) / 0.55
      let factor = x > 1 ? 0.1 : x >= 0.45 ? plateau * left + 0.1 * (1 - left) : plateau
      #expect(abs(run.learningRateFactor(at: step) - factor) <= 1e-13, "step \(step)")

      let end = record.steps - 50
      let momentum =
        step >= end
        ? 0.95 - 0.1 * Double(step - end) / 50 : 0.85 + 0.1 * min(Double(step) / 300, 1)
      let found = try #require(run.value(of: "momentum", group: "attention", at: step))
      #expect(abs(found - momentum) <= 1e-15, "step \(step)")

      if record.name == "C" {
        let second = x < 1 / 3 ? 0.5 : x < 2 / 3 ? 0.5 * (2 - 3 * x) : 0
        let third = x < 1 / 3 ? 0.25 * (1 - 3 * x) : 0
        // Half a unit in the last place of single precision, which is what the programs read, is 3e-8 of the value.
        #expect(abs((numbers.scalars["prediction_weight_2"] ?? -1) - second) <= 1e-13)
        #expect(abs((numbers.scalars["prediction_weight_3"] ?? -1) - third) <= 1e-13)
      }
      let variant = configuration.variant(at: step)
      #expect(variant.looksUpInHead == (record.name == "C" && step < 1254))
    }
  }

  @Test(
    "The dry run names every event, the tokens, and the updates of every group", arguments: records)
  func events(_ record: Record) throws {
    let found = try RunEvents(Self.read(record))
    #expect(found.tokens == record.tokens)
    func steps(_ kind: RunEvents.Kind, _ name: String? = nil) -> [Int] {
      found.events.filter { $0.kind == kind && (name == nil || $0.name == name) }.map(\.step)
    }
    for name in ["batch_tokens", "context_length"] {
      #expect(steps(.value, name) == Array(record.changes.prefix(2)), "\(name)")
    }
    #expect(steps(.value, "attention_window") == record.changes)
    #expect(steps(.value, "attention_window_short") == record.changes)
    #expect(steps(.rotation) == record.changes)
    let scales = found.events.filter { $0.kind == .rotation }.compactMap(\.after)
    for (a, b) in zip(scales, [0.116946, 0.127518, 0.131778]) { #expect(abs(a - b) <= 5e-7) }
    #expect(steps(.jump, "learning_rate") == record.jumps)
    let jump = try #require(found.events.last { $0.kind == .jump && $0.name == "learning_rate" })
    #expect(abs((jump.before ?? 0) - record.falls.0) <= 5e-5)
    #expect(abs((jump.after ?? 0) - record.falls.1) <= 5e-5)
    #expect(steps(.course, "learning_rate") == [record.decayBegins, record.scheduled])
    #expect(steps(.course, "momentum") == [0, 300, record.steps - 50])
    #expect(steps(.lastUpdate) == [record.steps - 1])
    #expect(steps(.finalEvaluation) == [record.steps])
    #expect(steps(.untie) == (record.name == "C" ? [1254] : []))
    let pauses = record.name == "A" ? [] : record.changes
    #expect(steps(.pauseBegin, "scalars") == pauses)
    #expect(steps(.pauseEnd, "scalars") == pauses.dropLast().map { $0 + 40 })

    let updates = Dictionary(uniqueKeysWithValues: found.updates.map { ($0.group, $0) })
    for group in ["head", "value-tables", "x0"] {
      #expect(updates[group]?.updates == record.updates.main, "\(group)")
    }
    #expect(updates["scalars"]?.updates == record.updates.scalars)
    for group in ["gates", "attention", "mlp-in", "mlp-out"] {
      #expect(updates[group]?.updates == record.steps, "\(group)")
    }
    if record.name == "C" {
      #expect(updates["table"]?.updates == 333 && updates["table"]?.inherited == 627)
    }
  }

  @Test("Two modes of pausing that meet are events of their own, and so the contract says")
  func modesThatMeet() throws {
    let both =
      "--schedule.pause=[{ group = \"scalars\", steps = 10 }, { group = \"scalars\", steps = 40, mode = \"zero-gradients\" }]"
    let configuration = try Self.read(Self.records[1], both)
    let events = try RunEvents(configuration)
    func found(_ kind: RunEvents.Kind) -> [RunEvents.Event] {
      events.events.filter { $0.kind == kind && $0.step < 1000 }
    }
    #expect(
      found(.pauseBegin).map(\.text) == [
        "group 'scalars' is paused for 10 steps",
        "group 'scalars' gets gradients of zero for 30 steps",
      ])
    #expect(found(.pauseBegin).map(\.step) == [654, 664])
    #expect(found(.pauseEnd).map(\.step) == [694])
    // Five of twenty updates in each of three pauses are left out; the others are made with zeros.
    #expect(events.updates.first { $0.group == "scalars" }?.updates == 1000 - 3 * 5)
    let schedule = try configuration.contractForecast(vocabularySize: 50_304)[.schedule]
    #expect(
      schedule?.contains("pause 654..<664, pause 664..<694 with zero gradients") == true,
      "\(schedule ?? "")")
  }

  @Test("The rate of record 52 has its published values")
  func rates() throws {
    let run = try Self.read(Self.records[1]).schedule.run
    for (step, expected) in [
      (0, 1), (654, 1.51), (882, 1.51), (1000, 1.355659), (1306, 0.955417), (1307, 1.208525),
      (1500, 0.880891), (1800, 0.371614), (1959, 0.101698), (1960, 0.1), (1999, 0.1),
    ] {
      #expect(abs(run.learningRateFactor(at: step) - expected) <= 5e-7, "step \(step)")
    }
  }

  // MARK: - The policy

  @Test("Every parameter has the record's method, rate and decay", arguments: records)
  func policy(_ record: Record) throws {
    let configuration = try Self.read(record)
    let model = try configuration.modelConfiguration(vocabularySize: 50_304).makeModel()
    let optimizer = try configuration.optimizer(for: model.parameters)
    let rows = Dictionary(
      uniqueKeysWithValues: OptimizerTable(optimizer).rows.map { ($0.parameter, $0) })
    let adam = "adamw"
    // Name, method, rate, and the factor of decay c in p <- p - c p at a rate factor of 1.
    var expected: [(String, String, Double, Double)] = [
      ("head.weight", adam, 0.008, 0.008 * 0.008 * 0.005),
      ("value_embeddings.0.weight", adam, 0.6, 0.6 * 0.6 * 0.005),
      ("value_embeddings.2.weight", adam, 0.6, 0.6 * 0.6 * 0.005),
      ("x0_lambdas", adam, 0.04, 0), ("residual_lambdas", adam, 0.04, 0),
      ("attention_lambdas", adam, 0.04, 0), ("smear.lambda", adam, 0.04, 0),
      ("skip.lambda", adam, 0.04, 0), ("backout.lambda", adam, 0.04, 0),
      ("blocks.3.attention.gate.weight", "normuon", 0.023, 0.023 * 0.023 * 1.2),
    ]
    for projection in ["query", "key", "value", "output"] {
      expected.append(
        ("blocks.10.attention.\(projection).weight", "normuon", 0.046, 0.0276 * 0.046))
    }
    expected.append(("blocks.6.mlp.in.weight", "normuon", 0.046, 0.0276 * 0.046))
    expected.append(("blocks.6.mlp.out.weight", "normuon", 0.092, 0.0276 * 0.092))
    if record.name == "A" {
      expected.append(("smear.gate.weight", "normuon", 0.023, 0.0276 * 0.023))
    } else {
      expected.append(("smear.gate.weight", adam, 8e-5, 0))
    }
    if record.name == "C" {
      expected.append(("embedding.weight", adam, 0.008, 0.008 * 0.008 * 0.005))
    }
    var clock = OptimizerClock()
    let numbers = optimizer.numbers(
      configuration.settings(at: 1, optimizer).conditions, advancing: &clock)
    for (name, method, rate, decay) in expected {
      let row = try #require(rows[name], "\(name)")
      #expect(row.method == method, "\(name)")
      #expect(abs((row.learningRate ?? 0) - rate) <= 1e-15, "\(name)")
      let factor = row.decays ? numbers[Scalars.label("decay", group: row.group)] ?? -1 : 0
      #expect(abs(factor - decay) <= 1e-12, "\(name)")
    }
    #expect(rows["blocks.6.attention.query.weight"] == nil, "the layer without attention")
    let groups = Dictionary(
      uniqueKeysWithValues: OptimizerTable(optimizer).groups.map { ($0.name, $0) })
    for name in ["head", "value-tables", "x0", "scalars"] {
      #expect(groups[name]?.settings["every"] == "2")
      #expect(groups[name]?.options["epsilon_position"] == "before-correction")
    }
    #expect(groups["scalars"]?.hyperparameters["beta2"] == (record.name == "A" ? 0.95 : 0.99))
    #expect(groups["head"]?.hyperparameters["beta1"] == 0.65)
    #expect(
      groups["head"]?.settings["cautious_decay"] == (record.name == "C" ? "strict" : "inclusive"))
    #expect(groups["mlp-out"]?.options["statistics"] == "longer-axis")
    #expect(groups["scalars"]?.settings["pausable"] == (record.name == "A" ? nil : "true"))
    #expect(optimizer.trainedParameters.count == model.parameters.count)
  }

  @Test("The contract tells records and their parts apart")
  func contract() throws {
    func forecast(_ record: Record, _ override: String? = nil) throws -> [FairnessContract.Field:
      String]
    {
      try Self.read(record, override).contractForecast(vocabularySize: 50_304)
    }
    let plain = try forecast(Self.records[1])
    #expect(
      plain[.batchTokens]
        == "131072 for 654 steps, then 262144 for 653 steps, then 393216 for 693 steps")
    #expect(plain[.trainingTokens] == "529399808")
    #expect(plain[.auxiliaryLoss] == "gradients of the summed loss divided by 8.0")
    #expect(plain[.tokenOrder]?.contains("context length 16384 for 654 steps, then 32768") == true)
    #expect(plain[.schedule]?.contains("pause 1960..<2000") == true)
    for (override, field) in [
      ("model.key_shift=false", FairnessContract.Field.model), ("model.yarn=false", .model),
      ("schedule.pause.mode=zero-gradients", .schedule),
      ("training.loss_divisor=4", .auxiliaryLoss),
    ] {
      let other = try forecast(Self.records[1], "--" + override)
      #expect(other[field] != plain[field], "\(override)")
      #expect(other.filter { $0.key != field } == plain.filter { $0.key != field }, "\(override)")
    }
    let untied = try forecast(Self.records[2])
    #expect(untied[.model]?.contains("lookups in the head before step 1254") == true)
    #expect(untied[.auxiliaryLoss]?.contains("token 2 ahead from 0.5 to 0.0") == true)
  }

  @Test(
    "Each step's batch is eight sequences, one in each of eight micro-batches", arguments: records)
  func microBatches(_ record: Record) throws {
    let configuration = try Self.read(record)
    for entry in configuration.variants {
      #expect(configuration.microBatches(of: entry) == MicroBatches(sequences: 1, count: 8))
    }
    #expect(configuration.variants.count == 3)
    #expect(configuration.training.lossDivisor == 8)
    let final = configuration.evaluationNumbers(after: record.steps)
    #expect(final.scalars["attention_window"] == 2561)
    #expect(final.scalars["attention_window_short"] == 769)
    // The wider window of the last evaluation leaves rotary positions alone.
    let last = configuration.evaluationNumbers(after: record.steps - 1)
    #expect(last.scalars["attention_window"] == 1665)
    #expect(final.vectors == last.vectors)
    #expect(final.scalars["attention_scale"] == last.scalars["attention_scale"])
  }
}
