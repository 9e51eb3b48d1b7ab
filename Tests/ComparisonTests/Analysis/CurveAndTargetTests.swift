// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics
import Testing

@testable import Comparison

@Suite struct CurveAndTargetTests {
  private let rate = LossSurface.rate

  // MARK: - Tuning

  private func tuned(
    _ surface: LossSurface, grid: [Double], extensions: Int = 4, isAutomatic: Bool = true
  ) throws -> StudyAnalysis {
    let study = simulatedStudy(
      grids: ["a": grid, "b": grid], extensions: extensions, isAutomatic: isAutomatic)
    let folder = try StudyOnDisk(study)
    for result in try run(study, surface).results { try folder.add(result) }
    return try folder.analysis()
  }

  @Test func theTunedOptimumLiesInItsInterval() throws {
    var surface = LossSurface(optimum: ["a": 0.02, "b": 0.005], noise: 0.01)
    surface.curvature = (0.4, 0.4)
    let analysis = try tuned(surface, grid: halfDecades(from: 1e-4, 6))
    for (name, best) in [("a", 0.02), ("b", 0.005)] {
      let arm = try analysis.arm(name)
      let curve = try #require(arm.tuningCurves.first)
      let optimum = try #require(curve.optimum)
      // Two tuning seeds say little about themselves: a fifth of a decade is what noise and grid leave open.
      #expect(abs(log10(optimum.value / best)) < 0.2)
      #expect(optimum.valueInterval.contains(optimum.value))
      #expect(!arm.isUndertuned)
      #expect(arm.knobs.map(\.isTuned) == [true])
      #expect(arm.knobs[0].edge == nil)
      #expect(curve.points.filter(\.isChosen).map(\.value) == [arm.knobs[0].value])
      #expect(arm.tuningTrials == analysis.variants[0].contract.tuningTrials[0])
      #expect(arm.budgetCurve.count == Set(curve.points.map(\.value)).count)
      #expect(
        zip(arm.budgetCurve, arm.budgetCurve.dropFirst()).allSatisfy {
          $0.expectedBest >= $1.expectedBest
        })
      #expect(arm.tuningHistory.contains { $0.phase == .coarse && $0.seeds.contains(101) })
    }
  }

  @Test func anOptimumOnTheEdgeOfItsGridIsUndertunedAndSaysWhichEdge() throws {
    let surface = LossSurface(optimum: ["a": 1, "b": 0.001])
    let analysis = try tuned(surface, grid: halfDecades(from: 1e-4, 5), isAutomatic: false)
    let arm = try analysis.arm("a")
    #expect(arm.isUndertuned)
    #expect(arm.knobs[0].edge == .highest)
    #expect(try !analysis.arm("b").isUndertuned)
    let mark = try #require(analysis.marks.first { $0.kind == .undertuned })
    #expect(
      mark.text.hasPrefix("a is undertuned: learning rate ")
        && mark.text.contains("is the highest that was tried"))
  }

  @Test func stoppedTrialsAreListedWithWhatTheyCost() throws {
    let surface = LossSurface(optimum: ["a": 0.02, "b": 0.02])
    let grid = halfDecades(from: 1e-4, 6)
    let study = simulatedStudy(
      grids: ["a": grid, "b": grid], tuningSeeds: [101],
      stopping: .init(divergenceMargin: nil, races: true, auditShare: 1))
    let folder = try StudyOnDisk(study)
    let lowest = 1e-4
    let finishedStudy = try run(study) { point, isAudit in
      guard point.arm == "a", point.knobs[rate] == .number(lowest) else {
        return surface.result(point, isAudit: isAudit)
      }
      if !isAudit { return ended(point, .stopped, reason: "lost the race", evaluations: [6, 5.9]) }
      // The audit finds that the stopped trial would have been the best of all, by a nat.
      return TrialResult(
        point: point, identity: "", isAudit: true, status: .finished, steps: 100,
        finalNumbers: ["validationLoss": 2],
        evaluations: [.init(step: 0, loss: 6), .init(step: 100, loss: 2)])
    }
    for result in finishedStudy.results { try folder.add(result) }
    let analysis = try folder.analysis()
    #expect(analysis.stops.count == 1)
    let stop = try #require(analysis.stops.first)
    #expect(stop.reason == "lost the race")
    #expect(stop.step == 10)
    #expect(stop.loss == 5.9)
    #expect(stop.auditedLoss == 2)
    let best = try #require(
      finishedStudy.results.filter { $0.point.arm == "a" && $0.point.seed.purpose == .tuning }
        .filter { !$0.isAudit }.compactMap(\.cappedLoss).min())
    #expect(stop.regret == best - 2)
    #expect(analysis.marks.contains { $0.text.contains("at least one stop cost") })
    let curve = try #require(try analysis.arm("a").tuningCurves.first)
    #expect(curve.points[0].replicates[0].state == .stopped)
    #expect(curve.points[0].loss.value == nil)
    #expect(try analysis.arm("a").tuningCurves[0].optimum != nil)
  }

  // MARK: - Sweeps

  /// Losses of a sweep over factors: a basin with a steeper right side, the last value diverges.
  private func sweepStudy() throws -> (folder: StudyOnDisk, values: [Double], losses: [[Double]]) {
    let factors = [0.1, 0.316, 1, 3.16, 10]
    let study = measuredStudy(
      arms: ["a"], seeds: 3,
      sweeps: [sweepOf("rate", rate, .factors(factors), arms: ["a"], seeds: 3)],
      defaults: [rate: .number(0.02)])
    let folder = try StudyOnDisk(study)
    let values = factors.map { $0 == 1 ? 0.02 : KnobScale.rounded(0.02 * $0) }
    let losses = (1...3).map { seed in
      [3.4, 3.1, 3.0, 3.3, 6].map { $0 + ($0 < 6 ? 0.01 * Double(seed) : 0) }
    }
    for (seed, row) in zip(1...3, losses) {
      for (value, loss) in zip(values, row) {
        let point = TrialPoint(
          variant: "main", arm: "a", seed: TrialSeed(.reporting, seed),
          knobs: [rate: .number(value)])
        try folder.add(
          loss < 6 ? finished(point, loss) : ended(point, .diverged, evaluations: [6, .nan]))
      }
    }
    return (folder, values, losses)
  }

  @Test func sweepsCarrySensitivityBasinAndDivergence() throws {
    let (folder, values, losses) = try sweepStudy()
    let analysis = try folder.analysis()
    let curve = try #require(try analysis.arm("a").sweeps.first)
    #expect(curve.purpose == .reporting)
    #expect(curve.points.map(\.value) == values.map { .number($0) })
    #expect(curve.points.map(\.factor) == [0.1, 0.316, 1, 3.16, 10])
    #expect(curve.points.map(\.diverged) == [0, 0, 0, 0, 3])
    #expect(curve.points.map(\.isChosen) == [false, false, true, false, false])
    let curves = try SweepCurves(values: values, replicates: losses, cap: 6)
    let expected = Sensitivity(curves)
    let sensitivity = try #require(curve.sensitivity)
    #expect(sensitivity.whole.value == Sample(expected.whole ?? []).mean)
    #expect(sensitivity.right.interval == Sample(expected.right ?? []).interval())
    #expect((sensitivity.right.value ?? 0) > (sensitivity.left.value ?? 9))
    #expect(sensitivity.isCut)
    let margin = try #require(curve.basins.first { $0.name == "margin" })
    #expect(margin.width.value == (try BasinWidth(curves, delta: 0.01)).basin.width)
    #expect(margin.width.bound == .exact)
    #expect(curve.divergence?.from == values[4])
    #expect(curve.divergence?.share == 1)
    #expect(try #require(curve.optimum).valueInterval.contains(0.018))
  }

  @Test func aBasinThatEndsWithTheGridIsAtLeastAsWide() throws {
    let study = measuredStudy(
      arms: ["a"], seeds: 2,
      sweeps: [sweepOf("rate", rate, .factors([0.1, 1]), arms: ["a"], seeds: 2)],
      defaults: [rate: .number(0.02)])
    let folder = try StudyOnDisk(study)
    for seed in 1...2 {
      for value in [0.002, 0.02] {
        let point = TrialPoint(
          variant: "main", arm: "a", seed: TrialSeed(.reporting, seed),
          knobs: [rate: .number(value)])
        try folder.add(finished(point, 3 + 0.001 * Double(seed)))
      }
    }
    let basin = try #require(try folder.analysis().arm("a").sweeps[0].basins.first)
    #expect(basin.width.bound == .atLeast)
    #expect(basin.width.value == 1)
  }

  @Test func decayRatesLieByTheirDistanceFromOne() {
    let betas: [KnobValue] = [.number(0), .number(0.9), .number(0.99)]
    let axis = { KnobCurve.axis(isLogarithmic: false, keys: $0, values: betas) }
    #expect(axis(["optimizer.beta1", "optimizer.beta2"]) == .complement)
    #expect(axis(["optimizer.momentum"]) == .complement)
    #expect(axis(["schedule.warmup_fraction"]) == .linear)
    #expect(
      KnobCurve.axis(isLogarithmic: true, keys: ["optimizer.beta1"], values: betas) == .logarithmic)
  }

  // MARK: - Targets

  private let ladder = [0.5, 0.75, 1.0]

  /// Losses fall with the logarithm of the length: from `start` at half a run by `fall` for each doubling.
  private func ladderStudy(
    _ courses: [String: (start: Double, fall: Double)], losses: [Double] = []
  ) throws -> StudyAnalysis {
    let study = measuredStudy(
      arms: courses.keys.sorted(), seeds: 5,
      targets: .init(losses: losses, includesBaseline: true, ladder: ladder, seedCount: 5))
    let folder = try StudyOnDisk(study)
    for (arm, course) in courses {
      for seed in 1...5 {
        for horizon in ladder {
          let point = TrialPoint(
            variant: "main", arm: arm, seed: TrialSeed(.reporting, seed), knobs: [:],
            horizon: horizon)
          let wobble = 0.001 * Double(seed - 3)
          var details = StudyOnDisk.Details()
          details.numbers = [
            "trainingFLOPs": 1000 * horizon * (arm == "a" ? 1 : 2), "tokens": 800 * horizon,
            "trainingSeconds": horizon * (arm == "a" ? 10 : 8) * (1 + 0.001 * Double(seed)),
          ]
          try folder.add(
            finished(point, course.start - course.fall * log2(horizon / 0.5) + wobble), details)
        }
      }
    }
    return try folder.analysis()
  }

  @Test func stepsToTheBaselinesLossAndSpeedUpAreFound() throws {
    // The baseline ends at 3.0; b has 3.0 after 2^(0.1 / 0.2) / 2 = 0.7071 of a run.
    let analysis = try ladderStudy(["a": (3.2, 0.2), "b": (3.1, 0.2)])
    let target = try #require(analysis.variants[0].targets.first)
    #expect(target.name == "median of a")
    #expect(abs((target.loss ?? 0) - 3) < 1e-12)
    let arm = try #require(target.arms.first { $0.arm == "b" })
    // Straight lines in the logarithm of the length are exact here.
    #expect(abs((arm.fraction.value ?? 0) - 0.5.squareRoot()) < 1e-9)
    #expect(arm.fraction.bound == .exact)
    #expect(abs((arm.steps.value ?? 0) - 100 * 0.5.squareRoot()) < 1e-6)
    #expect(abs((arm.flops?.value ?? 0) - 2000 * 0.5.squareRoot()) < 1e-6)
    #expect(arm.reached == 5)
    let baseline = try #require(target.arms.first { $0.arm == "a" })
    #expect(baseline.speedUpInSteps == nil)
    // The baseline's own replicates reach its median only where they end below it.
    #expect(baseline.reached == 3)
    #expect(arm.speedUpInSteps?.count == 5)
  }

  @Test func speedUpsHaveIntervalsAndCountOperationsAndSeconds() throws {
    let analysis = try ladderStudy(["a": (3.2, 0.2), "b": (3.15, 0.25)], losses: [3.05])
    let target = try #require(analysis.variants[0].targets.first)
    #expect(target.name == "3.05")
    let arm = try #require(target.arms.first { $0.arm == "b" })
    let steps = try #require(arm.speedUpInSteps)
    // a reaches 3.05 at 2^(0.75) / 2, b at 2^(0.4) / 2.
    let expected = exp2(0.75 - 0.4)
    #expect(steps.bound == .exact)
    #expect(steps.interval?.contains(expected) == true)
    #expect(abs((steps.value ?? 0) - expected) < 0.01)
    #expect(abs((arm.speedUpInFlops?.value ?? 0) - expected / 2) < 0.01)
    let seconds = try #require(arm.speedUpInSeconds)
    #expect(abs((seconds.value ?? 0) - expected * 10 / 8) < 0.02)
    #expect((seconds.interval?.width ?? 0) > 0)
  }

  @Test func aTargetThatIsNeverReachedIsABound() throws {
    let analysis = try ladderStudy(["a": (3.2, 0.2), "b": (4, 0.2)])
    let arm = try #require(analysis.variants[0].targets[0].arms.first { $0.arm == "b" })
    #expect(arm.reached == 0)
    #expect(arm.fraction.value == 1)
    #expect(arm.fraction.bound == .atLeast)
    #expect(arm.fraction.interval == nil)
    #expect(arm.steps.value == 100)
    #expect(arm.speedUpInSteps?.bound == .atMost)
    #expect(arm.replicates.allSatisfy { $0.fraction == nil })
  }
}
