// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// How a run stands, or how it ended: the file `outcome.json`.
public struct RunOutcome: Codable, Equatable, Sendable {
  /// The states of a run.
  public enum Status: String, Codable, CaseIterable, Sendable {
    /// Being trained; if no process holds the run's lock, it was killed.
    case running
    /// All steps were made.
    case finished
    /// Stopped by a signal after saving; can be resumed.
    case interrupted
    /// Ended by the rule for losses and gradients that are not finite.
    case diverged
    /// Ended early by a rule that its study declared; can be resumed.
    case stopped
    /// Ended by an error.
    case failed
  }

  /// The version of the file.
  public private(set) var format = 1
  /// The state.
  public var status: Status
  /// Why the run ended, in words; `nil` while running or when finished.
  public var reason: String?
  /// The number of optimizer updates made.
  public var completedSteps: Int
  /// The last numbers by name, for example `validationLoss`; infinities and NaN are kept.
  public var finalNumbers: [String: Double]
  /// When the first session began; whole seconds are stored.
  public var startTime: Date
  /// When the run ended, or `nil` while running.
  public var endTime: Date?
  /// How often training was started or resumed.
  public var sessionCount: Int

  /// Describes how a run stands.
  public init(
    status: Status, reason: String? = nil, completedSteps: Int = 0,
    finalNumbers: [String: Double] = [:], startTime: Date, endTime: Date? = nil,
    sessionCount: Int = 1
  ) {
    self.status = status
    self.reason = reason
    self.completedSteps = completedSteps
    self.finalNumbers = finalNumbers
    self.startTime = startTime
    self.endTime = endTime
    self.sessionCount = sessionCount
  }
}
