// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A dashboard that cannot be served: what, where, and the remedy.
public struct DashboardError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kinds of error.
  public enum Code: String, Sendable, CaseIterable {
    /// The folder holds no study.
    case noStudy
    /// Another program has the port, or it is not allowed.
    case port
    /// The server failed.
    case server
  }

  /// The kind of error.
  public var code: Code
  /// What happened, with values, and what to do.
  public var message: String

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
