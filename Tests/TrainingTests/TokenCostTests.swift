// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
import RunRecords
import Testing

@testable import Training

/// Every step and every evaluation is charged for the windows, the length of sequences and the batch that it has.
@Suite struct TokenCostTests {
  /// FLOPs of a token in the products of the small decoder, forward: four 8 x 8, two 8 x 16 and the head's 8 x 11, twice each.
  static let products = 2.0 * (4 * 64 + 2 * 128 + 88)

  /// Two stages of two and four steps; held out are 24 targets.
  static func configuration(
    _ folder: TemporaryFolder, _ first: String, _ second: String,
    _ changes: [String: String] = [:]
  ) throws -> TrainingConfiguration {
    try smallConfiguration(
      folder.path,
      [
        "schedule.stage": "[{name = 'a', steps = 2, \(first)}, {name = 'b', \(second)}]",
        "model.vocabulary_size": "11", "evaluation.tokens": "24",
      ].merging(changes) { $1 })
  }

  /// FLOPs of a token with windows of 2, 8 and, after the last step, 4 over sequences of 8.
  ///
  /// 2 x 3 / 2 + 6 x 2 = 15, 8 x 9 / 2 = 36 and 4 x 5 / 2 + 4 x 4 = 26 pairs of query and key, at 4 FLOPs for each of 8 columns, in 8 tokens.
  static let (narrow, wide, last) = (products + 4 * 15, products + 4 * 36, products + 4 * 26)

  @Test("The plan of two windows is the one counted by hand, in FLOPs and in work")
  func windows() throws {
    let folder = try TemporaryFolder()
    let final = ["evaluation.final.attention_window": "4"]
    let estimate = try RunEstimate(
      Self.configuration(folder, "attention_window = 2", "attention_window = 8", final))
    #expect(estimate.gradientFLOPs == 3 * 16 * (2 * Self.narrow + 4 * Self.wide))
    #expect(estimate.gradientFLOPs == 379_008)
    // Before the first step, after the third, after the last.
    #expect(estimate.evaluationFLOPs == 24 * (Self.narrow + Self.wide + Self.last))
    #expect(estimate.evaluationFLOPs == 93_792)
    #expect((estimate.tokens, estimate.chargedTokens) == (96, 96))

    let whole = try RunEstimate(
      Self.configuration(folder, "attention_window = 8", "attention_window = 8"))
    #expect(whole.gradientFLOPs == 3 * 96 * Self.wide)
    #expect(whole.evaluationFLOPs == 3 * 24 * Self.wide)
    // Attention and its gradients take 4 + 10 FLOPs a pair and column: in two steps of two sequences 21 pairs less, and of three
    // sequences 21 less in the first evaluation and 10 in the last.
    let gradients: Double = 14 * 8 * 21 * 2 * 2
    let evaluations: Double = 4 * 8 * 3 * (21 + 10)
    let saved = gradients + evaluations
    #expect(abs(whole.work.productFLOPs - estimate.work.productFLOPs - saved) < 1e-6 * saved)
    #expect(whole.work.otherBytes == estimate.work.otherBytes)
    let speed = RunEstimate.Speed(flopsPerSecond: 1e9, bytesPerSecond: 1e9)
    #expect(estimate.seconds(at: speed) < whole.seconds(at: speed))
  }

  @Test("Sequences and batches that grow are charged at what they are, each with its window")
  func lengths() throws {
    let folder = try TemporaryFolder()
    let estimate = try RunEstimate(
      Self.configuration(
        folder, "attention_window = 2, batch_tokens = 8, context_length = 4",
        "attention_window = 8, batch_tokens = 16, context_length = 8"))
    // Sequences of 4: 3 + 2 x 2 = 7 pairs in 4 tokens, 4 x 7 x 8 / 4 = 56 FLOPs each.
    let short: Double = Self.products + 56
    let forward: Double = 2 * 8 * short + 4 * 16 * Self.wide
    #expect(estimate.gradientFLOPs == 3 * forward)
    #expect(estimate.gradientFLOPs == 318_336)
    #expect(estimate.tokens == 80)
  }

  @Test("A run records the FLOPs of the steps that it made", arguments: [3, 6])
  func records(steps: Int) throws {
    let folder = try TemporaryFolder()
    let configuration = try Self.configuration(
      folder, "attention_window = 2", "attention_window = 8")
    let stop = StopRequest()
    let summary = try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource(), stop: stop
    ) { event in
      if case .step(let report) = event, report.step == 2, steps == 3 { stop.request() }
    }
    let numbers = try RunRecord(path: summary.folder).outcome.finalNumbers
    let forward: Double = 2 * Self.narrow + Double(steps - 2) * Self.wide
    #expect(numbers["trainingFLOPs"] == 3 * 16 * forward)
  }

  @Test("Extra gradients are charged at the steps that take them")
  func extra() throws {
    let folder = try TemporaryFolder()
    // At the steps 0, 3: one of either window.
    let changes = ["optimizer.name": "sophia-g", "optimizer.curvature_every": "3"]
    let configuration = try Self.configuration(
      folder, "attention_window = 2, batch_tokens = 8", "attention_window = 8, batch_tokens = 16",
      changes)
    let estimate = try RunEstimate(configuration)
    #expect(estimate.gradientEvaluations == 8)
    let forward: Double = 3 * 8 * Self.narrow + 5 * 16 * Self.wide
    #expect(estimate.gradientFLOPs == 3 * forward)
    let summary = try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    #expect(summary.progress.chargedTokens == estimate.chargedTokens)
    let numbers = try RunRecord(path: summary.folder).outcome.finalNumbers
    #expect(numbers["trainingFLOPs"] == estimate.gradientFLOPs)
  }

  @Test("A group that rests at every other step takes its extra gradients before its updates")
  func extraOfRestingGroups() throws {
    let folder = try TemporaryFolder()
    // Updates at the steps 1, 3 and 5, the extra gradients before the first and the third.
    let configuration = try Self.configuration(
      folder, "attention_window = 2, batch_tokens = 8", "attention_window = 8, batch_tokens = 16",
      [
        "optimizer.name": "sophia-g", "optimizer.curvature_every": "2", "training.steps": "5",
        "optimizer.rule": "[{name = 'all', pattern = '*', every = 2}]",
      ])
    let estimate = try RunEstimate(configuration)
    #expect(estimate.gradientEvaluations == 6)
    #expect(estimate.gradientFLOPs == 3 * (3 * 8 * Self.narrow + 3 * 16 * Self.wide))
    let summary = try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    #expect(summary.progress.chargedTokens == estimate.chargedTokens)
  }

  @Test(
    "Extra evaluations of all steps are those of the run",
    arguments: ["sophia-g", "adalayer-frozen", "adamw"])
  func sums(method: String) throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path, ["optimizer.name": method])
    let model = try configuration.modelConfiguration(vocabularySize: 11).makeModel()
    for group in try configuration.optimizer(for: model.parameters).trained {
      for steps in [1, 9, 10, 11, 40] {
        let sum = (0..<steps).reduce(0) { $0 + group.extraEvaluations(at: $1) }
        #expect(sum == group.extraEvaluations(steps: steps), "\(steps) steps")
      }
    }
  }
}
