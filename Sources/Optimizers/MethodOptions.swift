// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Choices between equations, checked against a card.
public struct MethodOptions: Hashable, Sendable {
  /// The choice of every option of the card.
  public let values: [String: String]

  /// A card's own choices.
  public init(_ card: OptimizerCard) {
    values = Dictionary(uniqueKeysWithValues: card.options.map { ($0.name, $0.standard) })
  }

  /// A card's own choices with some replaced.
  ///
  /// - Throws: ``OptimizerError`` for an option the card does not have, or a choice the option does not have.
  public init(_ card: OptimizerCard, _ given: [String: String]) throws(OptimizerError) {
    var values = MethodOptions(card).values
    for (name, choice) in given.sorted(by: { $0.key < $1.key }) {
      guard let option = card.options.first(where: { $0.name == name }) else {
        throw card.unknownKey(name)
      }
      guard option.choices.contains(choice) else {
        throw OptimizerError(
          .value, name: name,
          "\(name) of optimizer '\(card.name)' is '\(choice)';"
            + suggestion(for: choice, among: option.choices)
            + " it is one of \(option.choices.joined(separator: ", "))")
      }
      values[name] = choice
    }
    self.values = values
  }

  /// The choice of an option.
  public subscript(name: String) -> String {
    guard let choice = values[name] else {
      preconditionFailure("option '\(name)' is not on the card; it has \(values.keys.sorted())")
    }
    return choice
  }

  /// Whether an option with the choices `false` and `true` is on.
  public func isOn(_ name: String) -> Bool { self[name] == "true" }
}
