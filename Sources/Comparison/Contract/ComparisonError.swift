// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords

/// Records that cannot be compared: what differs, between whom, and the remedy.
public struct ComparisonError: Error, Equatable, CustomStringConvertible {
  /// The kinds of error.
  public enum Code: String, Sendable {
    /// Arms differ in conditions that they did not declare.
    case unequalContracts
    /// A run has no contract: it is older than contracts, or damaged.
    case missingContract
    /// Runs of one arm are no replicates of each other.
    case ambiguousRuns
    /// There is nothing to compare.
    case noRecords
  }
  /// The kind.
  public var code: Code
  /// Fields in which arms differ; empty when it is not about fields.
  public var fields: [FairnessContract.Field]
  /// What happened, with arms and values, and the remedy.
  public var message: String

  /// Makes an error with its full message.
  public init(_ code: Code, fields: [FairnessContract.Field] = [], _ message: String) {
    self.code = code
    self.fields = fields
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
