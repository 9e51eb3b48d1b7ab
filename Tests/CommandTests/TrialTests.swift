// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// One trial of a study as the process that runs it: a request on standard input, events on standard output.
@Suite(.timeLimit(.minutes(20))) struct TrialTests {
  /// A workspace with data, and the request of a trial of some steps in `request.json`.
  func workspace(steps: Int, folder: String = "trial", identity: String = "main.lion.0123") throws
    -> Workspace
  {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: steps)
    try write(workspace, folder: folder, identity: identity)
    return workspace
  }

  func write(_ workspace: Workspace, folder: String, identity: String = "main.lion.0123") throws {
    let text = String(decoding: try workspace.read("config.toml"), as: UTF8.self)
    let arm = "[optimizer]\nname = \"lion\""
    let request: [String: Any] = [
      "layers": [
        ["label": "file config.toml", "text": text],
        ["label": "study tiny.toml, arm lion", "text": arm],
      ],
      "overrides": ["optimizer.learning_rate=0.01"], "folder": folder, "threads": 1,
      "trial": [
        "format": 1, "study": "tiny", "identity": identity, "isAudit": false, "revision": "abc",
        "version": "1",
        "point": [
          "variant": "main", "arm": "lion", "horizon": 1,
          "seed": ["purpose": "tuning", "initial": 1, "data": 1],
          "knobs": ["optimizer.learning_rate": 0.01],
        ],
      ],
    ]
    try workspace.write(JSONSerialization.data(withJSONObject: request), to: "request.json")
  }

  func start(_ workspace: Workspace) throws -> Running {
    try Running(
      [Command.executable(), "trial"], in: workspace.folder,
      input: workspace.path("request.json"))
  }

  /// The events of a process, in order.
  func events(_ result: Command.Result) throws -> [[String: Any]] {
    try result.output.split(separator: "\n").map { line in
      try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }
  }

  func status(_ workspace: Workspace, _ run: String) throws -> String? {
    let object = try JSONSerialization.jsonObject(with: try workspace.read(run + "/outcome.json"))
    return (object as? [String: Any])?["status"] as? String
  }

  @Test func aTrialTellsItsEventsAndLeavesItsRecord() throws {
    let workspace = try workspace(steps: 20)
    let result = try start(workspace).wait()
    #expect(result.code == 0, "\(result)")
    let events = try events(result)
    #expect(events.first?["event"] as? String == "started", "\(result)")
    #expect(events.last?["event"] as? String == "ended", "\(result)")
    #expect(events.last?["status"] as? String == "finished", "\(result)")
    #expect(events.contains { $0["event"] as? String == "evaluation" }, "\(result)")
    #expect(events.contains { $0["event"] as? String == "step" }, "\(result)")
    for name in ["trial.json", "contract.json", "seal.json", "timings.jsonl"] {
      #expect(workspace.exists("trial/" + name), "\(name)")
    }
    let text = String(decoding: try workspace.read("trial/configuration.toml"), as: UTF8.self)
    #expect(text.contains("# study tiny.toml, arm lion"), "\(text)")
    #expect(text.contains("# file config.toml"), "\(text)")

    let again = try self.events(start(workspace).wait())
    #expect(again.count == 1 && again[0]["status"] as? String == "finished", "\(again)")
  }

  @Test func aStudyStopsATrialAndMayGoOnWithItToTheSameBits() throws {
    let workspace = try workspace(steps: 2000, folder: "whole")
    #expect(try start(workspace).wait().code == 0)
    try write(workspace, folder: "parts")
    for (signal, status) in [(SIGUSR1, "stopped"), (SIGTERM, "interrupted")] {
      let running = try start(workspace)
      #expect(running.waitForOutput(containing: "\"event\":\"step\""))
      running.send(signal)
      let ended = running.wait()
      #expect(ended.code == 4, "\(ended)")
      #expect(try events(ended).last?["status"] as? String == status, "\(ended)")
      #expect(try self.status(workspace, "parts") == status)
    }
    let rest = try start(workspace).wait()
    #expect(rest.code == 0, "\(rest)")
    for name in [
      "metrics.jsonl", "trajectories.bin", "contract.json", "configuration.json", "optimizer.json",
      "trial.json",
    ] {
      #expect(try workspace.read("parts/" + name) == workspace.read("whole/" + name), "\(name)")
    }
  }

  @Test func aTrialEndsWithTheProcessThatStartedIt() throws {
    let workspace = try workspace(steps: 1_000_000)
    let parent = try Running(
      [
        "/bin/sh", "-c", "\"$0\" trial < request.json > events & echo $! > child; wait",
        Command.executable(),
      ], in: workspace.folder)
    let deadline = ContinuousClock.now + .seconds(60)
    func waitUntil(_ condition: () throws -> Bool) rethrows -> Bool {
      while ContinuousClock.now < deadline {
        if try condition() { return true }
        usleep(20_000)
      }
      return false
    }
    let isTraining = try waitUntil {
      guard workspace.exists("events") else { return false }
      return String(decoding: try workspace.read("events"), as: UTF8.self).contains("\"step\"")
    }
    #expect(isTraining)
    parent.send(SIGKILL)
    _ = parent.wait()
    #expect(try waitUntil { try status(workspace, "trial") == "interrupted" })
    if let child = Int32(
      String(decoding: try workspace.read("child"), as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)),
      try status(workspace, "trial") != "interrupted"
    {
      kill(child, SIGKILL)
    }
  }

  @Test func whatIsNotATrialIsRefused() throws {
    let workspace = try workspace(steps: 20)
    #expect(try start(workspace).wait().code == 0)
    try write(workspace, folder: "trial", identity: "main.lion.9999")
    let other = try start(workspace).wait()
    #expect(other.code == 2 && other.errors.contains("holds another trial"), "\(other)")
    #expect(try events(other).last?["status"] as? String == "failed", "\(other)")

    try workspace.write("{\"layers\": []}", to: "request.json")
    let wrong = try start(workspace).wait()
    #expect(wrong.code == 64 && wrong.errors.hasPrefix("error: standard input"), "\(wrong)")
  }

  @Test func aTrainingRunTellsTheSameEventsWhenAsked() throws {
    let workspace = try workspace(steps: 20)
    let result = try workspace.run("train", "config.toml", "--output", "run", "--events")
    #expect(result.code == 0, "\(result)")
    let kinds = try events(result).compactMap { $0["event"] as? String }
    #expect(kinds.first == "started" && kinds.last == "ended", "\(result)")
    #expect(result.errors.contains("finished 20 steps"), "\(result)")
  }
}
