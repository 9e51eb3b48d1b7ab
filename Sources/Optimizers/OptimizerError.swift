// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// An optimizer that cannot be made.
public struct OptimizerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of mistake it was.
  public enum Code: String, Sendable {
    /// No method has that name.
    case unknownMethod
    /// The method has no hyperparameter of that name.
    case unknownHyperparameter
    /// A number outside its range, or a choice that an option does not have.
    case value
    /// A rule of the policy matches no parameter.
    case unusedRule
    /// A rule gives a method parameters that it does not take.
    case ineligible
    /// No group has that name, or two have.
    case unknownGroup
    /// Settings that cannot hold together.
    case contradiction
  }

  /// The kind of mistake.
  public let code: Code
  /// The name that is wrong: of a method or a hyperparameter.
  public let name: String
  /// What happened, with the value, and what to do.
  public let message: String

  /// The rule of the policy that it is about, from 0; nil: about none.
  public let rule: Int?

  /// Makes an error.
  public init(_ code: Code, name: String, rule: Int? = nil, _ message: String) {
    self.code = code
    self.name = name
    self.rule = rule
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
