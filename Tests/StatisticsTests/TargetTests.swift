// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics
import Testing

struct CensoredTargetTests {
  let horizons = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]

  func reach(_ losses: [Double], target: Double = 3) throws -> CensoredTargets.Reach {
    try CensoredTargets(target: target, horizons: horizons, replicates: [losses]).reaches[0]
  }

  @Test func crossingsAreInterpolatedInTheLogarithm() throws {
    let losses = horizons.map { 3 - 0.4 * log($0 / 0.73) }
    let horizon = try #require(try reach(losses).horizon)
    #expect(agree(horizon, 0.73, tolerance: 1e-12))
    // A rung that hits the target exactly is the crossing.
    #expect(agree(try reach([3.2, 3.1, 3, 2.9, 2.8, 2.7]).horizon, 0.7, tolerance: 1e-12))
  }

  @Test func ladderEndsAreCensored() throws {
    #expect(try reach([3.5, 3.4, 3.3, 3.2, 3.1, 3.01]) == .never(1))
    #expect(try reach([3, 2.9, 2.8, 2.7, 2.6, 2.5]) == .beforeLadder(0.5))
    #expect(try reach([.nan, .nan, .nan, .nan, .nan, .infinity]) == .never(1))
    #expect(try reach([-.infinity, 4, 4, 4, 4, 4]) == .never(1))
  }

  @Test func theFirstCrossingCountsWhateverComesAfter() throws {
    let horizon = try #require(try reach([3.2, 3.1, 2.9, 3.05, 2.8, 3.3]).horizon)
    #expect(horizon > 0.6 && horizon < 0.7)
  }

  @Test func nextToAFailedRungTheCrossingIsTheRungItself() throws {
    #expect(try reach([3.2, .nan, 2.9, 2.8, 2.7, 2.6]) == .reached(0.7))
  }

  @Test func ladderInAnyOrderIsTheSame() throws {
    let targets = try CensoredTargets(
      target: 3, horizons: [1, 0.5, 0.75], replicates: [[2.8, 3.4, 3.1]])
    let sorted = try CensoredTargets(
      target: 3, horizons: [0.5, 0.75, 1], replicates: [[3.4, 3.1, 2.8]])
    #expect(targets == sorted)
    #expect(throws: StatisticsError.self) {
      try CensoredTargets(target: 3, horizons: [0, 1], replicates: [])
    }
    #expect(throws: StatisticsError.self) {
      try CensoredTargets(target: 3, horizons: [1, 1], replicates: [])
    }
    #expect(throws: StatisticsError.self) {
      try CensoredTargets(target: .nan, horizons: [1], replicates: [])
    }
    #expect(throws: StatisticsError.self) {
      try CensoredTargets(target: 3, horizons: [1, 2], replicates: [[1]])
    }
    let none = try CensoredTargets(target: 3, horizons: [1], replicates: [])
    #expect(none.medianHorizon == nil && none.interval() == nil && none.reachedCount == 0)
  }

  func targets(crossings: [Double]) throws -> CensoredTargets {
    try CensoredTargets(
      target: 3, horizons: horizons,
      replicates: crossings.map { crossing in horizons.map { 3 - 0.4 * log($0 / crossing) } })
  }

  @Test func speedUpsAreGeometricMeansWithAnIntervalOnLogarithms() throws {
    let base = [0.9, 0.95, 0.85, 0.92]
    let arm = [0.6, 0.7, 0.65, 0.66]
    let speedUp = SpeedUp(
      baseline: try targets(crossings: base), arm: try targets(crossings: arm))
    let logs = Sample(zip(base, arm).map { log($0 / $1) })
    #expect(agree(speedUp.ratio, exp(logs.mean ?? 0), tolerance: 1e-11))
    #expect(agree(speedUp.interval?.lower, exp(logs.interval()?.lower ?? 0), tolerance: 1e-11))
    #expect(agree(speedUp.interval?.upper, exp(logs.interval()?.upper ?? 0), tolerance: 1e-11))
    #expect(speedUp.armReached == 4 && speedUp.baselineReached == 4 && speedUp.median != nil)
    // The same arm under two names is exactly as fast.
    let twin = SpeedUp(baseline: try targets(crossings: base), arm: try targets(crossings: base))
    #expect(twin.ratio == 1 && twin.interval == ConfidenceInterval(lower: 1, upper: 1, level: 0.95))
  }

  @Test func aReplicateThatNeverArrivesLeavesAMedianAndNoMean() throws {
    let base = try targets(crossings: [0.6, 0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67])
    let arm = try targets(crossings: [0.8, 0.81, 0.82, 0.83, 0.84, 1.3, 0.86, 0.87])
    let speedUp = SpeedUp(baseline: base, arm: arm)
    #expect(speedUp.ratio == nil && speedUp.interval == nil && speedUp.logarithm == nil)
    #expect(speedUp.armReached == 7 && speedUp.count == 8)
    // 0.65 / 1 at most: among the lower half whatever it is, so the median is known.
    #expect((speedUp.median ?? 0) > 0.7)
    let interval = try #require(speedUp.medianInterval)
    // Of eight the first and the last cover the median with 1 - 2/256; the second and seventh only with 0.930.
    #expect(agree(interval.level, 1 - 2.0 / 256) && interval.lower == 0 && interval.upper < 0.8)
  }

  @Test func whereNobodyArrivesNothingIsClaimed() throws {
    let never = try targets(crossings: [2, 2, 2, 2, 2])
    let nothing = SpeedUp(baseline: never, arm: never)
    #expect(nothing.median == nil && nothing.ratio == nil)
    #expect(nothing.medianInterval?.lower == 0 && nothing.medianInterval?.upper == .infinity)
    // The baseline arrives at 0.6 each time, the arm never within 1: slower than 0.6, with five replicates' certainty.
    let slower = SpeedUp(baseline: try targets(crossings: [0.6, 0.6, 0.6, 0.6, 0.6]), arm: never)
    let bound = try #require(slower.medianInterval)
    #expect(agree(bound.upper, 0.6, tolerance: 1e-12) && bound.lower == 0)
    #expect(agree(bound.level, 0.9375))
    let text = try JSONEncoder().encode(nothing)
    #expect(try JSONDecoder().decode(SpeedUp.self, from: text) == nothing)
    let empty = SpeedUp(baseline: try targets(crossings: []), arm: try targets(crossings: []))
    #expect(empty.medianInterval == nil && empty.ratio == nil && empty.median == nil)
  }

  @Test func wallClockAddsUncertaintyInLogarithms() throws {
    let steps = LogRatio(estimate: log(1.4), standardError: 0.03, degreesOfFreedom: 7)
    let times = LogRatio(estimate: log(0.8), standardError: 0.04, degreesOfFreedom: nil)
    let both = steps.times(times)
    #expect(agree(both.ratio, 1.12) && agree(both.standardError, 0.05))
    // Welch and Satterthwaite: (0.0025)^2 / (0.0009^2 / 7).
    #expect(agree(both.degreesOfFreedom, 0.0025 * 0.0025 * 7 / (0.0009 * 0.0009)))
    #expect(both.interval().contains(1.12) && both.interval().lower > 1.12 * exp(-0.05 * 2.02))
    let exact = LogRatio(estimate: 0, standardError: 0, degreesOfFreedom: nil)
    #expect(exact.interval() == ConfidenceInterval(lower: 1, upper: 1, level: 0.95))
    #expect(exact.times(exact).interval().width == 0)
  }

  @Test func timesMeasuredInTurnsCancelWhatSlowsBoth() throws {
    var noise = Noise("turns")
    let drift = (0..<60).map { 1 + 0.5 * sin(Double($0) / 9) }
    let base = drift.map { 12 * $0 * exp(0.02 * noise.normal()) }
    let arm = drift.map { 10 * $0 * exp(0.02 * noise.normal()) }
    let ratio = try #require(LogRatio.ofTimes(base, over: arm))
    #expect(ratio.interval().contains(1.2) && ratio.interval().width < 0.04)
    #expect(LogRatio.ofTimes([1, 2, 3], over: [1, 2, 3]) == nil)
    #expect(LogRatio.ofTimes(base, over: arm.map { _ in 0 }) == nil)
  }
}

struct BudgetCurveTests {
  @Test func expectedBestsAgreeWithEnumeration() throws {
    let fixture = try CurvesFixture.load()
    let curve = BudgetCurve(losses: fixture.losses, cap: 7)
    for (point, expected) in zip(curve.points, fixture.expectedBest) {
      #expect(agree(point.expectedBest, expected, tolerance: 1e-13))
      #expect(
        agree(
          expectedBest(of: point.trials, losses: fixture.losses, cap: 7), expected, tolerance: 1e-13
        ))
      #expect(point.band.lower <= point.expectedBest && point.expectedBest <= point.band.upper)
    }
    #expect(curve.points.last?.expectedBest == fixture.losses.min())
  }

  @Test func failedTrialsCountAsTheCap() {
    #expect(expectedBest(of: 1, losses: [3, .nan, .infinity], cap: 6) == 5)
    #expect(expectedBest(of: 4, losses: [1, 2, 3], cap: 6) == nil)
    #expect(expectedBest(of: 0, losses: [1, 2, 3], cap: 6) == nil)
    #expect(BudgetCurve(losses: [], cap: 6).points.isEmpty)
    #expect(BudgetCurve(losses: [1, 2], cap: .nan).points.isEmpty)
    #expect(expectedBest(of: 1, losses: [1, 2], cap: .infinity) == nil)
    #expect(BudgetCurve(losses: [2], cap: 6).points.map(\.expectedBest) == [2])
  }
}

struct SpeedrunTests {
  /// Ten runs of mean 3.2787 against 3.28: the published example, which passes with 0.0041.
  @Test func thePublishedExamplePasses() throws {
    let losses = (0..<10).map { 3.2787 + 0.0001 * (Double($0) - 4.5) }
    let verdict = try #require(SpeedrunRules.zRule(losses, target: 3.28))
    #expect((verdict.statistic * 1e4).rounded() == 41 && verdict.passes)
    #expect(SpeedrunRules.zRule(Array(losses.suffix(9)), target: 3.28)?.passes == false)
    #expect(SpeedrunRules.meanBelow(losses, target: 3.28).pValue < 0.01)
    #expect(SpeedrunRules.meanBelow(losses, target: 3.2787).pValue > 0.4)
  }

  @Test func stepsAreExchangedForLoss() throws {
    let old = [3.28, 3.28, 3.28, 3.28]
    // 100 steps fewer are worth 0.0045 nats: equal losses, and (0.0045) / sqrt(1/2).
    let verdict = try #require(
      SpeedrunRules.pairwise(new: old, newSteps: 1900, old: old, oldSteps: 2000))
    #expect(agree(verdict.statistic, 0.0045 / 0.5.squareRoot()) && verdict.passes)
    #expect(
      SpeedrunRules.pairwise(new: old, newSteps: 2000, old: old, oldSteps: 2000)?.passes == false)
    #expect(SpeedrunRules.pairwise(new: [], newSteps: 1, old: old, oldSteps: 1) == nil)
    #expect(SpeedrunRules.zRule([.nan], target: 3) == nil)
  }

  @Test func thePublishedThresholdIsThatOfItsDeviation() {
    #expect(
      abs(SpeedrunRules.threshold(deviation: 0.0013) - SpeedrunRules.publishedThreshold) < 2e-5)
  }
}
