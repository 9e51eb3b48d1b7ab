// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import LanguageModels
import Optimizers
import RunRecords
import TextData
import Training

/// How many steps a budget pays for.
struct StepBudget {
  let unit: StudyRecord.Budget.Unit
  let amount: Double
  /// Steps a second of this arm, where the budget is seconds.
  var stepsPerSecond: Double?

  /// The steps of a full trial.
  ///
  /// - Parameter configuration: The arm's; its own number of steps plays no part.
  /// - Returns: of charged tokens, operations and seconds the most that costs no more than the budget.
  /// - Throws: `ConfigurationError` when a token budget is no multiple of a batch, or the budget does not pay for one step.
  func steps(_ configuration: TrainingConfiguration) throws -> Int {
    let steps: Int
    switch unit {
    case .steps: steps = Int(amount)
    case .tokens: steps = try wholeBatches(configuration)
    case .chargedTokens, .flops: steps = try affordable(configuration)
    case .seconds:
      // Of another length, the run would have other steps, and their mean another speed.
      try requireConstantBatch(configuration)
      let model = try configuration.modelConfiguration(
        vocabularySize: configuration.model.vocabularySize ?? 2)
      try requireConstantCost(configuration, model)
      guard let stepsPerSecond else {
        throw ConfigurationError(
          .missingKey, keys: ["budget.seconds"],
          "budget.seconds needs the speed of every arm on this machine, which nobody has measured")
      }
      steps = Int(amount * stepsPerSecond)
    }
    guard steps >= 1 else {
      throw ConfigurationError(
        .outOfRange, keys: [key],
        "\(key) = \(KnobValue.number(amount).toml) does not pay for one step; give more")
    }
    return steps
  }

  private var key: String { "budget." + StudyReader.key(of: unit) }

  private func requireConstantBatch(_ configuration: TrainingConfiguration) throws {
    let training = configuration.training
    guard configuration.totalTokens == training.steps * training.batchTokens else {
      throw ConfigurationError(
        .contradiction, keys: [key, "schedule.batch_tokens"],
        "\(key) cannot be turned into steps while the batch changes during the run; give budget.steps"
      )
    }
  }

  private func requireConstantCost(
    _ configuration: TrainingConfiguration, _ model: ModelConfiguration
  ) throws {
    guard configuration.hasConstantTokenCost(model) else {
      throw ConfigurationError(
        .contradiction, keys: [key, "schedule"],
        "\(key) cannot be turned into steps while attention windows or the length of sequences change during the run, for the "
          + "steps decide when they do; give budget.steps")
    }
  }

  private func wholeBatches(_ configuration: TrainingConfiguration) throws -> Int {
    try requireConstantBatch(configuration)
    let batch = configuration.training.batchTokens
    let (tokens, steps) = (Int(amount), Int(amount) / batch)
    guard steps * batch == tokens else {
      throw ConfigurationError(
        .contradiction, keys: [key, "training.batch_tokens"],
        "\(key) = \(tokens) is no multiple of training.batch_tokens = \(batch), so that runs would train on different numbers "
          + "of tokens; use \(max(1, steps) * batch) or \((steps + 1) * batch)")
    }
    return steps
  }

  /// The most steps that cost no more than the budget.
  private func affordable(_ configuration: TrainingConfiguration) throws -> Int {
    try requireConstantBatch(configuration)
    // Extra gradients depend on steps alone, so the smallest vocabulary will do for counting them.
    let needsData = unit == .flops
    let vocabulary =
      try configuration.model.vocabularySize
      ?? (needsData
        ? DatasetDescription(folder: configuration.data.path).vocabularySize : 2)
    let model = try configuration.modelConfiguration(vocabularySize: vocabulary).makeModel()
    let groups = try configuration.optimizer(for: model.parameters).trained
    let batch = Double(configuration.training.batchTokens)
    if needsData { try requireConstantCost(configuration, model.configuration) }
    let perToken = needsData ? ModelCost(model).trainingFLOPsPerToken : 1
    let perUpdate = needsData ? try groups.reduce(0) { try $0 + MethodCost(of: $1).flops } : 0
    func cost(_ steps: Int) -> Double {
      let extra = groups.reduce(0) { $0 + $1.extraEvaluations(steps: steps) }
      return perToken * batch * Double(steps + extra) + perUpdate * Double(steps)
    }
    var (low, high) = (0, min(1_000_000_001, Int(amount / (perToken * batch)) + 1))
    while high - low > 1 {
      let middle = (low + high) / 2
      if cost(middle) <= amount { low = middle } else { high = middle }
    }
    return low
  }
}
