// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Configurations
import Foundation
import RunRecords
import Testing
import Training

@testable import Studies

/// How cores are shared: by what trials say of their speed, where they are long enough for it to matter.
@Suite(.timeLimit(.minutes(20)), .serialized) struct ThroughputPlanTests {
  /// A machine of four cores, whose trials say that they make `rate` steps a second, by their threads.
  private func plan(
    jobs: Int? = nil, oneThread: Int, twoThreads: Int, fourThreads: Int
  ) -> ThroughputPlan {
    var plan = ThroughputPlan(jobs: jobs, note: { _ in }, isStopped: { false })
    plan.machine.coreCount = 4
    // Told every tenth of a second, whatever the clock of a busy machine says: only the order of speeds is asked for.
    let script = """
      input=$(cat)
      case $input in
      *'"threads":1'*) rate=\(oneThread) ;;
      *'"threads":2'*) rate=\(twoThreads) ;;
      *) rate=\(fourThreads) ;;
      esac
      echo '{"event":"started","firstStep":0,"steps":100000}'
      echo '{"event":"evaluation","step":0,"validationLoss":5.5}'
      step=1
      while :; do
        echo '{"event":"step","loss":5,"secondsLeft":9,"step":'$step',"steps":100000,"tokensPerSecond":1}'
        step=$((step + rate / 10))
        sleep 0.1
      done
      """
    plan.probe = ThroughputProbe(
      program: TrialProcess.Program(executable: "/bin/sh", arguments: ["-c", script]),
      patience: ThroughputProbe.Patience(seconds: 0.4))
    return plan
  }

  /// An arm of so many steps, which no data are needed for.
  private func subject(
    steps: Int = 10_000, _ changes: [String] = []
  ) throws -> ThroughputPlan.Subject {
    let configuration = try TrainingConfiguration(
      ConfigurationSource(
        file: nil,
        overrides: [
          "--model.vocabulary_size=64", "--model.width=16", "--model.heads=2",
          "--model.layers=1", "--model.context_length=16", "--training.batch_tokens=16",
          "--training.steps=\(steps)", "--data.path=nowhere",
        ] + changes))
    let cell = ArmInVariant(arm: "a", variant: "main")
    return ThroughputPlan.Subject(cell: cell, cost: try TrialCost(configuration)) { threads in
      TrialRequest(
        layers: [TrialRequest.Layer(label: "all", text: configuration.resolved.tomlText)],
        folder: "nowhere",
        trial: TrialRecord(
          study: "s", identity: "main.a",
          point: TrialPoint(
            variant: "main", arm: "a", seed: TrialSeed(.reporting, 1), knobs: [:]),
          revision: "", version: ""), threads: threads)
    }
  }

  /// A device on which a process of `runs` trials makes `rate(runs)` steps a second with each of them.
  private func plan(onDevice rate: [Int: Int]) -> ThroughputPlan {
    var plan = ThroughputPlan(jobs: nil, note: { _ in }, isStopped: { false })
    plan.machine.coreCount = 4
    let cases = rate.map { "\($0.key)) rate=\($0.value);;" }.joined(separator: " ")
    let script = """
      runs=$(cat | grep -o '"folder"' | wc -l)
      rate=0
      case $((runs)) in \(cases) *) exit 1;; esac
      names='main.a'
      for index in $(seq 1 $((runs - 1))); do names="$names main.a-$index"; done
      for name in $names; do
        echo '{"event":"started","firstStep":0,"steps":100000,"trial":"'$name'"}'
        echo '{"event":"evaluation","step":0,"validationLoss":5.5,"trial":"'$name'"}'
      done
      step=1
      while :; do
        for name in $names; do
          echo '{"event":"step","loss":5,"secondsLeft":9,"step":'$step',"steps":100000,"tokensPerSecond":1,"trial":"'$name'"}'
        done
        step=$((step + rate / 10))
        sleep 0.1
      done
      """
    plan.probe = ThroughputProbe(
      program: TrialProcess.Program(executable: "/bin/sh", arguments: ["-c", script]),
      patience: ThroughputProbe.Patience(seconds: 0.4))
    return plan
  }

  @Test("Trials share a program where the device gains from it, and no more of them than it takes")
  func sharing() throws {
    let device = ["--machine.device=xla:cpu", "--machine.batch_runs=8"]
    func record(_ rate: [Int: Int], _ changes: [String]? = nil) throws -> ThroughputRecord {
      try #require(
        try plan(onDevice: rate).measure([subject(steps: 10_000, changes ?? device)], stored: nil))
    }
    // Eight do not fit into its memory, four are quicker than two and one.
    let four = try record([1: 400, 2: 320, 4: 300])
    #expect(four.device == .init(name: "xla:cpu", mostRuns: 8, runs: 4))
    #expect(four.layouts.map(\.runs) == [1, 4, 2])
    #expect(four.slots == 1)
    // None gains.
    let one = try record([1: 800, 2: 300, 4: 150, 8: 70])
    #expect(one.device?.runs == 1)
    // Short trials are not worth comparing.
    let short = try plan(onDevice: [1: 400]).measure([subject(steps: 100, device)], stored: nil)
    #expect(short?.device == .init(name: "xla:cpu", mostRuns: 8, runs: nil))
    // What was measured for one number serves that number alone.
    let stored = try plan(onDevice: [:]).measure([subject(steps: 10_000, device)], stored: four)
    #expect(stored == four)
    let other = try record(
      [1: 800, 2: 300], ["--machine.device=xla:cpu", "--machine.batch_runs=2"])
    #expect(other.device == .init(name: "xla:cpu", mostRuns: 2, runs: 1))
  }

  @Test func asManyTrialsAsCoresUnlessFewerAreFaster() throws {
    let many = try plan(oneThread: 300, twoThreads: 400, fourThreads: 500)
      .measure([subject()], stored: nil)
    #expect(many?.slots == 4 && many?.threads == 1)
    #expect(many?.layouts.map(\.slots) == [4, 2, 1])
    let few = try plan(oneThread: 100, twoThreads: 600, fourThreads: 700)
      .measure([subject()], stored: nil)
    #expect(few?.slots == 2 && few?.threads == 2)
    // An arm's speed is then that of a trial with two threads.
    let speed = try #require(few?.arms.first)
    #expect(speed.isMeasured && speed.stepsPerSecond > 200)
  }

  @Test func shortTrialsAreNotWorthComparing() throws {
    let record = try plan(oneThread: 100, twoThreads: 900, fourThreads: 900)
      .measure([subject(steps: 100)], stored: nil)
    #expect(record?.slots == 4 && record?.layouts.isEmpty == true)
  }

  @Test func whatIsStoredIsUsedOnTheSameMachineOnly() throws {
    var stored = try #require(
      try plan(oneThread: 300, twoThreads: 100, fourThreads: 100)
        .measure([subject(steps: 100)], stored: nil))
    stored.arms[0].stepsPerSecond = 12345
    let other = plan(oneThread: 300, twoThreads: 100, fourThreads: 100)
    #expect(try other.measure([subject(steps: 100)], stored: stored) == stored)
    stored.machine.processor = "another"
    #expect(
      try other.measure([subject(steps: 100)], stored: stored)?.arms.first?.stepsPerSecond != 12345)
  }

  @Test func whatSomebodyChoseIsKeptForThatChoiceOnly() throws {
    let chosen = try #require(
      try plan(jobs: 1, oneThread: 300, twoThreads: 300, fourThreads: 300)
        .measure([subject(steps: 100)], stored: nil))
    #expect(chosen.slots == 1 && chosen.threads == 4 && chosen.isChosen)
    let free = try plan(oneThread: 300, twoThreads: 300, fourThreads: 300)
      .measure([subject(steps: 100)], stored: chosen)
    #expect(free?.slots == 4 && free?.isChosen == false)
  }

  @Test func wholeTrialsAreSlowerThanTheirFirstStepsWhereBatchesGrow() throws {
    let growing = try subject(
      steps: 40,
      [
        "--schedule.batch_tokens={stage = [{name = 'a', steps = 30, value = 16}, {name = 'b', value = 64}]}"
      ])
    let small = try subject(steps: 1).cost.stepFLOPs
    let large = try subject(steps: 1, ["--training.batch_tokens=64"]).cost.stepFLOPs
    let mean = (30 * small + 10 * large) / 40
    for (timed, cost) in [(0..<30, small), (10..<12, small), (30..<40, large), (0..<40, mean)] {
      let speed = ThroughputProbe.Speed(
        startSeconds: 0, evaluationSeconds: 0, stepsPerSecond: 50, timed: timed)
      #expect(abs(growing.meanRate(speed) / (50 * cost / mean) - 1) < 1e-12)
    }
  }

  @Test func withoutRunningAnythingTimeIsAllOperationsAtTheGivenSpeed() throws {
    let subject = try subject(steps: 10)
    let guessed = try plan(oneThread: 1, twoThreads: 1, fourThreads: 1)
      .guess([subject], flopsPerSecond: 1e9)
    let speed = try #require(guessed.arms.first)
    #expect(!speed.isMeasured)
    let seconds = speed.seconds(
      steps: subject.cost.steps, evaluations: subject.cost.evaluations(ofSteps: subject.cost.steps))
    #expect(abs(seconds - subject.cost.estimate.totalFLOPs / 1e9) < 1e-6 * seconds)
  }
}
