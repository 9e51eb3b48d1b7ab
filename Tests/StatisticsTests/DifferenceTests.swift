// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics
import Testing

struct DifferenceTests {
  @Test func tTestsAgreeWithSciPy() throws {
    for comparison in try SamplesFixture.load().comparisons {
      var pairs = [(Tests.welch(comparison.a, comparison.b), comparison.welch, false)]
      if let paired = comparison.paired {
        pairs.append((Tests.paired(comparison.a, comparison.b), paired, true))
      }
      for (test, expected, isPaired) in pairs {
        let estimate = try #require(test.estimate)
        let standardError = try #require(test.standardError)
        #expect(agree(estimate / standardError, expected.t))
        #expect(agree(test.degreesOfFreedom, expected.df))
        #expect(agree(test.pValue, expected.p))
        #expect(agree(test.interval?.lower, expected.interval[0]))
        #expect(agree(test.interval?.upper, expected.interval[1]))
        let equivalence = Tests.equivalence(
          comparison.a, comparison.b, margin: comparison.margin, paired: isPaired)
        #expect(agree(equivalence.pLower, expected.tost[0]))
        #expect(agree(equivalence.pUpper, expected.tost[1]))
        #expect(equivalence.isEquivalent == (max(expected.tost[0], expected.tost[1]) < 0.05))
        #expect(equivalence.interval == test.interval(level: 0.9))
        let notWorse = Tests.notWorse(
          comparison.a, comparison.b, margin: comparison.margin, paired: isPaired)
        #expect(agree(notWorse.pValue, expected.tost[1]))
        // The one-sided 95 % bound is the upper end of the 90 % interval.
        #expect(agree(notWorse.interval?.upper, equivalence.interval?.upper ?? 0, tolerance: 1e-12))
        #expect(notWorse.interval?.lower == -.infinity && notWorse.interval?.level == 0.95)
      }
    }
  }

  @Test func meansAgainstATargetAgreeWithSciPy() throws {
    for expected in try SamplesFixture.load().summaries {
      let tolerance = expected.deviation < 1e-6 * abs(expected.mean) ? 1e-6 : 1e-10
      for (alternative, p) in [
        (OneSidedTest.Alternative.below, expected.less), (.above, expected.greater),
        (.different, expected.twoSided),
      ] {
        let test = Tests.oneSample(
          expected.values, target: expected.target, alternative: alternative)
        #expect(agree(test.pValue, p, tolerance: tolerance))
        #expect(agree(test.estimate, expected.mean, tolerance: 1e-14, absolute: 1e-14))
      }
    }
  }

  @Test func adjustedPValuesAgree() throws {
    for expected in try SamplesFixture.load().adjustments {
      for (value, wanted) in zip(holm(expected.p), expected.holm) { #expect(agree(value, wanted)) }
      for (value, wanted) in zip(benjaminiHochberg(expected.p), expected.bh) {
        #expect(agree(value, wanted))
      }
    }
    #expect(holm([]) == [] && benjaminiHochberg([]) == [])
    #expect(holm([.nan, 0.01]) == [1, 0.02])
    #expect(benjaminiHochberg([0.5, .nan]) == [1, 1])
  }

  @Test func aContrastOfTwoIsWelch() {
    var noise = Noise("contrast")
    let a = noise.sample(4)
    let b = noise.sample(7, deviation: 3)
    let welch = Tests.welch(a, b)
    let contrast = Tests.contrast([a, b], weights: [1, -1])
    #expect(contrast.estimate == welch.estimate && contrast.pValue == welch.pValue)
    // Twice the difference of differences of the same arms in two variants.
    let interaction = Tests.contrast([a, b, b, a], weights: [1, -1, -1, 1])
    #expect(agree(interaction.estimate, 2 * (welch.estimate ?? 0), tolerance: 1e-12))
    #expect(
      agree(interaction.degreesOfFreedom, 2 * (welch.degreesOfFreedom ?? 0), tolerance: 1e-12))
  }

  @Test func theSameDataUnderTwoNamesIsATie() throws {
    var noise = Noise("twins")
    let values = noise.sample(8, mean: 4.9, deviation: 0.002)
    for isPaired in [false, true] {
      let test = Tests.difference(values, values, paired: isPaired)
      #expect(test.estimate == 0 && test.pValue == 1)
      #expect(try #require(test.interval).contains(0))
      #expect(Tests.permutation(values, values, paired: isPaired).pValue == 1)
      #expect(Tests.equivalence(values, values, margin: 0.004, paired: isPaired).isEquivalent)
    }
    // In pairs nothing varies: the difference is exactly 0, whatever the margin.
    #expect(Tests.equivalence(values, values, margin: 1e-12, paired: true).isEquivalent)
    #expect(
      Tests.paired(values, values).interval == ConfidenceInterval(lower: 0, upper: 0, level: 0.95))
  }

  @Test func constantsAreKnownExactly() {
    let threes = [3.1, 3.1, 3.1]
    let same = Tests.welch(threes, threes)
    #expect(same.estimate == 0 && same.pValue == 1 && same.degreesOfFreedom == 4)
    #expect(Tests.equivalence(threes, threes, margin: 0.1).isEquivalent)
    #expect(!Tests.equivalence(threes, threes, margin: 0).isEquivalent)
    #expect(!Tests.equivalence(threes, threes, margin: -1).isEquivalent)
    #expect(!Tests.equivalence(threes, threes, margin: .nan).isEquivalent)
    let other = Tests.welch(threes, [3.2, 3.2])
    #expect(other.pValue == 0 && other.interval?.width == 0)
    #expect(other.pValueBelow(0) == 0 && other.pValueAbove(0) == 1)
    #expect(!Tests.equivalence(threes, [3.2, 3.2], margin: 0.05).isEquivalent)
    #expect(Tests.equivalence(threes, [3.2, 3.2], margin: 0.2).isEquivalent)
    #expect(Tests.oneSample(threes, target: 3.1, alternative: .different).pValue == 1)
    #expect(Tests.oneSample(threes, target: 3.2, alternative: .below).pValue == 0)
    // One side that does not vary takes no degrees of freedom from the other.
    #expect(agree(Tests.welch(threes, [3, 3.2, 3.3]).degreesOfFreedom, 2))
  }

  static let unknown: [([Double], [Double])] = [
    ([], [1, 2]), ([1], [1, 2]), ([1, 2], []), ([], []), ([.nan, 1], [1, 2]),
    ([1, 2], [.infinity, 3]), ([-.infinity, 0], [1, 2]),
  ]

  @Test(arguments: unknown)
  func nothingIsClaimedWhereNothingIsKnown(a: [Double], b: [Double]) {
    let test = Tests.welch(a, b)
    #expect(test.pValue == 1 && test.interval == nil && test.standardError == nil)
    #expect(test.pValueBelow(1e9) == 1 && test.pValueAbove(-1e9) == 1)
    #expect(!Tests.equivalence(a, b, margin: 1e9).isEquivalent)
    #expect(Tests.notWorse(a, b, margin: 1e9).pValue == 1)
    #expect(Tests.permutation(a, b).pValue == 1 || a.count + b.count == 3)
    #expect(Tests.studentizedBootstrap(a, b) == nil)
    #expect(Tests.welch([1], [3, 4]).estimate == -2.5)
  }

  @Test func oneFailedPairLeavesNothingToTest() {
    let test = Tests.paired([1, 2, .nan], [1, 2, 3])
    #expect(test.estimate == nil && test.pValue == 1)
    #expect(Tests.permutation([1, 2, .infinity], [1, 2, .infinity], paired: true).pValue == 1)
    #expect(Tests.paired([1], [2]).estimate == -1 && Tests.paired([1], [2]).pValue == 1)
  }

  @Test func replicatesAreMatchedBySeed() {
    let (a, b) = Tests.matched([3: 0.3, 1: 0.1, 2: 0.2], [2: 2, 4: 4, 1: 1])
    #expect(a == [0.1, 0.2] && b == [1, 2])
  }

  @Test func resultsAreReadBackFromJSON() throws {
    for values in [[1.0, 2, 4], [1.0], [], [.nan, 2]] {
      let test = Tests.welch(values, [1, 5])
      let text = try JSONEncoder().encode(test)
      #expect(try JSONDecoder().decode(DifferenceTest.self, from: text) == test)
    }
  }
}
