// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Why a record cannot be read, told apart or trusted: which file and line, what is wrong, and the remedy.
public struct SpeedRecordError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kinds of error.
  public enum Code: String, Codable, CaseIterable, Sendable {
    /// A file or folder is not there or cannot be read.
    case unreadable
    /// A log is no log of the speedrun, or a line of it is damaged.
    case damagedLog = "damaged-log"
    /// A log ends before its run does.
    case truncatedLog = "truncated-log"
    /// A run has not ended, or ended without a loss.
    case unfinishedRun = "unfinished-run"
    /// An argument, a CSV file or a number is not of the form that is asked for.
    case malformed
    /// The same run, seed or file counts twice.
    case duplicate
    /// Losses were measured on different tokens, or a rule lacks what it needs.
    case incomparable
    /// A pack is damaged, or was not written by this program.
    case damagedPack = "damaged-pack"
    /// A folder or file cannot be written.
    case notWritable = "not-writable"
  }

  /// The kind of error.
  public let code: Code
  /// What happened, with the place and the value, and what to do.
  public let message: String

  /// Makes an error.
  ///
  /// - Parameters:
  ///   - code: The kind.
  ///   - message: What happened, with the place and the value, and what to do.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
