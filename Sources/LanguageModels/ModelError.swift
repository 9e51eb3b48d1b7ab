// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A model that cannot be built.
public struct ModelError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of mistake it was.
  public enum Code: String, Sendable {
    /// A size is zero or negative.
    case size
    /// Two sizes contradict each other.
    case contradiction
    /// A number is not finite or has the wrong sign.
    case value
  }

  /// The kind of mistake.
  public let code: Code
  /// The configuration key that is to be changed, for example `heads`.
  public let key: String
  /// What happened, with the values, and what to do.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, key: String, _ message: String) {
    self.code = code
    self.key = key
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
