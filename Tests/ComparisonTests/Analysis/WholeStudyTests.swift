// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics
import Testing

@testable import Comparison

/// Whole studies, tuned, measured and judged as the real ones are, on losses that are known.
@Suite struct WholeStudyTests {
  private static let grid = halfDecades(from: 1e-3, 5)

  /// Runs a study of arms `a` and `b`, and judges its records.
  private func judged(
    _ surface: LossSurface, seeds: Int, margin: Double, named: (String) -> String = { $0 }
  ) throws -> StudyAnalysis {
    var study = simulatedStudy(
      grids: ["a": Self.grid, "b": Self.grid], reportingSeeds: Array(1...seeds))
    study.rule.margin = .absolute(margin)
    study.rule.family = [["b", "a"]]
    let folder = try StudyOnDisk(study)
    let finished = try run(study) { point, isAudit in
      let twin = TrialPoint(
        variant: point.variant, arm: named(point.arm), seed: point.seed, knobs: point.knobs,
        horizon: point.horizon)
      let result = surface.result(twin, isAudit: isAudit)
      return TrialResult(
        point: point, identity: result.identity, isAudit: isAudit, status: result.status,
        steps: result.steps, finalNumbers: result.finalNumbers, evaluations: result.evaluations)
    }
    for result in finished.results { try folder.add(result) }
    return try folder.analysis()
  }

  @Test func aMethodUnderTwoNamesIsTunedAlikeAndTies() throws {
    let surface = LossSurface(optimum: ["a": 0.012], noise: 0.01)
    let analysis = try judged(surface, seeds: 5, margin: 0.01, named: { _ in "a" })
    let difference = try analysis.difference("b", "a")
    #expect(difference.verdict.word == .tie)
    #expect(difference.test.pValue == 1)
    #expect(try analysis.arm("a").knobs == analysis.arm("b").knobs)
    #expect(try analysis.arm("a").tuningTrials == analysis.arm("b").tuningTrials)
    #expect(try analysis.row("b").rank == 1)
  }

  /// Two arms of the same law with noise of their own: the tests reject at their level where tuning finds the same value.
  ///
  /// Where noise hides which value is best it does not: `Docs/statistics.md` says what was measured then.
  @Test func equalArmsDifferAsOftenAsTheLevelSays() throws {
    let repetitions = 40
    let rejections = try (0..<repetitions).count { repetition in
      var surface = LossSurface(optimum: ["a": 0.01, "b": 0.01], noise: 0.001)
      surface.seed = UInt64(1000 + repetition)
      return try judged(surface, seeds: 8, margin: 0.002).difference("b", "a").test.pValue < 0.05
    }
    // Eight or more have a probability of 0.0009 at a level of 0.05.
    #expect(rejections < 8, "\(rejections) of \(repetitions)")
  }

  /// An arm that is worse by one deviation is found when there are the seeds for it.
  @Test func aWorseArmIsFoundWithTheSeedsThatItTakes() throws {
    func found(_ seeds: Int) throws -> Int {
      try (0..<12).count { repetition in
        var surface = LossSurface(optimum: ["a": 0.01, "b": 0.01], noise: 0.001)
        surface.seed = UInt64(5000 + repetition)
        surface.offsets = ["b": 0.001]
        return try judged(surface, seeds: seeds, margin: 1e-5).difference("b", "a").verdict.word
          == .worse
      }
    }
    // Welch's test has a power of 0.16 with 3 seeds for each arm and of 0.87 with 20.
    let few = try found(3)
    let many = try found(20)
    #expect(few <= 6, "\(few) of 12")
    #expect(many >= 7, "\(many) of 12")
  }
}
