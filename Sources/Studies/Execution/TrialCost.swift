// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Optimizers
import TensorGraph
import TextData
public import Training

/// What a full trial of an arm costs, by counting, before it runs.
public struct TrialCost: Codable, Equatable, Sendable {
  /// Bytes by what they are for.
  public struct Memory: Codable, Equatable, Sendable {
    /// Weights.
    public var weights: Double
    /// Gradients.
    public var gradients: Double
    /// State of the optimizer.
    public var state: Double
    /// Activations and work space of the step; nil where they are not known.
    public var activations: Double?

    /// The sum of what is known.
    public var total: Double { weights + gradients + state + (activations ?? 0) }
  }

  /// Updates.
  public let steps: Int
  /// Tokens trained on.
  public let tokens: Int
  /// Tokens of all gradient evaluations, extra ones included.
  public let chargedTokens: Int
  /// All trained numbers.
  public let parameters: Int
  /// Floating-point operations of gradients and updates, evaluations not counted.
  public let flops: Double
  /// Bytes it needs.
  public let memory: Memory
  /// Updates between evaluations; 0: only before the first and after the last.
  public let evaluationInterval: Int

  /// Counts a configuration's run; reads no more of the data than their description.
  ///
  /// - Throws: errors of configuration and data.
  public init(_ configuration: TrainingConfiguration) throws {
    let vocabularySize =
      try configuration.model.vocabularySize
      ?? TokenDataset(folder: configuration.data.path).vocabularySize
    let model = try configuration.modelConfiguration(vocabularySize: vocabularySize).makeModel()
    let optimizer = try configuration.optimizer(for: model.parameters)
    let count = ModelCost(model)
    let updates = try optimizer.trained.map { try MethodCost(of: $0) }
    let extra = optimizer.trained.reduce(0) {
      $0 + Self.extraEvaluations($1, steps: configuration.training.steps)
    }
    steps = configuration.training.steps
    tokens = configuration.totalTokens
    chargedTokens = tokens + extra * configuration.training.batchTokens
    parameters = count.parameters
    flops =
      count.trainingFLOPsPerToken * Double(chargedTokens)
      + updates.reduce(0) { $0 + $1.flops } * Double(steps)
    memory = Memory(
      weights: 4 * Double(count.parameters),
      gradients: 4 * Double(optimizer.trainedParameters.reduce(0) { $0 + $1.shape.count }),
      state: Double(updates.reduce(0) { $0 + $1.stateBytes }), activations: nil)
    evaluationInterval = configuration.evaluation.every
  }

  /// Extra gradient evaluations of a whole run.
  private static func extraEvaluations(_ group: ParameterGroup, steps: Int) -> Int {
    switch group.card?.observation {
    case .firstBatches(let count): return Int(group.hyperparameters[count] ?? 0)
    case .sampledLabels(let every):
      let interval = max(1, Int(group.hyperparameters[every] ?? 1)) * group.settings.every
      return (steps + interval - 1) / interval
    case nil: return 0
    }
  }

  /// How often a trial of so many updates measures the validation loss.
  func evaluations(ofSteps steps: Int) -> Int {
    guard evaluationInterval > 0 else { return 2 }
    return 1 + (steps + evaluationInterval - 1) / evaluationInterval
  }
}
