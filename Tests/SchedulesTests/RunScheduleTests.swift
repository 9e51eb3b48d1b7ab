// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Schedules
import Testing

@Suite struct RunScheduleTests {
  /// Three stages of 10, 10 and 80 steps.
  static func stages() throws -> Schedule {
    try Schedule(stages: [
      ScheduleStage(name: "early", steps: 10, curve: .constant(1)),
      ScheduleStage(name: "middle", steps: 10, curve: .constant(2)),
      ScheduleStage(name: "late", steps: nil, curve: .constant(3)),
    ])
  }

  static func run(
    _ scalars: [ScheduledScalar] = [], pauses: [SchedulePause] = [], stages: Schedule? = nil
  ) throws -> RunSchedule {
    try RunSchedule(
      steps: 100,
      learningRate: .decay(.linear, to: 0, warmUp: ScheduleWarmUp(steps: 4), steps: 100),
      stages: stages, scalars: scalars, pauses: pauses)
  }

  @Test func theLearningRateIsAShareAndOtherScalarsAreValues() throws {
    let run = try Self.run([ScheduledScalar(name: "momentum", schedule: Self.stages())])
    #expect(run.learningRateFactor(at: 1) == 0.5)
    #expect(run.value(of: "momentum", at: 9) == 1)
    #expect(run.value(of: "momentum", at: 10) == 2)
    #expect(run.value(of: "momentum", group: "any", at: 99) == 3)
    #expect(run.value(of: "beta2", at: 0) == nil)
  }

  @Test func theScheduleOfAGroupGoesBeforeTheOneOfAll() throws {
    let run = try Self.run([
      ScheduledScalar(name: "momentum", schedule: .constant(0.9)),
      ScheduledScalar(name: "momentum", group: "head", schedule: .constant(0.8)),
      ScheduledScalar(name: "beta1", group: "head", schedule: .constant(0.7)),
    ])
    #expect(run.value(of: "momentum", at: 0) == 0.9)
    #expect(run.value(of: "momentum", group: "body", at: 0) == 0.9)
    #expect(run.value(of: "momentum", group: "head", at: 0) == 0.8)
    #expect(run.value(of: "beta1", group: "head", at: 0) == 0.7)
    #expect(run.value(of: "beta1", group: "body", at: 0) == nil)
    #expect(run.value(of: "beta1", at: 0) == nil)
  }

  @Test func theStagesOfTheRunAreTheLearningRatesUnlessGiven() throws {
    #expect(try Self.run().events == [StageEvent(step: 4, from: "warm-up", to: "linear")])
    #expect(
      try Self.run(stages: Self.stages()).events == [
        StageEvent(step: 10, from: "early", to: "middle"),
        StageEvent(step: 20, from: "middle", to: "late"),
      ])
  }

  @Test func aPauseFollowsOneStageOrEveryStage() throws {
    let run = try Self.run(
      pauses: [
        SchedulePause(group: "all", after: .everyStage, steps: 3),
        SchedulePause(group: "one", after: .stage("middle"), steps: 5),
      ], stages: Self.stages())
    #expect(run.pauses(of: "all") == [10..<13, 20..<23])
    #expect(run.pauses(of: "one") == [20..<25])
    #expect((0..<100).filter { run.isPaused("one", at: $0) } == Array(20..<25))
    #expect(!run.isPaused("other", at: 20))
  }

  @Test func pausesThatOverlapAreOneAndEndWithTheRun() throws {
    let run = try Self.run(
      pauses: [
        SchedulePause(group: "x", after: .everyStage, steps: 12),
        SchedulePause(group: "x", after: .stage("middle"), steps: 500),
      ], stages: Self.stages())
    #expect(run.pauses(of: "x") == [10..<100])
    #expect((0..<100).allSatisfy { run.isPaused("x", at: $0) == ($0 >= 10) })
  }

  @Test func pausesOfTwoModesThatMeetStayApart() throws {
    let run = try Self.run(
      pauses: [
        // Zeros at both transitions, longer at the second, whose first two steps are held.
        SchedulePause(group: "x", after: .everyStage, steps: 8, mode: .zeroGradients),
        SchedulePause(group: "x", after: .stage("middle"), steps: 12, mode: .zeroGradients),
        SchedulePause(group: "x", after: .stage("middle"), steps: 2),
        SchedulePause(group: "y", after: .stage("early"), steps: 10),
        SchedulePause(group: "y", after: .stage("middle"), steps: 3, mode: .zeroGradients),
      ], stages: Self.stages())
    #expect(
      run.pauseSpans(of: "x") == [
        PauseSpan(steps: 10..<18, mode: .zeroGradients), PauseSpan(steps: 20..<22, mode: .hold),
        PauseSpan(steps: 22..<32, mode: .zeroGradients),
      ])
    // They touch without overlapping.
    #expect(
      run.pauseSpans(of: "y") == [
        PauseSpan(steps: 10..<20, mode: .hold), PauseSpan(steps: 20..<23, mode: .zeroGradients),
      ])
    #expect(run.pauses(of: "x") == [10..<18, 20..<32])
    #expect(run.pauses(of: "y") == [10..<23])
    for group in ["x", "y"] {
      for span in run.pauseSpans(of: group) {
        #expect(span.steps.allSatisfy { run.pauseMode(of: group, at: $0) == span.mode })
      }
    }
    #expect(run.pauseSpans(of: "z").isEmpty)
    #expect(run.changes.contains(22), "a mode changes there")
  }

  @Test func aLearningRateOfAGroupMayMakeTheRunDecay() throws {
    func decays(_ scalars: [ScheduledScalar]) throws -> Bool {
      try RunSchedule(steps: 100, learningRate: .constant(1), scalars: scalars).isDecaying
    }
    let falling = try Schedule.decay(.linear, to: 0, steps: 100)
    #expect(try !decays([]))
    #expect(try !decays([ScheduledScalar(name: "weight_decay", schedule: falling)]))
    #expect(try decays([ScheduledScalar(name: "learning_rate", group: "a", schedule: falling)]))
    #expect(try Self.run().isDecaying)
  }

  @Test func impossibleRunsAreErrors() throws {
    func error(_ body: () throws -> RunSchedule) -> ScheduleError? {
      do {
        _ = try body()
        return nil
      } catch { return error as? ScheduleError }
    }
    let momentum = ScheduledScalar(name: "momentum", group: "a", schedule: try Self.stages())
    let twice = error { try Self.run([momentum, momentum]) }
    #expect(twice?.code == .overlap)
    #expect(twice?.message.contains("momentum of group 'a' is scheduled twice") == true)

    let long = ScheduledScalar(name: "x", schedule: try .decay(.linear, to: 0, steps: 101))
    #expect(error { try Self.run([long]) }?.code == .longerThanRun)
    let late = ScheduledScalar(
      name: "x",
      schedule: try .inverseSquareRoot(
        timescale: 1, cooldown: ScheduleCooldown(start: 90, stop: 100.5, to: 0, shape: .linear),
        steps: 100))
    #expect(error { try Self.run([late]) }?.code == .longerThanRun)

    func pause(_ after: SchedulePause.Moment, _ steps: Int = 1) -> ScheduleError? {
      error {
        try Self.run(
          pauses: [SchedulePause(group: "g", after: after, steps: steps)], stages: Self.stages())
      }
    }
    #expect(pause(.stage("midle"))?.message.contains("does not exist") == true)
    #expect(pause(.stage("midle"))?.message.contains("'early', 'middle', 'late'") == true)
    #expect(pause(.stage("late"))?.message.contains("until the run ends") == true)
    #expect(pause(.everyStage, 0)?.code == .invalidPause)
    #expect(pause(.everyStage) == nil)
    let endless = error {
      try RunSchedule(
        steps: 9, learningRate: .constant(1),
        pauses: [SchedulePause(group: "g", after: .everyStage, steps: 1)])
    }
    #expect(endless?.message.contains("has only 'constant'") == true)
  }
}

@Suite struct RunScheduleChangeTests {
  /// Every step, compared with the one before.
  static func reference(_ run: RunSchedule) -> [Int] {
    func state(_ step: Int) -> [String] {
      ["\(run.learningRateFactor(at: step))", run.stage(at: step)]
        + run.scalars.map { "\($0.schedule.value(at: step))" }
        + run.pausedGroups.map { "\(run.isPaused($0, at: step))" }
    }
    return (0..<run.steps).filter { $0 == 0 || state($0) != state($0 - 1) }
  }

  @Test func changesAreTheStepsThatDifferFromTheOneBefore() throws {
    let stages = try RunScheduleTests.stages()
    let cooled = try Schedule(
      stages: stages.stages,
      cooldown: ScheduleCooldown(start: 70.5, stop: 90.25, to: 0, shape: .squareRoot))
    let pause = SchedulePause(group: "g", after: .stage("early"), steps: 7)
    for run in [
      try RunSchedule(steps: 100, learningRate: stages),
      try RunSchedule(steps: 100, learningRate: stages, pauses: [pause]),
      try RunSchedule(steps: 100, learningRate: cooled),
      try RunSchedule(
        steps: 100,
        learningRate: .warmUpStableDecay(
          to: 0, warmUp: ScheduleWarmUp(steps: 6), cooldownSteps: 9, shape: .linear, steps: 100),
        stages: stages, scalars: [ScheduledScalar(name: "x", schedule: cooled)]),
      try RunSchedule(steps: 1, learningRate: .constant(1)),
      // i (64 - i) is the same at 1 and at 63, but not in between.
      try RunSchedule(
        steps: 128, learningRate: .constant(1),
        scalars: [
          ScheduledScalar(
            name: "hill",
            schedule: Schedule(
              stages: [ScheduleStage(name: "rise", steps: 128, curve: .linear(from: 0, to: 128))],
              cooldown: ScheduleCooldown(start: 0, stop: 64, to: 0, shape: .linear)))
        ]),
    ] {
      #expect(run.changes == Self.reference(run))
    }
  }

  @Test func aLongRunWithFewChangesIsQuick() throws {
    let run = try RunSchedule(steps: 1_000_000_000, learningRate: RunScheduleTests.stages())
    #expect(run.changes == [0, 10, 20])
    #expect(run.landmarks == [0, 9, 10, 19, 20, 999_999_999])
    #expect(run.stage(at: 15) == "middle")
  }
}
