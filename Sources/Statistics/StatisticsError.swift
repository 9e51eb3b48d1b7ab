// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Why a statistic cannot be had from what was given.
public struct StatisticsError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Code: String, Codable, CaseIterable, Sendable {
    /// Fewer values than the method needs.
    case tooFew = "too-few"
    /// Values that the axis cannot hold, out of order or repeated.
    case badGrid = "bad-grid"
    /// Curves of other lengths than the grid.
    case ragged
    /// A level, margin, share or cap outside its range.
    case outOfRange = "out-of-range"
  }

  /// What is wrong.
  public let code: Code
  /// What happened, with the value, and what to do.
  public let message: String

  /// Makes an error.
  ///
  /// - Parameters:
  ///   - code: What is wrong.
  ///   - message: What happened, with the value, and what to do.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
