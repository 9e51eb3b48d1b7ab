// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Training

/// What a full trial of an arm costs, by counting, before it runs.
public struct TrialCost: Codable, Equatable, Sendable {
  /// Work and memory of the whole trial.
  public let estimate: RunEstimate
  /// Updates between evaluations; 0: only before the first and after the last.
  public let evaluationInterval: Int

  /// Counts a configuration's run; reads no more of the data than their description, and needs none where the configuration
  /// names the vocabulary.
  ///
  /// - Throws: errors of configuration and data.
  public init(_ configuration: TrainingConfiguration) throws {
    estimate = try RunEstimate(configuration)
    evaluationInterval = configuration.evaluation.every
  }

  /// Updates.
  public var steps: Int { estimate.steps }

  /// FLOPs of one step: gradients and update.
  var stepFLOPs: Double {
    (estimate.gradientFLOPs + estimate.upkeepFLOPs) / Double(max(1, steps)) + estimate.updateFLOPs
  }

  /// How often a trial of so many updates measures the validation loss.
  func evaluations(ofSteps steps: Int) -> Int {
    guard evaluationInterval > 0 else { return 2 }
    return 1 + (steps + evaluationInterval - 1) / evaluationInterval
  }
}
