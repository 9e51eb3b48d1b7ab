// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What is known about a key: the schema of a configuration is the list of these.
public struct ConfigurationKey: Equatable, Sendable {
  /// What happens when the key is not given.
  public enum Presence: Equatable, Sendable {
    /// The key has a default.
    case defaulted(ConfigurationValue)
    /// The key must be given.
    case required
    /// The key may be absent.
    case optional
  }

  /// The dotted path.
  public let name: String
  /// The kind of its value.
  public let kind: ConfigurationKind
  /// What happens when it is not given.
  public let presence: Presence
  /// The accepted values in words: a range or a list of names; empty when all are.
  public let accepted: String
  /// One line of documentation.
  public let documentation: String
}
