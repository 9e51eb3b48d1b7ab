// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import LanguageModels
import Optimizers
import TensorGraph
import TextData

/// The programs of a run, compiled without memory.
struct PlannedRun {
  let definition: StepDefinition
  let memory: MemoryEstimate
  /// Forward and backward pass of one micro-batch; with one micro-batch the update too.
  let forward: PlannedWork
  /// The update of accumulated gradients.
  let update: PlannedWork
  /// One batch of an evaluation, and its tokens.
  let evaluation: PlannedWork
  let evaluationBatchTokens: Int
  /// Targets of one evaluation; as many as asked for when there are no data to ask.
  let evaluationTokens: Int

  init(
    _ configuration: TrainingConfiguration, vocabularySize given: Int?, provider: RuntimeProvider
  ) throws {
    let data = try Self.description(configuration, isNeeded: given == nil)
    let vocabularySize =
      try given ?? data?.vocabularySize ?? configuration.model.vocabularySize
      ?? DatasetDescription(folder: configuration.data.path).vocabularySize
    let model = try configuration.modelConfiguration(vocabularySize: vocabularySize).makeModel()
    let optimizer = try configuration.optimizer(for: model.parameters)
    let precision = provider.precision(configuration.machine.precision)
    definition = StepDefinition(
      model: model, optimizer: optimizer, sequences: configuration.sequences, precision: precision)
    let threads = configuration.machine.threads
    let runtime = try CPURuntime.planning(threads: threads > 0 ? threads : nil)
    let microBatches = configuration.microBatches
    // Compiled first, so first in the runtime's list.
    _ = try TrainingStep(definition, accumulationSteps: microBatches, runtime: runtime)
    forward = runtime.plannedWork[0]
    update =
      microBatches > 1
      ? runtime.plannedWork[1] : PlannedWork()
    let limit = configuration.evaluation.tokens == 0 ? Int.max : configuration.evaluation.tokens
    evaluationTokens = min(limit, data.map { $0.validationTokens - 1 } ?? limit)
    let sequences = Evaluator.sequences(
      of: evaluationTokens, contextLength: configuration.model.contextLength)
    evaluationBatchTokens = sequences * configuration.model.contextLength
    _ = try BoundProgram(definition.evaluationProgram(sequences: sequences), runtime)
    evaluation = runtime.plannedWork.last ?? PlannedWork()
    if configuration.metrics.statisticsEvery > 0 {
      try WeightStatistics(model.parameters, runtime: runtime).prepare()
    }
    memory = MemoryEstimate(runtime, definition)
  }

  /// The description of the data, where there are any; a plan can do without when the configuration names the vocabulary.
  private static func description(
    _ configuration: TrainingConfiguration, isNeeded: Bool
  ) throws -> DatasetDescription? {
    do {
      return try DatasetDescription(folder: configuration.data.path)
    } catch {
      if isNeeded, configuration.model.vocabularySize == nil { throw error }
      return nil
    }
  }
}
