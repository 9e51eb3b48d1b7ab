// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Statistics

/// How many runs a claim needs, reckoned before any are run.
public struct RecordPlan: Codable, Equatable, Sendable {
  /// How far the mean lies below the target, or below the other set's, in nats.
  public let margin: Double
  /// Standard deviation between runs, in nats.
  public let deviation: Double
  /// Level of the one-sided tests.
  public let level: Double
  /// Threshold of the z rule in nats.
  public let threshold: Double
  /// Chance of passing.
  public let power: Double
  /// Correlation of runs that share seeds; nil: they share none.
  public let correlation: Double?
  /// Runs for the t test against a target; nil beyond 10,000.
  public let runsOfTTest: Int?
  /// Runs for the z rule; nil beyond 10,000.
  public let runsOfZRule: Int?
  /// Runs on each side for a one-sided comparison of two sets by t; nil beyond 100,000.
  public let runsOfComparison: Int?
  /// False positives of stopping at the first success between 3 and 20 runs.
  public let falsePositivesOfPeeking: Double

  /// Reckons.
  ///
  /// - Parameters:
  ///   - margin: Above 0, in nats.
  ///   - deviation: Above 0, in nats.
  ///   - level: One-sided, below 0.5.
  ///   - threshold: Above 0, in nats.
  ///   - power: Between the level and 1.
  ///   - correlation: Of runs that share seeds.
  public init(
    margin: Double, deviation: Double, level: Double, threshold: Double, power: Double,
    correlation: Double? = nil
  ) {
    self.margin = margin
    self.deviation = deviation
    self.level = level
    self.threshold = threshold
    self.power = power
    self.correlation = correlation
    runsOfTTest = Power.requiredCountOfMean(
      margin: margin / deviation, level: level, power: power)
    runsOfZRule = Power.requiredCountOfThreshold(
      margin: margin, deviation: deviation, threshold: threshold, power: power)
    // A one-sided level is half of the two-sided one where the difference has the right sign.
    runsOfComparison = Power.requiredCount(
      difference: margin / deviation, correlation: correlation, level: 2 * level, power: power)
    falsePositivesOfPeeking = OptionalStopping.falsePositives(counts: 3...20, level: level)
  }

  /// In sentences.
  public var text: String {
    func runs(_ count: Int?) -> String {
      count.map { "\($0) runs" } ?? "more runs than anybody makes"
    }
    let chance = RecordFlags.percent(power)
    return """
      a mean \(margin) below, deviation \(deviation), passes with \(chance)
        the t test against a target at \(level) with \(runs(runsOfTTest))
        the z rule with threshold \(threshold) with \(runs(runsOfZRule))
        a one-sided \(correlation == nil ? "Welch" : "paired") t test of two sets at \(level) with \(runs(runsOfComparison)) on each side
      fix the number before the first run: stopping at the first p < \(level) between 3 and 20 runs has about \
      \(RecordFlags.percent(falsePositivesOfPeeking)) false positives
      """
  }
}
