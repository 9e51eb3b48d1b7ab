// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Optimizers
import RandomStreams
import Schedules

/// What a configuration means at a step.
extension TrainingConfiguration {
  /// The numbers of a step: every scalar's schedule applied, group by group.
  ///
  /// A group's learning rate follows its own schedule where it has one, else the run's course from the group's own peak.
  public func settings(at step: Int, _ optimizer: Optimizer) -> TrainingStep.Settings {
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
      switch run.pauseMode(of: group.name, at: step) {
      case .hold: settings.conditions.paused.insert(group.name)
      case .zeroGradients: settings.conditions.silenced.insert(group.name)
      case nil: break
      }
    }
    let clip = run.ownValue(of: "gradient_clip", at: step) ?? self.optimizer.gradientClip
    settings.conditions.gradientClip = clip > 0 ? clip : .infinity
    let numbers = modelNumbers(at: step)
    settings.lossDivisor = training.lossDivisor
    settings.modelScalars = numbers.scalars
    settings.modelVectors = numbers.vectors
    settings.labels = RandomStream(seed: UInt64(training.seed), name: "labels/\(step)")
    return settings
  }

  /// Tokens of a step's batch.
  func batchTokens(at step: Int) -> Int {
    schedule.run.ownValue(of: "batch_tokens", at: step).map { Int($0) } ?? training.batchTokens
  }

  private var schedulesBatch: Bool { schedule.run.ownValue(of: "batch_tokens", at: 0) != nil }

  /// Tokens of all batches of the run.
  public var totalTokens: Int {
    schedulesBatch
      ? (0..<training.steps).reduce(0) { $0 + batchTokens(at: $1) }
      : training.steps * training.batchTokens
  }
}
