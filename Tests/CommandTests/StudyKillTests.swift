// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Studies that are interrupted, killed and locked: nothing is lost, and the bits are those of a study that nobody disturbed.
@Suite(.timeLimit(.minutes(20)), .serialized) struct StudyKillTests {
  /// `ASSAY_STUDY_KILLS=50 swift test --filter StudyKillTests` kills more often.
  static let kills =
    ProcessInfo.processInfo.environment["ASSAY_STUDY_KILLS"].flatMap { Int($0) } ?? 6

  /// The files of a study that nobody disturbed.
  private func undisturbed(_ workspace: Workspace) throws -> [String: Data] {
    let whole = try workspace.run("compare", "study.toml")
    #expect(whole.code == 0, "\(whole)")
    let files = try workspace.deterministicFiles()
    try FileManager.default.removeItem(atPath: workspace.path("study"))
    return files
  }

  /// Sleeps until a trial says that it runs, or the study is over.
  private func awaitTrial(of study: Running, in workspace: Workspace) {
    while !study.hasEnded() {
      let statuses = (try? workspace.statuses()) ?? [:]
      if statuses.values.contains("running") { return }
      usleep(1000)
    }
  }

  private func expectEqual(_ files: [String: Data], _ expected: [String: Data], _ what: String) {
    #expect(files.keys.sorted() == expected.keys.sorted(), "\(what)")
    for (name, data) in files { #expect(data == expected[name], "\(name) differs: \(what)") }
  }

  @Test(arguments: [UInt64(1)])
  func killedAtAnyMomentTheSameCommandEndsWithTheSameBits(seed: UInt64) throws {
    let workspace = try Workspace()
    try workspace.writeStudy(steps: 100, seeds: 2, checkpointEvery: 10)
    let expected = try undisturbed(workspace)
    var random = SplitMix(state: seed)
    var report = ""
    var killed = 0
    var hits = 0
    while killed < Self.kills {
      let running = try workspace.start("compare", "study.toml")
      // Now and then at any moment; mostly while a trial is under way, however slow the machine.
      if random.next() % 4 > 0 {
        awaitTrial(of: running, in: workspace)
        usleep(UInt32(random.next() % 50_000))
      } else {
        usleep(UInt32(random.next() % 500_000))
      }
      let offspring = children(of: running.process)
      // Half of the time the study itself, half of the time one of its trials.
      if random.next() % 2 == 0, let child = offspring.randomElement(using: &random) {
        kill(child, SIGKILL)
        report += "trial; "
        // A trial that was killed once is run again by the study, which ends as if nothing had been.
        usleep(UInt32(random.next() % 300_000))
        running.send(SIGKILL)
      } else {
        running.send(SIGKILL)
        report += "study; "
      }
      _ = running.wait()
      killed += 1
      let statuses = (try? workspace.statuses()) ?? [:]
      if statuses.values.contains(where: { $0 != "finished" }) { hits += 1 }
      // What is finished begins anew, or the last kills would hit nothing.
      if workspace.exists("study/report/index.html") {
        expectEqual(try workspace.deterministicFiles(), expected, report)
        try FileManager.default.removeItem(atPath: workspace.path("study"))
      }
    }
    #expect(hits > 0, "some trials were under way: \(report)")
    let result = try workspace.run("compare", "study.toml")
    #expect(result.code == 0, "\(report)\n\(result)")
    expectEqual(try workspace.deterministicFiles(), expected, report)
    #expect(try Set(workspace.statuses().values) == ["finished"])
  }

  @Test func aTrialThatIsKilledOnceIsRunAgainByTheSameStudy() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(steps: 200, seeds: 1, checkpointEvery: 20)
    let expected = try undisturbed(workspace)
    let running = try workspace.start("compare", "study.toml")
    #expect(running.waitForErrors(containing: "at a time"))
    var victims: [pid_t] = []
    while victims.isEmpty {
      victims = children(of: running.process)
      usleep(2000)
    }
    usleep(150_000)
    for victim in victims { kill(victim, SIGKILL) }
    let result = running.wait()
    #expect(result.code == 0, "\(result)")
    expectEqual(try workspace.deterministicFiles(), expected, "\(result)")
  }

  @Test func controlCSavesAndTheSameCommandGoesOn() throws {
    let workspace = try Workspace()
    // Two trials of seconds, so that both are under way when the signal comes.
    try workspace.writeStudy(steps: 3000, seeds: 1, arms: Workspace.plainArms, tuning: "")
    let expected = try undisturbed(workspace)
    let running = try workspace.start("compare", "study.toml")
    while (try? workspace.statuses())?.count ?? 0 < 2 { usleep(2000) }
    running.send(SIGINT)
    let interrupted = running.wait()
    #expect(interrupted.code == 4, "\(interrupted)")
    #expect(interrupted.errors.contains("the same command goes on"), "\(interrupted)")
    #expect(interrupted.output.isEmpty, "\(interrupted)")
    let statuses = try workspace.statuses()
    #expect(statuses.values.contains("interrupted"), "\(statuses)")
    #expect(!statuses.values.contains("running"), "everything was saved: \(statuses)")
    let result = try workspace.run("compare", "study.toml")
    #expect(result.code == 0, "\(result)")
    expectEqual(try workspace.deterministicFiles(), expected, "\(result)")
  }

  @Test func oneRunnerAtATimeAndItsTrialsEndWithIt() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(steps: 1_000_000, seeds: 1, checkpointEvery: 100_000)
    let running = try workspace.start("compare", "study.toml")
    while (try? workspace.list("study/trials"))?.isEmpty ?? true { usleep(5000) }
    let other = try workspace.run("compare", "study.toml")
    #expect(other.code == 1 && other.errors.contains("is running this study"), "\(other)")
    let trials = children(of: running.process)
    #expect(!trials.isEmpty)
    running.send(SIGKILL)
    _ = running.wait()
    let start = ContinuousClock.now
    while trials.contains(where: { kill($0, 0) == 0 }), ContinuousClock.now - start < .seconds(30) {
      usleep(10_000)
    }
    for trial in trials { #expect(kill(trial, 0) != 0, "trial \(trial) outlives its study") }
    #expect(try workspace.statuses().values.allSatisfy { $0 == "interrupted" })
  }
}

/// A small generator, so that moments are the same whenever the seed is (Steele, Lea and Flood, *Fast splittable pseudorandom number
/// generators*, 2014).
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
