// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Optimizers
import RandomStreams
import Schedules

/// What a configuration means at a step.
extension TrainingConfiguration {
  /// The numbers of a step: every scalar's schedule applied, group by group.
  ///
  /// A group's learning rate follows its own schedule where it has one, else the run's course from the group's own peak.
  func settings(at step: Int, _ optimizer: Optimizer) -> TrainingStep.Settings {
    let run = schedule.run
    var settings = TrainingStep.Settings()
    for group in optimizer.trained {
      var numbers: [String: Double] = [:]
      for name in group.hyperparameters.keys {
        numbers[name] = run.value(of: name, group: group.name, at: step)
      }
      let peak = group.hyperparameters["learning_rate"] ?? 0
      numbers["learning_rate"] =
        numbers["learning_rate"] ?? peak * run.learningRateFactor(at: step)
      settings.conditions.hyperparameters[group.name] = numbers
      settings.conditions.groupClips[group.name] = run.ownValue(
        of: "gradient_clip", group: group.name, at: step)
      if group.settings.isPausable, run.isPaused(group.name, at: step) {
        settings.conditions.paused.insert(group.name)
      }
    }
    let clip = run.ownValue(of: "gradient_clip", at: step) ?? self.optimizer.gradientClip
    settings.conditions.gradientClip = clip > 0 ? clip : .infinity
    // A leaf that nobody sets would be 0: a window of one key.
    for scalar in [Self.attentionWindow, Self.zLoss] {
      settings.modelScalars[scalar] = run.ownValue(of: scalar, at: step)
    }
    settings.labels = RandomStream(seed: UInt64(training.seed), name: "labels/\(step)")
    return settings
  }

  /// Scalars that a model reads when they are scheduled, by their leaves' and their schedules' names.
  private static let (attentionWindow, zLoss) = ("attention_window", "z_loss")

  /// The largest window of the run; nil: nothing schedules it.
  var largestAttentionWindow: Int? {
    guard schedule.run.ownValue(of: Self.attentionWindow, at: 0) != nil else { return nil }
    return (0..<training.steps).compactMap {
      schedule.run.ownValue(of: Self.attentionWindow, at: $0).map { Int($0) }
    }.max()
  }

  /// Whether the weight of the z-loss changes.
  var schedulesZLoss: Bool { schedule.run.ownValue(of: Self.zLoss, at: 0) != nil }

  /// Tokens of a step's batch.
  func batchTokens(at step: Int) -> Int {
    schedule.run.ownValue(of: "batch_tokens", at: step).map { Int($0) } ?? training.batchTokens
  }

  /// All sizes that batches of the run have, in tokens.
  private var batchSizes: Set<Int> {
    schedulesBatch ? Set((0..<training.steps).map(batchTokens)) : [training.batchTokens]
  }

  private var schedulesBatch: Bool { schedule.run.ownValue(of: "batch_tokens", at: 0) != nil }

  /// Sequences of one micro-batch: the same for batches of every size.
  public var sequences: Int {
    batchSizes.reduce(0, greatestCommonDivisor) / training.accumulationSteps / model.contextLength
  }

  /// Micro-batches of the largest batch.
  var microBatches: Int {
    (batchSizes.max() ?? training.batchTokens) / (sequences * model.contextLength)
  }

  /// Tokens of a validation sequence.
  public var evaluationContextLength: Int { evaluation.contextLength ?? model.contextLength }

  /// Tokens of all batches of the run.
  public var totalTokens: Int {
    schedulesBatch
      ? (0..<training.steps).reduce(0) { $0 + batchTokens(at: $1) }
      : training.steps * training.batchTokens
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  b == 0 ? a : greatestCommonDivisor(b, a % b)
}
