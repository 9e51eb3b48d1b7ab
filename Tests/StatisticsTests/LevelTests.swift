// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics
import Testing

/// Tests reject true null hypotheses at their level and no more, and find what they have the power for.
struct LevelTests {
  static let fivePercent = 0.045...0.055

  @Test(arguments: [(5, 5, 1.0), (8, 8, 3), (5, 12, 2)])
  func welchRejectsAtItsLevel(first: Int, second: Int, ratio: Double) {
    var noise = Noise("welch-level-\(first)-\(second)-\(ratio)")
    let tally = Tally(
      "Welch rejects, n = \(first) and \(second), deviations 1 and \(ratio)", repetitions: 4_000
    ) {
      Tests.welch(noise.sample(first), noise.sample(second, deviation: ratio)).pValue < 0.05
    }
    #expect(tally.lies(in: 0.04...0.055), "\(tally)")
  }

  @Test func oneSidedTargetsRejectAtTheirLevel() {
    var noise = Noise("target-level")
    let tally = Tally("mean below a target rejects at 0.01, n = 10", repetitions: 4_000) {
      SpeedrunRules.meanBelow(noise.sample(10, mean: 3.28, deviation: 0.0013), target: 3.28).pValue
        < 0.01
    }
    #expect(tally.lies(in: 0.009...0.011), "\(tally)")
  }

  /// An exact test rejects at its level or below: 5 + 5 labels allow 0.0476, eight signs 0.0469.
  @Test func permutationTestsRejectAtTheLevelTheyCanHave() {
    var noise = Noise("permutation-level")
    let label = Tally("label exchange rejects, n = 5 and 5", repetitions: 3_000) {
      Tests.permutation(noise.sample(5), noise.sample(5)).pValue <= 0.05
    }
    #expect(label.lies(in: 0.0476...0.0476), "\(label)")
    let sign = Tally("sign flip rejects, n = 8", repetitions: 3_000) {
      Tests.permutation(noise.skewed(8), noise.skewed(8), paired: true).pValue <= 0.05
    }
    #expect(sign.lies(in: 0.0469...0.0469), "\(sign)")
  }

  /// At the margin itself equivalence is false, and is found with at most the level; further inside often, as the power says.
  @Test(arguments: [false, true])
  func equivalenceIsClaimedAtItsLevelAtTheMargin(isPaired: Bool) {
    var noise = Noise("equivalence-level-\(isPaired)")
    let margin = 2.0
    let atMargin = Tally(
      "equivalence claimed at the margin, n = 8, \(isPaired ? "paired" : "Welch")",
      repetitions: 4_000
    ) {
      Tests.equivalence(
        noise.sample(8, mean: margin), noise.sample(8), margin: margin, paired: isPaired
      ).isEquivalent
    }
    #expect(atMargin.lies(in: 0.04...0.055), "\(atMargin)")
    let notWorse = Tally(
      "not worse claimed at the margin, n = 8, \(isPaired ? "paired" : "Welch")",
      repetitions: 4_000
    ) {
      Tests.notWorse(
        noise.sample(8, mean: margin), noise.sample(8), margin: margin, paired: isPaired
      ).pValue < 0.05
    }
    #expect(notWorse.lies(in: Self.fivePercent), "\(notWorse)")
  }

  @Test func theCountForEquivalenceShowsItAsOftenAsItSays() throws {
    var noise = Noise("equivalence-power")
    let count = try #require(Power.requiredCountForEquivalence(margin: 1.5))
    let tally = Tally("equivalence shown with the count required, margin 1.5", repetitions: 3_000) {
      Tests.equivalence(noise.sample(count), noise.sample(count), margin: 1.5).isEquivalent
    }
    // The whole number above, and an approximation: between 0.8 and a little more.
    #expect(tally.lies(in: 0.79...0.86), "\(count): \(tally)")
  }

  @Test func holmKeepsTheFamilysLevel() {
    var noise = Noise("holm")
    let tally = Tally("any false claim among four against one baseline, Holm", repetitions: 800) {
      let baseline = noise.sample(8)
      let pValues = (0..<4).map { _ in Tests.welch(noise.sample(8), baseline).pValue }
      return holm(pValues).contains { $0 < 0.05 }
    }
    // Comparisons with one baseline depend on each other, so the level is not used up.
    #expect(tally.share <= 0.05 + 4 * (0.05 * 0.95 / Double(tally.count)).squareRoot(), "\(tally)")
    #expect(tally.share > 0.015, "\(tally)")
  }

  /// Pocock's levels are for known deviations; t tests of 5 replicates keep them nearly.
  @Test func severalLooksKeepTheLevelOfTheWhole() {
    var noise = Noise("looks")
    let looks = [5, 8, 12]
    let level = GroupSequential.pocockLevel(counts: looks)
    let tally = Tally("any look at 5, 8, 12 rejects, Pocock", repetitions: 3_000) {
      let a = noise.sample(12)
      let b = noise.sample(12)
      return looks.contains { Tests.welch(Array(a.prefix($0)), Array(b.prefix($0))).pValue < level }
    }
    #expect(tally.lies(in: 0.045...0.055), "\(tally)")
    let careless = Tally("any look at 5, 8, 12 rejects, 0.05 each", repetitions: 3_000) {
      let a = noise.sample(12)
      let b = noise.sample(12)
      return looks.contains { Tests.welch(Array(a.prefix($0)), Array(b.prefix($0))).pValue < 0.05 }
    }
    #expect(careless.share > 0.08, "\(careless)")
  }

  /// A learning rate 2 % too low where a basin falls by 0.1 nats a decade costs 0.0009 nats, 0.58 deviations of the noise.
  ///
  /// Three seeds do not show it; as many as the power asks for do, as often as it says.
  @Test func aPlantedHandicapIsFoundOnlyWhereTheSeedsSupportIt() throws {
    var noise = Noise("handicap")
    let deviation = 0.0015
    let handicap = -0.1 * log10(0.98)
    let correlation = 0.9
    func isFound(_ count: Int) -> Bool {
      let shared = noise.sample(count, deviation: deviation * correlation.squareRoot())
      let own = deviation * (1 - correlation).squareRoot()
      let handicapped = shared.map { 4.9 + handicap + $0 + own * noise.normal() }
      let whole = shared.map { 4.9 + $0 + own * noise.normal() }
      let test = Tests.paired(handicapped, whole)
      return test.pValue < 0.05 && (test.estimate ?? 0) > 0
    }
    let needed = try #require(
      Power.requiredCount(difference: handicap / deviation, correlation: correlation))
    #expect(needed > 5 && needed < 12)
    for count in [3, needed] {
      let power = Power.power(
        difference: handicap / deviation, count: count, correlation: correlation)
      let tally = Tally("2 % handicap found, n = \(count), power \(power)", repetitions: 600) {
        isFound(count)
      }
      #expect(tally.lies(in: (power - 0.01)...(power + 0.01)), "\(tally)")
    }
    // Without pairing the same difference needs far more seeds than anyone runs.
    #expect(try #require(Power.requiredCount(difference: handicap / deviation)) > 40)
  }
}
