// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// What becomes of every parameter: the table that a policy results in, printed by plans and stored with runs.
public struct OptimizerTable: Codable, Equatable, Sendable {
  /// One parameter.
  public struct Row: Codable, Equatable, Sendable {
    /// Its name.
    public let parameter: String
    /// Its role, as a configuration writes it.
    public let role: String
    /// Its shape.
    public let shape: [Int]
    /// Its group.
    public let group: String
    /// The method; nil: frozen.
    public let method: String?
    /// The learning rate before schedules; nil: frozen.
    public let learningRate: Double?
    /// The weight decay that applies; 0 where it does not.
    public let weightDecay: Double
    /// Whether weight decay applies, or would if it were not 0.
    public let decays: Bool
    /// Bytes of optimizer state.
    public let stateBytes: Int
  }

  /// One group.
  public struct Group: Codable, Equatable, Sendable {
    /// Its name.
    public let name: String
    /// The method; nil: frozen.
    public let method: String?
    /// The hyperparameters before schedules.
    public let hyperparameters: [String: Double]
    /// The choices of the method's options.
    public let options: [String: String]
    /// What surrounds the method, where it differs from nothing, in words.
    public let settings: [String: String]
  }

  /// The groups, in the order of the policy.
  public let groups: [Group]
  /// The parameters, in the order of the groups.
  public let rows: [Row]

  /// Bytes of optimizer state of all parameters, and of what groups share.
  public let stateBytes: Int

  /// The table of an optimizer.
  public init(_ optimizer: Optimizer) {
    var bytes: [String: Int] = [:]
    for declaration in optimizer.stateDeclarations {
      bytes[declaration.parameter, default: 0] += declaration.byteCount
    }
    stateBytes = bytes.values.reduce(0, +)
    groups = optimizer.groups.map {
      Group(
        name: $0.name, method: $0.card?.name, hyperparameters: $0.hyperparameters,
        options: $0.options?.values ?? [:], settings: $0.settings.inWords)
    }
    rows = optimizer.groups.flatMap { group in
      let rate = (group.hyperparameters["learning_rate"] ?? 0)
      let decay = group.hyperparameters["weight_decay"] ?? 0
      return group.members.map { parameter in
        Row(
          parameter: parameter.name, role: parameter.role.key, shape: parameter.shape.dimensions,
          group: group.name, method: group.card?.name,
          learningRate: group.card.map { _ in rate * group.settings.learningRateMultiplier },
          weightDecay: group.card != nil && group.decays(parameter)
            ? decay * group.settings.weightDecayMultiplier : 0,
          decays: group.decays(parameter),
          stateBytes: bytes[parameter.name] ?? 0)
      }
    }
  }
}

extension GroupSettings {
  /// What is not as it is by default, by the configuration's keys.
  var inWords: [String: String] {
    let plain = GroupSettings()
    var words: [String: String] = [:]
    func note<Value: Equatable>(_ key: String, _ path: KeyPath<GroupSettings, Value>) {
      if self[keyPath: path] != plain[keyPath: path] {
        words[key] = "\(self[keyPath: path])"
      }
    }
    note("learning_rate_multiplier", \.learningRateMultiplier)
    note("weight_decay_multiplier", \.weightDecayMultiplier)
    note("cautious", \.caution.rawValue)
    note("cautious_decay", \.decayCaution.rawValue)
    note("decay_scale", \.decayScale.rawValue)
    note("every", \.every)
    note("pausable", \.isPausable)
    note("silenceable", \.canBeSilenced)
    words["decays"] = decays.map { "\($0)" }
    words["gradient_clip"] = gradientClip.map { "\($0)" }
    words["average_decay"] = averageDecay.map { "\($0)" }
    return words
  }
}
