// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
public import RunRecords

/// What is left to run, and how far that is.
public struct TrialAgenda: Sendable {
  /// Trials that can be run now, in running order: all of them are needed, whatever the others turn out to be.
  public var needed: [TrialPoint]
  /// Trials that are run once more, into folders of their own, without any rule that stops them.
  public var audits: [TrialPoint]
  /// Trials that have ended.
  public var ended: Int
  /// Trials in all, as far as they are known by now.
  public var expected: TrialCount
  /// The earliest part of the study that needs a trial.
  public var phase: StudyPhase

  /// Describes what is left.
  public init(
    needed: [TrialPoint], audits: [TrialPoint], ended: Int, expected: TrialCount, phase: StudyPhase
  ) {
    self.needed = needed
    self.audits = audits
    self.ended = ended
    self.expected = expected
    self.phase = phase
  }

  /// What a study's protocol asks for.
  public init(_ progress: StudyProgress) {
    self.init(
      needed: progress.needed, audits: progress.audits, ended: progress.endedCount,
      expected: progress.expectedTotal, phase: progress.phases.values.min() ?? .done)
  }

  /// The tuning alone of what a study's protocol asks for.
  public init(tuningOf progress: StudyProgress) {
    let needed = progress.needed.filter { $0.seed.purpose == .tuning }
    self.init(
      needed: needed, audits: [], ended: progress.endedCount,
      expected: TrialCount(progress.endedCount + needed.count),
      phase: needed.isEmpty ? .done : progress.phases.values.min() ?? .done)
  }

  /// Whether nothing is left to run.
  public var isComplete: Bool { needed.isEmpty && audits.isEmpty }
}
