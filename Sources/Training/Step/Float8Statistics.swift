// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LanguageModels
import RunRecords
import TensorGraph

/// What a float8 head rounds: sizes of its hidden states, weights and gradients by logits, and how many of them are too large.
///
/// Measured on the beginning of the next batch by a program of its own: the step's program is never touched, so measuring cannot change
/// a run's bits. Weights are looked at whole; of hidden states and gradients 64 rows, a sample of some millions of numbers.
final class Float8Statistics {
  /// Rows of a sequence that are looked at: millions of gradients.
  private static let rows = 64
  private static let (largestE4M3, largestE5M2): (Float, Float) = (448, 57_344)

  /// Tokens that are looked at: no more than the shortest sequences of the run have.
  private static let mostTokens = 2048

  private let scales: SpeedrunOptions.Float8Scales
  private let runtime: any Runtime
  private let contextLength: Int
  /// By where tokens are looked up.
  private let programs: [Bool: (model: any LanguageModel, program: BoundProgram)]

  /// Compiles what is needed; nil where the model's head is not in float8, or nothing is to be measured.
  ///
  /// - Parameters:
  ///   - configuration: of the run.
  ///   - definition: model and precision.
  ///   - runtime: where the weights are.
  /// - Throws: what the runtime throws when it compiles.
  init?(
    _ configuration: TrainingConfiguration, _ definition: StepDefinition, runtime: any Runtime
  ) throws {
    let model = definition.model.configuration
    guard let scales = model.speedrun?.float8, configuration.metrics.statisticsEvery > 0 else {
      return nil
    }
    self.scales = scales
    self.runtime = runtime
    let variants = configuration.variants.map(\.variant)
    contextLength = min(Self.mostTokens, variants.map(\.contextLength).min() ?? model.contextLength)
    var programs: [Bool: (any LanguageModel, BoundProgram)] = [:]
    for looksUpInHead in Set(variants.map(\.looksUpInHead)) {
      let variant = model.variant(
        contextLength: contextLength, looksUpInHead: looksUpInHead
      ).makeModel()
      let program = try Self.program(variant, scales, definition.precision)
      programs[looksUpInHead] = (variant, try BoundProgram(program, runtime))
    }
    self.programs = programs
  }

  /// Measures the weights as they are, on the beginning of a batch.
  ///
  /// - Parameters:
  ///   - step: the next, with its batch filled.
  ///   - settings: what it will be run with.
  /// - Returns: x, weight and gradient.
  /// - Throws: what the runtime throws.
  func measure(
    _ step: TrainingStep, _ settings: TrainingStep.Settings
  ) throws -> [Float8Record.Tensor: Float8Record.Measurement] {
    let batch = step.batch
    guard let (model, program) = programs[step.definition.model.configuration.looksUpInHead] else {
      preconditionFailure("no program was compiled for this variant of the model")
    }
    program.set(settings.modelScalars)
    program.set(settings.modelVectors)
    batch.copy(from: 0, count: contextLength, to: program.inputs)
    try program.executable.run()
    let hidden = program.executable.output("hidden").bindMemory(to: Float.self)
    let logits = program.executable.output("logits").bindMemory(to: Float.self)
    let scale = 1 / (settings.lossDivisor ?? Double(max(1, batch.countedTargets)))
    let gradients = gradients(
      Array(logits), model, batch, settings.modelScalars, lossScale: Float(scale))
    var found = [
      Float8Record.Tensor.x: hidden.measured(scales.hidden, Self.largestE4M3),
      .gradient: gradients.withUnsafeBufferPointer {
        $0.measured(scales.gradient, Self.largestE5M2)
      },
    ]
    if let weight = try runtime.kept("head.weight", for: .reading) {
      found[.weight] = UnsafeBufferPointer(weight.bindMemory(to: Float.self))
        .measured(scales.weight, Self.largestE4M3)
    }
    return found
  }

  /// Rows before the last that training predicts in full.
  private static func window(_ model: ModelConfiguration) -> Range<Int> {
    let end = max(1, model.contextLength - (model.speedrun?.predictions ?? 1) + 1)
    return max(0, end - rows)..<end
  }

  private static func program(
    _ model: any LanguageModel, _ scales: SpeedrunOptions.Float8Scales, _ precision: Precision
  ) throws(GraphError) -> Program {
    let graph = Graph()
    let inputs = ModelInputs(model.configuration, sequences: 1, in: graph)
    let weights = ModelWeights(model.parameters, in: graph)
    let hidden = model.hidden(inputs, weights).slice(window(model.configuration))
    let x = roundedToE4M3(hidden * (1 / scales.hidden))
    let weight = roundedToE4M3(model.head(weights) * (1 / scales.weight))
    let logits = x.linear(weight).cast(to: .float32)
    let program = try Program(
      graph: graph, outputs: [("hidden", hidden.cast(to: .float32)), ("logits", logits)])
    return precision == .bf16 ? try program.withBFloat16Products() : program
  }

  /// Gradients by the logits before their cap, of all rows of the window.
  private func gradients(
    _ products: [Float], _ model: any LanguageModel, _ batch: StepBatch,
    _ numbers: [String: Double], lossScale: Float
  ) -> [Float] {
    let vocabulary = model.configuration.vocabularySize
    let predictions = model.configuration.speedrun?.predictions ?? 1
    let weights =
      [1]
      + (1..<predictions).map { Float(numbers["prediction_weight_\($0 + 1)"] ?? 0) }
    let factor = scales.hidden * scales.weight
    var result = products
    for (place, row) in Self.window(model.configuration).enumerated() {
      let range = place * vocabulary..<(place + 1) * vocabulary
      var slopes = [Float](repeating: 1, count: vocabulary)
      for (index, place) in range.enumerated() {
        result[place] *= factor
        guard let cap = model.headForm.softCap else { continue }
        let relative = tanh(result[place] / cap)
        result[place] = relative * cap
        slopes[index] = 1 - relative * relative
      }
      let largest = result[range].max() ?? 0
      for place in range { result[place] = exp(result[place] - largest) }
      let sum = result[range].reduce(0, +)
      let all = weights.reduce(0, +)
      for index in range { result[index] *= all / sum }
      for (ahead, weight) in weights.enumerated() where batch.targets[row + ahead] >= 0 {
        result[range.lowerBound + Int(batch.targets[row + ahead])] -= weight
      }
      for (index, slope) in zip(range, slopes) { result[index] *= slope * lossScale }
    }
    return result
  }
}

extension UnsafeBufferPointer where Element == Float {
  /// Quantiles of the sizes, and the share that is beyond the format once it is divided by the scale.
  fileprivate func measured(_ scale: Float, _ largest: Float) -> Float8Record.Measurement {
    Float8Record.Measurement(
      scale: Double(scale), limit: Double(largest),
      saturated: MagnitudeSummary.share(of: self, above: scale * largest),
      quantiles: MagnitudeSummary(self).quantiles(Float8Record.shares).map(Double.init))
  }
}
