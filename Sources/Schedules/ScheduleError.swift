// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A schedule that cannot be: what was asked for, with which values, and what to do instead.
public struct ScheduleError: Error, Equatable, CustomStringConvertible {
  /// The kinds of impossible schedule.
  public enum Code: String, Sendable {
    /// A value that must be finite, or inside a range, is not.
    case invalidValue
    /// A stage has fewer than one step, or the run has none.
    case invalidLength
    /// Stages ask for more steps than the run has.
    case longerThanRun
    /// Stages are missing, follow an endless stage, or share a name.
    case invalidStages
    /// Two schedules of the same scalar hold for the same group of parameters.
    case overlap
    /// A pause waits for a stage that does not exist or never ends.
    case invalidPause
  }

  /// The kind of error.
  public var code: Code

  /// What happened, with which values, and the remedy.
  public var message: String

  /// Creates an error of a kind with its full message.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
