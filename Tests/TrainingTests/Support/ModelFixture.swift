// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LanguageModels
import Optimizers
import TensorFiles
import TensorGraph
import Training

/// A golden model: weights, batch, gradients and 20 AdamW steps, made by `Scripts/fixtures/models.py` with PyTorch in float64.
struct ModelFixture {
  struct Description: Decodable {
    var architecture: ModelConfiguration.Architecture
    var vocabulary_size, width, layers, heads, key_value_heads, head_width: Int
    var feed_forward_width, context_length, sequences, steps: Int
    var tied, qk_norm, document_mask: Bool
    var z_loss: Float
    var learning_rate, beta1, beta2, epsilon, weight_decay, gradient_clip: Double
  }

  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/models")

  /// The names, from the folder itself.
  static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }()

  let description: Description
  let file: TensorFile
  let model: any LanguageModel

  init(_ name: String) throws {
    let json = try Data(contentsOf: Self.folder.appendingPathComponent(name + ".json"))
    description = try JSONDecoder().decode(Description.self, from: json)
    file = try TensorFile(path: Self.folder.appendingPathComponent(name + ".safetensors").path)
    let d = description
    model = try ModelConfiguration(
      architecture: d.architecture, vocabularySize: d.vocabulary_size, width: d.width,
      layers: d.layers, heads: d.heads, keyValueHeads: d.key_value_heads, headWidth: d.head_width,
      feedForwardWidth: d.feed_forward_width, contextLength: d.context_length, isTied: d.tied,
      hasQueryKeyNorm: d.qk_norm, zLoss: d.z_loss, masksDocuments: d.document_mask
    ).makeModel()
  }

  func numbers(_ name: String) throws -> [Double] { try file.doubles(name) }

  func number(_ name: String) throws -> Double { try file.doubles(name)[0] }

  var settings: TrainingStep.Settings {
    var settings = TrainingStep.Settings()
    settings.conditions.hyperparameters["all"] = [
      "learning_rate": description.learning_rate, "beta1": description.beta1,
      "beta2": description.beta2, "epsilon": description.epsilon,
      "weight_decay": description.weight_decay,
    ]
    settings.conditions.gradientClip = description.gradient_clip
    return settings
  }

  /// A step with the fixture's weights and batch in place.
  func makeStep(
    _ runtime: any Runtime, precision: Precision
  ) throws -> (step: TrainingStep, tensors: KeptTensors) {
    let definition = StepDefinition(
      model: model, optimizer: Optimizer(AdamW.self, parameters: model.parameters),
      sequences: description.sequences, precision: precision)
    let step = try TrainingStep(definition, revealsGradients: true, runtime: runtime)
    let tensors = KeptTensors(definition, runtime: runtime)
    for parameter in model.parameters {
      guard let memory = try tensors.values(parameter.name, for: .writing) else { continue }
      try file.read("initial." + parameter.name, into: memory)
    }
    try tensors.initializeState()
    try fill(step.batch.tokens, "tokens")
    try fill(step.batch.targets, "targets")
    if let documents = step.batch.documents { try fill(documents, "documents") }
    return (step, tensors)
  }

  func fill(_ buffer: UnsafeMutableBufferPointer<Int32>, _ name: String) throws {
    for (index, value) in try file.integers("batch." + name).enumerated() {
      buffer[index] = Int32(value)
    }
  }
}
