// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing
import Training

/// What a run's record says about the sessions that made it.
@Suite struct SessionTests {
  @Test(
    "The record of a run that goes on with other threads has both, of a run of an older version too"
  )
  func sessions() throws {
    let folder = try TemporaryFolder()
    func session(threads: Int, stopAfter last: Int?) throws -> RunRecord {
      let configuration = try smallConfiguration(
        folder.path, ["machine.threads": String(threads)])
      let stop = StopRequest()
      let summary = try TrainingRun.train(
        configuration, runtime: .cpu, source: smallSource(), stop: stop
      ) { if case .step(let report) = $0, report.step == last { stop.request() } }
      return try RunRecord(path: summary.folder)
    }
    let first = try session(threads: 1, stopAfter: 0)
    #expect(first.sessions.count == 1)
    let sessions = first.path + "/sessions.json"
    #expect(!FileManager.default.fileExists(atPath: sessions))
    let second = try session(threads: 2, stopAfter: 1)
    #expect(second.sessions.map(\.firstStep) == [0, 1])
    let threads = second.machines.compactMap { $0.details["runtime"] }
    #expect(threads.count == 2 && threads[0].contains("1 thread,"))
    #expect(threads.last?.contains("2 threads") == true)
    #expect(second.machine == first.machine)
    // Before sessions were noted there was no such file.
    try FileManager.default.removeItem(atPath: sessions)
    #expect(try RunRecord(path: first.path).machines == [first.machine])
    let third = try session(threads: 2, stopAfter: nil)
    #expect(third.sessions.map(\.firstStep) == [0, 2] && third.machines.count == 2)
    #expect(third.outcome.status == .finished && third.outcome.sessionCount == 3)
  }
}
