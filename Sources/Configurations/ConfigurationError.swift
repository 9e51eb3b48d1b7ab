// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// One thing wrong with a configuration.
public struct ConfigurationProblem: Equatable, Sendable, CustomStringConvertible {
  /// The kinds of problem.
  public enum Code: String, Sendable {
    /// The file is missing, a folder, not readable, or not UTF-8.
    case unreadableFile
    /// The text is not TOML.
    case syntax
    /// A command-line override is not of the form `--section.key=value`.
    case invalidOverride
    /// Nothing reads this key or section.
    case unknownKey
    /// The value has another type than the key.
    case wrongType
    /// The value is outside the range of the key.
    case outOfRange
    /// The value is none of the names the key accepts.
    case unknownName
    /// A key without default is not given.
    case missingKey
    /// Several values cannot hold together.
    case contradiction
    /// A value no key can hold, such as a date or an array that mixes tables and values.
    case unsupportedValue
    /// A stored configuration was altered or has another format.
    case damagedRecord
  }

  /// The kind of problem.
  public var code: Code

  /// The keys concerned, dotted; empty when the problem is not about keys.
  public var keys: [String]

  /// Where, which key, which value, what is wrong, and the remedy.
  public var message: String

  /// Creates a problem with its full message.
  public init(_ code: Code, keys: [String] = [], _ message: String) {
    self.code = code
    self.keys = keys
    self.message = message
  }

  /// The message.
  public var description: String { message }
}

/// Everything wrong with a configuration, found before any work was done.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// The problems, at least one: values in the order of reading, then unknown keys in the order of the text.
  public let problems: [ConfigurationProblem]

  /// Creates an error from one problem or more.
  public init(_ problems: [ConfigurationProblem]) {
    precondition(!problems.isEmpty, "a configuration error needs a problem")
    self.problems = problems
  }

  /// Creates an error from one problem.
  public init(_ code: ConfigurationProblem.Code, keys: [String] = [], _ message: String) {
    self.init([ConfigurationProblem(code, keys: keys, message)])
  }

  /// The kind of the first problem.
  public var code: ConfigurationProblem.Code { problems[0].code }

  /// The message of a single problem, or a list of all.
  public var message: String {
    if problems.count == 1 { return problems[0].message }
    let lines = problems.map { "  - " + $0.message }
    return "\(problems.count) problems in the configuration:\n" + lines.joined(separator: "\n")
  }

  /// The message.
  public var description: String { message }
}
