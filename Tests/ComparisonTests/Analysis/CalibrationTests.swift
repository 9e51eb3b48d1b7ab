// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics
import Testing

@testable import Comparison

@Suite struct CalibrationTests {
  private func trials(_ losses: (String, TrialSeed) -> Double?) throws -> (StudyOnDisk, StudyRecord)
  {
    let study = measuredStudy(arms: ["a", "b"])
    let folder = try StudyOnDisk(study)
    let both = (900..<908).map { TrialSeed(.calibration, $0) }
    let initial = (908..<912).map { TrialSeed(.calibration, $0, data: 900) }
    let data = (912..<916).map { TrialSeed(.calibration, 900, data: $0) }
    for arm in ["a", "b"] {
      for seed in arm == "a" ? both + initial + data : both {
        guard let loss = losses(arm, seed) else { continue }
        try folder.add(
          finished(TrialPoint(variant: "main", arm: arm, seed: seed, knobs: [:]), loss))
      }
    }
    // Reporting seeds are none of calibration's business.
    try folder.add(["a": [1, 2, 3, 4, 5]])
    return (folder, study)
  }

  private func loss(_ arm: String, _ seed: TrialSeed) -> Double {
    // Weights weigh 0.01, data 0.02, and arm b follows arm a at half the size.
    let weights = Double((seed.initial * 7) % 5) - 2
    let data = Double((seed.data * 3) % 7) - 3
    return 3 + (arm == "a" ? 1 : 0.5) * (0.01 * weights + 0.02 * data)
  }

  @Test func spreadsAreToldApartByWhatWasVaried() throws {
    let (folder, study) = try trials(loss)
    let calibration = try Calibration(
      study, trials: folder.results().trials, command: "assay calibrate",
      measuredAt: Date(timeIntervalSince1970: 0))
    let spread = { (arm: String, varied: Calibration.Varied) in
      calibration.spreads.first { $0.arm == arm && $0.varied == varied }
    }
    #expect(spread("a", .both)?.losses.count == 8)
    // The run with the anchor's weights and data belongs to all three.
    #expect(spread("a", .initial)?.losses.count == 5)
    #expect(spread("a", .data)?.losses.count == 5)
    #expect(spread("b", .initial) == nil)
    let expected = Sample((900..<908).map { loss("a", TrialSeed(.calibration, $0)) })
    #expect(spread("a", .both)?.deviation == expected.standardDeviation)
    #expect(spread("a", .both)?.interval == expected.deviationInterval())
    #expect(calibration.pairs.count == 1)
    #expect(abs((calibration.pairs[0].correlation.value ?? 0) - 1) < 1e-9)
    #expect(calibration.pairs[0].correlation.count == 8)
    #expect(calibration.seeds == Array(900..<916))
    #expect(calibration.setup["main"]?.count == 64)
  }

  @Test func aCalibrationIsStoredAndUsed() throws {
    let (folder, study) = try trials(loss)
    let calibration = try Calibration(
      study, trials: folder.results().trials, command: "assay calibrate",
      measuredAt: Date(timeIntervalSince1970: 0))
    try calibration.write(to: StudyFolder(folder.path))
    #expect(try Calibration.read(from: StudyFolder(folder.path)) == calibration)
    let noise = try folder.analysis().variants[0].noise
    #expect(noise.source == .calibration)
    #expect(noise.degreesOfFreedom == 7)
    #expect(abs((noise.deviation ?? 0) - (calibration.spreads[0].deviation ?? 1)) < 1e-15)
    #expect(noise.calibratedCorrelation("b", "a") == calibration.pairs[0].correlation.value)
  }

  @Test func aCalibrationOfOtherConditionsIsMarked() throws {
    let (folder, study) = try trials(loss)
    var calibration = try Calibration(study, trials: folder.results().trials, command: "test")
    try calibration.write(to: StudyFolder(folder.path))
    #expect(try !folder.analysis().marks.contains { $0.text.contains("other conditions") })
    calibration.setup["main"] = "of another model"
    try calibration.write(to: StudyFolder(folder.path))
    #expect(try folder.analysis().marks.contains { $0.text.contains("other conditions") })
  }

  @Test func divergedReplicatesAreCountedAndLeftOut() throws {
    let (folder, study) = try trials { arm, seed in
      arm == "b" && seed.initial == 903 ? 9 : loss(arm, seed)
    }
    let calibration = try Calibration(study, trials: folder.results().trials, command: "test")
    let spread = try #require(calibration.spreads.first { $0.arm == "b" })
    #expect(spread.failures == 1)
    #expect(spread.losses.count == 7)
    #expect(calibration.pairs[0].correlation.count == 7)
  }

  @Test func withoutRunsThereIsNoCalibration() throws {
    let study = measuredStudy(arms: ["a"])
    #expect(throws: ComparisonError.self) {
      try Calibration(study, trials: [], command: "test")
    }
  }
}
