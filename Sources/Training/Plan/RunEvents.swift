// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Optimizers
import Schedules
import TensorGraph

/// What a run would do, step by step, known without starting it: every moment at which something changes, tokens, updates.
public struct RunEvents: Codable, Equatable, Sendable {
  /// What happens.
  public enum Kind: String, Codable, Sendable {
    /// A stage of the run begins.
    case stage
    /// A number that changes in jumps has a new value: tokens of a batch or a sequence, a window.
    case value
    /// A course jumps, from where it had come to.
    case jump
    /// A course begins to rise or fall, or reaches its end.
    case course
    /// Rotary frequencies and the scale of attention follow the window.
    case rotation
    /// A group of parameters is left alone.
    case pauseBegin = "pause-begin"
    /// It goes on.
    case pauseEnd = "pause-end"
    /// Tokens get a table of their own.
    case untie
    /// The last update.
    case lastUpdate = "last-update"
    /// The evaluation after it.
    case finalEvaluation = "final-evaluation"
  }

  /// Something that happens.
  public struct Event: Codable, Equatable, Sendable {
    /// The first step, from 0, that is different.
    public let step: Int
    /// What happens.
    public let kind: Kind
    /// What it happens to: a scalar, a stage, a group.
    public let name: String
    /// The value before, where there is one.
    public let before: Double?
    /// The value from then on, where there is one.
    public let after: Double?
    /// In words.
    public let text: String
  }

  /// Updates of a group over the whole run.
  public struct Updates: Codable, Equatable, Sendable {
    /// The group.
    public let group: String
    /// How many it makes.
    public let updates: Int
    /// Updates that its state has seen, where it is more: those of the group that it was copied from.
    public let inherited: Int
  }

  /// Steps of the run.
  public let steps: Int
  /// Tokens of all batches.
  public let tokens: Int
  /// In the order of steps.
  public let events: [Event]
  /// By group, in the policy's order.
  public let updates: [Updates]

  /// Looks through a configuration; reads no data.
  ///
  /// - Throws: `ConfigurationError` when the policy does not fit the model.
  public init(_ configuration: TrainingConfiguration) throws {
    let model = try configuration.modelConfiguration(
      vocabularySize: configuration.model.vocabularySize ?? 2
    ).makeModel()
    let optimizer = try configuration.optimizer(for: model.parameters)
    steps = configuration.training.steps
    tokens = configuration.totalTokens
    events = EventFinder(configuration: configuration).events
    updates = optimizer.trained.map { configuration.updates(of: $0, optimizer) }
  }
}

extension TrainingConfiguration {
  /// Updates of a group, by its cadence and its pauses.
  fileprivate func updates(of group: ParameterGroup, _ optimizer: Optimizer) -> RunEvents.Updates {
    func count(_ group: ParameterGroup, _ steps: Range<Int>) -> Int {
      steps.count { step in
        (step + 1) % group.settings.every == 0
          && schedule.run.pauseMode(of: group.name, at: step) != .hold
      }
    }
    let rests = group.members.map(\.name) == [ModelConfiguration.tableName]
    guard let untie = schedule.untie, rests else {
      return .init(group: group.name, updates: count(group, 0..<training.steps), inherited: 0)
    }
    let source = optimizer.group(of: ModelConfiguration.headName)
    return .init(
      group: group.name, updates: count(group, untie.step..<training.steps),
      inherited: untie.state == .copy ? source.map { count($0, 0..<untie.step) } ?? 0 : 0)
  }
}
