// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Statistics
import Testing

/// What a claimed speed record asks of statistics: tests from tables, the runs that a margin needs, and what peeking costs.
@Suite struct RecordTests {
  @Test func testsOfSummariesAgreeWithTestsOfValues() throws {
    let a = [3.2762, 3.2788, 3.2773, 3.2817, 3.2786]
    let b = [3.2790, 3.2782, 3.2784, 3.2793, 3.2786, 3.2804, 3.2783]
    let (x, y) = (Sample(a).summary, Sample(b).summary)
    #expect(Tests.welch(x, y) == Tests.welch(a, b))
    #expect(
      Tests.oneSample(x, target: 3.28, alternative: .below)
        == Tests.oneSample(a, target: 3.28, alternative: .below))
    #expect(
      Tests.contrast([x, y, x], weights: [1, -2, 0.5])
        == Tests.contrast([a, b, a], weights: [1, -2, 0.5]))
  }

  @Test func summariesOfNothingClaimNothing() {
    let empty = SampleSummary(count: 0, mean: .nan, variance: nil)
    let one = SampleSummary(count: 1, mean: 3.1, deviation: nil)
    #expect(empty.mean == nil && one.variance == nil && one.standardError == nil)
    #expect(Tests.oneSample(one, target: 3.28, alternative: .below).pValue == 1)
    #expect(Tests.welch(one, empty).pValue == 1)
    #expect(SampleSummary(count: 5, mean: 3.2, deviation: .infinity).variance == nil)
  }

  @Test func roundedInputsLimitThePValue() {
    // Nine runs, printed to five decimals: t is 5.680 from the runs and 5.688 from the printed numbers.
    let printed = SampleSummary(count: 9, mean: 3.27763, deviation: 0.00125)
    let pValues = printed.roundings(mean: 0.000005, deviation: 0.000005).map {
      Tests.oneSample($0, target: 3.28, alternative: .below).pValue
    }
    let exact = Tests.oneSample(
      [3.2777, 3.2790, 3.2776, 3.2792, 3.2760, 3.2792, 3.2767, 3.2763, 3.2770], target: 3.28,
      alternative: .below
    ).pValue
    #expect(pValues.count == 4)
    #expect(pValues.min() ?? 1 <= exact && exact <= pValues.max() ?? 0)
    #expect(
      SampleSummary(count: 3, mean: nil, variance: nil).roundings(mean: 1, deviation: 1).count == 1)
  }

  @Test func aMarginOf11TenThousandthsNeeds17RunsUnderTAnd22UnderZ() {
    let (margin, deviation) = (0.0011, 0.0013)
    #expect(Power.requiredCountOfMean(margin: margin / deviation, level: 0.01) == 17)
    #expect(
      Power.requiredCountOfThreshold(margin: margin, deviation: deviation, threshold: 0.004) == 22)
    #expect(Power.powerOfMean(margin: margin / deviation, count: 17, level: 0.01) >= 0.8)
    #expect(Power.powerOfMean(margin: margin / deviation, count: 16, level: 0.01) < 0.8)
    for (count, isEnough) in [(22.0, true), (21, false)] {
      let power = Power.powerOfThreshold(
        margin: margin, deviation: deviation, count: count, threshold: 0.004)
      #expect((power >= 0.8) == isEnough)
    }
  }

  @Test func noMarginIsNeverEnough() {
    #expect(Power.requiredCountOfMean(margin: 0, level: 0.01) == nil)
    #expect(Power.requiredCountOfMean(margin: -1, level: 0.01) == nil)
    #expect(Power.requiredCountOfMean(margin: 0.001, level: 0.01, limit: 50) == nil)
    #expect(
      Power.requiredCountOfThreshold(margin: 0, deviation: 0.0013, threshold: 0.004) == nil)
    #expect(
      Power.requiredCountOfThreshold(margin: 1, deviation: 0.0013, threshold: 0.004) == 1)
    #expect(abs(Power.powerOfMean(margin: 0, count: 8, level: 0.01) - 0.01) < 1e-9)
  }

  /// Rates of 20,000 simulations have a standard error of at most 0.0016; three of them are the tolerance.
  ///
  /// Two million in NumPy gave 0.0553 and 0.0411.
  @Test func stoppingAtTheFirstSuccessHas5Point6PercentFalsePositives() {
    let rate = OptionalStopping.falsePositives(counts: 3...20, level: 0.01)
    #expect(abs(rate - 0.056) < 0.005, "\(rate)")
  }

  @Test func droppingTheWorstOf8Has4Point1PercentFalsePositives() {
    let rate = OptionalStopping.falsePositives(dropping: 1, of: 8, level: 0.01)
    #expect(abs(rate - 0.041) < 0.0045, "\(rate)")
    let honest = OptionalStopping.falsePositives(dropping: 0, of: 8, level: 0.01)
    #expect(abs(honest - 0.01) < 0.0022, "\(honest)")
  }

  @Test func theZRuleUnderTheSamePeekingStaysBelowOnePercent() {
    // 0.0064 by two million simulations; from the first run on instead of the third, 0.0075.
    let rate = OptionalStopping.falsePositives(counts: 3...20, threshold: 0.004 / 0.0013)
    #expect(abs(rate - 0.0064) < 0.0017, "\(rate)")
  }
}
