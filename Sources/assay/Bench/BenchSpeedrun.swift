// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CPURuntime
import Configurations
import Foundation
import LanguageModels
import Optimizers
import RandomStreams
import TensorGraph
import Training

/// `assay bench speedrun`.
struct BenchSpeedrun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "speedrun",
    abstract: "Times a step of a speedrun record at its published width, alternating with PyTorch.",
    discussion: """
      One sequence of 2,048 tokens in documents of about 600; forward, backward, and every update of the preset's table, those at \
      every second step included: a measurement is of pairs of steps. The head is in float8, in bfloat16, or in the products' own type.
      """)

  @Option(help: "A preset of the speedrun.")
  var preset = "speedrun-B"

  @Flag(help: "Also run PyTorch.")
  var peers = false

  @Option(help: "The Python that has PyTorch.")
  var python = "python3"

  @Option(help: "The peer's script.")
  var script = "Benchmarks/peers/torch_speedrun.py"

  @Option(help: "Alternating rounds.")
  var rounds = 5

  @Option(help: "Modes to measure: fp32, fp32-fp8, bf16, bf16-fp8; the peer's also -compiled.")
  var modes = "bf16,bf16-fp8"

  @Option(help: "Tokens of the sequence.")
  var tokens = 2048

  @Option(help: "Threads; all cores unless given.")
  var threads: Int?

  @Flag(help: "Time of every kind of kernel instead.")
  var profile = false

  @Flag(help: "One JSON object on standard output.")
  var json = false

  func run() throws {
    let modes = modes.split(separator: ",").map(String.init)
    guard !peers || preset == "speedrun-B" else {
      throw CommandFailure(
        .usage, "the peer makes the steps of speedrun-B; leave --preset or --peers out")
    }
    var peer: BenchPeer?
    var results: [String: [Double]] = [:]
    var subjects: [(mode: String, subject: SpeedrunSubject)] = []
    for mode in modes where !mode.hasSuffix("-compiled") {
      let subject = try SpeedrunSubject(
        preset: preset, mode: mode, tokens: tokens, threads: threads)
      try subject.check()
      subjects.append((mode, subject))
      if profile {
        Console.data("\(mode)\n" + (try subject.profile()))
      }
    }
    if profile { return }
    if peers {
      let shape = """
        {"context_length": \(tokens), "sequences": 1, "adam_every": 2}
        """
      peer = try BenchPeer(
        BenchPeer.Invocation(
          python: python, script: script, shape: shape,
          threads: threads ?? ProcessInfo.processInfo.activeProcessorCount),
        modes: modes)
      for mode in modes { _ = try peer?.run(mode, steps: 2) }
    }
    for round in 0..<rounds {
      for (mode, subject) in subjects { results[mode, default: []].append(try subject.run(2) / 2) }
      for mode in modes {
        if let peer {
          results["pytorch " + mode, default: []].append(try peer.run(mode, steps: 2) / 2)
        }
      }
      Console.say("round \(round + 1)/\(rounds)")
    }
    let report = Report(results: results)
    if json { try Console.json(report) } else { Console.data(report.text) }
  }

  /// What was measured.
  struct Report: Encodable {
    /// Seconds of a step, by mode and round.
    let results: [String: [Double]]

    /// Ratios are medians over rounds of what ran in the same round.
    var text: String {
      var table = Table([
        ("", .left), ("s a step", .right), ("least", .right), ("of ours", .right),
      ])
      for (name, seconds) in results.sorted(by: { $0.key < $1.key }) {
        let mode = name.split(separator: " ").last.map(String.init) ?? name
        let own = mode.replacing("-compiled", with: "")
        let ratio = results[own].map { ours in median(zip(seconds, ours).map { $0 / $1 }) }
        table.add(
          name, Numbers.fixed(median(seconds), 3), Numbers.fixed(seconds.min() ?? .nan, 3),
          ratio.map { Numbers.fixed($0, 2) } ?? "")
      }
      return table.text
    }
  }
}

/// A step of a preset of the speedrun on one sequence of random tokens.
private final class SpeedrunSubject {
  private let runtime: CPURuntime
  private let step: TrainingStep
  private let configuration: TrainingConfiguration
  private var index = 0

  init(preset: String, mode: String, tokens: Int, threads: Int?) throws {
    var source = ConfigurationSource()
    guard let found = try Presets.find(preset) else {
      throw CommandFailure(.usage, "there is no preset '\(preset)'; see 'assay list presets'")
    }
    try source.add(preset: found.name, text: found.text)
    try source.add(overrides: ["model.float8_head=\(mode.contains("-fp8"))"])
    configuration = try TrainingConfiguration(source)
    runtime = try CPURuntime(threads: threads)
    let model = try configuration.modelConfiguration(vocabularySize: 50_257)
      .variant(contextLength: tokens, looksUpInHead: false).makeModel()
    let definition = StepDefinition(
      model: model, optimizer: try configuration.optimizer(for: model.parameters), sequences: 1,
      precision: mode.hasPrefix("bf16") ? .bf16 : .fp32)
    step = try TrainingStep(definition, runtime: runtime)
    try KeptTensors(definition, runtime: runtime).initialize(seed: 1)
    let stream = RandomStream(seed: 1, name: "bench/tokens")
    var document: Int32 = 0
    for index in 0..<tokens {
      step.batch.tokens[index] = Int32(stream.uint32(at: 3 * index) % 50_257)
      step.batch.targets[index] = Int32(stream.uint32(at: 3 * index + 1) % 50_257)
      if stream.uint32(at: 3 * index + 2) % 600 == 0 { document += 1 }
      step.batch.documents?[index] = document
    }
  }

  /// Runs steps, from the first of a run on; returns seconds.
  func run(_ steps: Int) throws -> Double {
    var last: TrainingStep.Result?
    let seconds = try ContinuousClock().measure {
      for _ in 0..<steps {
        last = try step.run(configuration.settings(at: index, step.definition.optimizer))
        index += 1
      }
    }
    loss = last?.crossEntropy ?? .nan
    return seconds / .seconds(1)
  }

  private var loss = Double.nan

  /// Checks the first steps before anything is timed: at the start the loss is near log V, and four steps lower it.
  func check() throws {
    _ = try run(1)
    let first = loss
    _ = try run(3)
    guard abs(first - 10.8354) < 0.05, loss < first - 0.01 else {
      throw CommandFailure(
        .failed, "the step is wrong: losses \(first), \(loss); expected about 10.835, falling")
    }
  }

  /// Processor time of the kernels of pairs of steps.
  func profile() throws -> String {
    guard let profiled = step.executable as? any ProfiledExecutable else {
      throw CommandFailure(.failed, "this runtime cannot profile")
    }
    profiled.startProfile()
    _ = try run(4)
    guard let profile = profiled.takeProfile() else {
      throw CommandFailure(.failed, "the runtime collected no profile")
    }
    var table = Table([
      ("class", .left), ("kernel", .left), ("units", .right), ("ms a step", .right),
      ("share", .right),
    ])
    for entry in profile.byCategory.map({ ($0.category, "", 0, $0.seconds) })
      + profile.entries.prefix(40).map({ ($0.category, $0.label, $0.units, $0.seconds) })
    {
      table.add(
        entry.0, entry.1, "\(entry.2)", Numbers.fixed(entry.3 * 250, 1),
        Numbers.fixed(100 * entry.3 / profile.seconds, 1) + " %")
    }
    return table.text
  }
}
