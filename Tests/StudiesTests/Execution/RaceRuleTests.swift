// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Foundation
import RunRecords
import Testing
import Training

@testable import Studies

/// Who races against whom, and from when on a trial has lost: always the same, whatever has happened to end by then.
struct RaceRuleTests {
  private static let rates = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256]
  private static let key = "optimizer.learning_rate"

  private var study: StudyRecord {
    let arm = StudyRecord.Arm(
      name: "a", method: "any", changes: [:], differences: [], variants: ["main"],
      steps: ["main": 40],
      defaults: [Self.key: .number(0.016), "optimizer.weight_decay": .number(0)])
    let axis = StudyRecord.Axis(
      name: "learning rate", keys: ["a": [Self.key]],
      grids: ["a": Self.rates.map(KnobValue.number)], isLogarithmic: true, isAutomatic: true,
      extensionFactor: 2)
    return StudyRecord(
      name: "race", question: "", variants: [StudyRecord.Variant(name: "main", changes: [:])],
      arms: [arm], baseline: "a",
      tuning: StudyRecord.Tuning(
        seeds: [101, 102], axes: [axis], extensionLimit: 4, refines: true),
      sweeps: [], reportingSeeds: [1, 2], budget: StudyRecord.Budget(unit: .steps, amount: 40),
      targets: nil,
      rule: StudyRecord.ComparisonRule(
        level: 0.05, margin: .absolute(0.01), pairing: .never, family: [], exploresAllPairs: false),
      stopping: StudyRecord.Stopping(divergenceMargin: nil, races: true, auditShare: 0.05),
      claims: [], declaredAt: Date(timeIntervalSince1970: 0), revision: "", command: "", hash: "")
  }

  private func point(_ rate: Double, seed: Int = 101, decay: Double = 0) -> TrialPoint {
    TrialPoint(
      variant: "main", arm: "a", seed: TrialSeed(.tuning, seed),
      knobs: [Self.key: .number(rate), "optimizer.weight_decay": .number(decay)])
  }

  /// A curve that stands at `early` after 10 steps, at `late` after 20, and ends at `final`.
  private func result(
    _ rate: Double, _ early: Double, _ late: Double, _ final: Double,
    status: RunOutcome.Status = .finished
  ) -> TrialResult {
    TrialResult(
      point: point(rate), identity: "main.a.\(rate)", status: status, steps: 40,
      finalNumbers: ["validationLoss": final],
      evaluations: [(0, 5.5), (10, early), (20, late), (40, final)].map {
        TrialResult.Evaluation(step: $0.0, loss: $0.1)
      })
  }

  /// Every second rate: higher ones are behind early and turn round until the best, 0.016; the highest never does.
  private var complete: [TrialResult] {
    [
      result(0.001, 4.0, 3.8, 3.7), result(0.004, 4.1, 3.7, 3.5), result(0.016, 4.3, 3.6, 3.1),
      result(0.064, 4.6, 3.9, 3.4), result(0.256, 5.2, 5.0, 4.9),
    ]
  }

  @Test func halfOfTheGridNeverRacesAndTheOtherRacesAgainstIt() throws {
    let rule = try #require(RaceRule(study))
    for (index, rate) in Self.rates.enumerated() {
      let references = rule.references(of: point(rate))
      #expect(references == (index % 2 == 0 ? [] : [0, 2, 4, 6, 8].map { point(Self.rates[$0]) }))
    }
  }

  @Test func laterPointsRaceAgainstTheWholeGridOnTheSameSeedAlone() throws {
    let rule = try #require(RaceRule(study))
    #expect(rule.references(of: point(0.512)) == Self.rates.map { point($0) })
    #expect(rule.references(of: point(0.512, seed: 102)).isEmpty, "nobody else ran on that seed")
    #expect(rule.references(of: point(0.016, decay: 0.1)).isEmpty, "another axis")
    let reporting = TrialPoint(
      variant: "main", arm: "a", seed: TrialSeed(.reporting, 1), knobs: point(0.512).knobs)
    #expect(rule.references(of: reporting).isEmpty, "what is reported is never raced")
    let short = TrialPoint(
      variant: "main", arm: "a", seed: TrialSeed(.tuning, 101), knobs: point(0.512).knobs,
      horizon: 0.5)
    #expect(rule.references(of: short).isEmpty, "another schedule")
  }

  @Test func theLimitIsTheBestPlusTheLargestGapThatMayTurnRound() throws {
    let rule = try #require(RaceRule(study))
    let limits = rule.limits(of: point(0.128), complete)
    #expect(limits.map(\.step) == [10, 20], "never at the start or the end")
    // After 10 steps the pairs that turn round until the end are those of 0.001, 0.004, 0.016 and 0.064 but for (0.016, 0.064).
    let turned = [0.1, 0.3, 0.6, 0.2, 0.5]
    let mean = turned.reduce(0, +) / 5
    let deviation = (turned.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4).squareRoot()
    // Student's t with 4 degrees of freedom, 99 %.
    let expected = 4.0 + mean + 3.746947 * deviation * (1.2).squareRoot()
    #expect(abs(limits[0].loss - expected) < 1e-5)
    // After 20 steps only two pairs turn round, too few to know more: the earlier margin stands.
    #expect(abs(limits[1].loss - (3.6 + expected - 4.0)) < 1e-5)
  }

  @Test func theRightHandNeighbourOfTheBestIsNeverStopped() throws {
    let rule = try #require(RaceRule(study))
    #expect(rule.limits(of: point(0.032), complete).isEmpty)
    #expect(!rule.limits(of: point(0.008), complete).isEmpty, "its neighbour below may be")
    #expect(!rule.limits(of: point(0.128), complete).isEmpty)
  }

  @Test func whatIsNotComparedAndTheOrderOfResultsChangeNothing() throws {
    let rule = try #require(RaceRule(study))
    let limits = rule.limits(of: point(0.128), complete)
    let others = [result(0.002, 1, 1, 1), result(0.032, 1, 1, 1)]
    #expect(rule.limits(of: point(0.128), complete.reversed() + others) == limits)
  }

  @Test func tooFewCompleteCurvesStopNobody() throws {
    let rule = try #require(RaceRule(study))
    #expect(rule.limits(of: point(0.128), Array(complete.prefix(3))).isEmpty)
    let diverged = complete.dropFirst(2).map {
      TrialResult(
        point: $0.point, identity: $0.identity, status: .diverged, steps: 3, evaluations: [])
    }
    #expect(rule.limits(of: point(0.128), complete.prefix(2) + diverged).isEmpty)
  }
}
