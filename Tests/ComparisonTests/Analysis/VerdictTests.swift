// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams
import RunRecords
import Statistics
import Testing

@testable import Comparison

/// Losses with a mean and noise, the same for the same name.
func noisy(_ mean: Double, _ deviation: Double, _ count: Int, _ name: String) -> [Double] {
  let stream = RandomStream(seed: 7, name: "verdicts/" + name)
  return (0..<count).map { mean + deviation * stream.normal(at: $0) }
}

@Suite struct VerdictTests {
  private func analysis(
    _ losses: [String: [Double]], margin: StudyRecord.ComparisonRule.Margin = .absolute(0.01),
    pairing: StudyRecord.ComparisonRule.Pairing = .calibrated, family: [[String]]? = nil,
    explores: Bool = false, calibration: Calibration? = nil
  ) throws -> StudyAnalysis {
    let study = measuredStudy(
      arms: losses.keys.sorted(), seeds: losses.values.map(\.count).max() ?? 1, margin: margin,
      pairing: pairing, family: family, explores: explores)
    let folder = try StudyOnDisk(study)
    try folder.add(losses)
    if let calibration { try folder.write(calibration, "calibration.json") }
    return try folder.analysis()
  }

  private let base = noisy(3, 0.002, 8, "a")

  @Test(arguments: [
    (-0.05, Verdict.Word.better), (0.05, .worse), (0, .equivalent), (-0.006, .slightlyBetter),
    (0.006, .slightlyWorse),
  ])
  func wordsFollowFromDifferenceAndMargin(shift: Double, word: Verdict.Word) throws {
    let other = noisy(3 + shift, 0.002, 8, "b")
    let difference = try analysis(["a": base, "b": other]).difference("b", "a")
    #expect(difference.verdict.word == word)
    #expect(difference.test.method == .welch)
    #expect(difference.isInFamily)
    let expected = Tests.welch(other, base)
    #expect(difference.test.pValue == expected.pValue)
    #expect(difference.test.interval == expected.interval)
    #expect(difference.permutation?.pValue == Tests.permutation(other, base).pValue)
  }

  @Test func smallDifferencesInLoudNoiseAreUndecidedAndSayWhatItWouldTake() throws {
    let losses = ["a": noisy(3, 0.02, 5, "loud a"), "b": noisy(2.99, 0.02, 5, "loud b")]
    let analysis = try analysis(losses)
    let difference = try analysis.difference("b", "a")
    #expect(difference.verdict.word == .undecided)
    #expect(difference.verdict.text.contains("seeds for each arm would decide it"))
    let baseline = try #require(Sample(losses["a"] ?? []).variance)
    let other = try #require(Sample(losses["b"] ?? []).variance)
    let deviation = max(baseline, (baseline + other) / 2).squareRoot()
    let detectable = try #require(Power.detectableDifference(count: 5))
    #expect(difference.power.detectableDeviations == detectable)
    let difference80 = try #require(difference.power.detectableDifference)
    #expect(abs(difference80 - detectable * deviation) < 1e-12)
    #expect((difference.power.countForHalf ?? 0) > 15)
    #expect(try analysis.row("b").tiedWith == ["a"])
  }

  @Test func aPlantedHandicapIsFoundOnlyWithEnoughSeeds() throws {
    // A true difference of two standard deviations needs about five seeds for each arm to be seen, four times in five.
    func word(_ count: Int) throws -> Verdict.Word {
      try analysis(
        ["a": noisy(3, 0.01, count, "planted a"), "b": noisy(3.02, 0.01, count, "planted b")],
        margin: .absolute(0.001)
      ).difference("b", "a").verdict.word
    }
    #expect(try word(3) == .undecided)
    #expect(try word(12) == .worse)
  }

  @Test func familiesAreCorrectedByHolmAndOtherPairsApart() throws {
    let losses = [
      "a": base, "b": noisy(3.003, 0.002, 8, "b3"), "c": noisy(3.004, 0.002, 8, "c3"),
      "d": noisy(2.9975, 0.002, 8, "d3"),
    ]
    let analysis = try analysis(
      losses, family: [["b", "a"], ["c", "a"], ["d", "a"]], explores: true)
    let differences = analysis.variants[0].differences
    #expect(differences.count == 6)
    #expect(differences.prefix(3).allSatisfy { $0.isInFamily && $0.adjustment == .family })
    #expect(differences.dropFirst(3).allSatisfy { !$0.isInFamily && $0.adjustment == .exploration })
    #expect(
      differences.prefix(3).map(\.adjustedPValue) == holm(differences.prefix(3).map(\.test.pValue)))
    let all = benjaminiHochberg(differences.map(\.test.pValue))
    #expect(differences.dropFirst(3).map(\.adjustedPValue) == Array(all.dropFirst(3)))
    #expect(differences[3].verdict.text.contains("exploratory"))
  }

  @Test func correctionsSpanTheVariantsOfAStudy() throws {
    let study = measuredStudy(arms: ["a", "b"], variants: ["x", "y"], seeds: 8)
    let folder = try StudyOnDisk(study)
    for (variant, shift) in [("x", 0.003), ("y", 0.0031)] {
      try folder.add(
        ["a": base, "b": noisy(3 + shift, 0.002, 8, "b" + variant)], variant: variant)
    }
    let analysis = try folder.analysis()
    let pairs = analysis.variants.map { $0.differences[0] }
    #expect(pairs.map(\.adjustedPValue) == holm(pairs.map(\.test.pValue)))
  }

  private func calibration(_ correlation: Double, deviation: Double = 0.004) -> Calibration {
    let losses = [3 - deviation, 3, 3 + deviation, 3 - deviation, 3 + deviation, 3]
    return Calibration(
      name: "measured",
      spreads: [
        .init(
          variant: "main", arm: "a", varied: .both, deviation: deviation, interval: nil,
          losses: losses, mean: 3, failures: 0)
      ],
      pairs: [
        .init(
          variant: "main",
          correlation: ArmCorrelation(
            arm: "a", other: "b", value: correlation, interval: nil, count: 6))
      ],
      seeds: [900], setup: [:], measuredAt: Date(timeIntervalSince1970: 0), revision: "abc",
      command: "assay calibrate")
  }

  @Test func powerIsReckonedWithTheNoiseOfTheArmsWhereCalibrationFoundLess() throws {
    let losses = ["a": noisy(3, 0.05, 8, "loud a"), "b": noisy(3.01, 0.05, 8, "loud b")]
    let alone = try analysis(losses)
    let calibrated = try analysis(losses, calibration: calibration(0.1, deviation: 0.004))
    #expect(calibrated.variants[0].noise.source == .calibration)
    let seen = try #require(try calibrated.difference("b", "a").power.detectableDifference)
    #expect(try seen == alone.difference("b", "a").power.detectableDifference)
    #expect(seen > 0.04)
    #expect(calibrated.marks.contains { $0.text.contains("noisier than calibration found") })
    let quiet = try analysis(
      ["a": base, "b": noisy(3, 0.002, 8, "b")], calibration: calibration(0.1, deviation: 0.004))
    let deviation = try #require(quiet.variants[0].noise.deviation)
    let deviations = try #require(Power.detectableDifference(count: 8))
    #expect(
      try quiet.difference("b", "a").power.detectableDifference == deviations * deviation)
    #expect(!quiet.marks.contains { $0.text.contains("noisier") })
  }

  @Test(arguments: [(0.9, DifferenceTest.Method.paired), (0.4, .welch)])
  func pairingIsDecidedByCalibrationAlone(correlation: Double, method: DifferenceTest.Method)
    throws
  {
    // The data of the comparison itself are perfectly correlated in both cases.
    let other = base.map { $0 + 0.001 }
    let analysis = try analysis(
      ["a": base, "b": other], calibration: calibration(correlation))
    let difference = try analysis.difference("b", "a")
    #expect(difference.test.method == method)
    #expect(difference.pairing.contains("calibrated correlation"))
    #expect(analysis.variants[0].noise.source == .calibration)
    #expect(!analysis.marks.contains { $0.kind == .uncalibrated })
  }

  @Test func withoutCalibrationPairingHasToBeDeclared() throws {
    let other = base.map { $0 + 0.001 }
    #expect(try analysis(["a": base, "b": other]).difference("b", "a").test.method == .welch)
    #expect(
      try analysis(["a": base, "b": other], pairing: .always).difference("b", "a").test.method
        == .paired)
  }

  @Test func fewPairsAreNeverPairedByCalibration() throws {
    let few = Array(base.prefix(4))
    let analysis = try analysis(
      ["a": few, "b": few.map { $0 + 0.001 }], calibration: calibration(0.95))
    #expect(try analysis.difference("b", "a").test.method == .welch)
    #expect(analysis.marks.contains { $0.kind == .fewSeeds })
  }

  @Test func aMarginIsAShareOfAGapOrDeviationsOfTheNoise() throws {
    let losses = ["a": base, "b": base.map { $0 + 0.2 }]
    let share = try analysis(losses, margin: .share(0.15, of: "a", to: "b", atLeast: 2))
    #expect(abs((share.variants[0].margin.value ?? 0) - 0.03) < 1e-9)
    #expect(share.variants[0].margin.explanation.contains("15 % of the gap between a and b"))
    let near = ["a": base, "b": base.map { $0 + 0.002 }]
    let floor = try analysis(
      near, margin: .share(0.15, of: "a", to: "b", atLeast: 2), calibration: calibration(0))
    let deviation = try #require(floor.variants[0].noise.deviation)
    #expect(floor.variants[0].margin.value == 2 * deviation)
    let count = try analysis(losses, margin: .deviations(3), calibration: calibration(0))
    #expect(count.variants[0].margin.value == 3 * deviation)
    let unknown = try analysis(["a": [3.0], "b": [3.1]], margin: .deviations(2))
    #expect(unknown.variants[0].margin.value == nil)
  }

  /// A noisy arm must not widen the margin within which it counts as alike.
  @Test func theNoiseOfAStudyIsItsBaselines() throws {
    let losses = ["a": [3.0, 3.2], "b": [5.0, 5.0, 5.6]]
    let noise = try analysis(losses).variants[0].noise
    #expect(noise.source == .residuals)
    #expect(noise.degreesOfFreedom == 1)
    #expect(abs((noise.deviation ?? 0) - 0.02.squareRoot()) < 1e-12)
    // (0.02 + 0.24) / 3
    #expect(abs((noise.residualDeviation ?? 0) - (0.26 / 3).squareRoot()) < 1e-12)
    let pooled = try analysis(["a": [3.0], "b": [5.0, 5.0, 5.6]]).variants[0].noise
    #expect(pooled.degreesOfFreedom == 2)
  }

  @Test func powerLeavesRoomForTheOtherComparisonsOfTheFamily() throws {
    let two = try analysis(["a": base, "b": noisy(3, 0.002, 8, "b")])
    let four = try analysis([
      "a": base, "b": noisy(3, 0.002, 8, "b"), "c": noisy(3, 0.002, 8, "c"),
      "d": noisy(3, 0.002, 8, "d"),
    ])
    #expect(
      try two.difference("b", "a").power.detectableDeviations
        == Power.detectableDifference(count: 8, level: 0.05))
    #expect(
      try four.difference("b", "a").power.detectableDeviations
        == Power.detectableDifference(count: 8, level: 0.05 / 3))
  }

  @Test func twoArmsThatDivergeEverywhereAreNoTie() throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a", "b"], seeds: 3))
    for arm in ["a", "b"] {
      for seed in 1...3 {
        let point = TrialPoint(
          variant: "main", arm: arm, seed: TrialSeed(.reporting, seed), knobs: [:])
        try folder.add(ended(point, .diverged, evaluations: [6, .nan]))
      }
    }
    let verdict = try folder.analysis().difference("b", "a").verdict
    #expect(verdict.word == .unknown)
    #expect(verdict.text.contains("both diverge on every seed"))
  }

  @Test func differencesOverVariantsAreContrastsOfTheirCells() throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a", "b"], variants: ["x", "y"], seeds: 8))
    let shifted = ["x": base.map { $0 + 0.01 }, "y": base.map { $0 + 0.05 }]
    for variant in ["x", "y"] {
      try folder.add(["a": base, "b": shifted[variant] ?? []], variant: variant)
    }
    let contrast = try #require(try folder.analysis().contrasts.first)
    #expect(abs((contrast.mean.estimate ?? 0) - 0.03) < 1e-12)
    #expect(abs((contrast.interaction?.estimate ?? 0) - 0.04) < 1e-12)
    let cells = [base, base.map { $0 + 0.01 }, base, base.map { $0 + 0.05 }]
    let expected = Tests.contrast(cells, weights: [1, -1, -1, 1])
    let pValue = try #require(contrast.interaction?.pValue)
    #expect(abs(pValue - expected.pValue) < 1e-12)
  }

  @Test func skewedReplicatesGetASecondOpinion() throws {
    let skewed = [3.0, 3.0, 3.001, 3.002, 3.5]
    let analysis = try analysis(["a": Array(base.prefix(5)), "b": skewed, "c": base.map { $0 + 1 }])
    #expect(try analysis.difference("b", "a").secondOpinion != nil)
    #expect(try analysis.difference("c", "a").secondOpinion == nil)
  }
}
