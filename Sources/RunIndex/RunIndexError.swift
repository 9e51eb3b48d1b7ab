// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// An index that cannot be made, read or asked: what, where, and the remedy.
public struct RunIndexError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kinds of error.
  public enum Code: String, Sendable, CaseIterable {
    /// The folder to search is not there.
    case noFolder
    /// A question names something unknown, or is not one.
    case query
    /// The index cannot be written or read.
    case database
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
