// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Optimizers
import TensorGraph

/// Reads one table `[[optimizer.rule]]`.
struct RuleReader {
  /// The keys that say which parameters it matches.
  static let conditions = ["roles", "layers", "pattern", "shape", "ineligible"]

  private let table: ConfigurationSection
  private let baseMethod: String

  init(_ table: ConfigurationSection, baseMethod: String) {
    self.table = table
    self.baseMethod = baseMethod
  }

  func rule() -> ParameterRule {
    var rule = ParameterRule()
    rule.name = table.optionalString("name", doc: "the group's name, for schedules and tables")
    readConditions(&rule)
    rule.isOptional =
      table.optionalBoolean("optional", doc: "whether it may match no parameter; false") ?? false
    rule.isTrained = table.boolean("train", default: true, doc: "false: frozen as they start")
    rule.method = table.optionalName(
      "method", among: OptimizerRegistry.names, doc: "the method; the base method")
    let card = OptimizerSettings.method(rule.method ?? baseMethod).card
    for hyperparameter in card.hyperparameters {
      rule.hyperparameters[hyperparameter.name] = table.optionalHyperparameter(hyperparameter)
    }
    for option in card.options {
      rule.options[option.name] =
        option.isSwitch
        ? table.optionalBoolean(option.name, doc: option.summary).map { String($0) }
        : table.optionalName(option.name, among: option.choices, doc: option.summary)
    }
    readSurroundings(&rule)
    table.refuseKeys(ofOtherMethodsThan: card, namedBy: "method")
    check(rule)
    return rule
  }

  private func readConditions(_ rule: inout ParameterRule) {
    if let names = table.optionalStrings("roles", doc: "roles it matches, or hidden, norms") {
      rule.roles = roles(names)
    }
    if table.isGiven("layers") {
      let bounds = table.integers(
        "layers", default: [], doc: "first and last layer it matches, from 0")
      if bounds.count == 2, bounds[0] >= 0, bounds[0] <= bounds[1] {
        rule.layers = bounds[0]...bounds[1]
      } else {
        table.refuse("layers", message: "give the first and the last layer, as in [0, 3]")
      }
    }
    rule.pattern = table.optionalString(
      "pattern", doc: "names it matches; * stands for any text")
    rule.shapeClass = table.optionalChoice(
      "shape", of: ParameterRule.ShapeClass.self, doc: "the class of shapes it matches")
    rule.matchesIneligible = table.boolean(
      "ineligible", default: false, doc: "matches what the base method does not take")
  }

  private func readSurroundings(_ rule: inout ParameterRule) {
    rule.isCoupled = table.boolean(
      "coupled", default: false,
      doc: "the learning rate is the base method's, times the multiplier")
    rule.settings = table.groupChanges()
    rule.settings.learningRateMultiplier = table.optionalNumber(
      "learning_rate_multiplier", in: .nonNegative, doc: "multiplies the learning rate")
    rule.settings.weightDecayMultiplier = table.optionalNumber(
      "weight_decay_multiplier", in: .nonNegative, doc: "multiplies the weight decay")
    rule.settings.decays = table.optionalBoolean(
      "decays", doc: "whether weight decay applies; to matrices and tables")
    rule.settings.gradientClip = table.optionalNumber(
      "gradient_clip", in: .above(0), doc: "largest norm of the group's gradients")
    rule.settings.every = table.optionalInteger(
      "every", in: 1...1_000_000, doc: "updates at every so many steps, with summed gradients")
  }

  private func check(_ rule: ParameterRule) {
    if rule.isCoupled, rule.hyperparameters["learning_rate"] != nil {
      table.contradiction(
        "coupled", "learning_rate",
        message: "a coupled rule takes the base's learning rate; use learning_rate_multiplier")
    }
    if !rule.isTrained {
      let known = ["name", "train", "optional"] + Self.conditions
      let idle = table.givenNames.filter { !known.contains($0) }
      if !idle.isEmpty {
        table.contradiction(
          ["train"] + idle, message: "frozen parameters have no optimizer; remove the other keys")
      }
    }
  }

  private func roles(_ names: [String]) -> Set<ParameterRole> {
    var result: Set<ParameterRole> = []
    for name in names {
      switch name {
      case "hidden": result.formUnion(ParameterRole.allCases.filter(\.isHiddenMatrix))
      case "norms": result.formUnion([.normGain, .queryKeyNormGain])
      default:
        if let role = ParameterRole.allCases.first(where: { $0.key == name }) {
          result.insert(role)
        } else {
          let known = ["hidden", "norms"] + ParameterRole.allCases.map(\.key)
          table.refuse(
            "roles", message: "there is no role '\(name)'; use " + known.joined(separator: ", "))
        }
      }
    }
    return result
  }
}
