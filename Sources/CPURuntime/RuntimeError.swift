// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A program that this runtime cannot run on this machine.
public struct RuntimeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of obstacle it is.
  public enum Code: String, Sendable {
    /// The system has too little memory.
    case memory
    /// A program uses something that has no kernel.
    case unsupported
    /// An environment variable or option has an impossible value.
    case setting
  }

  /// The kind of obstacle.
  public let code: Code
  /// What happened, and what to do.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
