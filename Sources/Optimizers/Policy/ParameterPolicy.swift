// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Which method updates which parameter, and how: an ordered list of rules over a base method.
///
/// The first rule that matches a parameter wins. What no rule matches goes to the base method if that takes it, else to the
/// base card's fallback with the fallback's own defaults.
public struct ParameterPolicy: Hashable, Sendable {
  /// The base method's name.
  public var method: String
  /// The base method's hyperparameters; the others are its card's.
  public var hyperparameters: [String: Double]
  /// The base method's options; the others are its card's.
  public var options: [String: String]
  /// What surrounds the methods, where no rule says otherwise.
  public var settings: GroupSettings.Changes
  /// The rules, the most special first.
  public var rules: [ParameterRule]

  /// A policy.
  public init(
    method: String, hyperparameters: [String: Double] = [:], options: [String: String] = [:],
    settings: GroupSettings.Changes = GroupSettings.Changes(), rules: [ParameterRule] = []
  ) {
    self.method = method
    self.hyperparameters = hyperparameters
    self.options = options
    self.settings = settings
    self.rules = rules
  }

  /// The optimizer of a model's parameters.
  ///
  /// - Parameters:
  ///   - parameters: the model's.
  ///   - pausable: groups that a schedule pauses.
  ///   - silenceable: groups whose gradients a schedule replaces with zeros.
  /// - Returns: one group for each rule, then the base's and the fallback's where they have parameters.
  /// - Throws: ``OptimizerError`` for unknown methods and keys, values out of range, a rule that matches nothing, a method
  ///   that gets parameters it does not take, a pause of a group that is not there.
  public func optimizer(
    for parameters: [Parameter], pausable: Set<String> = [], silenceable: Set<String> = []
  ) throws(OptimizerError) -> Optimizer {
    let base = try OptimizerRegistry.method(named: method)
    var claimed = [[Parameter]](repeating: [], count: rules.count)
    var rest: [Parameter] = []
    for parameter in parameters {
      if let index = rules.firstIndex(where: { $0.matches(parameter, base: base.card) }) {
        claimed[index].append(parameter)
      } else {
        rest.append(parameter)
      }
    }
    var groups: [ParameterGroup] = []
    for (index, rule) in rules.enumerated() {
      if claimed[index].isEmpty {
        if rule.isOptional { continue }
        throw unused(index, parameters, base.card)
      }
      groups.append(try group(rule, index, claimed[index], base))
    }
    let own = rest.filter { base.card.eligibility.accepts($0.role) }
    if !own.isEmpty {
      groups.append(
        try made(
          "base", base, hyperparameters, options, [settings], members: own, rule: nil))
    }
    let others = rest.filter { !base.card.eligibility.accepts($0.role) }
    if !others.isEmpty, let name = base.card.eligibility.fallback {
      let fallback = try OptimizerRegistry.method(named: name)
      groups.append(
        try made("fallback", fallback, [:], [:], [settings], members: others, rule: nil))
    }
    return Optimizer(groups: try paused(groups, pausable, silenceable))
  }

  private func group(
    _ rule: ParameterRule, _ index: Int, _ members: [Parameter], _ base: any OptimizerMethod.Type
  ) throws(OptimizerError) -> ParameterGroup {
    let name = rule.name ?? "rule-\(index + 1)"
    if !rule.isTrained { return ParameterGroup(frozen: members, name: name) }
    let method = try OptimizerRegistry.method(named: rule.method ?? self.method)
    let isBase = method.card.name == self.method
    var values = isBase ? hyperparameters : [:]
    values.merge(rule.hyperparameters) { $1 }
    if rule.isCoupled {
      values["learning_rate"] =
        hyperparameters["learning_rate"] ?? base.card.defaults["learning_rate"]
    }
    let options = (isBase ? self.options : [:]).merging(rule.options) { $1 }
    let eligibility = method.card.eligibility
    let stranger = members.first { member in
      let isNamed = rule.roles?.contains(member.role) ?? false
      return !(isNamed ? eligibility.accepts(named: member.role) : eligibility.accepts(member.role))
    }
    if let stranger {
      throw OptimizerError(
        .ineligible, name: stranger.name, rule: index,
        "\(place(index)) gives '\(stranger.name)' (role \(stranger.role.key)) to \(method.card.name), which takes "
          + "hidden matrices only"
          + (eligibility.accepts(named: stranger.role)
            ? ", and gates where the rule's roles name them" : "")
          + "; let the rule match fewer roles or name another method")
    }
    let made = try made(
      name, method, values, options, [settings, rule.settings], members: members, rule: index)
    if let decay = rule.hyperparameters["weight_decay"], decay > 0,
      !members.contains(where: made.decays)
    {
      throw OptimizerError(
        .contradiction, name: "weight_decay", rule: index,
        "\(place(index)) sets weight_decay = \(decay), but none of its parameters decays (gains and scalars do not by "
          + "default); add decays = true or leave weight_decay out")
    }
    return made
  }

  /// `rule 2 ('norms')`, as people count.
  private func place(_ rule: Int?) -> String {
    guard let rule else { return "[optimizer]" }
    return "rule \(rule + 1)" + (rules[rule].name.map { " ('\($0)')" } ?? "")
  }

  /// Why a rule gets no parameter, and what there would be.
  private func unused(
    _ index: Int, _ parameters: [Parameter], _ base: OptimizerCard
  ) -> OptimizerError {
    let rule = rules[index]
    var there: [String] = []
    if rule.roles != nil {
      let roles = Set(parameters.map(\.role))
      there.append(
        "the roles "
          + ParameterRole.allCases.filter(roles.contains).map(\.key).joined(separator: ", ")
      )
    }
    if rule.layers != nil, let last = parameters.compactMap(\.layer).max() {
      there.append("the layers 0 to \(last)")
    }
    if rule.pattern != nil, let name = parameters.first(where: { $0.layer != nil })?.name {
      there.append("names such as \(name)")
    }
    let isTaken = parameters.contains { rule.matches($0, base: base) }
    let reason =
      isTaken
      ? "; earlier rules take all of it: put it before them or remove it"
      : (there.isEmpty ? "" : "; the model has " + there.joined(separator: "; "))
        + ". Change its conditions or remove it"
    return OptimizerError(
      .unusedRule, name: "rule \(index + 1)", rule: index,
      "\(place(index)) of the optimizer matches no parameter: \(rule.conditions)\(reason)")
  }

  private func made(
    _ name: String, _ method: any OptimizerMethod.Type, _ hyperparameters: [String: Double],
    _ options: [String: String], _ changes: [GroupSettings.Changes], members: [Parameter],
    rule: Int?
  ) throws(OptimizerError) -> ParameterGroup {
    do throws(OptimizerError) {
      return ParameterGroup(
        name: name, method: method, hyperparameters: try method.card.complete(hyperparameters),
        options: try MethodOptions(method.card, options),
        settings: changes.reduce(method.card.settings) { $1.applied(to: $0) }, members: members)
    } catch {
      throw OptimizerError(
        error.code, name: error.name, rule: rule, "\(place(rule)): \(error.message)")
    }
  }

  private func paused(
    _ groups: [ParameterGroup], _ names: Set<String>, _ silenceable: Set<String>
  ) throws(OptimizerError) -> [ParameterGroup] {
    for name in names.union(silenceable).sorted() where !groups.contains(where: { $0.name == name })
    {
      let known = groups.map(\.name)
      throw OptimizerError(
        .unknownGroup, name: name,
        "the schedule pauses group '\(name)', which is not there;\(suggestion(for: name, among: known)) groups: "
          + known.joined(separator: ", "))
    }
    return groups.map { group in
      var group = group
      if names.contains(group.name) { group.settings.isPausable = true }
      if silenceable.contains(group.name) { group.settings.canBeSilenced = true }
      return group
    }
  }
}
