// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Optimizers

/// What trials must have in common to share a program: everything but the seed of the weights and numbers that a step reads.
///
/// Equal text in the same order, equal lengths, models, methods and options, and evaluations at the same steps. The numbers of methods
/// (learning rates, decays, factors of averages), multipliers, clipping and the course of the learning rate may differ. Programs
/// themselves are compared once more when they are compiled.
public struct TrialSharing: Hashable, Sendable {
  /// How many trials may share a program.
  public let runs: Int
  /// What computes them, as in `machine.device`.
  public let device: String
  private let common: [String]

  /// What a trial's configuration has to have in common with others; nil where it shares its program with none.
  public init?(_ configuration: TrainingConfiguration) {
    let machine = configuration.machine
    guard machine.usesXLA, machine.batchRuns > 1 else { return nil }
    runs = machine.batchRuns
    device = machine.device
    common = configuration.resolved.without(["run", "training.seed"]).entries.compactMap { entry in
      guard let value = entry.value, !Self.isRead(entry.key, configuration) else { return nil }
      // Whether there is an average is part of the equations; its decay is a number.
      let isSwitch = Self.name(entry.key) == "average_decay"
      return "\(entry.key) = \(isSwitch ? Self.isAboveZero(value) : value.description)"
    }.sorted()
  }

  /// Whether a step reads the key's number, so that trials may differ in it.
  private static func isRead(_ key: String, _ configuration: TrainingConfiguration) -> Bool {
    if key == "training.data_seed" { return configuration.data.order == .documents }
    if key.hasPrefix("schedule.") {
      // The course of the learning rate, and of nothing else.
      let rest = key.dropFirst("schedule.".count)
      return !rest.contains(".") && !rest.contains("[") && !rest.hasPrefix("untie")
    }
    return key.hasPrefix("optimizer.") && numbers.contains(name(key))
  }

  private static func name(_ key: String) -> String {
    key.split(separator: ".").last.map(String.init) ?? key
  }

  private static func isAboveZero(_ value: ConfigurationValue) -> String {
    switch value {
    case .number(let number): "\(number > 0)"
    case .integer(let number): "\(number > 0)"
    default: value.description
    }
  }

  /// Numbers around a method, and those of all methods that no step counts with.
  private static let numbers: Set<String> = Set(
    ["gradient_clip", "learning_rate_multiplier", "weight_decay_multiplier"]
      + OptimizerRegistry.methods.flatMap { $0.card.hyperparameters }.filter { !$0.isCount }
      .map(\.name))
}

/// How far a trial has come, by its newest checkpoint: trials that go on together stand at the same place.
public struct TrialPosition: Hashable, Sendable {
  /// Steps done.
  public let step: Int
  /// The step of the last evaluation; nil: there was none.
  public let evaluation: Int?

  /// Names a place.
  public init(step: Int, evaluation: Int?) {
    self.step = step
    self.evaluation = evaluation
  }

  /// Looks at a run's folder, without changing it; where there is nothing to go on from, a trial starts at the beginning.
  public init(folder: String) {
    let checkpoint = try? CheckpointStore(folder: folder + "/checkpoints").newest { _ in }
    step = checkpoint?.manifest.progress.step ?? 0
    evaluation = checkpoint?.manifest.evaluation?.step
  }
}
