// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing
import Training

@testable import Studies

/// Trials as processes: shell scripts that speak as trials do.
@Suite(.timeLimit(.minutes(20)), .serialized) final class TrialPoolTests {
  /// A folder for scripts to leave marks in.
  private let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.path + "/assay-pool-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// A request whose identity the script can look for.
  private func request(_ identity: String) -> TrialRequest {
    let point = TrialPoint(
      variant: "main", arm: identity, seed: TrialSeed(.reporting, 1), knobs: [:])
    return TrialRequest(
      layers: [], folder: folder + "/" + identity,
      trial: TrialRecord(
        study: "fake", identity: identity, point: point, revision: "none", version: "none"))
  }

  private func program(_ script: String) -> TrialProcess.Program {
    TrialProcess.Program(executable: "/bin/sh", arguments: ["-c", script])
  }

  private func end(_ status: RunOutcome.Status, _ step: Int = 5) -> String {
    "echo '" + TrialEvent.ended(TrialEvent.End(status: status, completedSteps: step)).line + "'"
  }

  /// Runs requests to their ends, by identity.
  private func run(
    _ script: String, _ identities: [String], slots: Int = 2
  ) throws -> [String: TrialProcess.End] {
    let pool = TrialPool(slots: slots, program: program(script), lock: nil)
    var waiting = identities
    var ends: [String: TrialProcess.End] = [:]
    while !waiting.isEmpty || !pool.running.isEmpty {
      while pool.hasRoom, !waiting.isEmpty { try pool.start(request(waiting.removeFirst())) }
      #expect(pool.running.count <= slots)
      for trial in try pool.wait(milliseconds: 100) { ends[trial.identity] = trial.end }
    }
    return ends
  }

  @Test func trialsEndAsTheySay() throws {
    let script = """
      input=$(cat)
      echo '{"event":"started","firstStep":0,"steps":5}'
      echo 'a library says hello'
      case $input in
      *'"identity":"good"'*) \(end(.finished)) ;;
      *) \(end(.diverged, 3)); exit 3 ;;
      esac
      """
    let ends = try run(script, ["good", "bad", "worse"])
    #expect(ends["good"] == .told(TrialEvent.End(status: .finished, completedSteps: 5)))
    #expect(ends["bad"] == .told(TrialEvent.End(status: .diverged, completedSteps: 3)))
    #expect(ends.count == 3)
  }

  @Test func aFailureIsTriedOnceMore() throws {
    let script = """
      if mkdir \(folder)/first 2>/dev/null; then kill -9 $$; fi
      \(end(.finished))
      """
    let ends = try run(script, ["phoenix"])
    #expect(ends["phoenix"] == .told(TrialEvent.End(status: .finished, completedSteps: 5)))
  }

  @Test func aSecondFailureIsToldWithItsReasonAndTheOthersGoOn() throws {
    let script = """
      input=$(cat)
      echo x >> \(folder)/starts
      case $input in
      *'"identity":"killed"'*) kill -9 $$ ;;
      *'"identity":"refused"'*) echo 'error: no such data' >&2; exit 1 ;;
      *'"identity":"silent"'*) exit 0 ;;
      *) \(end(.finished)) ;;
      esac
      """
    let ends = try run(script, ["killed", "refused", "silent", "good"])
    #expect(ends["good"] == .told(TrialEvent.End(status: .finished, completedSteps: 5)))
    #expect(
      ends["killed"] == .failed("its process was killed (signal 9): by hand, or for want of memory")
    )
    #expect(ends["refused"] == .failed("no such data"))
    #expect(ends["silent"] == .failed("exit code 0"))
    let starts = try String(contentsOfFile: folder + "/starts", encoding: .utf8)
    #expect(starts.split(separator: "\n").count == 7, "three trials twice, one once")
  }

  @Test func interruptedTrialsSaveAndLeaveNobodyBehind() throws {
    let script = """
      trap 'touch \(folder)/saved; \(end(.interrupted)); exit 4' TERM
      echo '{"event":"started","firstStep":0,"steps":5}'
      while :; do sleep 0.02; done
      """
    let pool = TrialPool(slots: 2, program: program(script), lock: nil)
    try pool.start(request("one"))
    while pool.running.first?.ready == nil { _ = try pool.wait(milliseconds: 100) }
    let identifier = try #require(pool.running.first?.child.identifier)
    pool.interrupt(seconds: 60)
    #expect(FileManager.default.fileExists(atPath: folder + "/saved"))
    #expect(pool.running.isEmpty && kill(identifier, 0) != 0)
  }

  @Test func aTrialThatDoesNotSaveInTimeIsKilled() throws {
    let script =
      "trap '' TERM; echo '{\"event\":\"started\",\"firstStep\":0,\"steps\":5}'; sleep 60"
    let pool = TrialPool(slots: 1, program: program(script), lock: nil)
    try pool.start(request("deaf"))
    while pool.running.first?.ready == nil { _ = try pool.wait(milliseconds: 100) }
    let identifier = try #require(pool.running.first?.child.identifier)
    let start = ContinuousClock.now
    pool.interrupt(seconds: 0.2)
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(kill(identifier, 0) != 0)
  }

  // MARK: - Speeds

  @Test func aProbeMeasuresStepsBetweenTheFirstAndTheLast() throws {
    // A hundred steps a second, told every fifth of a second, after a tenth for the start and a fifth for the evaluation.
    let script = """
      cat > \(folder)/request
      sleep 0.1
      echo '{"event":"started","firstStep":0,"steps":1000}'
      sleep 0.2
      echo '{"event":"evaluation","step":0,"validationLoss":5.5}'
      step=1
      while :; do
        echo '{"event":"step","loss":5,"secondsLeft":9,"step":'$step',"steps":1000,"tokensPerSecond":1}'
        step=$((step + 20))
        sleep 0.2
      done
      """
    let probe = ThroughputProbe(program: program(script))
    let seen = try probe.measure([[request("one")], [request("two")]]) { false }
    #expect(seen.count == 2)
    for (speed, reason) in seen {
      let speed = try #require(speed)
      // Sleeping takes longer than asked for on a busy machine, never less.
      #expect(speed.stepsPerSecond > 10 && speed.stepsPerSecond < 101)
      #expect(speed.startSeconds >= 0.1 && speed.evaluationSeconds >= 0.19)
      #expect(reason == nil)
    }
    let asked = try TrialRequest(json: Data(contentsOf: URL(fileURLWithPath: folder + "/request")))
    #expect(asked.overrides.contains("evaluation.every=0"))
    #expect(!asked.folder.hasPrefix(folder), "nothing is left in the study's folder")
  }

  @Test func aProbeOfATrialThatFailsSaysWhy() throws {
    let probe = ThroughputProbe(program: program("echo 'error: no such data' >&2; exit 1"))
    let seen = try probe.measure([[request("one")]]) { false }
    #expect(seen.first?.speed == nil && seen.first?.reason == "no such data")
  }
}
