// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import Optimizers

/// Section `[optimizer]`: the base method with the keys, ranges and defaults of its card, what surrounds it, and the rules.
public struct OptimizerSettings: Sendable {
  /// The base method, its numbers and choices, and the rules `[[optimizer.rule]]`.
  public let policy: ParameterPolicy
  /// `gradient_clip`: the largest global gradient norm; 1, and 0 switches clipping off.
  public let gradientClip: Double
  /// `skip_deviations`, `skip_window`: steps out of line with the recent ones are skipped; nil: none are.
  public let spikes: SpikeGuard?

  /// The base method's card.
  public var card: OptimizerCard { Self.method(policy.method).card }

  /// The base method's name.
  public var name: String { policy.method }

  /// The base method's learning rate before schedules.
  public var learningRate: Double { policy.hyperparameters["learning_rate"] ?? 0 }

  init(_ section: ConfigurationSection) {
    let name = section.name(
      "name", default: OptimizerRegistry.standard.card.name, among: OptimizerRegistry.names,
      doc: "the base method")
    let card = Self.method(name).card
    var values: [String: Double] = [:]
    for hyperparameter in card.hyperparameters {
      values[hyperparameter.name] = section.hyperparameter(hyperparameter)
    }
    var choices: [String: String] = [:]
    for option in card.options {
      choices[option.name] =
        option.isSwitch
        ? String(
          section.boolean(option.name, default: option.standard == "true", doc: option.summary))
        : section.name(
          option.name, default: option.standard, among: option.choices, doc: option.summary)
    }
    gradientClip = section.number(
      "gradient_clip", default: 1, in: .nonNegative,
      doc: "largest global norm of the gradients; 0: no clipping")
    let deviations = section.number(
      "skip_deviations", default: 0, in: .nonNegative,
      doc:
        "skips steps whose loss or gradient norm is above mean + this many sd of a window; 0: none")
    let window = section.integer(
      "skip_window", default: 128, in: 2...100_000, doc: "steps of that window")
    spikes = deviations > 0 ? SpikeGuard(window: window, deviations: deviations) : nil
    let changes = section.groupChanges()
    section.refuseKeys(ofOtherMethodsThan: card, namedBy: "name")
    let rules = section.tables("rule").map { table in
      RuleReader(table, baseMethod: name).rule()
    }
    let names = rules.compactMap(\.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      section.contradiction(
        rules.indices.filter { rules[$0].name == twice }.map { "rule[\($0)].name" },
        message: "two rules have the same name; give each its own")
    }
    policy = ParameterPolicy(
      method: name, hyperparameters: values, options: choices, settings: changes, rules: rules)
  }

  static func method(_ name: String) -> any OptimizerMethod.Type {
    OptimizerRegistry.methods.first { $0.card.name == name } ?? OptimizerRegistry.standard
  }
}

extension ConfigurationSection {
  /// A hyperparameter of a card.
  func hyperparameter(_ declared: OptimizerCard.Hyperparameter) -> Double {
    let value = number(
      declared.name, default: declared.defaultValue, in: declared.numberRange,
      doc: declared.summary)
    check(declared, value)
    return value
  }

  /// A hyperparameter of a card, if it is given.
  func optionalHyperparameter(_ declared: OptimizerCard.Hyperparameter) -> Double? {
    let value = optionalNumber(
      declared.name, in: declared.numberRange, doc: declared.summary)
    if let value { check(declared, value) }
    return value
  }

  /// What a range cannot say: an excluded lower end, whole numbers.
  private func check(_ declared: OptimizerCard.Hyperparameter, _ value: Double) {
    if declared.numberRange.contains(value), !declared.accepts(value) {
      refuse(declared.name, message: "it must lie in \(declared.rangeDescription)")
    }
  }

  /// Keys that other methods have and this one has not: most likely left over from another method.
  func refuseKeys(ofOtherMethodsThan card: OptimizerCard, namedBy nameKey: String) {
    for key in givenNames where !card.keys.contains(key) {
      let owners = OptimizerRegistry.methods.map { $0.card }.filter { $0.keys.contains(key) }
      guard !owners.isEmpty else { continue }
      // Whose keys they are is unknown while the method is.
      if isRefused(nameKey) {
        ignore(key)
      } else {
        contradiction(
          [key] + (isGiven(nameKey) ? [nameKey] : []),
          message:
            "\(key) is a key of \(list(owners.map(\.name))), not of \(card.name), which takes "
            + "\(card.keys.joined(separator: ", ")); remove it or change the method")
      }
    }
  }

  /// The first few, and how many more.
  private func list(_ names: [String]) -> String {
    names.prefix(6).joined(separator: ", ")
      + (names.count > 6 ? " and \(names.count - 6) others" : "")
  }

  /// What surrounds a method, where it is given.
  func groupChanges() -> GroupSettings.Changes {
    var changes = GroupSettings.Changes()
    changes.caution = optionalChoice(
      "cautious", of: GroupSettings.Caution.self,
      doc: "uses only entries of a step that agree with the gradient's sign")
    changes.decayCaution = optionalChoice(
      "cautious_decay", of: GroupSettings.DecayCaution.self,
      doc: "decays only where step and weight agree: >= 0 inclusive, > 0 strict")
    changes.decayScale = optionalChoice(
      "decay_scale", of: GroupSettings.DecayScale.self, doc: "what weight decay is multiplied by")
    changes.averageDecay = optionalNumber(
      "average_decay", in: .within(0..<1),
      doc: "decay of an average of the weights that evaluation uses; 0: none")
    return changes
  }
}

extension OptimizerCard.Hyperparameter {
  fileprivate var numberRange: NumberRange {
    excludesUpperBound
      ? .within(range.lowerBound..<range.upperBound)
      : .within(range.lowerBound...range.upperBound)
  }
}
