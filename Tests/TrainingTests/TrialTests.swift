// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords
import Testing
import Training

@Suite struct TrialTests {
  func trial(
    _ identity: String = "main.lion.0123", isAudit: Bool = false, revision: String = "abc"
  ) -> TrialRecord {
    TrialRecord(
      study: "tiny", identity: identity,
      point: TrialPoint(
        variant: "main", arm: "lion", seed: TrialSeed(.tuning, 1),
        knobs: ["optimizer.learning_rate": .number(0.01)]),
      isAudit: isAudit, revision: revision, version: "1")
  }

  @discardableResult
  func train(
    _ configuration: TrainingConfiguration, _ trial: TrialRecord?, stopAfter: Int? = nil,
    as kind: StopRequest.Kind = .stop, events: (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingSummary {
    let stop = StopRequest()
    return try withoutActuallyEscaping(events) { events in
      try TrainingRun.train(
        configuration, trial: trial, runtime: TestRuntime.cpu.provider, source: smallSource(),
        stop: stop
      ) { event in
        if case .step(let report) = event, report.step == stopAfter { stop.request(kind) }
        events(event)
      }
    }
  }

  func stored(_ folder: String) throws -> TrialRecord? { try RunRecord(path: folder).trial }

  @Test("A request goes through JSON and becomes a configuration whose origins name its layers")
  func request() throws {
    let request = TrialRequest(
      layers: [
        .init(label: "preset tiny", text: "[model]\nwidth = 8\nlayers = 1\nhead_width = 4"),
        .init(label: "study s.toml, arm lion", text: "[model]\nwidth = 16\n[data]\npath = \"d\""),
        .init(label: "base.toml", text: "[training]\nsteps = 20"),
      ], overrides: ["optimizer.learning_rate=0.5"], folder: "runs/2024", trial: trial(), threads: 1
    )
    let again = try TrialRequest(json: request.json)
    #expect(again == request)
    let resolved = try TrainingConfiguration(again.source()).resolved
    #expect(resolved["model.layers"]?.origin == .preset("tiny"))
    #expect(resolved["model.width"]?.value == .integer(16))
    #expect(resolved["model.width"]?.origin == .study("s.toml, arm lion"))
    #expect(resolved["training.steps"]?.origin == .file("base.toml"))
    #expect(resolved["optimizer.learning_rate"]?.origin == .commandLine)
    #expect(resolved["run.folder"]?.value == .string("runs/2024"))
    #expect(resolved["machine.threads"]?.value == .integer(1))
    // Origins survive the file that a run keeps them in.
    #expect(try ResolvedConfiguration(json: resolved.json) == resolved)
    let wrong = TrialRequest(
      layers: [.init(label: "study s.toml, arm x", text: "[model]\nwidht = 3")], folder: "f",
      trial: trial())
    let error = try #require(throws: ConfigurationError.self) {
      try TrainingConfiguration(wrong.source())
    }
    #expect("\(error)".contains("study s.toml, arm x"), "\(error)")
  }

  @Test("A request that lacks something is refused by name")
  func badRequest() throws {
    let error = try #require(throws: TrainingError.self) {
      try TrialRequest(json: Data(#"{"layers": [], "overrides": [], "folder": "f"}"#.utf8))
    }
    #expect(error.code == .request && error.message.contains("'trial'"), "\(error)")
    #expect(throws: TrainingError.self) { try TrialRequest(json: Data("no".utf8)) }
  }

  @Test(
    "Events are one line of JSON each and read back",
    arguments: [
      TrialEvent.started(firstStep: 3, steps: 10),
      .step(.init(step: 4, steps: 10, loss: .infinity, tokensPerSecond: 5, secondsLeft: 0.5)),
      .evaluation(step: 5, validationLoss: 3.25), .warning("a \"word\"\nand another"),
      .ended(.init(status: .diverged, reason: "up", completedSteps: 6, validationLoss: 7)),
      .ended(.init(status: .finished)),
    ])
  func events(_ event: TrialEvent) {
    #expect(!event.line.contains("\n"))
    #expect(event.line.contains(#""event":""#))
    #expect(TrialEvent(line: event.line) == event)
    #expect(TrialEvent(line: event.line.dropLast()) == nil)
  }

  @Test("A NaN in an event is written and read")
  func notANumber() {
    let line = TrialEvent.evaluation(step: 1, validationLoss: .nan).line
    guard case .evaluation(_, let loss) = TrialEvent(line: line) else {
      Issue.record("\(line) does not read back")
      return
    }
    #expect(loss.isNaN)
  }

  @Test("A stream begins with the start, ends with the end, and tells few steps in between")
  func stream() throws {
    let folder = try TemporaryFolder()
    var lines: [String] = []
    let stream = TrialEventStream { lines.append($0) }
    let start = ContinuousClock.now
    let configuration = try smallConfiguration(folder.path, ["training.steps": "60"])
    let summary = try train(configuration, trial(), events: stream.observe)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let events = lines.compactMap { TrialEvent(line: $0) }
    #expect(events.count == lines.count)
    #expect(events.first == .started(firstStep: 0, steps: 60))
    #expect(
      events.last
        == .ended(
          .init(
            status: .finished, completedSteps: 60, validationLoss: summary.evaluation?.loss)))
    let steps = events.filter { if case .step = $0 { true } else { false } }
    #expect(steps.count >= 1)
    #expect(Double(steps.count) <= 1 + seconds / TrialEventStream.secondsBetweenSteps)
  }

  @Test("A stopped trial is saved, says so, and an audit goes on to the bits of the whole run")
  func stoppedAndAudited() throws {
    let folder = try TemporaryFolder()
    let whole = try train(smallConfiguration(folder.path + "/whole"), trial())
    let configuration = try smallConfiguration(folder.path + "/parts")
    let stopped = try train(configuration, trial(), stopAfter: 2)
    #expect(stopped.outcome == .stopped && stopped.outcome.exitCode == 4)
    let record = try RunRecord(path: stopped.folder)
    #expect(record.outcome.status == .stopped)
    #expect(record.outcome.reason == "stopped by a rule of its study")
    #expect(record.outcome.completedSteps == 3)
    #expect(record.trial == trial())

    // Another revision may go on; the record names the one that began.
    let ended = try train(configuration, trial(isAudit: true, revision: "def"))
    #expect(ended.outcome == .finished)
    #expect(try stored(ended.folder)?.isAudit == true)
    for name in ["metrics.jsonl", "contract.json", "configuration.json", "optimizer.json"] {
      #expect(
        FileManager.default.contentsEqual(
          atPath: ended.folder + "/" + name, andPath: whole.folder + "/" + name), "\(name)")
    }
  }

  @Test("An interrupted trial goes on with the same record; another trial in its folder is refused")
  func otherTrial() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path)
    let first = try train(configuration, trial(), stopAfter: 1, as: .interrupt)
    #expect(first.outcome == .interrupted)
    let error = try #require(throws: TrainingError.self) {
      try train(configuration, trial("main.lion.9999"))
    }
    #expect(error.code == .runFolder)
    #expect(error.message.contains("main.lion.0123") && error.message.contains("main.lion.9999"))
    try train(configuration, trial(revision: "def"))
    #expect(try stored(first.folder) == trial())
  }

  @Test("A process that was killed while it made the folder does not stand in the way")
  func killedWhileMaking() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path)
    let path = configuration.run.folder
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for name in ["lock", "configuration.toml", "machine.json.partial"] {
      try Data("half".utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    }
    #expect(try train(configuration, trial()).outcome == .finished)

    // Somebody's own file is not ours to write over.
    let own = try smallConfiguration(folder.path + "/own")
    try FileManager.default.createDirectory(
      atPath: own.run.folder, withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: own.run.folder + "/configuration.toml"))
    #expect(throws: RunRecordError.self) { try train(own, trial()) }
  }
}
