// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Testing
import Training

/// Limits that a study fixes before a trial starts: they end it at their step and nowhere else.
@Suite struct TrialLimitTests {
  private func train(_ folder: TemporaryFolder, _ limits: [TrialLimit]) throws -> TrainingSummary {
    try TrainingRun.train(
      smallConfiguration(folder.path, ["evaluation.every": "2"]), limits: limits,
      runtime: TestRuntime.cpu.provider, source: smallSource())
  }

  @Test func aLossAboveItsLimitStopsTheRunAtThatStep() throws {
    let folder = try TemporaryFolder()
    let summary = try train(folder, [TrialLimit(step: 4, loss: 0)])
    #expect(summary.outcome == .stopped && summary.progress.step == 4)
    let outcome = try RunRecord(path: folder.path + "/run").outcome
    #expect(outcome.status == .stopped && outcome.completedSteps == 4)
    #expect(outcome.reason?.hasPrefix("lost a race: the validation loss after 4 steps") == true)
  }

  @Test func aLossBelowItsLimitAndALimitBetweenEvaluationsStopNothing() throws {
    let folder = try TemporaryFolder()
    let summary = try train(
      folder, [TrialLimit(step: 2, loss: 100), TrialLimit(step: 3, loss: 0)])
    #expect(summary.outcome == .finished)
  }

  @Test func theLastStepIsNeverARace() throws {
    let folder = try TemporaryFolder()
    let summary = try train(folder, [TrialLimit(step: 6, loss: 0)])
    #expect(summary.outcome == .finished)
  }
}
