// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import LanguageModels
import Optimizers
import Testing
import Training

@Suite struct TrainingConfigurationTests {
  func read(_ text: String, _ overrides: [String] = []) throws -> TrainingConfiguration {
    var source = ConfigurationSource()
    try source.add(preset: "test", text: text)
    try source.add(overrides: overrides)
    return try TrainingConfiguration(source)
  }

  @Test("Only the data have to be named; everything else has a default")
  func defaults() throws {
    let configuration = try read("[data]\npath = \"d\"")
    #expect(configuration.model.width == 256)
    #expect(configuration.model.hasQueryKeyNorm)
    #expect(configuration.model.zLoss == 1e-4)
    #expect(configuration.optimizer.name == "adamw")
    #expect(configuration.optimizer.policy.hyperparameters["beta2"] == 0.95)
    #expect(configuration.optimizer.gradientClip == 1)
    #expect(configuration.schedule.warmupSteps == 50)
    #expect(configuration.training.dataSeed == configuration.training.seed)
    #expect(configuration.sequences == 16)
    let model = try configuration.modelConfiguration(vocabularySize: 300)
    #expect(model.vocabularySize == 300)
    #expect(model.heads == 4)
    #expect(configuration.resolved["optimizer.beta2"]?.origin == .default)
  }

  @Test("Variants set the defaults of norms and z-loss, keys override them")
  func variants() throws {
    let plain = try read("[data]\npath = \"d\"\n[model]\nvariant = \"plain\"")
    #expect(!plain.model.hasQueryKeyNorm)
    #expect(plain.model.zLoss == 0)
    let mixed = try read("[data]\npath = \"d\"\n[model]\nvariant = \"plain\"\nz_loss = 1e-3")
    #expect(!mixed.model.hasQueryKeyNorm)
    #expect(mixed.model.zLoss == 1e-3)
    let llama = try read("[data]\npath = \"d\"\n[model]\narchitecture = \"llama\"")
    #expect(!llama.model.hasQueryKeyNorm)
    #expect(llama.model.zLoss == 0)
    #expect(try llama.modelConfiguration(vocabularySize: 9).feedForwardWidth == 704)
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    var text: String
    var code: ConfigurationProblem.Code
    var keys: [String]
    /// What the message must contain.
    var parts: [String]
    var testDescription: String { text.replacing("\n", with: " ") }

    init(
      _ text: String, _ code: ConfigurationProblem.Code, _ keys: [String], _ parts: [String]
    ) {
      self.text = text
      self.code = code
      self.keys = keys
      self.parts = parts
    }
  }

  static let mistakes = [
    Mistake("[model]\nwidht = 3", .unknownKey, ["model.widht"], ["test", "model.width"]),
    Mistake("[modle]\nwidth = 3", .unknownKey, ["modle.width"], ["model.width"]),
    Mistake("[model]\nwidth = \"wide\"", .wrongType, ["model.width"], ["wide"]),
    Mistake("[model]\nwidth = 0", .outOfRange, ["model.width"], ["0", "1"]),
    Mistake(
      "[model]\narchitecture = \"lama\"", .unknownName, ["model.architecture"], ["llama"]),
    Mistake(
      "[model]\nwidth = 100\nheads = 3", .contradiction, ["model.heads"], ["100", "3"]),
    Mistake("[model]\nwidth = 100", .contradiction, ["model.width"], ["100", "64"]),
    Mistake("[model]\nwidth = 6\nheads = 2", .contradiction, ["model.heads"], ["even"]),
    Mistake(
      "[model]\nheads = 4\nkey_value_heads = 3", .contradiction, ["model.key_value_heads"],
      ["multiple"]),
    Mistake("[model]\nz_loss = -1", .outOfRange, ["model.z_loss"], ["-1"]),
    Mistake(
      "[training]\nbatch_tokens = 1000", .contradiction,
      ["training.batch_tokens", "model.context_length", "training.accumulation_steps"],
      ["256", "768 or 1024"]),
    Mistake(
      "[training]\nbatch_tokens = 512\naccumulation_steps = 4", .contradiction,
      ["training.batch_tokens", "model.context_length", "training.accumulation_steps"], ["1024"]),
    Mistake("[training]\nsteps = 0", .outOfRange, ["training.steps"], ["0"]),
    Mistake("[training]\nskip_limit = 0", .outOfRange, ["training.skip_limit"], ["0"]),
    Mistake(
      "[training]\nsteps = 10\n[schedule]\nwarmup_steps = 11", .contradiction,
      ["schedule.warmup_steps", "training.steps"], ["longer than the run", "10"]),
    Mistake(
      "[schedule]\nkind = \"constant\"\nfinal_fraction = 0.5", .contradiction,
      ["schedule.final_fraction", "schedule.kind"], ["constant"]),
    Mistake("[schedule]\nkind = \"cosin\"", .unknownName, ["schedule.kind"], ["cosine"]),
    Mistake("[schedule]\nfinal_fraction = 1.5", .outOfRange, ["schedule.final_fraction"], ["1.5"]),
    Mistake("[optimizer]\nname = \"adamv\"", .unknownName, ["optimizer.name"], ["'adamw'"]),
    Mistake("[optimizer]\nbeta1 = 1.0", .outOfRange, ["optimizer.beta1"], ["[0, 1)"]),
    Mistake("[optimizer]\nlearning_rate = -1", .outOfRange, ["optimizer.learning_rate"], ["-1"]),
    Mistake("[optimizer]\nlearning_rate = nan", .outOfRange, ["optimizer.learning_rate"], ["nan"]),
    Mistake(
      "[optimizer]\nmomentum = 0.9", .contradiction, ["optimizer.momentum"],
      ["momentum is a key of", "not of adamw"]),
    Mistake("[optimizer]\ngradient_clip = -1", .outOfRange, ["optimizer.gradient_clip"], ["-1"]),
    Mistake("[checkpoint]\nkeep = 0", .outOfRange, ["checkpoint.keep"], ["0"]),
    Mistake("[machine]\nprecision = \"fp16\"", .unknownName, ["machine.precision"], ["fp32"]),
    Mistake("[machine]\nthreads = -1", .outOfRange, ["machine.threads"], ["-1"]),
    Mistake(
      "[machine]\ndevice = \"xla:cdua\"", .outOfRange, ["machine.device"],
      ["line 3", "'xla:cuda'"]),
    Mistake("[machine]\ndevice = \"\"", .outOfRange, ["machine.device"], ["xla:FILE.so"]),
    Mistake("[machine]\ndevices = 0", .outOfRange, ["machine.devices"], ["1"]),
    Mistake(
      "[machine]\ndevices = 2", .contradiction, ["machine.devices", "machine.device"],
      ["one device"]),
    Mistake(
      "[machine]\nsharding = \"state\"", .contradiction, ["machine.sharding", "machine.devices"],
      ["no effect"]),
    Mistake(
      "[machine]\ndevice = \"xla:cpu\"\nthreads = 2", .contradiction,
      ["machine.threads", "machine.device"], ["no effect"]),
    Mistake(
      "[machine]\ndevice = \"xla:cpu\"\ndevices = 7", .contradiction,
      ["machine.devices", "training.batch_tokens", "training.accumulation_steps"],
      ["multiple of 7"]),
    Mistake("[evaluation]\nevery = 2.5", .wrongType, ["evaluation.every"], ["2.5"]),
  ]

  @Test("Mistakes are refused before any work, naming keys, values and remedy", arguments: mistakes)
  func refuses(_ mistake: Mistake) throws {
    let error = try #require(throws: ConfigurationError.self) {
      try read("data.path = \"d\"\n" + mistake.text)
    }
    #expect(error.problems.count == 1, "\(error)")
    #expect(error.code == mistake.code, "\(error)")
    #expect(error.problems[0].keys == mistake.keys, "\(error)")
    for part in mistake.parts { #expect(error.message.contains(part), "\(error)") }
  }

  @Test("All mistakes are told at once")
  func several() throws {
    let error = try #require(throws: ConfigurationError.self) {
      try read("[model]\nwidth = 0\nlayrs = 2")
    }
    #expect(
      Set(error.problems.flatMap(\.keys)) == ["data.path", "model.width", "model.layrs"])
  }

  @Test("A vocabulary that is too small for the data is refused, a larger one taken")
  func vocabulary() throws {
    let configuration = try read("[data]\npath = \"d\"\n[model]\nvocabulary_size = 512")
    #expect(try configuration.modelConfiguration(vocabularySize: 300).vocabularySize == 512)
    let error = try #require(throws: ConfigurationError.self) {
      try configuration.modelConfiguration(vocabularySize: 513)
    }
    #expect(error.code == .contradiction)
    #expect(error.message.contains("512"))
  }

  @Test("Identity covers what changes numbers, and nothing else")
  func identity() throws {
    let text = "[data]\npath = \"d\""
    let identity = try read(text).identity
    for same in [
      "--machine.threads=2", "--run.folder=x", "--checkpoint.every=7", "--metrics.every=5",
      "--machine.device=xla:cuda",
      "--machine.device=xla:cpu --machine.devices=2 --machine.sharding=batch",
    ] {
      let overrides = same.split(separator: " ").map(String.init)
      #expect(try read(text, overrides).identity == identity, "\(same)")
    }
    for other in [
      "--training.seed=2", "--optimizer.beta1=0.8", "--model.layers=5", "--data.path=e",
      "--machine.precision=fp32", "--evaluation.tokens=1", "--training.skip_limit=2",
    ] {
      #expect(try read(text, [other]).identity != identity, "\(other)")
    }
  }
}
