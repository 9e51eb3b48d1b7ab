// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import Optimizers
import TensorFiles
import TensorGraph
import Testing

@testable import Training

/// Every method and some policies, in whole runs.
@Suite struct OptimizerRunTests {
  /// Changes to the small configuration, by name: every method under two schedules, and policies of several methods.
  static let configurations: [(name: String, changes: [String: String])] = {
    var all: [(String, [String: String])] = []
    for method in OptimizerRegistry.methods {
      let card = method.card
      var changes = ["optimizer.name": card.name, "optimizer.learning_rate": "0.001"]
      // Counts are made small, so that they matter within six steps.
      for number in card.hyperparameters where number.isCount {
        changes["optimizer.\(number.name)"] = "3"
      }
      all.append((card.name + ", constant", changes.merging(["schedule.kind": "constant"]) { $1 }))
      if !card.wantsConstantRate {
        all.append((card.name + ", cosine", changes.merging(["schedule.kind": "cosine"]) { $1 }))
      }
      for option in card.options {
        for choice in option.choices.dropFirst() {
          all.append(
            (
              "\(card.name), \(option.name) \(choice)",
              changes.merging([
                "optimizer.\(option.name)": choice, "schedule.kind": "constant",
              ]) { $1 }
            ))
        }
      }
    }
    all += [
      (
        "hybrid of the study",
        [
          "optimizer.name": "sgd",
          "optimizer.rule": """
          [{name = "adaptive", roles = ["head", "norms"], method = "adalayer-star", learning_rate = 3.16e-3}]
          """,
        ]
      ),
      (
        "frozen norms, a group at every second step, an average of the weights",
        [
          "optimizer.average_decay": "0.5",
          "optimizer.rule": """
          [{roles = ["norms"], train = false}, {name = "slow", roles = ["head"], every = 2, learning_rate_multiplier = 0.5}]
          """,
        ]
      ),
      (
        "schedules of other scalars, a pause across the interruption",
        [
          "optimizer.rule": #"[{name = "top", roles = ["head"], gradient_clip = 3.0}]"#,
          "schedule.kind": "wsd", "schedule.beta1": "{from = 0.9, to = 0.5}",
          "schedule.gradient_clip": "{group = 'top', to = 1.0}",
          "schedule.pause": "{group = 'top', after = 'warm-up', steps = 3}",
        ]
      ),
      (
        "caution, spikes, a clip of one group",
        [
          "optimizer.cautious": "rescaled", "optimizer.cautious_decay": "strict",
          "optimizer.decay_scale": "learning-rate-squared", "optimizer.skip_deviations": "0.5",
          "optimizer.skip_window": "4",
          "optimizer.rule": #"[{roles = ["hidden"], gradient_clip = 0.01, method = "lion"}]"#,
        ]
      ),
    ]
    return all.map { (name: $0.0, changes: $0.1) }
  }()

  /// A run of six steps; stopped after three and taken up again by a new process's worth of objects where `isInterrupted`.
  private func run(
    _ folder: String, _ changes: [String: String], isInterrupted: Bool
  ) throws -> (summary: TrainingSummary, tensors: Data) {
    let configuration = try smallConfiguration(folder, changes)
    if isInterrupted {
      let stop = StopRequest()
      let first = try TrainingRun.train(
        configuration, runtime: TestRuntime.cpu.provider, source: smallSource(), stop: stop
      ) { event in
        if case .step(let report) = event, report.step == 2 { stop.request() }
      }
      #expect(first.outcome == .interrupted)
      #expect(first.progress.step == 3)
    }
    let summary = try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    let file = try #require(summary.checkpoint) + "/tensors.safetensors"
    return (summary, try Data(contentsOf: URL(fileURLWithPath: file)))
  }

  @Test(
    "A run that was interrupted ends with the same bits as one that was not",
    arguments: configurations.indices)
  func resume(index: Int) throws {
    let (name, changes) = Self.configurations[index]
    let folder = try TemporaryFolder()
    let whole = try run(folder.path + "/whole", changes, isInterrupted: false)
    let parts = try run(folder.path + "/parts", changes, isInterrupted: true)
    #expect(whole.summary.outcome == .finished, "\(name)")
    #expect(whole.tensors == parts.tensors, "\(name)")
    #expect(
      whole.summary.evaluation?.loss.bitPattern == parts.summary.evaluation?.loss.bitPattern,
      "\(name)")
    #expect(
      whole.summary.progress.gradientEvaluations == parts.summary.progress.gradientEvaluations)
  }

  @Test(
    "A gradient that is not a number leaves weights and state as they were, and is counted",
    arguments: OptimizerRegistry.names)
  func notANumber(name: String) throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(
      folder.path, ["optimizer.name": name, "schedule.kind": "constant"])
    let run = try TrainingRun(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    for step in 0..<2 {
      try run.source.fill(run.step.batch)
      #expect(try run.step.run(run.settings(at: step)).isUpdated)
    }
    func bits() throws -> [String: Data] {
      Dictionary(
        uniqueKeysWithValues: try run.tensors.written().map { ($0.name, Data($0.bytes)) })
    }
    func replace(_ number: Float) throws -> Float {
      let weights = try #require(
        try run.tensors.values("blocks.0.mlp.in.weight", for: .readingAndWriting))
      defer { weights[3] = number }
      return weights[3]
    }
    let sound = try replace(.nan)
    let (before, clock) = (try bits(), run.step.state.clock)
    try run.source.fill(run.step.batch)
    let result = try run.step.run(run.settings(at: 2))
    #expect(result.skip == .notFinite)
    #expect(try bits() == before)
    #expect(run.step.state.clock.groups.mapValues(\.updates) == clock.groups.mapValues(\.updates))
    // Nothing sticks: the next sound step is an update.
    _ = try replace(sound)
    #expect(try run.step.run(run.settings(at: 3)).isUpdated)
    #expect(try bits() != before)
  }

  @Test("Extra gradients are charged in evaluations and tokens")
  func charges() throws {
    for method in OptimizerRegistry.methods {
      guard let observation = method.card.observation else { continue }
      let folder = try TemporaryFolder()
      let expected: Int
      let key: String
      switch observation {
      case .sampledLabels(let every): (key, expected) = (every, 6 + 2)
      case .firstBatches(let count): (key, expected) = (count, 6 + 3)
      }
      let summary = try TrainingRun.train(
        smallConfiguration(
          folder.path, ["optimizer.name": method.card.name, "optimizer.\(key)": "3"]),
        runtime: TestRuntime.cpu.provider, source: smallSource())
      #expect(summary.progress.gradientEvaluations == expected, "\(method.card.name)")
      #expect(summary.progress.tokens == 96)
      #expect(summary.progress.chargedTokens == 16 * expected)
    }
  }

  @Test(
    "The average of the weights is what evaluation and exports use, the trained ones on request")
  func average() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(
      folder.path, ["optimizer.average_decay": "0.5", "optimizer.learning_rate": "0.1"])
    let summary = try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    let tensors = try TensorFile(
      path: try #require(summary.checkpoint) + "/tensors.safetensors")
    for choice in WeightChoice.allCases {
      let path = folder.path + "/\(choice.rawValue).safetensors"
      try TrainedModel(
        run: configuration.run.folder, weights: choice, runtime: TestRuntime.cpu.provider
      ).export(to: path)
      let exported = try TensorFile(path: path)
      let stored = choice == .evaluated ? "optimizer.average.head.weight" : "head.weight"
      #expect(try exported.floats("head.weight") == tensors.floats(stored))
    }
    #expect(try tensors.floats("head.weight") != tensors.floats("optimizer.average.head.weight"))
  }
}
