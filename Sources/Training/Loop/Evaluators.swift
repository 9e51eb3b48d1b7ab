// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import TensorGraph

/// The evaluations of a run: one for each way of looking tokens up, over the same held-out sequences.
final class Evaluators {
  private let configuration: TrainingConfiguration
  private let byLookup: [Bool: Evaluator]

  /// Compiles them.
  ///
  /// - Parameters:
  ///   - configuration: of the run.
  ///   - definition: model and optimizer with all their parameters.
  ///   - source: the data.
  ///   - runtime: where the weights are.
  /// - Throws: `GraphError`, or what the runtime throws.
  init(
    _ configuration: TrainingConfiguration, _ definition: StepDefinition,
    source: any BatchSource, runtime: any Runtime
  ) throws {
    self.configuration = configuration
    var found: [Bool: Evaluator] = [:]
    for looksUpInHead in Set(configuration.variants.map(\.variant.looksUpInHead)) {
      found[looksUpInHead] = try Evaluator(
        configuration.evaluated(definition, looksUpInHead: looksUpInHead), source: source,
        runtime: runtime)
    }
    byLookup = found
  }

  /// Measures the current weights.
  ///
  /// - Parameters:
  ///   - numbers: what the programs read.
  ///   - step: steps made.
  ///   - stop: asked between batches.
  /// - Returns: the loss; nil when somebody asked for the end.
  /// - Throws: an error when the data cannot be read.
  func run(
    _ numbers: ModelNumbers, after step: Int, _ stop: StopRequest
  ) throws -> Evaluator.Result? {
    let last = configuration.training.steps - 1
    let looksUpInHead = configuration.variant(at: min(step, last)).looksUpInHead
    guard let evaluator = byLookup[looksUpInHead] else {
      preconditionFailure("no evaluation was compiled for step \(step)")
    }
    return try evaluator.run(numbers, stop)
  }
}

extension TrainingConfiguration {
  /// Tokens of an evaluated sequence.
  public var evaluationContextLength: Int { evaluation.contextLength ?? model.contextLength }

  /// What an evaluation runs: the model on sequences of the evaluation's length.
  func evaluated(_ definition: StepDefinition, looksUpInHead: Bool) -> StepDefinition {
    StepDefinition(
      model: definition.model.configuration.variant(
        contextLength: evaluationContextLength, looksUpInHead: looksUpInHead
      ).makeModel(),
      optimizer: definition.optimizer, sequences: 1, precision: definition.precision)
  }
}
