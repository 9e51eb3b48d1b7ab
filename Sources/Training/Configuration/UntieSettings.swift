// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import LanguageModels
import Optimizers
import TensorGraph

/// The step from which tokens are looked up in a table of their own, and what the table starts from.
public struct UntieSettings: Equatable, Sendable {
  /// What becomes of the table's optimizer state; its weights are always copied from the head's.
  public enum State: String, Sendable, CaseIterable {
    /// A copy of the head's, with the count of updates.
    case copy
    /// It starts anew.
    case reset
  }

  /// The first step that looks up in the table; before it the table rests.
  public let step: Int
  /// What becomes of the table's optimizer state.
  public let state: State

  /// What happens at the step, in words.
  public var words: String {
    "lookups move to \(ModelConfiguration.tableName), "
      + (state == .copy ? "weights and state copied from" : "weights copied from")
      + " \(ModelConfiguration.headName)" + (state == .copy ? "" : ", state reset")
  }

  /// Reads `untie_at` and `untie_state`; nil where neither is given, or something is wrong with them, which has then been reported.
  static func read(_ section: ConfigurationSection, _ context: ScheduleContext) -> UntieSettings? {
    let state = section.optionalChoice(
      "untie_state", of: State.self,
      doc: "optimizer state of the table: a copy of the head's, or reset; copy")
    guard section.isGiven("untie_at") else {
      if state != nil {
        section.contradiction(
          "untie_state", message: "nothing is untied; give untie_at or remove the key")
      }
      return nil
    }
    let position = section.number(
      "untie_at", default: 1,
      doc:
        "first step that looks tokens up in embedding.weight; from the end of the run if negative, a part of it if "
        + "between 0 and 1")
    guard let step = context.step(at: position), step >= 1, step < context.steps else {
      section.refuse(
        "untie_at",
        message:
          "it is no step after the first; give a whole number from 1 to \(context.steps - 1), a negative one counted "
          + "from the end of the run, or a part of the run between 0 and 1")
      return nil
    }
    return UntieSettings(step: step, state: state ?? .copy)
  }

  /// Reports what in the model or the optimizer stands in the way.
  func check(
    _ section: ConfigurationSection, _ model: ModelConfiguration?, _ groups: [ParameterGroup]
  ) {
    func refuse(_ message: String) { section.refuse("untie_at", message: message) }
    guard let model else { return }
    guard model.canUntie else {
      return refuse(
        model.architecture == .speedrun
          ? "the model's tables are \(model.speedrun?.embedding.rawValue ?? ""); set model.embedding = \"tied-then-untied\", or "
            + "remove the key"
          : "the model has one table for lookups and logits; give it a table of its own (model.tied = false), or remove the key"
      )
    }
    func group(_ name: String) -> ParameterGroup? {
      groups.first { $0.members.contains { $0.name == name } }
    }
    // What is frozen has no state that could be copied.
    guard let head = group(ModelConfiguration.headName),
      let table = group(ModelConfiguration.tableName)
    else {
      return refuse(
        "\(ModelConfiguration.headName) and \(ModelConfiguration.tableName) must both be trained; let no rule freeze them"
      )
    }
    if head.card?.name != table.card?.name || head.options != table.options
      || head.settings.every != table.settings.every
      || (head.settings.averageDecay == nil) != (table.settings.averageDecay == nil)
    {
      refuse(
        "the state of \(ModelConfiguration.tableName) (group '\(table.name)') cannot be a copy of that of "
          + "\(ModelConfiguration.headName) (group '\(head.name)'); give both the same method, options, every and average"
      )
    }
    if head.name != table.name, table.members.count > 1 {
      let others = table.members.map(\.name).filter { $0 != ModelConfiguration.tableName }
      refuse(
        "group '\(table.name)' holds \(others[0]) too, whose count of updates would become the head's; give "
          + "\(ModelConfiguration.tableName) a rule of its own")
    }
    if step % table.settings.every != 0 {
      refuse(
        "group '\(table.name)' updates at every \(table.settings.every) steps, and gradients summed for one table must not "
          + "be used by the other; use a multiple of \(table.settings.every)")
    }
    if state == .reset, head.name == table.name {
      section.refuse(
        "untie_state",
        message:
          "the count of updates is one for all of group '\(head.name)'; give \(ModelConfiguration.tableName) a rule of "
          + "its own to start it anew")
    }
  }
}
