// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

@testable import Comparison

/// Half a decade, in grid spacings of the tests.
private let halfDecade = 0.5

private func decades(_ cell: TunedCell?, from optimum: Double) -> Double {
  guard let value = cell?.knobs[LossSurface.rate]?.number else { return .infinity }
  return abs(log10(value / optimum))
}

@Suite struct StudyTuningTests {
  let surface = LossSurface(optimum: ["a": 0.02, "b": 0.3, "c": 7e-4])
  let grids = [
    "a": halfDecades(from: 1e-3, 5), "b": halfDecades(from: 1e-3, 5),
    "c": halfDecades(from: 1e-3, 5),
  ]

  @Test func everyOptimumIsFoundToAQuarterOfADecadeWhateverTheGrid() throws {
    let tuned = try run(simulatedStudy(grids: grids), surface).progress.tuned
    for (arm, optimum) in surface.optimum {
      let cell = tuned[ArmInVariant(arm: arm, variant: "main")]
      #expect(
        decades(cell, from: optimum) <= halfDecade / 4 + 1e-3, "\(arm): \(cell?.knobs ?? [:])")
      #expect(cell?.edge == TunedCell.Edge.none)
    }
  }

  @Test(arguments: [UInt64](1...5))
  func noiseMovesTheOptimumByAQuarterDecadeAtMost(seed: UInt64) throws {
    var noisy = surface
    (noisy.noise, noisy.seed) = (0.002, seed)
    let tuned = try run(simulatedStudy(grids: grids), noisy).progress.tuned
    for (arm, optimum) in noisy.optimum {
      #expect(
        decades(tuned[ArmInVariant(arm: arm, variant: "main")], from: optimum) <= halfDecade)
    }
  }

  @Test(arguments: [true, false], [1, 2, 3])
  func everyArmOfAVariantGetsTheSameNumberOfTuningTrials(refines: Bool, seeds: Int) throws {
    let study = simulatedStudy(
      grids: [
        "a": halfDecades(from: 1e-3, 5), "b": halfDecades(from: 1e-3, 3),
        "c": halfDecades(from: 1e-1, 7),
      ], variants: ["small", "large"], tuningSeeds: Array(101..<(101 + seeds)), refines: refines)
    let finished = try run(study, surface)
    for variant in ["small", "large"] {
      let cells = finished.progress.tuned.filter { $0.key.variant == variant }
      #expect(cells.count == 3)
      #expect(Set(cells.map(\.value.trials)).count == 1, "\(cells.map(\.value.trials))")
      for (name, cell) in cells {
        let run = finished.points.count {
          $0.arm == name.arm && $0.variant == variant && $0.seed.purpose == .tuning
        }
        #expect(run == cell.trials)
        #expect(cell.history.reduce(0) { $0 + $1.losses.count } == cell.trials)
      }
    }
  }

  @Test func gridsGrowTowardsAnOptimumFarOutside() throws {
    let far = LossSurface(optimum: ["a": 0.02, "hybrid": 300])
    let study = simulatedStudy(
      grids: ["a": halfDecades(from: 1e-3, 5), "hybrid": halfDecades(from: 1e-2, 5)],
      extensions: 6)
    let tuned = try run(study, far).progress.tuned
    let hybrid = try #require(tuned[ArmInVariant(arm: "hybrid", variant: "main")])
    #expect(decades(hybrid, from: 300) <= halfDecade / 4 + 1e-3)
    #expect(hybrid.edge == .none)
    #expect(hybrid.extensions == 6)
    #expect(tuned[ArmInVariant(arm: "a", variant: "main")]?.extensions == 0)
    #expect(Set(tuned.values.map(\.trials)).count == 1)
  }

  @Test(arguments: [(1e5, TunedCell.Edge.upper), (1e-8, .lower)])
  func anOptimumBeyondTheLimitIsUndertuned(optimum: Double, edge: TunedCell.Edge) throws {
    let far = LossSurface(optimum: ["a": optimum, "b": 0.02])
    let study = simulatedStudy(
      grids: ["a": halfDecades(from: 1e-3, 5), "b": halfDecades(from: 1e-3, 5)], extensions: 2)
    var flat = far
    flat.curvature = (0.05, 0.02)
    flat.divergence = .infinity
    let cell = try #require(
      try run(study, flat).progress.tuned[ArmInVariant(arm: "a", variant: "main")])
    #expect(cell.edge == edge)
    #expect(cell.isUndertuned)
    #expect(cell.extensions == 2)
  }

  @Test func aBestBelowADivergenceIsCertified() throws {
    var cliff = LossSurface(optimum: ["a": 0.11])
    cliff.divergence = 0.05
    let cell = try #require(
      try run(simulatedStudy(grids: ["a": halfDecades(from: 1e-3, 5)]), cliff)
        .progress.tuned[ArmInVariant(arm: "a", variant: "main")])
    #expect(cell.knobs[LossSurface.rate] == .number(0.1))
    #expect(cell.edge == .certified)
    #expect(!cell.isUndertuned)
  }

  /// A rate of decay of 1.0125, half a batch: nobody knows what else an axis accepts.
  @Test func onlyLearningRatesAreTriedBetweenAndBeyondTheirGrids() throws {
    let key = "optimizer.beta2"
    let axis = StudyRecord.Axis(
      name: "beta2", keys: ["a": [key], "b": [key]],
      grids: [
        "a": [0.9, 0.95, 0.99].map { .number($0) }, "b": [0.9, 0.95, 0.99].map { .number($0) },
      ],
      isLogarithmic: false, isAutomatic: false, extensionFactor: 2)
    var study = simulatedStudy(grids: ["a": [0.01], "b": [0.01]], defaults: [key: .number(0.95)])
    study.tuning?.axes = [axis]
    var surface = LossSurface(optimum: ["a": 0.01, "b": 0.01])
    surface.others = [key: (best: 0.99, slope: 1)]
    let finished = try run(study, surface)
    let tried = Set(finished.points.compactMap { $0.knobs[key]?.number })
    #expect(tried == [0.9, 0.95, 0.99])
    for cell in finished.progress.tuned.values { #expect(cell.knobs[key] == .number(0.99)) }
  }

  @Test func whereEverythingDivergesTheGridGrowsDownward() throws {
    let low = LossSurface(optimum: ["a": 1e-6, "b": 0.02])
    let study = simulatedStudy(
      grids: ["a": halfDecades(from: 1e-3, 5), "b": halfDecades(from: 1e-3, 5)], extensions: 8)
    let cell = try #require(
      try run(study, low).progress.tuned[ArmInVariant(arm: "a", variant: "main")])
    #expect(decades(cell, from: 1e-6) <= halfDecade / 4 + 1e-3)
  }

  @Test func aStudyWhereNothingTrainsStillEnds() throws {
    var dead = surface
    dead.divergence = -.infinity
    let finished = try run(simulatedStudy(grids: grids), dead)
    #expect(finished.progress.tuned.values.allSatisfy { $0.edge == .lower })
    #expect(Set(finished.progress.tuned.values.map(\.trials)).count == 1)
  }

  @Test func aGridNeverGrowsBeyondWhatTheKeyAccepts() throws {
    let far = LossSurface(optimum: ["a": 1e3])
    let finished = try run(
      simulatedStudy(grids: ["a": halfDecades(from: 1e-3, 5)], upperBound: 0.5), far)
    let largest = finished.points.compactMap { $0.knobs[LossSurface.rate]?.number }.max()
    #expect(largest == 0.3162)
  }

  @Test func aDeclaredGridStaysAsItIs() throws {
    let far = LossSurface(optimum: ["a": 1e3])
    let study = simulatedStudy(
      grids: ["a": [0.001, 0.01, 0.1]], tuningSeeds: [101], refines: false, isAutomatic: false)
    let finished = try run(study, far)
    let cell = try #require(finished.progress.tuned[ArmInVariant(arm: "a", variant: "main")])
    #expect(cell.trials == 3)
    #expect(cell.edge == .upper)
  }

  @Test func aStoppedTrialIsNeverTheBest() throws {
    let finished = try run(simulatedStudy(grids: grids)) { point, isAudit in
      let result = surface.result(point, isAudit: isAudit)
      // The race is wrong here: it stops what would have been the best.
      guard point.arm == "a", point.knobs[LossSurface.rate] == .number(0.01) else { return result }
      return TrialResult(
        point: point, identity: result.identity, status: .stopped, steps: 10,
        evaluations: [.init(step: 0, loss: 6), .init(step: 10, loss: 1)])
    }
    let cell = finished.progress.tuned[ArmInVariant(arm: "a", variant: "main")]
    #expect(cell?.knobs[LossSurface.rate] != .number(0.01))
    #expect(decades(cell, from: 0.02) <= halfDecade)
  }
}
