// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

@testable import Dashboard

/// What the page is told about a study.
struct StudyWatchTests {
  let study: InventedStudy
  let watch: StudyWatch

  init() throws {
    study = try InventedStudy()
    watch = StudyWatch(folder: study.path, patience: 0, analyse: DashboardServer.analysis(of:))
  }

  func look() async throws -> DashboardState {
    await watch.look()
    return try JSONDecoder().decode(DashboardState.self, from: await watch.state())
  }

  func charts() async throws -> DashboardCharts {
    try JSONDecoder().decode(DashboardCharts.self, from: await watch.charts())
  }

  @Test func anEmptyStudyHasAllArmsWithoutLosses() async throws {
    let state = try await look()
    #expect(state.title == "which is best" && state.question == "Which of these is best?")
    #expect(state.problem == nil)
    #expect(state.progress.expected == 6 && state.progress.done == 0)
    #expect(!state.progress.isRunning && !state.progress.isComplete)
    #expect(state.variants.map(\.rows.count) == [2])
    #expect(state.variants[0].rows.allSatisfy { $0.loss == nil && $0.missing == 3 })
    #expect(state.running.isEmpty && state.ended.isEmpty)
  }

  @Test func aRunningTrialShowsProgressAndTimeLeft() async throws {
    let trial = try study.begin(study.point("other", .reporting, seed: 2))
    try study.step(trial, 0..<25)
    var state = try await look()
    var running = try #require(state.running.first)
    #expect(running.identity == trial && running.arm == "other" && running.seed == 2)
    #expect(running.purpose == "reporting" && running.knobs == "learning_rate 0.01")
    #expect(running.step == 25 && running.steps == 100 && running.validationLoss == 6)
    #expect(abs((running.secondsLeft ?? 0) - 7.5) < 0.01)
    #expect(running.tokensPerSecond == 1234)
    #expect(state.progress.isRunning)
    // It goes on, without another analysis.
    try study.step(trial, 25..<50)
    state = try await look()
    running = try #require(state.running.first)
    #expect(running.step == 50)
    #expect(abs((running.secondsLeft ?? 0) - 5) < 0.01)
    let drawn = try await charts()
    #expect(drawn.charts.map(\.name) == ["running"])
    #expect(drawn.charts[0].svg.contains("other, seed 2"))
  }

  @Test func aTrialThatEndedMovesToTheLeaderboard() async throws {
    _ = try await look()
    for seed in 1...3 {
      try study.add(study.point("base", .reporting, seed: seed), loss: 3 + Double(seed) / 100)
      try study.add(study.point("other", .reporting, seed: seed), loss: 2.5 + Double(seed) / 100)
    }
    let state = try await look()
    let rows = state.variants[0].rows
    #expect(rows.map(\.arm) == ["other", "base"] && rows.map(\.rank) == [1, 2])
    #expect(abs((rows[0].loss ?? 0) - 2.52) < 1e-9)
    #expect((rows[0].halfWidth ?? 0) > 0 && rows[0].level == 95)
    #expect(rows[0].verdict?.hasPrefix("better") == true, "\(rows[0].verdict ?? "")")
    #expect(rows[1].isBaseline && rows[1].verdict == nil)
    #expect(rows[0].stateBytes == 4096)
    #expect(state.progress.isComplete && state.progress.done == 6)
    #expect(state.ended.count == 6 && state.ended[0].status == "finished")
    let names = try await charts().charts.map(\.name)
    #expect(names == ["losses/main"])
  }

  @Test func divergedAndKilledTrialsAreWhatTheyAre() async throws {
    try study.add(study.point("other", .reporting, seed: 1), loss: .nan, status: .diverged)
    let killed = try study.begin(study.point("other", .reporting, seed: 2))
    try study.step(killed, 0..<5)
    study.kill(killed)
    let state = try await look()
    #expect(state.running.isEmpty && !state.progress.isRunning)
    #expect(state.ended.map(\.status) == ["diverged"])
    let row = try #require(state.variants[0].rows.first { $0.arm == "other" })
    #expect(row.diverged == 1)
  }

  @Test func recordsThatAreCutBackAreReadAgain() async throws {
    let trial = try study.begin(study.point("base", .reporting, seed: 1))
    try study.step(trial, 0..<30)
    #expect(try await look().running.first?.step == 30)
    // As a trial that was killed goes on from its last checkpoint.
    try study.cut(trial, toStep: 10)
    #expect(try await look().running.first?.step == 10)
    try study.step(trial, 10..<12)
    #expect(try await look().running.first?.step == 12)
  }

  @Test func aDamagedStudySaysSoAndKeepsWhatWasKnown() async throws {
    try study.add(study.point("base", .reporting, seed: 1), loss: 3)
    #expect(try await look().variants.count == 1)
    try Data("{".utf8).write(to: URL(fileURLWithPath: study.path + "/study.json"))
    try await Task.sleep(for: .milliseconds(50))
    let state = try await look()
    #expect(state.problem?.contains("study.json") == true)
    #expect(state.variants.count == 1)
  }

  @Test func longCurvesAreThinnedEvenly() throws {
    let trial = try study.begin(study.point("base", .reporting, seed: 1))
    let tail = TrialTail(StudyFolder(study.path).trial(trial))
    try study.step(trial, 0..<1000)
    tail.read()
    try study.step(trial, 1000..<3000)
    tail.read()
    #expect(tail.steps == 3000)
    #expect(tail.losses.count >= TrialTail.limit && tail.losses.count < 2 * TrialTail.limit)
    let gaps = Set(zip(tail.losses, tail.losses.dropFirst()).map { $1.step - $0.step })
    #expect(gaps == [4])
  }

  @Test func tuningIsShownApartFromResults() async throws {
    let tuned = try InventedStudy(tuned: true)
    for (rate, loss) in [(0.001, 3.2), (0.01, 3.0), (0.1, 3.4)] {
      try tuned.add(tuned.point("base", .tuning, seed: 101, rate: rate), loss: loss)
      try tuned.add(tuned.point("other", .tuning, seed: 101, rate: rate), loss: loss - 0.1)
    }
    let watch = StudyWatch(folder: tuned.path, patience: 0, analyse: DashboardServer.analysis(of:))
    let state = try JSONDecoder().decode(DashboardState.self, from: await watch.state())
    let row = try #require(state.variants[0].rows.first { $0.arm == "base" })
    #expect(row.loss == nil && row.tuningLoss == 3.0 && row.tuningTrials == 3)
    #expect(state.variants[0].phase == "reporting seeds")
    let drawn = try JSONDecoder().decode(DashboardCharts.self, from: await watch.charts())
    #expect(drawn.charts.map(\.name) == ["tuning/main"])
  }
}
