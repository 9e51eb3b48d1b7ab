// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Schedules
import Testing

extension Schedule {
  /// The usual course of a learning rate: shares of the peak, times the peak.
  static func cosine(
    peak: Double, warmUpSteps: Int, steps: Int, finalFraction: Double
  ) throws -> Schedule {
    try .decay(
      .cosine, to: finalFraction, warmUp: ScheduleWarmUp(steps: warmUpSteps), steps: steps
    ).scaled(by: peak)
  }
}

@Suite struct ScheduleTests {
  /// The equations of the engine, written once more and straight.
  static func reference(_ step: Int, peak: Double, warmUp: Int, steps: Int, f: Double) -> Double {
    if step < warmUp { return peak * Double(step + 1) / Double(warmUp) }
    let progress = Double(step - warmUp) / Double(steps - warmUp)
    return peak * (f + (1 - f) * 0.5 * (1 + cos(Double.pi * progress)))
  }

  @Test(arguments: [(0, 1, 0.0), (1, 7, 0.1), (10, 100, 0.0), (99, 100, 0.5), (37, 1000, 1.0)])
  func warmUpCosineFollowsItsEquation(warmUp: Int, steps: Int, fraction: Double) throws {
    let schedule = try Schedule.cosine(
      peak: 3e-3, warmUpSteps: warmUp, steps: steps, finalFraction: fraction)
    for step in 0..<steps {
      let expected = Self.reference(step, peak: 3e-3, warmUp: warmUp, steps: steps, f: fraction)
      #expect(abs(schedule.value(at: step) - expected) <= 1e-15 * 3, "step \(step)")
    }
  }

  @Test func namedPointsOfTheCurve() throws {
    let schedule = try Schedule.cosine(peak: 2, warmUpSteps: 4, steps: 12, finalFraction: 0.25)
    #expect(schedule.value(at: 0) == 0.5)
    #expect(schedule.value(at: 3) == 2)
    #expect(schedule.value(at: 4) == 2)
    #expect(abs(schedule.value(at: 8) - 1.25) < 1e-15)
    #expect(schedule.value(at: 11) > 0.5)
    #expect(abs(schedule.value(at: 12) - 0.5) < 1e-15)
    #expect(schedule.value(at: 12) == schedule.value(at: 1_000_000))
  }

  @Test func warmUpNeverStartsAtZeroAndRisesStrictly() throws {
    let schedule = try Schedule.constant(1, warmUp: .init(steps: 100), steps: 1000)
    #expect(schedule.value(at: 0) == 0.01)
    for step in 1..<100 { #expect(schedule.value(at: step) > schedule.value(at: step - 1)) }
    #expect(schedule.value(at: 99) == 1)
    #expect(schedule.value(at: 999) == 1)
  }

  @Test func warmUpMayFillTheWholeRun() throws {
    let schedule = try Schedule.cosine(peak: 1, warmUpSteps: 5, steps: 5, finalFraction: 0)
    #expect(schedule.value(at: 4) == 1)
    #expect(schedule.value(at: 5) == 1)
    #expect(schedule.stages.map(\.name) == ["warm-up"])
  }

  @Test func constantIsTheSameEverywhere() throws {
    let schedule = try Schedule.constant(0.1)
    for step in [0, 1, 17, Int.max] { #expect(schedule.value(at: step) == 0.1) }
    #expect(schedule.length == nil)
  }

  @Test func scaleIsAPureFactor() throws {
    let one = try Schedule.cosine(peak: 1, warmUpSteps: 3, steps: 20, finalFraction: 0.1)
    let four = try Schedule.cosine(peak: 4, warmUpSteps: 3, steps: 20, finalFraction: 0.1)
    for step in 0..<25 { #expect(four.value(at: step) == 4 * one.value(at: step)) }
  }

  @Test func stagesHaveNamesAndStarts() throws {
    let schedule = try Schedule.cosine(peak: 1, warmUpSteps: 3, steps: 10, finalFraction: 0)
    #expect(schedule.start(ofStage: "warm-up") == 0)
    #expect(schedule.start(ofStage: "cosine") == 3)
    #expect(schedule.start(ofStage: "cooldown") == nil)
    #expect(schedule.stage(at: 2).name == "warm-up")
    #expect(schedule.stage(at: 3).name == "cosine")
    #expect(schedule.stage(at: 99).name == "cosine")
    #expect(schedule.length == 10)
  }

  @Test func codingRoundTripsAndIsChecked() throws {
    let schedule = try Schedule.cosine(peak: 3e-4, warmUpSteps: 3, steps: 10, finalFraction: 0.1)
    let data = try JSONEncoder().encode(schedule)
    #expect(try JSONDecoder().decode(Schedule.self, from: data) == schedule)
    let broken = Data(#"{"scale":1,"stages":[]}"#.utf8)
    #expect(throws: ScheduleError.self) { try JSONDecoder().decode(Schedule.self, from: broken) }
  }

  @Test func impossibleSchedulesAreErrors() {
    func code(_ body: () throws -> Schedule) -> ScheduleError.Code? {
      do {
        _ = try body()
        return nil
      } catch { return (error as? ScheduleError)?.code }
    }
    func cosine(_ peak: Double, _ warmUp: Int, _ steps: Int, _ f: Double) throws -> Schedule {
      try .cosine(peak: peak, warmUpSteps: warmUp, steps: steps, finalFraction: f)
    }
    #expect(code { try cosine(1, 11, 10, 0) } == .longerThanRun)
    #expect(code { try cosine(1, -1, 10, 0) } == .invalidLength)
    #expect(code { try cosine(1, 0, 0, 0) } == .invalidLength)
    #expect(code { try cosine(1, 1, 10, .nan) } == .invalidValue)
    #expect(code { try cosine(.infinity, 1, 10, 0) } == .invalidValue)
    #expect(code { try .constant(.nan) } == .invalidValue)
    #expect(code { try Schedule(scale: 1, stages: []) } == .invalidStages)
    let endless = ScheduleStage(name: "a", steps: nil, curve: .constant(1))
    let later = ScheduleStage(name: "b", steps: 3, curve: .warmUp(to: 1))
    #expect(code { try Schedule(scale: 1, stages: [endless, later]) } == .invalidStages)
    #expect(code { try Schedule(scale: 1, stages: [later, later]) } == .invalidStages)
    let lengthless = ScheduleStage(name: "c", steps: nil, curve: .cosine(from: 1, to: 0))
    #expect(code { try Schedule(scale: 1, stages: [lengthless]) } == .invalidLength)
    let infinite = ScheduleStage(name: "d", steps: 1, curve: .warmUp(to: .infinity))
    #expect(code { try Schedule(scale: 1, stages: [infinite]) } == .invalidValue)
  }

  @Test func errorsNameTheValuesAndTheRemedy() {
    do throws(ScheduleError) {
      _ = try Schedule.decay(.cosine, to: 0, warmUp: ScheduleWarmUp(steps: 200), steps: 100)
      Issue.record("a warm-up longer than the run was accepted")
    } catch {
      #expect(error.message.contains("200"))
      #expect(error.message.contains("100"))
      #expect(error.message.contains("shorten"))
    }
  }

  @Test func aRunTooShortForItsStagesIsRefused() throws {
    let schedule = try Schedule.cosine(peak: 1, warmUpSteps: 3, steps: 10, finalFraction: 0)
    try schedule.validate(forSteps: 10)
    #expect(throws: ScheduleError.self) { try schedule.validate(forSteps: 9) }
  }
}
