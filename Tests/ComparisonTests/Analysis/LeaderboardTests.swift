// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics
import Testing

@testable import Comparison

/// Losses that differ by less than this are the same number summed in another order.
private let rounding = 1e-12

@Suite struct LeaderboardTests {
  @Test func rowsAreOrderedByMeanLossWithTheirIntervals() throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a", "b"], entropyFloor: 2.5))
    try folder.add(["a": [3.0, 3.1, 3.2, 3.3, 3.4], "b": [2.9, 3.0, 2.8, 2.95, 2.85]])
    let analysis = try folder.analysis()
    let board = analysis.variants[0].leaderboard
    #expect(board.map(\.arm) == ["b", "a"])
    #expect(board.map(\.rank) == [1, 2])
    let row = try analysis.row("a")
    #expect(row.isBaseline)
    #expect(abs((row.loss.value ?? 0) - 3.2) < rounding)
    // Student's quantile for 4 degrees of freedom, 97.5 %: 2.776445.
    let half = 2.7764451 * (0.025 / 5).squareRoot()
    let interval = try #require(row.loss.interval)
    #expect(abs(interval.lower - (3.2 - half)) < 1e-6)
    #expect(abs(interval.upper - (3.2 + half)) < 1e-6)
    #expect(row.loss.count == 5)
    #expect(abs((row.standardDeviation ?? 0) - 0.025.squareRoot()) < rounding)
    #expect(row.median == 3.2)
    #expect(abs((row.aboveFloor?.value ?? 0) - 0.7) < rounding)
    #expect(analysis.completion.isComplete)
    #expect(analysis.completion.done == 10)
  }

  @Test func onlyReportingSeedsAreReported() throws {
    let rate = LossSurface.rate
    let surface = LossSurface(optimum: ["a": 0.01, "b": 0.01])
    let study = simulatedStudy(
      grids: ["a": halfDecades(from: 1e-3, 5), "b": halfDecades(from: 1e-3, 5)])
    let folder = try StudyOnDisk(study)
    let finishedStudy = try run(study) { point, isAudit in
      // What tuning sees is far lower than what is reported.
      let result = surface.result(point, isAudit: isAudit)
      guard point.seed.purpose == .tuning, result.status == .finished else { return result }
      return finished(point, (result.finalLoss ?? 0) - 2)
    }
    for result in finishedStudy.results { try folder.add(result) }
    let analysis = try folder.analysis()
    let row = try analysis.row("a")
    #expect(row.loss.count == study.reportingSeeds.count)
    #expect(abs((row.loss.value ?? 0) - 3) < 0.05)
    let tuning = try #require(try analysis.arm("a").tuningCurves.first)
    #expect(tuning.purpose == .tuning)
    #expect((tuning.points.compactMap(\.loss.value).min() ?? 9) < 1.1)
    #expect(try analysis.arm("a").knobs.first?.keys == [rate])
  }

  @Test func theSameArmUnderTwoNamesIsATie() throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a", "again", "other"]))
    let losses = [3.01, 3.02, 2.99, 3.0, 3.03]
    try folder.add(["a": losses, "again": losses, "other": losses.map { $0 + 0.5 }])
    let analysis = try folder.analysis()
    #expect(try analysis.difference("again", "a").verdict.word == .tie)
    #expect(try analysis.difference("again", "a").test.pValue == 1)
    #expect(try analysis.row("a").rank == 1)
    #expect(try analysis.row("again").rank == 1)
    #expect(try analysis.row("other").rank == 3)
    #expect(try analysis.row("a").tiedWith == ["again"])
    #expect(try analysis.difference("other", "a").verdict.word == .worse)
  }

  @Test func aDivergedReplicateCountsAsTheLossAtInitialisationAndAFailedOneNotAtAll() throws {
    let study = measuredStudy(arms: ["a", "b"])
    let folder = try StudyOnDisk(study)
    try folder.add(["a": [3, 3, 3, 3, 3], "b": [3.1, 3.1]])
    func point(_ seed: Int) -> TrialPoint {
      TrialPoint(variant: "main", arm: "b", seed: TrialSeed(.reporting, seed), knobs: [:])
    }
    try folder.add(ended(point(3), .diverged, reason: "not finite", evaluations: [6, .nan]))
    try folder.add(finished(point(4), 7.5))
    try folder.add(ended(point(5), .failed, reason: "disk full"))
    let analysis = try folder.analysis()
    let row = try analysis.row("b")
    #expect(row.diverged == 2)
    #expect(row.failed == 1)
    #expect(row.loss.count == 4)
    #expect(abs((row.loss.value ?? 0) - (3.1 + 3.1 + 6 + 6) / 4) < rounding)
    let states = try analysis.arm("b").replicates.map(\.state)
    #expect(states == [.finished, .finished, .diverged, .diverged, .failed])
    #expect(analysis.marks.contains { $0.kind == .diverged && $0.text.contains("2 of 4") })
    #expect(analysis.marks.contains { $0.kind == .incomplete && $0.trials.count == 1 })
    #expect(!analysis.completion.isComplete)
    #expect(analysis.completion.failed == 1)
  }

  @Test func aRunThatDivergedBeforeItsFirstEvaluationCountsAsItsNeighboursBegan() throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a", "b"], seeds: 2))
    try folder.add(["a": [3, 3], "b": [3.1]])
    let point = TrialPoint(variant: "main", arm: "b", seed: TrialSeed(.reporting, 2), knobs: [:])
    try folder.add(ended(point, .diverged, evaluations: []))
    #expect(try folder.analysis().arm("b").replicates.last?.loss == initialLoss)
  }

  @Test(arguments: [0, 1]) func armsWithoutReplicatesAreNotJudged(count: Int) throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a", "b"]))
    try folder.add([
      "a": [3, 3.1, 3.05, 3.02, 3.07], "b": Array([2.5].prefix(count)),
    ])
    let analysis = try folder.analysis()
    let row = try analysis.row("b")
    #expect(row.rank == (count == 1 ? 1 : nil))
    #expect(row.loss.interval == nil)
    #expect(row.missing == 5 - count)
    let difference = try analysis.difference("b", "a")
    #expect(difference.verdict.word == .unknown)
    #expect(difference.adjustedPValue == 1)
    #expect(difference.equivalence == nil)
    #expect(analysis.completion.missing == 5 - count)
  }

  @Test func anEmptyStudyIsAnalysed() throws {
    let analysis = try StudyOnDisk(measuredStudy(arms: ["a", "b"])).analysis()
    #expect(analysis.trials.isEmpty)
    #expect(analysis.variants[0].leaderboard.allSatisfy { $0.loss.value == nil && $0.rank == nil })
    #expect(analysis.completion.missing == 10)
    #expect(analysis.variants[0].noise.source == .unknown)
  }

  @Test func costIsThatOfRunsThatTrainedToTheEndAndTimesAreThoseOfTheLeastDisturbed() throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a"], seeds: 2))
    let numbers: [String: Double] = [
      "tokens": 800, "chargedTokens": 880, "trainingFLOPs": 1e9, "optimizerStateBytes": 64,
      "optimizerMilliseconds": 0.5, "forwardBackwardMilliseconds": 2, "parameters": 8,
      "bitsPerByte": 1.5, "peakBytes": 1000,
    ]
    for (seed, seconds) in [(1, 2.0), (2, 4.0)] {
      let point = TrialPoint(
        variant: "main", arm: "a", seed: TrialSeed(.reporting, seed), knobs: [:])
      var details = StudyOnDisk.Details()
      details.numbers = numbers.merging(["trainingSeconds": seconds]) { $1 }
      try folder.add(finished(point, 3), details)
    }
    let row = try folder.analysis().row("a")
    #expect(row.cost.seconds == 2)
    #expect(row.cost.steps == 100)
    #expect(row.cost.chargedTokens == 880)
    #expect(row.cost.millisecondsPerStep == 2.5)
    #expect(row.cost.millisecondsPerUpdate == 0.5)
    #expect(row.cost.stateBytes == 64)
    #expect(row.bitsPerByte?.value == 1.5)
  }

  @Test func theAnalysisSurvivesJSON() throws {
    let folder = try StudyOnDisk(
      measuredStudy(
        arms: ["a", "b"],
        targets: .init(
          losses: [2.0], includesBaseline: true, ladder: [1], seedCount: 5)))
    try folder.add(["a": [3.0, 3.1, 3.2, 3.3, 3.4], "b": [2.9, 3.0, 2.8, 2.95, 2.85]])
    let analysis = try folder.analysis()
    let text = try analysis.json()
    #expect(try StudyAnalysis(json: text) == analysis)
    #expect(try StudyAnalysis(json: text).json() == text)
    #expect(!String(decoding: text, as: UTF8.self).contains("\"nan\""))
  }

  @Test func lossCurvesCarryBandsAndCountReplicates() throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a"], seeds: 3))
    try folder.add(["a": [3, 3.2]])
    let point = TrialPoint(variant: "main", arm: "a", seed: TrialSeed(.reporting, 3), knobs: [:])
    try folder.add(ended(point, .diverged, evaluations: [6, 9]))
    let curve = try #require(try folder.analysis().arm("a").lossCurve)
    #expect(curve.steps == [0, 5, 50, 100])
    // The diverged one stays in the mean, at its loss at initialisation: no mean over survivors.
    #expect(curve.counts == [3, 1, 3, 3])
    #expect(curve.mean[0] == 6)
    #expect(curve.mean[1] == 6)
    #expect(abs(curve.mean[3] - (3 + 3.2 + 6) / 3) < rounding)
    #expect(curve.mean[3] == (try folder.analysis().row("a").loss.value))
    #expect(curve.lower[1] == nil)
    // Student's quantile for two degrees of freedom: 4.30265.
    let error = (2.8133333333333335 / 3).squareRoot()
    #expect(abs((curve.upper[3] ?? 0) - curve.mean[3] - 4.30265 * error) < 1e-4)
    #expect(curve.tokens[3] == 800)
  }

  @Test func recordedStatisticsBecomeCurves() throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a"], seeds: 2))
    var details = StudyOnDisk.Details()
    details.statistics = [
      (10, "effectiveRate.norm_gain.q10", 0.5), (20, "effectiveRate.norm_gain.q10", 0.25),
      (20, "weightNorm.head", 4),
    ]
    try folder.add(["a": [3, 3.2]], details)
    let statistics = try folder.analysis().arm("a").statistics
    #expect(statistics.count == 1)
    #expect(statistics[0].role == "norm_gain")
    #expect(statistics[0].statistic == "q10")
    #expect(statistics[0].course.steps == [10, 20])
    #expect(statistics[0].course.mean == [0.5, 0.25])
  }
}
