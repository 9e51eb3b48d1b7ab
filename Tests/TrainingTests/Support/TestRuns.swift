// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
import TensorGraph
import Training

/// A folder for one test, deleted when the test is over.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "assay-training-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A configuration of a very small run in a folder.
func smallConfiguration(
  _ folder: String, _ changes: [String: String] = [:]
) throws -> TrainingConfiguration {
  var values = [
    "model.width": "8", "model.layers": "1", "model.heads": "2", "model.context_length": "8",
    "model.feed_forward_width": "16", "data.path": "data",
    "training.steps": "6", "training.batch_tokens": "16", "optimizer.learning_rate": "0.01",
    "schedule.warmup_steps": "2", "evaluation.every": "3", "checkpoint.every": "2",
    "metrics.statistics_every": "2", "machine.precision": "fp32", "run.folder": folder + "/run",
  ]
  values.merge(changes) { $1 }
  let overrides = values.sorted { $0.key < $1.key }.map { "--\($0.key)=\($0.value)" }
  return try TrainingConfiguration(ConfigurationSource(file: nil, overrides: overrides))
}

/// The data of such a run.
func smallSource() -> SyntheticSource { SyntheticSource(vocabularySize: 11) }

/// A very small step with weights from a seed.
struct SmallStep {
  let runtime: any Runtime
  let step: TrainingStep
  let tensors: KeptTensors

  init(
    _ which: TestRuntime, sequences: Int = 2, accumulationSteps: Int = 1,
    revealsGradients: Bool = false, seed: UInt64 = 3,
    configuration: ModelConfiguration? = nil
  ) throws {
    runtime = try which.make()
    let configuration =
      try configuration
      ?? ModelConfiguration(
        vocabularySize: 11, width: 8, layers: 1, heads: 2, feedForwardWidth: 16, contextLength: 8)
    let model = configuration.makeModel()
    let definition = StepDefinition(
      model: model, optimizer: Optimizer(AdamW.self, parameters: model.parameters),
      sequences: sequences, precision: .fp32)
    step = try TrainingStep(
      definition, accumulationSteps: accumulationSteps, revealsGradients: revealsGradients,
      runtime: runtime)
    tensors = KeptTensors(definition, runtime: runtime)
    try tensors.initialize(seed: seed)
  }

  var parameters: [Parameter] { step.definition.model.parameters }

  func values(_ label: String) -> [Float] {
    (try? tensors.values(label, for: .reading)).map(Array.init) ?? []
  }

  /// All weights and state by label.
  var everything: [String: [Float]] {
    let labels = parameters.map(\.name) + step.definition.stateDeclarations.map(\.label)
    return Dictionary(uniqueKeysWithValues: labels.map { ($0, values($0)) })
  }

  func settings(
    clip: Double = .infinity, _ changes: [String: Double] = [:]
  ) throws -> TrainingStep.Settings {
    var settings = TrainingStep.Settings()
    settings.conditions.hyperparameters["all"] =
      try AdamW.card.complete(["learning_rate": 0.01].merging(changes) { $1 })
    settings.conditions.gradientClip = clip
    return settings
  }
}

/// ||a - b|| / ||b||; the length of a where b is zero.
func relativeError(_ a: [Float], _ b: [Double]) -> Double {
  precondition(a.count == b.count, "\(a.count) and \(b.count) numbers")
  var difference = 0.0
  var length = 0.0
  for (x, y) in zip(a, b) {
    difference += (Double(x) - y) * (Double(x) - y)
    length += y * y
  }
  return difference.squareRoot() / (length == 0 ? 1 : length.squareRoot())
}
