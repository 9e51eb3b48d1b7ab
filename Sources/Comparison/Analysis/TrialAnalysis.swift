// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords

/// One trial with everything a table of trials shows.
public struct TrialAnalysis: Codable, Equatable, Sendable {
  /// The name of its folder.
  public var identity: String
  /// Which trial it is; nil when its record cannot be read.
  public var point: TrialPoint?
  /// How it ended; nil when the outcome cannot be read.
  public var status: RunOutcome.Status?
  /// Why, in words.
  public var reason: String?
  /// The final validation loss in nats per token, capped at the loss at initialisation when it diverged; nil without one.
  public var loss: Double?
  /// Whether it counts as diverged: ended so, not finite, or above the loss at initialisation.
  public var isDiverged: Bool
  /// Validation loss before the first step.
  public var initialLoss: Double?
  /// Updates made.
  public var steps: Int
  /// Seconds of training.
  public var seconds: Double?
  /// The folder, relative to the study's.
  public var folder: String
  /// The revision of the code.
  public var revision: String
  /// The machine in words.
  public var machine: String
  /// The hash of its contract; nil without one.
  public var contractHash: String?
  /// Whether it was run to the end to audit a stop.
  public var isAudit: Bool
  /// What is odd about it.
  public var marks: [TrialMark]
  /// What could not be read, or was changed, in words.
  public var problems: [String]
}

/// Something odd about a trial's records.
public enum TrialMark: String, Codable, CaseIterable, Sendable {
  /// A file is not what its seal says.
  case edited
  /// A file is missing or cannot be read.
  case damaged
  /// Ended, but never sealed.
  case unsealed
  /// Run on another machine than most trials of the study.
  case otherMachine = "other-machine"
  /// Run by another revision of the code than most trials of the study.
  case otherRevision = "other-revision"
  /// Run by code with changes that were not committed.
  case uncommitted
  /// It has no contract.
  case noContract = "no-contract"
  /// Says `running`, but nobody writes it.
  case abandoned
  /// It belongs to no arm or variant of the study, or to another study.
  case foreign
}

/// A trial that a rule ended early, and what its audit found.
public struct StopAnalysis: Codable, Equatable, Sendable {
  /// The trial.
  public var trial: String
  /// The variant.
  public var variant: String
  /// The arm.
  public var arm: String
  /// The rule, in words.
  public var reason: String
  /// The step at which it was stopped.
  public var step: Int?
  /// The last validation loss before.
  public var loss: Double?
  /// Its final loss, where it was run to the end to see.
  public var auditedLoss: Double?
  /// What stopping cost, in nats per token; 0 when it cost nothing, nil when it was not audited.
  ///
  /// The lowest loss of the arm's tuning with the same seed minus the audited loss, where that is positive.
  public var regret: Double?
}
