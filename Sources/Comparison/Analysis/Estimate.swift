// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Statistics

/// A number measured on replicates, with its interval.
public struct Estimate: Codable, Equatable, Sendable {
  /// The mean over replicates; nil when none is known.
  public var value: Double?
  /// Student's t interval of the mean, or as the property says; nil below two replicates.
  public var interval: ConfidenceInterval?
  /// The number of replicates.
  public var count: Int

  /// Describes an estimate.
  public init(value: Double?, interval: ConfidenceInterval?, count: Int) {
    self.value = value
    self.interval = interval
    self.count = count
  }
}

/// A number that may lie beyond what was measured.
public struct CensoredEstimate: Codable, Equatable, Sendable {
  /// The kinds of censoring.
  public enum Bound: String, Codable, CaseIterable, Sendable {
    /// The value is the estimate itself.
    case exact
    /// The true value is at least this.
    case atLeast = "at-least"
    /// The true value is at most this.
    case atMost = "at-most"
  }
  /// The estimate, or the bound; nil when nothing is known.
  public var value: Double?
  /// Whether `value` is exact or a bound.
  public var bound: Bound
  /// The interval; an open end is infinite.
  public var interval: ConfidenceInterval?
  /// The number of replicates.
  public var count: Int
}

/// One replicate of a cell.
public struct Replicate: Codable, Equatable, Sendable {
  /// The seed of the initial weights.
  public var seed: Int
  /// The final validation loss in nats per token, capped at the loss at initialisation when it diverged; nil when the trial has
  /// none: missing, failed or unfinished.
  public var loss: Double?
  /// How the trial ended.
  public var state: State
  /// The trial's identity; nil when it is missing.
  public var trial: String?

  /// The states of a replicate.
  public enum State: String, Codable, CaseIterable, Sendable {
    /// All steps were made, and the loss is a loss.
    case finished
    /// Not finite, or above the loss at initialisation: counts as the loss at initialisation.
    case diverged
    /// Ended early by a declared rule; no final loss.
    case stopped
    /// Ended by an error; no loss.
    case failed
    /// Still running, interrupted or damaged; no loss yet.
    case unfinished
    /// Not begun.
    case missing
  }
}
