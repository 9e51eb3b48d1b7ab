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
    /// Activations and work space of the step.
    public var activations: Double

    /// The sum.
    public var total: Double { weights + gradients + state + activations }
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

  /// How often a trial of so many updates measures the validation loss.
  func evaluations(ofSteps steps: Int) -> Int {
    guard evaluationInterval > 0 else { return 2 }
    return 1 + (steps + evaluationInterval - 1) / evaluationInterval
  }
}
