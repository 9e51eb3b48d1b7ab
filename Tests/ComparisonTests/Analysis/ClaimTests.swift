// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics
import Testing

@testable import Comparison

@Suite struct ClaimTests {
  private typealias Outcome = ClaimResult.Outcome

  private func claim(
    _ relation: Claim.Relation, _ left: Claim.Quantity, _ right: Claim.Quantity? = nil,
    value: Double = 0, name: String = "E", family: String = "E"
  ) -> Claim {
    Claim(
      name: name, statement: "", left: left, relation: relation, right: right, value: value,
      family: family)
  }

  private func outcomes(_ claims: [Claim], _ losses: [String: [Double]]) throws -> [ClaimResult] {
    let study = measuredStudy(
      arms: losses.keys.sorted(), seeds: losses.values.map(\.count).max() ?? 1, claims: claims)
    let folder = try StudyOnDisk(study)
    try folder.add(losses)
    return try folder.analysis().claims
  }

  // MARK: - Relations

  /// Eight replicates around a mean; the margin is 0.01.
  ///
  /// Quiet noise is 0.001; loud noise hides everything that is asked here.
  private func outcome(
    _ relation: Claim.Relation, shift: Double, isLoud: Bool = false, value: Double = 0
  ) throws -> Outcome {
    let noise = isLoud ? 0.2 : 0.001
    let results = try outcomes(
      [claim(relation, .init(kind: .loss, arm: "b"), .init(kind: .loss, arm: "a"), value: value)],
      ["a": noisy(3, noise, 8, "claim a"), "b": noisy(3 + shift, noise, 8, "claim b")])
    return try #require(results.first).outcome
  }

  @Test(arguments: [
    (Claim.Relation.below, -0.05, 0.05), (.above, 0.05, -0.05), (.equivalent, 0.002, 0.05),
    (.notBelow, 0.05, -0.05), (.notAbove, -0.05, 0.05), (.indistinct, 0, 0.05),
  ])
  func everyRelationHoldsFailsOrIsNotDistinguishable(
    relation: Claim.Relation, holding: Double, failing: Double
  ) throws {
    #expect(try outcome(relation, shift: holding) == .holds)
    #expect(try outcome(relation, shift: failing) == .fails)
    #expect(try outcome(relation, shift: 0, isLoud: true) == .notDistinguishable)
  }

  @Test func withinTheMarginNotBelowAndNotAboveHold() throws {
    #expect(try outcome(.notBelow, shift: -0.004) == .holds)
    #expect(try outcome(.notAbove, shift: 0.004) == .holds)
    #expect(try outcome(.below, shift: -0.004) == .holds)
  }

  @Test func aValueShiftsOrWidensWhatIsCompared() throws {
    #expect(try outcome(.below, shift: -0.05, value: 0.04) == .holds)
    #expect(try outcome(.below, shift: -0.05, value: 0.06) == .fails)
    #expect(try outcome(.above, shift: 0.05, value: 0.06) == .fails)
    #expect(try outcome(.equivalent, shift: 0.05, value: 0.06) == .holds)
    #expect(try outcome(.notAbove, shift: 0.05, value: 0.06) == .holds)
    #expect(try outcome(.notBelow, shift: -0.05, value: 0.06) == .holds)
    #expect(try outcome(.indistinct, shift: 0, isLoud: true, value: 1) == .holds)
  }

  @Test func aQuantityIsComparedWithANumberAlone() throws {
    let losses = ["a": noisy(3, 0.001, 8, "alone")]
    let loss = Claim.Quantity(kind: .loss, arm: "a")
    let claims = [
      claim(.above, loss, value: 2.9, name: "1"), claim(.above, loss, value: 3.1, name: "2"),
      claim(.below, loss, value: 3.1, name: "3"), claim(.notBelow, loss, value: 2.9, name: "4"),
      claim(.notAbove, loss, value: 2.9, name: "5"), claim(.above, loss, value: 3, name: "6"),
    ]
    let expected: [Outcome] = [.holds, .fails, .holds, .holds, .fails, .notDistinguishable]
    #expect(try outcomes(claims, losses).map(\.outcome) == expected)
  }

  @Test func numbersIntervalAndThresholdAreThoseOfTheTest() throws {
    let losses = ["a": noisy(3, 0.01, 8, "numbers a"), "b": noisy(3.02, 0.01, 8, "numbers b")]
    let results = try outcomes(
      [claim(.above, .init(kind: .loss, arm: "b"), .init(kind: .loss, arm: "a"))], losses)
    let result = try #require(results.first)
    let test = Tests.welch(losses["b"] ?? [], losses["a"] ?? [])
    #expect(result.difference.value == test.estimate)
    #expect(result.difference.interval == test.interval)
    #expect(result.pValue == 2 * test.pValueAbove(0))
    #expect(result.oppositePValue == 1)
    #expect(result.adjustedPValue == result.pValue)
    #expect(result.left.count == 8)
    #expect(result.method == .welch)
    #expect(result.text.contains("n = 8 and 8"))
  }

  @Test func familiesAreCorrectedByHolmEachForItself() throws {
    let losses = [
      "a": noisy(3, 0.01, 8, "f a"), "b": noisy(3.012, 0.01, 8, "f b"),
      "c": noisy(3.015, 0.01, 8, "f c"),
    ]
    let claims = ["b", "c"].map {
      claim(
        .above, .init(kind: .loss, arm: $0), .init(kind: .loss, arm: "a"), name: $0, family: "one")
    }
    let alone = claim(
      .above, .init(kind: .loss, arm: "c"), .init(kind: .loss, arm: "a"), name: "alone",
      family: "two")
    let results = try outcomes(claims + [alone], losses)
    let raw = results.compactMap(\.pValue)
    #expect(results.prefix(2).compactMap(\.adjustedPValue) == holm(Array(raw.prefix(2))))
    #expect(results[2].adjustedPValue == raw[2])
  }

  @Test func everyVariantMakesAClaimOfItsOwnInTheSameFamily() throws {
    let claims = [claim(.above, .init(kind: .loss, arm: "b"), .init(kind: .loss, arm: "a"))]
    let folder = try StudyOnDisk(
      measuredStudy(arms: ["a", "b"], variants: ["x", "y"], seeds: 8, claims: claims))
    for (variant, shift) in [("x", 0.1), ("y", -0.1)] {
      try folder.add(
        ["a": noisy(3, 0.01, 8, "v a"), "b": noisy(3 + shift, 0.01, 8, "v b")], variant: variant)
    }
    let results = try folder.analysis().claims
    #expect(results.map(\.name) == ["E/x", "E/y"])
    #expect(results.map(\.outcome) == [.holds, .fails])
    #expect(results[0].adjustedPValue == holm(results.compactMap(\.pValue))[0])
  }

  @Test func quantitiesOfTwoVariantsAreComparedUnpaired() throws {
    let claims = [
      claim(
        .above, .init(kind: .loss, arm: "a", variant: "y"),
        .init(kind: .loss, arm: "a", variant: "x"))
    ]
    let folder = try StudyOnDisk(
      measuredStudy(arms: ["a"], variants: ["x", "y"], seeds: 8, claims: claims))
    try folder.add(["a": noisy(3, 0.01, 8, "two x")], variant: "x")
    try folder.add(["a": noisy(3.1, 0.01, 8, "two y")], variant: "y")
    let result = try #require(try folder.analysis().claims.first)
    #expect(result.outcome == .holds)
    #expect(result.method == .welch)
    #expect(result.variant == "y, x")
    #expect(result.name == "E")
  }

  // MARK: - What cannot be evaluated

  @Test(arguments: [
    Claim.Quantity(kind: .loss, arm: "nobody"),
    Claim.Quantity(kind: .loss, arm: "a", variant: "nowhere"),
    Claim.Quantity(kind: .spread, arm: "a", sweep: "nothing"),
    Claim.Quantity(kind: .basin, arm: "a"), Claim.Quantity(kind: .metric, arm: "a", metric: "none"),
    Claim.Quantity(kind: .stepsToTarget, arm: "a"),
  ])
  func whatIsNotThereIsNoDataAndSaysWhy(quantity: Claim.Quantity) throws {
    let results = try outcomes([claim(.below, quantity, value: 1)], ["a": noisy(3, 0.1, 5, "x")])
    #expect(results.map(\.outcome) == [.noData])
    #expect(results[0].text.count > "no data: ".count)
  }

  @Test func oneReplicateIsNoData() throws {
    let loss = Claim.Quantity(kind: .loss, arm: "a")
    #expect(try outcomes([claim(.below, loss, value: 4)], ["a": [3]]).map(\.outcome) == [.noData])
  }

  // MARK: - Quantities

  private let rate = LossSurface.rate

  /// Sweeps of two arms with losses `[value]`, plus a small shift for each of five seeds; a nil loss diverges.
  private func swept(
    _ claims: [Claim], _ courses: [String: [Double?]],
    factors: [Double] = [0.1, 0.316, 1, 3.16, 10]
  ) throws -> [ClaimResult] {
    let arms = courses.keys.sorted()
    let study = measuredStudy(
      arms: arms, seeds: 5, sweeps: [sweepOf("rate", rate, .factors(factors), arms: arms)],
      pairing: .never, claims: claims, defaults: [rate: .number(1)])
    let folder = try StudyOnDisk(study)
    for (arm, course) in courses {
      for seed in 1...5 {
        for (factor, loss) in zip(factors, course) {
          let point = TrialPoint(
            variant: "main", arm: arm, seed: TrialSeed(.reporting, seed),
            knobs: [rate: .number(factor)])
          // Shifts that differ between arms and are not the same at every value.
          let shift = 0.001 * Double((seed * (arm == "a" ? 2 : 3) + Int(factor * 10)) % 5 - 2)
          try folder.add(
            loss.map { finished(point, $0 + shift) }
              ?? ended(point, .diverged, evaluations: [6, .nan]))
        }
      }
    }
    return try folder.analysis().claims
  }

  private let flat: [Double?] = [3.1, 3.05, 3, 3.05, 3.1]
  private let steep: [Double?] = [3.6, 3.3, 3, 3.4, nil]

  private func quantity(_ kind: Claim.Quantity.Kind, _ arm: String) -> Claim.Quantity {
    Claim.Quantity(kind: kind, arm: arm, sweep: "rate", delta: kind == .basin ? 0.04 : nil)
  }

  @Test(arguments: [
    Claim.Quantity.Kind.spread, .sensitivity, .leftSensitivity, .rightSensitivity,
  ])
  func theSteepCourseHasMoreOfIt(kind: Claim.Quantity.Kind) throws {
    let claims = [
      claim(.above, quantity(kind, "b"), quantity(kind, "a"), name: "1"),
      claim(.below, quantity(kind, "b"), quantity(kind, "a"), name: "2"),
      claim(.equivalent, quantity(kind, "b"), quantity(kind, "a"), name: "3"),
    ]
    let results = try swept(claims, ["a": flat, "b": steep])
    #expect(results.map(\.outcome) == [.holds, .fails, .fails])
    let alike = try swept([claims[0], claims[2]], ["a": flat, "b": flat])
    #expect(alike.map(\.outcome) == [.notDistinguishable, .holds])
  }

  @Test func basinsAreComparedInDecades() throws {
    let claims = [
      claim(.below, quantity(.basin, "b"), quantity(.basin, "a"), name: "1"),
      claim(.above, quantity(.basin, "b"), quantity(.basin, "a"), name: "2"),
      claim(.notBelow, quantity(.basin, "a"), quantity(.basin, "b"), name: "3"),
    ]
    let results = try swept(claims, ["a": flat, "b": steep])
    #expect(results.map(\.outcome) == [.holds, .fails, .holds])
    // Around 1, 0.04 of the 0.05 nats to both neighbours half a decade away.
    #expect(abs((results[0].right?.value ?? 0) - 0.8) < 0.05)
    let alike = try swept(claims, ["a": flat, "b": flat])
    #expect(alike.map(\.outcome) == [.notDistinguishable, .notDistinguishable, .holds])
  }

  @Test func aBasinThatMayBeWiderShowsOnlyWhatItCan() throws {
    let wide: [Double?] = [3.01, 3.01, 3, 3.01, 3.01]
    let claims = [
      claim(.below, quantity(.basin, "b"), quantity(.basin, "a"), name: "1"),
      claim(.below, quantity(.basin, "a"), quantity(.basin, "b"), name: "2"),
    ]
    let results = try swept(claims, ["a": wide, "b": steep])
    #expect(results[0].outcome == .holds)
    #expect(results[0].text.contains("bounds"))
    // Whatever lies beyond the grid, the wide one is wider still: shown false.
    #expect(results[1].outcome == .fails)
    // The narrow basin as the censored one: nothing can be shown in its favour.
    let both = try swept([claims[0]], ["a": wide, "b": wide])
    #expect(both[0].pValue == nil)
    #expect(both[0].outcome == .notDistinguishable)
  }

  @Test func bestAndLossAtAValueAreRead() throws {
    let best = { (arm: String) in Claim.Quantity(kind: .best, arm: arm, sweep: "rate") }
    let at = { (arm: String, value: Double) in
      Claim.Quantity(kind: .loss, arm: arm, sweep: "rate", at: value)
    }
    let claims = [
      claim(.equivalent, best("b"), best("a"), name: "best alike"),
      claim(.above, at("b", 0.1), at("a", 0.1), name: "worse below"),
      claim(.below, at("b", 10), at("a", 10), name: "better above"),
      claim(.above, at("b", 7), value: 1, name: "no such value"),
    ]
    let results = try swept(claims, ["a": flat, "b": steep])
    #expect(results.map(\.outcome) == [.holds, .holds, .fails, .noData])
    #expect(results[1].left.value.map { abs($0 - 3.6) < 0.01 } == true)
    // A diverged run counts as the loss at initialisation.
    #expect(results[2].left.value == initialLoss)
  }

  @Test func rangesAndFactorsOfASpreadAreKept() throws {
    let inner = { (arm: String, factor: Double) in
      Claim.Quantity(kind: .spread, arm: arm, sweep: "rate", from: 0.3, to: 3.2, factor: factor)
    }
    let results = try swept(
      [claim(.below, inner("a", 1), inner("b", 0.5)), claim(.notAbove, inner("a", 1), name: "m")],
      ["a": flat, "b": steep])
    #expect(results[0].outcome == .holds)
    #expect(abs((results[0].left.value ?? 0) - 0.05) < 0.005)
    #expect(abs((results[0].right?.value ?? 0) - 0.2) < 0.005)
    // 0.05 nats are more than the margin of 0.01.
    #expect(results[1].outcome == .fails)
    #expect(results[1].threshold == 0.01)
  }

  @Test func normalisedSensitivitiesAreSharesOfWhatWasLearned() throws {
    var normal = quantity(.sensitivity, "b")
    normal.isNormalized = true
    let plain = try swept([claim(.above, quantity(.sensitivity, "b"))], ["a": flat, "b": steep])
    let shares = try swept([claim(.above, normal)], ["a": flat, "b": steep])
    let ratio = (shares[0].left.value ?? 0) / (plain[0].left.value ?? 1)
    // The loss falls from 6 to about 3.
    #expect(abs(ratio - 1 / 3) < 0.002)
  }

  @Test func distancesAreMeasuredOutsideARange() throws {
    let third: [Double?] = flat.map { $0.map { $0 + 0.02 } }
    let distance = { (arm: String) in
      Claim.Quantity(kind: .distance, arm: arm, sweep: "rate", from: 0.3, to: 3.2, other: "a")
    }
    let claims = [
      claim(.below, distance("c"), distance("b"), name: "1"),
      claim(.above, distance("c"), distance("b"), name: "2"),
    ]
    let results = try swept(claims, ["a": flat, "b": steep, "c": third])
    #expect(results.map(\.outcome) == [.holds, .fails])
    #expect(abs((results[0].left.value ?? 0) - 0.02) < 0.005)
    // (0.5 + 2.9) / 2 at the outer values.
    #expect(abs((results[0].right?.value ?? 0) - 1.7) < 0.01)
  }

  @Test func metricsAreReadAtTheirLastStep() throws {
    let slope = Claim.Quantity(kind: .metric, arm: "a", metric: "effectiveRate.head.slope")
    let other = Claim.Quantity(kind: .metric, arm: "a", metric: "weightNorm.head")
    let claims = [
      claim(.above, slope, value: 0.7, name: "1"), claim(.below, slope, value: 0.7, name: "2"),
      claim(.below, slope, other, name: "3"), claim(.above, slope, value: 0.85, name: "4"),
    ]
    let folder = try StudyOnDisk(measuredStudy(arms: ["a"], seeds: 5, claims: claims))
    for seed in 1...5 {
      var details = StudyOnDisk.Details()
      let value = 0.85 + 0.01 * Double(seed - 3)
      details.statistics = [
        (10, "effectiveRate.head.slope", 0.1), (90, "effectiveRate.head.slope", value),
        (90, "weightNorm.head", value + 1),
      ]
      let point = TrialPoint(
        variant: "main", arm: "a", seed: TrialSeed(.reporting, seed), knobs: [:])
      try folder.add(finished(point, 3), details)
    }
    let results = try folder.analysis().claims
    #expect(results.map(\.outcome) == [.holds, .fails, .holds, .notDistinguishable])
    // Two metrics of one arm are of the same runs.
    #expect(results[2].method == .paired)
  }

  @Test func stepsToTheTargetAreComparedByTheirLogarithms() throws {
    let steps = { Claim.Quantity(kind: .stepsToTarget, arm: $0) }
    let claims = [
      claim(.below, steps("b"), steps("a"), name: "1"),
      claim(.above, steps("b"), steps("a"), name: "2"),
      claim(.above, steps("never"), steps("a"), name: "3"),
      claim(.below, steps("never"), steps("a"), name: "4"),
      claim(.equivalent, steps("a"), steps("a"), value: 0.1, name: "5"),
    ]
    let ladder = [0.5, 0.75, 1.0]
    let study = measuredStudy(
      arms: ["a", "b", "never"], seeds: 5,
      targets: .init(losses: [3.05], includesBaseline: false, ladder: ladder, seedCount: 5),
      claims: claims)
    let folder = try StudyOnDisk(study)
    for (arm, start) in [("a", 3.2), ("b", 3.1), ("never", 4)] {
      for seed in 1...5 {
        for horizon in ladder {
          let point = TrialPoint(
            variant: "main", arm: arm, seed: TrialSeed(.reporting, seed), knobs: [:],
            horizon: horizon)
          let shift = 0.001 * Double((seed * 2) % 5 - 2)
          try folder.add(finished(point, start - 0.2 * log2(horizon / 0.5) + shift))
        }
      }
    }
    let results = try folder.analysis().claims
    #expect(results.map(\.outcome) == [.holds, .fails, .holds, .fails, .holds])
    #expect(results[2].left.value == 0)
  }
}
