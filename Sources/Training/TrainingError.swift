// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A run that cannot start or go on.
public struct TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of mistake it was.
  public enum Code: String, Sendable, CaseIterable {
    /// The data set is too short for the configuration, or does not fit it.
    case data
    /// A file of weights does not fit the model, or holds numbers that are not finite.
    case weights
    /// The run folder belongs to another configuration, or to a run that has ended.
    case runFolder
    /// A checkpoint is truncated, altered, or does not fit.
    case checkpoint
    /// A file cannot be read or written.
    case file
    /// The batch given to a trace does not fit.
    case batch
    /// What a study asked for cannot be read.
    case request
  }

  /// The kind of mistake.
  public let code: Code
  /// What happened, which value, where, and what to do.
  public let message: String

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
