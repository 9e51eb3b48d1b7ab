// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import LanguageModels
import Optimizers
import TensorGraph

/// Bytes that a run will hold at its most, by what they are for; known before it starts.
///
/// All programs of the run are compiled by the runtime that would execute them, over addresses instead of memory, so the sum is
/// what `Runtime.peakBytes` will be: the size of the model is no limit.
public struct MemoryEstimate: Codable, Equatable, Sendable {
  /// The parameters, frozen ones included.
  public var weights: Int
  /// One gradient of every trained parameter.
  ///
  /// With one micro-batch they lie in the arena until the update, with several they are kept apart and added up.
  public var gradients: Int
  /// What the optimizer keeps between steps.
  public var optimizerState: Int
  /// The rest of the arena: activations, their gradients, workspaces of products and updates; each place is used again as soon as it is free.
  public var activations: Int
  /// The weights before the last measured update, where `metrics.statistics_every` measures updates.
  public var statistics: Int
  /// Small areas of each thread.
  public var scratch: Int

  /// The sum: the most bytes of tensors at once.
  public var total: Int {
    weights + gradients + optimizerState + activations + statistics + scratch
  }

  /// Counts what a run needs, without taking it.
  ///
  /// - Parameters:
  ///   - configuration: The run.
  ///   - vocabularySize: Of the data; nil: `model.vocabulary_size`, or else read from the data set.
  ///   - provider: Decides what `precision = "auto"` means; nil: the device that the configuration asks for.
  /// - Throws: Errors of configuration and data, `GraphError`.
  /// - Complexity: Seconds for a model of some billion parameters.
  public init(
    _ configuration: TrainingConfiguration, vocabularySize: Int? = nil,
    provider: RuntimeProvider? = nil
  ) throws {
    self = try PlannedRun(configuration, vocabularySize: vocabularySize, provider: provider).memory
  }

  /// Divides what a planning runtime has counted.
  init(_ runtime: CPURuntime, _ definition: StepDefinition) {
    let kept = runtime.keptBytes
    func sum(_ labels: some Sequence<String>) -> Int { labels.reduce(0) { $0 + (kept[$1] ?? 0) } }
    weights = sum(definition.model.parameters.map(\.name))
    optimizerState = sum(definition.stateDeclarations.map(\.label))
    let accumulated = sum(
      definition.optimizer.trainedParameters.map { StepDefinition.accumulatedLabel($0) })
    gradients =
      accumulated > 0
      ? accumulated
      : min(
        runtime.arenaBytes,
        definition.optimizer.trainedParameters.reduce(0) { $0 + $1.shape.count * 4 })
    activations = runtime.arenaBytes - (accumulated > 0 ? 0 : gradients)
    statistics = kept.values.reduce(0, +) - weights - optimizerState - accumulated
    scratch = runtime.peakBytes - runtime.arenaBytes - kept.values.reduce(0, +)
  }
}
