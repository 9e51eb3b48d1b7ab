// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Configurations
import LanguageModels
import Optimizers
import TensorGraph
import TextData

/// The programs of a run, compiled without memory.
struct PlannedRun {
  let definition: StepDefinition
  let memory: MemoryEstimate
  /// Forward and backward passes of all steps and of extra gradients; where a step has one micro-batch the update too.
  let forward: [(work: PlannedWork, times: Double)]
  /// Tokens of all gradient evaluations.
  let charged: TokenCosts.Tokens
  /// The updates of accumulated gradients.
  let update: [(work: PlannedWork, times: Double)]
  /// Batches of all evaluations.
  let evaluation: (work: PlannedWork, times: Double)
  /// Tokens of all evaluations.
  let evaluated: TokenCosts.Tokens
  /// Targets of one evaluation; as many as asked for when there are no data to ask.
  let evaluationTokens: Int
  /// What their tokens cost.
  let costs: TokenCosts

  init(
    _ configuration: TrainingConfiguration, vocabularySize given: Int?, provider: RuntimeProvider?
  ) throws {
    let data = try Self.description(configuration, isNeeded: given == nil)
    let vocabularySize =
      try given ?? data?.vocabularySize ?? configuration.model.vocabularySize
      ?? DatasetDescription(folder: configuration.data.path).vocabularySize
    let model = try configuration.modelConfiguration(vocabularySize: vocabularySize).makeModel()
    let optimizer = try configuration.optimizer(for: model.parameters)
    let precision = (provider ?? RuntimeProvider(configuration.machine)).precision(
      configuration.machine.precision)
    let threads = configuration.machine.threads
    let runtime = try CPURuntime.planning(threads: threads > 0 ? threads : nil)
    var variants: [(entry: VariantSteps, microBatches: MicroBatches, program: Int)] = []
    let steps = try TrainingSteps(
      configuration, model: model.configuration, optimizer: optimizer, precision: precision,
      runtime: runtime
    ) { entry, microBatches in
      // The first that a step compiles is its forward pass, the second its separate update.
      variants.append((entry, microBatches, runtime.plannedWork.count))
    }
    definition = steps.definition
    let work = runtime.plannedWork
    var costs = TokenCosts(configuration, model.configuration)
    var charged: TokenCosts.Tokens = [:]
    // One program for forward pass, backward pass and update serves extra gradients less well, but they are few.
    forward = variants.map { entry, microBatches, program in
      let tokens = costs.charged(entry.steps, optimizer.trained)
      charged.merge(tokens, uniquingKeysWith: +)
      let size = microBatches.sequences * entry.variant.contextLength
      return (
        work[program].withAttention(costs.attentionShare(tokens)),
        tokens.values.reduce(0, +) / Double(size)
      )
    }
    self.charged = charged
    update = variants.filter { $0.microBatches.count > 1 }.map { entry, _, program in
      (work[program + 1], Double(entry.steps.count))
    }
    let limit = configuration.evaluation.tokens == 0 ? Int.max : configuration.evaluation.tokens
    evaluationTokens = min(limit, data.map { $0.validationTokens - 1 } ?? limit)
    let sequences = Evaluator.sequences(
      of: evaluationTokens, contextLength: configuration.evaluationContextLength)
    let evaluated = costs.evaluated(evaluationTokens)
    self.evaluated = evaluated
    for looksUpInHead in Set(configuration.variants.map(\.variant.looksUpInHead)) {
      let evaluated = configuration.evaluated(definition, looksUpInHead: looksUpInHead)
      _ = try BoundProgram(evaluated.evaluationProgram(sequences: sequences), runtime)
    }
    evaluation = (
      (runtime.plannedWork.last ?? PlannedWork()).withAttention(costs.attentionShare(evaluated)),
      evaluated.values.reduce(0, +) / Double(sequences * configuration.evaluationContextLength)
    )
    self.costs = costs
    if configuration.metrics.statisticsEvery > 0 {
      try WeightStatistics(model.parameters, runtime: runtime).prepare()
      _ = try Float8Statistics(configuration, definition, runtime: runtime)
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
      // Without them nobody knows how many tokens "all that are held out" are.
      if configuration.evaluation.tokens == 0 {
        throw ConfigurationError(
          .missingKey, keys: ["evaluation.tokens", "data.path"],
          "evaluation.tokens = 0 means all that are held out, and how many these are nobody knows without the data (\(error)); "
            + "give evaluation.tokens, or prepare the data")
      }
      if isNeeded, configuration.model.vocabularySize == nil { throw error }
      return nil
    }
  }
}

extension PlannedWork {
  /// The same work with a share of its attention, from 0 to 1.
  fileprivate func withAttention(_ share: Double) -> PlannedWork {
    var work = self
    work.productFLOPs -= attentionFLOPs * (1 - share)
    work.attentionFLOPs *= share
    return work
  }
}
