// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing
import Training

/// Runs that end before they have finished, and go on.
extension TrainingRunTests {
  @Test(
    "Interrupted and resumed equals uninterrupted, bit for bit", arguments: TestRuntime.allCases,
    [1, 2])
  func resumes(_ which: TestRuntime, accumulationSteps: Int) throws {
    let folder = try TemporaryFolder()
    let changes = ["training.accumulation_steps": String(accumulationSteps)]
    let whole = try train(smallConfiguration(folder.path + "/whole", changes), which)
    let parts = try smallConfiguration(folder.path + "/parts", changes)
    let first = try train(parts, which, stopAfter: 2)
    #expect(first.outcome == .interrupted)
    #expect(first.outcome.exitCode == 4)
    #expect(first.progress.step == 3)
    #expect(try RunRecord(path: first.folder).outcome.status == .interrupted)
    var firstStep: Int?
    let second = try train(parts, which) { event in
      if case .started(let start) = event { firstStep = start.firstStep }
    }
    #expect(firstStep == 3)
    #expect(second.outcome == .finished)
    #expect(try tensorBytes(second) == tensorBytes(whole))
    #expect(try records(second.folder) == records(whole.folder))
    let record = try RunRecord(path: second.folder)
    #expect(record.outcome.sessionCount == 2)
    #expect(record.sessions.map(\.firstStep) == [0, 3])
    #expect(record.machines == [record.machine])
  }

  @Test("A run killed after its last checkpoint does not evaluate twice")
  func killedAtTheEnd() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path)
    let first = try train(configuration, .cpu)
    let lines = try records(first.folder)
    // As if the process had died before it could write the outcome.
    do {
      let open = try RunFolder.open(at: first.folder)
      var outcome = try open.outcome()
      outcome.status = .running
      try open.setOutcome(outcome)
    }
    let again = try train(configuration, .cpu)
    #expect(again.outcome == .finished)
    #expect(again.evaluation == first.evaluation)
    #expect(try records(again.folder) == lines)
  }

  @Test("A run that was killed goes on from its last checkpoint and writes the later steps again")
  func killed() throws {
    let folder = try TemporaryFolder()
    let whole = try train(smallConfiguration(folder.path + "/whole"), .cpu)
    let configuration = try smallConfiguration(folder.path + "/killed")
    struct Killed: Error {}
    let source = smallSource()
    source.willFill = { if $0 == 10 { throw Killed() } }
    #expect(throws: Killed.self) { try train(configuration, .cpu, source: source) }
    #expect(try RunRecord(path: configuration.run.folder).outcome.status == .failed)
    #expect(try RunRecord(path: configuration.run.folder).metrics().series("loss").count == 5)
    let rest = try train(configuration, .cpu)
    #expect(try tensorBytes(rest) == tensorBytes(whole))
    #expect(try records(rest.folder) == records(whole.folder))
  }

  @Test(
    "An evaluation that is asked to end leaves no trace, and is made when the run goes on",
    arguments: [(0, 0), (1, 3), (2, 6)])
  func endInEvaluation(evaluation: Int, step: Int) throws {
    func longSource() -> SyntheticSource {
      SyntheticSource(vocabularySize: 11, validationTokens: 4096 + 24)
    }
    let folder = try TemporaryFolder()
    let whole = try train(
      smallConfiguration(folder.path + "/whole"), .cpu, source: longSource())
    let configuration = try smallConfiguration(folder.path + "/ended")
    let (source, stop) = (longSource(), StopRequest())
    // The held-out tokens are read for the contract before the first evaluation.
    var (readingsLeft, batches) = (evaluation + 1, 0)
    source.didFillValidation = { counted in
      batches = counted == 0 ? 0 : batches + 1
      if counted == 0 { readingsLeft -= 1 }
      // In its middle: one batch has been measured.
      if readingsLeft == 0, batches == 2 { stop.request() }
    }
    let ended = try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: source, stop: stop)
    #expect(ended.outcome == .interrupted && ended.progress.step == step)
    #expect(ended.evaluation?.step == (step == 0 ? nil : step - 3))
    let rest = try train(configuration, .cpu, source: longSource())
    #expect(rest.outcome == .finished)
    #expect(try tensorBytes(rest) == tensorBytes(whole))
    #expect(try records(rest.folder) == records(whole.folder))
  }
}
