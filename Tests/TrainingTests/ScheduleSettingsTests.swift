// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import Optimizers
import Schedules
import Testing
import Training

@Suite struct ScheduleSettingsTests {
  /// Groups `base`, `head`, and `scalars`, whose method is another one.
  static let rules = """

    [[optimizer.rule]]
    name = "head"
    roles = ["head"]
    [[optimizer.rule]]
    name = "scalars"
    roles = ["norms"]
    method = "sgd"
    gradient_clip = 2.0
    """

  static func read(
    _ text: String, steps: Int = 100, rules: String = rules
  ) throws -> TrainingConfiguration {
    var source = ConfigurationSource()
    try source.add(
      preset: "test", text: "data.path = \"d\"\ntraining.steps = \(steps)\n" + text + rules)
    return try TrainingConfiguration(source)
  }

  static func run(_ text: String, steps: Int = 100) throws -> RunSchedule {
    try read(text, steps: steps).schedule.run
  }

  /// A few operations in `Double` on numbers up to 1.
  static let rounding = 1e-15

  // MARK: - The learning rate

  @Test("Without keys: a twentieth of warm-up and a cosine to a tenth, as ever")
  func defaults() throws {
    let configuration = try Self.read("")
    let expected = try Schedule.decay(
      .cosine, to: 0.1, warmUp: ScheduleWarmUp(steps: 5), steps: 100)
    #expect(configuration.schedule.run.learningRate == expected)
    #expect(configuration.schedule.warmupSteps == 5)
    #expect(!configuration.schedule.allowsDecay)
    let peak = configuration.optimizer.learningRate
    let rates = try configuration.learningRateSchedule()
    for step in 0..<100 { #expect(rates.value(at: step) == peak * expected.value(at: step)) }
  }

  struct Course: Sendable, CustomTestStringConvertible {
    var text: String
    var stages: [String]
    var values: [Int: Double]
    var testDescription: String { text }
  }

  /// Values by hand, at 100 steps.
  static let courses: [Course] = [
    Course(
      text: "kind = \"constant\"\nwarmup_steps = 10", stages: ["warm-up", "constant"],
      values: [0: 0.1, 9: 1, 99: 1]),
    Course(
      text: "kind = \"constant\"\nwarmup_steps = 0", stages: ["constant"], values: [0: 1, 99: 1]),
    Course(
      text: "kind = \"constant\"\nwarmup_steps = 10\ninitial_fraction = 0.5",
      stages: ["warm-up", "constant"], values: [0: 0.5, 5: 0.75, 10: 1]),
    Course(
      text: "kind = \"linear\"\nwarmup_fraction = 0.2", stages: ["warm-up", "linear"],
      values: [0: 0.05, 19: 1, 20: 1, 60: 0.5, 99: 1.0 / 80]),
    Course(
      text: "kind = \"cosine\"\nwarmup_steps = 0\nfinal_fraction = 0.5", stages: ["cosine"],
      values: [0: 1, 50: 0.75]),
    Course(
      text: "kind = \"polynomial\"\nwarmup_steps = 0", stages: ["polynomial"],
      values: [0: 1, 50: 0.25, 90: 0.01]),
    Course(
      text: "kind = \"polynomial\"\nwarmup_steps = 0\npower = 0.5\nfinal_fraction = 0.5",
      stages: ["polynomial"], values: [75: 0.75]),
    Course(
      text: "kind = \"rex\"\nwarmup_steps = 0", stages: ["rex"],
      values: [25: 6.0 / 7, 50: 2.0 / 3, 75: 0.4]),
    Course(
      text: "kind = \"wsd\"\nwarmup_steps = 10", stages: ["warm-up", "stable", "cooldown"],
      values: [0: 0.1, 10: 1, 80: 1, 85: 0.5]),
    Course(
      text: "kind = \"wsd\"\nwarmup_steps = 0\ncooldown = \"linear\"\ncooldown_fraction = 0.4",
      stages: ["stable", "cooldown"], values: [60: 1, 80: 0.5, 99: 1.0 / 40]),
    Course(
      text: "kind = \"inverse-square-root\"\nwarmup_steps = 9",
      stages: ["warm-up", "inverse-square-root"], values: [8: 1, 9: 1, 36: 0.5, 81: 1.0 / 3]),
    Course(
      text:
        "kind = \"inverse-square-root\"\nwarmup_steps = 0\ntimescale_steps = 10\ncooldown_steps = 20",
      stages: ["inverse-square-root"], values: [30: 0.5, 80: 1.0 / 3, 90: 0.5 / 10.0.squareRoot()]
    ),
    Course(
      text: "kind = \"one-cycle\"", stages: ["rise", "fall", "annihilation"],
      values: [0: 0.1, 45: 1, 90: 0.1, 95: 0.0505]),
  ]

  @Test("Every kind has the values of its equation", arguments: courses)
  func kinds(_ course: Course) throws {
    let schedule = try Self.run("[schedule]\n" + course.text).learningRate
    #expect(schedule.stages.map(\.name) == course.stages)
    for (step, expected) in course.values {
      #expect(abs(schedule.value(at: step) - expected) <= Self.rounding, "step \(step)")
    }
  }

  @Test("Stages name themselves, go on where the one before ended, and take steps in three ways")
  func stages() throws {
    let run = try Self.run(
      """
      [schedule]
      kind = "stages"
      [[schedule.stage]]
      name = "up"
      steps = 10
      curve = "warm-up"
      to = 2
      [[schedule.stage]]
      name = "plateau"
      until = 0.5
      [[schedule.stage]]
      name = "down"
      until = -10
      curve = "cosine"
      to = 1
      [[schedule.stage]]
      name = "tail"
      to = 0
      """)
    #expect(
      run.events == [
        StageEvent(step: 10, from: "up", to: "plateau"),
        StageEvent(step: 50, from: "plateau", to: "down"),
        StageEvent(step: 90, from: "down", to: "tail"),
      ])
    for (step, expected) in [
      (0, 0.2), (9, 2), (10, 2), (49, 2), (50, 2), (70, 1.5), (90, 1), (95, 0.5), (100, 0),
    ] {
      #expect(abs(run.learningRateFactor(at: step) - expected) <= Self.rounding, "step \(step)")
    }
  }

  @Test("A part of the run begins with the first step at or after it, whatever its decimals")
  func parts() throws {
    func boundary(_ part: String, _ steps: Int) throws -> Int? {
      let stages =
        "[[schedule.stage]]\nname = \"a\"\nuntil = \(part)\n[[schedule.stage]]\nname = \"b\""
      return try Self.run(stages, steps: steps).events.first?.step
    }
    #expect(try boundary("0.07", 100) == 7)
    #expect(try boundary("0.3333333333333333", 1995) == 665)
    #expect(try boundary("0.3333333333333333", 1960) == 654)
    #expect(try boundary("0.6666666666666667", 1960) == 1307)
    #expect(try boundary("0.001", 100) == 1)
  }

  // MARK: - Other scalars

  @Test("Any scalar has a course of its own, for all parameters or for a group")
  func scalars() throws {
    let run = try Self.run(
      """
      [schedule.weight_decay]
      kind = "cosine"
      from = 0.1
      to = 0.3
      [schedule.beta1]
      kind = "wsd"
      warmup_steps = 20
      warmup_from = 0.85
      cooldown_steps = 10
      cooldown = "linear"
      to = 0.85
      from = 0.95
      [[schedule.beta2]]
      kind = "constant"
      [[schedule.beta2]]
      group = "head"
      from = 0.9
      to = 0.99
      [schedule.learning_rate]
      group = "head"
      kind = "constant"
      from = 0.003
      [schedule.momentum]
      group = "scalars"
      kind = "constant"
      [[schedule.gradient_clip]]
      group = "scalars"
      to = 1.0
      [[schedule.gradient_clip]]
      to = 1.5
      [schedule.z_loss]
      kind = "constant"
      warmup_steps = 10
      """)
    for (name, group, step, expected) in [
      ("weight_decay", nil, 0, 0.1), ("weight_decay", "any", 50, 0.2), ("beta1", nil, 0, 0.85),
      ("beta1", nil, 10, 0.9), ("beta1", nil, 20, 0.95), ("beta1", nil, 90, 0.95),
      ("beta1", nil, 99, 0.86), ("beta2", nil, 50, 0.95), ("beta2", "head", 0, 0.9),
      ("beta2", "head", 50, 0.945), ("momentum", "scalars", 99, 0.9),
      ("gradient_clip", "scalars", 50, 1.5), ("gradient_clip", nil, 50, 1.25),
      ("learning_rate", "head", 9, 0.003),
      ("z_loss", nil, 0, 1e-5),
      ("z_loss", nil, 50, 1e-4),
    ] as [(String, String?, Int, Double)] {
      let value = try #require(run.value(of: name, group: group, at: step))
      #expect(abs(value - expected) <= Self.rounding, "\(name) of \(group ?? "all") at \(step)")
    }
    #expect(run.value(of: "learning_rate", group: "body", at: 0) == nil)
    #expect(run.value(of: "momentum", at: 0) == nil)
  }

  @Test("The tables of stages take values of any scalar, and pauses refer to them")
  func stageTable() throws {
    let run = try Self.run(
      """
      [schedule]
      pause = { group = "scalars", steps = 4 }
      [[schedule.stage]]
      name = "short"
      until = 40
      batch_tokens = 1024
      attention_window = 64
      [[schedule.stage]]
      name = "long"
      batch_tokens = 2048
      attention_window = 256
      """)
    #expect(run.value(of: "batch_tokens", at: 39) == 1024)
    #expect(run.value(of: "batch_tokens", at: 40) == 2048)
    #expect(run.value(of: "attention_window", at: 99) == 256)
    #expect(run.events == [StageEvent(step: 40, from: "short", to: "long")])
    #expect(run.pauses(of: "scalars") == [40..<44])
    #expect(run.learningRate.stages.map(\.name) == ["warm-up", "cosine"])
  }

  @Test("A scalar may have stages of its own, which are no events of the run")
  func ownStages() throws {
    let run = try Self.run(
      """
      [schedule.batch_tokens]
      [[schedule.batch_tokens.stage]]
      name = "small"
      steps = 30
      value = 512
      [[schedule.batch_tokens.stage]]
      name = "large"
      value = 4096
      """)
    #expect(run.value(of: "batch_tokens", at: 29) == 512)
    #expect(run.value(of: "batch_tokens", at: 30) == 4096)
    #expect(run.events.map(\.to) == ["cosine"])
  }

  @Test("Record 52 of the NanoGPT speedrun is a text")
  func speedrun() throws {
    let rows = [("first", 654, 1, 131_072, 384), ("second", 1307, 1.51, 262_144, 896)]
    func row(_ name: String, _ factor: Double, _ batch: Int, _ window: Int) -> String {
      "[[schedule.stage]]\nname = \"\(name)\"\nfactor = \(factor)\nbatch_tokens = \(batch)\n"
        + "attention_window = \(window)\n"
    }
    var text = """
      [schedule]
      kind = "stages"
      cooldown_steps = 1078
      cooldown_until = 1960
      final_fraction = 0.1
      pause = { group = "scalars", after = "stage", steps = 40 }
      [schedule.beta1]
      kind = "wsd"
      from = 0.95
      warmup_steps = 300
      warmup_from = 0.85
      cooldown = "linear"
      cooldown_steps = 50
      to = 0.85

      """
    for (name, end, factor, batch, window) in rows {
      text += row(name, factor, batch, window) + "until = \(end)\n"
    }
    text += row("third", 1.93, 393_216, 1408) + "until = -40\n"
    text += row("extension", 1.93, 393_216, 1664)
    let run = try Self.run(
      "model.context_length = 2048\ntraining.batch_tokens = 131072\n" + text, steps: 2000)
    for (step, expected) in [
      (0, 1), (654, 1.51), (882, 1.51), (1000, 1.355659), (1306, 0.955417), (1307, 1.208525),
      (1500, 0.880891), (1800, 0.371614), (1959, 0.101698), (1960, 0.1), (1999, 0.1),
    ] {
      #expect(abs(run.learningRateFactor(at: step) - expected) <= 5e-7, "step \(step)")
    }
    #expect(run.pauses(of: "scalars") == [654..<694, 1307..<1347, 1960..<2000])
    let tokens = (0..<2000).reduce(0) { $0 + (run.value(of: "batch_tokens", at: $1) ?? 0) }
    #expect(tokens == 529_399_808)
    #expect(run.value(of: "attention_window", at: 1960) == 1664)
    let last = try #require(run.value(of: "beta1", at: 1999))
    #expect(abs(last - 0.852) <= Self.rounding)
  }

  @Test("Every example of the page on schedules survives being stored, and every kind is on it")
  func page() throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Docs/schedules.md")
    let page = try String(contentsOf: url, encoding: .utf8)
    let examples = page.components(separatedBy: "```toml\n").dropFirst()
      .compactMap { $0.components(separatedBy: "```").first }
    #expect(examples.count == 5)
    // Where the table is untied, the head's group must not be the only one of its own.
    let rules = Self.rules + "\n[[optimizer.rule]]\nname = \"table\"\nroles = [\"embedding\"]\n"
    for example in examples {
      let configuration = try Self.read(example, steps: 1000, rules: rules)
      let stored = configuration.resolved.tomlText
      var source = ConfigurationSource()
      try source.add(preset: "stored", text: stored)
      let again = try TrainingConfiguration(source)
      #expect(again.schedule.run == configuration.schedule.run, "\(stored)")
      #expect(again.identity == configuration.identity)
    }
    for kind in ScheduleSettings.Kind.allCases { #expect(page.contains("| `\(kind.rawValue)`")) }
  }

  @Test("A falling learning rate is known, and may be asked for explicitly")
  func decay() throws {
    #expect(try Self.run("").isDecaying)
    let averaging = "[optimizer]\nname = \"schedule-free-adamw\"\n"
    #expect(try Self.read(averaging, rules: "").schedule.kind == .constant)
    let error = try #require(throws: ConfigurationError.self) {
      try Self.read(averaging + "[schedule]\nkind = \"linear\"", rules: "")
    }
    #expect(error.problems.map(\.keys) == [["schedule.kind", "optimizer.name"]], "\(error)")
    #expect(error.message.contains("allow_decay = true"))
    let asked = averaging + "[schedule]\nkind = \"linear\"\nallow_decay = true"
    #expect(try Self.read(asked, rules: "").schedule.run.isDecaying)
    // A group of another method may have a rate that falls.
    let own = averaging + "[schedule.learning_rate]\ngroup = \"scalars\"\nto = 0.0"
    #expect(try Self.read(own).schedule.run.isDecaying)
    #expect(try !Self.run("[schedule]\nkind = \"constant\"").isDecaying)
    #expect(try Self.read("[schedule]\nallow_decay = true").schedule.allowsDecay)
    #expect(try !Self.read("[schedule]\nallow_decay = false").schedule.allowsDecay)
  }

  @Test("Runs of a few steps have every schedule that fits them", arguments: 1...6)
  func shortRuns(steps: Int) throws {
    for kind in ["constant", "linear", "cosine", "polynomial", "rex", "wsd"] {
      let run = try Self.run("[schedule]\nkind = \"\(kind)\"", steps: steps)
      for step in 0..<steps { #expect(run.learningRateFactor(at: step) > 0) }
    }
    if steps < 3 {
      #expect(throws: ConfigurationError.self) {
        try Self.run("[schedule]\nkind = \"one-cycle\"", steps: steps)
      }
    }
  }
}
