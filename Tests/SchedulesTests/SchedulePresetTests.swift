// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Schedules
import Testing

@Suite struct SchedulePresetTests {
  /// Values of a few operations in `Double` on numbers up to 1.
  static let rounding = 1e-15

  static func names(_ schedule: Schedule) -> [String] { schedule.stages.map(\.name) }

  /// The learning rates of runs that were made before there were shapes must not change by a bit.
  @Test(arguments: [(0, 1, 0.0), (1, 7, 0.1), (50, 1000, 0.1), (99, 100, 0.3), (37, 1000, 1.0)])
  func warmUpAndCosineKeepTheirBits(warmUp: Int, steps: Int, fraction: Double) throws {
    let (peak, n) = (3e-3, steps - warmUp)
    let schedule = try Schedule.decay(
      .cosine, to: fraction, warmUp: ScheduleWarmUp(steps: warmUp), steps: steps
    ).scaled(by: peak)
    for step in 0...steps {
      let i = step - warmUp
      let factor =
        i < 0
        ? 1 * Double(step + 1) / Double(warmUp)
        : fraction + (1 - fraction) * 0.5 * (1 + cos(Double.pi * Double(i) / Double(n)))
      #expect(schedule.value(at: step) == peak * factor, "step \(step)")
    }
  }

  @Test func warmUpStableDecayHasThreeStagesThatJoin() throws {
    let schedule = try Schedule.warmUpStableDecay(
      to: 0.2, warmUp: ScheduleWarmUp(steps: 2), cooldownSteps: 4, shape: .linear, steps: 10)
    #expect(Self.names(schedule) == ["warm-up", "stable", "cooldown"])
    #expect((0..<7).map { schedule.value(at: $0) } == [0.5, 1, 1, 1, 1, 1, 1])
    for (step, expected) in [(7, 0.8), (8, 0.6), (9, 0.4), (10, 0.2), (11, 0.2)] {
      #expect(abs(schedule.value(at: step) - expected) <= Self.rounding, "step \(step)")
    }
    #expect(
      schedule.events(forSteps: 10) == [
        StageEvent(step: 2, from: "warm-up", to: "stable"),
        StageEvent(step: 6, from: "stable", to: "cooldown"),
      ])
    #expect(schedule.length == 10)
  }

  @Test func theCooldownOfWarmUpStableDecayTakesEveryShape() throws {
    func middle(_ shape: ScheduleShape) throws -> Double {
      try Schedule.warmUpStableDecay(to: 0, cooldownSteps: 4, shape: shape, steps: 8).value(at: 5)
    }
    #expect(try middle(.linear) == 0.75)
    #expect(abs(try middle(.cosine) - 0.853_553_390_593_273_8) <= Self.rounding)
    #expect(try middle(.squareRoot) == 0.5)
  }

  @Test func inverseSquareRootAfterWarmUpIsTheRootOfItsShareOfTheSteps() throws {
    let schedule = try Schedule.inverseSquareRoot(
      timescale: 9, warmUp: ScheduleWarmUp(steps: 9), steps: 10_000)
    #expect(schedule.value(at: 0) == 1.0 / 9)
    #expect(schedule.value(at: 8) == 1)
    #expect(schedule.value(at: 9) == 1)
    for step in [16, 36, 144, 900] {
      let expected = 3 / Double(step).squareRoot()
      #expect(abs(schedule.value(at: step) - expected) <= Self.rounding, "step \(step)")
    }
    #expect(schedule.length == nil)
  }

  @Test func oneCycleGoesUpDownAndThenFurtherDown() throws {
    let schedule = try Schedule.oneCycle(
      from: 0.1, to: 0.001, riseSteps: 4, annihilationSteps: 2, steps: 10)
    #expect(Self.names(schedule) == ["rise", "fall", "annihilation"])
    let expected = [
      0.1, 0.325, 0.55, 0.775, 1, 0.775, 0.55, 0.325, 0.1, 0.0505, 0.001, 0.001,
    ]
    for (step, value) in expected.enumerated() {
      #expect(abs(schedule.value(at: step) - value) <= Self.rounding, "step \(step)")
    }
  }

  @Test func aWarmUpMayStartFromAnyValue() throws {
    let momentum = try Schedule.constant(
      0.95, warmUp: ScheduleWarmUp(steps: 300, from: 0.85), steps: 2000)
    #expect(momentum.value(at: 0) == 0.85)
    #expect(abs(momentum.value(at: 150) - 0.9) <= Self.rounding)
    #expect(momentum.value(at: 300) == 0.95)
    #expect(momentum.value(at: 1999) == 0.95)
  }

  @Test(arguments: [
    ScheduleShape.linear, .cosine, .squareRoot, .rex, .polynomial(power: 3),
  ])
  func theLastStepIsOneShortOfTheEnd(shape: ScheduleShape) throws {
    let schedule = try Schedule.decay(shape, to: 0, warmUp: ScheduleWarmUp(steps: 3), steps: 20)
    #expect(schedule.value(at: 2) == 1 && schedule.value(at: 3) == 1)
    #expect(schedule.value(at: 19) > 0)
    #expect(schedule.value(at: 20) == 0)
  }

  /// Where two stages meet, the first ends with the value with which the second begins.
  @Test func presetsHaveNoJumps() throws {
    let warmUp = ScheduleWarmUp(steps: 7)
    let all = [
      try Schedule.decay(.rex, to: 0.1, warmUp: warmUp, steps: 50),
      try .warmUpStableDecay(
        to: 0, warmUp: warmUp, cooldownSteps: 10, shape: .squareRoot, steps: 50),
      try .inverseSquareRoot(timescale: 7, warmUp: warmUp, steps: 50),
      try .oneCycle(from: 0.04, to: 0, riseSteps: 12, annihilationSteps: 5, steps: 50),
      try .constant(0.3, warmUp: ScheduleWarmUp(steps: 7, from: 2), steps: 50),
    ]
    for schedule in all {
      for (stage, next) in zip(schedule.stages, schedule.stages.dropFirst()) {
        let length = stage.steps ?? 0
        let (end, start) = (
          stage.curve.factor(at: length, of: length), next.curve.factor(at: 0, of: next.steps ?? 1)
        )
        #expect(abs(end - start) <= Self.rounding, "\(stage.name) to \(next.name)")
      }
    }
  }

  @Test func onlySchedulesThatFallAreDecaying() throws {
    let warmUp = ScheduleWarmUp(steps: 5)
    #expect(try !Schedule.constant(1, warmUp: warmUp, steps: 20).isDecaying(forSteps: 20))
    #expect(
      try !Schedule.decay(.linear, from: 0.1, to: 0.3, steps: 20).isDecaying(forSteps: 20))
    #expect(
      try Schedule.decay(.linear, to: 0.9, warmUp: warmUp, steps: 20).isDecaying(forSteps: 20))
    #expect(try Schedule.inverseSquareRoot(timescale: 9, steps: 20).isDecaying(forSteps: 20))
    let jump = try Schedule(stages: [
      ScheduleStage(name: "a", steps: 4, curve: .constant(1)),
      ScheduleStage(name: "b", steps: nil, curve: .constant(0.5)),
    ])
    #expect(jump.isDecaying(forSteps: 20))
    #expect(!jump.isDecaying(forSteps: 4), "the run ends before the jump")
    #expect(jump.events(forSteps: 4).isEmpty)
    #expect(jump.events(forSteps: 5) == [StageEvent(step: 4, from: "a", to: "b")])
    let hidden = try Schedule(
      stages: [ScheduleStage(name: "rise", steps: 100, curve: .linear(from: 0, to: 1))],
      cooldown: ScheduleCooldown(start: 10, stop: 100, to: 0.2, shape: .linear))
    #expect(hidden.isDecaying(forSteps: 100), "it rises to 0.32 and falls to 0.2")
  }

  @Test func impossiblePresetsAreErrors() {
    func code(_ body: () throws(ScheduleError) -> Schedule) -> ScheduleError.Code? {
      do throws(ScheduleError) {
        _ = try body()
        return nil
      } catch {
        return error.code
      }
    }
    let warmUp = ScheduleWarmUp(steps: 6)
    func stable(_ cooldown: Int) throws(ScheduleError) -> Schedule {
      try .warmUpStableDecay(
        to: 0, warmUp: warmUp, cooldownSteps: cooldown, shape: .linear, steps: 10)
    }
    #expect(code { () throws(ScheduleError) in try stable(4) } == nil)
    #expect(code { () throws(ScheduleError) in try stable(5) } == .longerThanRun)
    #expect(code { () throws(ScheduleError) in try stable(0) } == .invalidLength)
    #expect(code { () throws(ScheduleError) in try stable(-3) } == .invalidLength)
    func cycle(_ rise: Int, _ end: Int) throws(ScheduleError) -> Schedule {
      try .oneCycle(from: 0.1, to: 0, riseSteps: rise, annihilationSteps: end, steps: 10)
    }
    #expect(code { () throws(ScheduleError) in try cycle(8, 1) } == nil)
    #expect(code { () throws(ScheduleError) in try cycle(8, 2) } == .longerThanRun)
    #expect(code { () throws(ScheduleError) in try cycle(0, 2) } == .invalidLength)
    #expect(
      code { () throws(ScheduleError) in
        try .inverseSquareRoot(timescale: 3, warmUp: ScheduleWarmUp(steps: 11), steps: 10)
      } == .longerThanRun)
    for (start, stop) in [(-1.0, 5.0), (5, 5), (6, 5), (0, .nan)] {
      let cooldown = ScheduleCooldown(start: start, stop: stop, to: 0, shape: .linear)
      let result = code { () throws(ScheduleError) in
        try .inverseSquareRoot(timescale: 3, cooldown: cooldown, steps: 10)
      }
      #expect(result == (stop.isNaN ? .invalidValue : .invalidLength), "\(start) to \(stop)")
    }
  }
}
