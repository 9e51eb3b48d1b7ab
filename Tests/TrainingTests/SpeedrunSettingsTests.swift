// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import LanguageModels
import Schedules
import Testing
import Training

/// Keys of the speedrun's decoder that would have no effect, or that others need: found before any data are opened.
@Suite struct SpeedrunSettingsTests {
  static let base = """
    data.path = "no such folder"
    training.steps = 10
    [model]
    architecture = "speedrun"
    layers = 4

    """

  /// Layers of text over the base, `one.toml` first.
  static func read(_ texts: String...) throws -> TrainingConfiguration {
    var source = ConfigurationSource()
    let names = ["one.toml", "two.toml"]
    for (index, text) in texts.enumerated() {
      try source.add(layer: names[index], text: (index == 0 ? base : "") + text)
    }
    return try TrainingConfiguration(source)
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    var text: String
    var keys: [String]
    var parts: [String]
    var testDescription: String { text.replacing("\n", with: " ") }

    init(_ text: String, _ keys: [String], _ parts: String...) {
      (self.text, self.keys, self.parts) = (text, keys, parts)
    }
  }

  static let mistakes = [
    Mistake(
      "embedding_deviation = 0.25", ["model.embedding_deviation", "model.embedding"],
      "= 0.25 (one.toml:6)", "embedding = \"untied\""),
    Mistake(
      "embedding = \"tied\"\nembedding_deviation = 0.25",
      ["model.embedding_deviation", "model.embedding"], "= 0.25 (one.toml:7)", "(one.toml:6)"),
    Mistake(
      "embedding = \"tied-then-untied\"\nembedding_deviation = 0.25\n[schedule]\nuntie_at = 5",
      ["model.embedding_deviation", "model.embedding"], "= 0.25 (one.toml:7)", "copied into",
      "remove the key"),
    Mistake(
      "long_layers = [1, 2]", ["model.long_layers"], "layer 2", "= [1, 2] (one.toml:6)",
      "leave it out"),
    Mistake(
      "float8_weight_scale = 0.5", ["model.float8_weight_scale", "model.float8_head"],
      "= 0.5 (one.toml:6)", "model.float8_head = false (default)", "set float8_head = true"),
    Mistake(
      "value_embeddings = false\nvalue_embedding_tables = [0]",
      ["model.value_embedding_tables", "model.value_embeddings"], "(one.toml:7)",
      "set value_embeddings = true"),
    Mistake(
      "skip = false\nskip_layers = [0, 1]", ["model.skip_layers", "model.skip"],
      "= [0, 1] (one.toml:7)"),
    Mistake(
      "backout = false\nbackout_layer = 1", ["model.backout_layer", "model.backout"],
      "= 1 (one.toml:7)"),
    // Weights of tokens further ahead.
    Mistake(
      "predictions = 3\n[schedule.prediction_weight_2]\nto = 0.0\nfrom = 0.5",
      ["model.predictions", "schedule.prediction_weight_3"], "= 3 (one.toml:6)",
      "[schedule.prediction_weight_3]", "predict fewer"),
    Mistake(
      "predictions = 2\n[schedule.prediction_weight_2]\nto = 0.0\nfrom = 0.5\n"
        + "[schedule.prediction_weight_3]\nto = 0.0\nfrom = 0.5",
      ["schedule.prediction_weight_3", "model.predictions"], "(one.toml:10)", "2 tokens ahead",
      "set model.predictions = 3"),
    Mistake(
      "[[schedule.stage]]\nname = \"a\"\nprediction_weight_2 = 0.5",
      ["schedule.stage[0].prediction_weight_2", "model.predictions"], "= 0.5 (one.toml:8)",
      "the next token only"),
  ]

  @Test("Keys without effect, and weights that are missing, are refused", arguments: mistakes)
  func refused(_ mistake: Mistake) throws {
    let error = try #require(throws: ConfigurationError.self) { try Self.read(mistake.text) }
    #expect(error.problems.map(\.keys) == [mistake.keys], "\(error)")
    for part in mistake.parts { #expect(error.message.contains(part), "\(part): \(error)") }
  }

  @Test("A layer may switch off what an earlier one has set up, and not the other way round")
  func layers() throws {
    let parts = """
      float8_head = true
      float8_weight_scale = 0.5
      value_embedding_layers = [0]
      skip_layers = [0, 1]
      backout = true
      backout_layer = 1
      embedding = "untied"
      embedding_deviation = 0.25
      predictions = 2
      [schedule.prediction_weight_2]
      kind = "constant"
      from = 0.5
      """
    let all = try Self.read(parts)
    #expect(all.model.speedrun?.float8?.weight == 0.5)
    #expect(all.model.speedrun?.embeddingDeviation == 0.25)
    let none = try Self.read(
      parts,
      """
      [model]
      float8_head = false
      value_embeddings = false
      skip = false
      backout = false
      embedding = "tied"
      predictions = 1
      """)
    let options = try #require(none.model.speedrun)
    #expect(options.float8 == nil && options.skip == nil && options.backoutLayer == nil)
    #expect(options.valueEmbeddings.isEmpty && options.embedding == .tied)
    #expect(none.schedule.run.scalars.isEmpty)
    for key in ["model.float8_weight_scale", "model.skip_layers", "model.embedding_deviation"] {
      #expect(none.resolved[key] == nil, "\(key)")
    }
    let late = try #require(throws: ConfigurationError.self) {
      try Self.read("skip = false", "model.skip_layers = [0, 1]")
    }
    #expect(late.message.contains("(two.toml:1)"), "\(late)")
  }

  @Test(
    "A resolved configuration is read again as it is, a table that waits for its weights included")
  func resolved() throws {
    let first = try Self.read(
      "embedding = \"tied-then-untied\"\nhead_deviation = 0.01\n[schedule]\nuntie_at = 5")
    var source = ConfigurationSource()
    try source.add(layer: "again.toml", text: first.resolved.tomlText)
    #expect(try TrainingConfiguration(source).identity == first.identity)
    #expect(first.resolved["model.embedding_deviation"] == nil)
    // A later layer may change what the table's first weights are, or untie tables that were set up otherwise.
    try source.add(layer: "later.toml", text: "model.head_deviation = 0.02")
    #expect(try TrainingConfiguration(source).model.speedrun?.headDeviation == 0.02)
    let later = try Self.read(
      "embedding = \"untied\"\nembedding_deviation = 0.25",
      "model.embedding = \"tied-then-untied\"\nschedule.untie_at = 5")
    #expect(later.model.speedrun?.embeddingDeviation == later.model.speedrun?.headDeviation)
  }
}
