// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A graph that cannot be built or run.
public struct GraphError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of mistake it was.
  public enum Code: String, Sendable {
    /// Operand shapes do not fit the operation.
    case shape
    /// Operand element types do not fit the operation.
    case elementType
    /// A result was asked for whose gradient is not defined.
    case notDifferentiable
    /// Values of two graphs were mixed, or a name was used twice.
    case structure
  }

  /// The kind of mistake.
  public let code: Code
  /// What happened, with the operation and the shapes, and what to do.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
