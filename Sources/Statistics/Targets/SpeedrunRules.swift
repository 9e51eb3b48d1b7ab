// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The rules by which speed records of language models are accepted, with their constants as defaults.
///
/// modded-nanogpt (Keller Jordan and contributors, 2024-2026): tracks 1 and 2 ask a t test for p < 0.01 that the mean is at or below
/// the target; track 3 a z rule with a known deviation of 0.0013 and an exchange rate of 0.0045 nats for 100 steps. For other tasks put the
/// calibrated deviation's upper 80 % limit (``NoiseFloor/upperLimit``) and the measured slope of the loss in their places.
public enum SpeedrunRules {
  /// What a rule says.
  public struct Verdict: Codable, Equatable, Sendable {
    /// The statistic, in nats per token: what is compared with the threshold.
    public var statistic: Double
    /// What the statistic must reach.
    public var threshold: Double
    /// Whether it does.
    public var passes: Bool { statistic >= threshold }
  }

  /// Track 3's threshold in nats: about the 99.9th percentile of normal noise of deviation 0.0013.
  public static let publishedThreshold = 0.004

  /// The t rule that the mean is below the target.
  ///
  /// - Parameters:
  ///   - losses: Final losses; the last step was fixed before they were run.
  ///   - target: The loss to reach.
  /// - Returns: The one-sided test; the claim stands where its p-value is below 0.01.
  public static func meanBelow(_ losses: [Double], target: Double) -> OneSidedTest {
    Tests.oneSample(losses, target: target, alternative: .below, level: 0.99)
  }

  /// The z rule: (target - mean) sqrt(n) >= threshold.
  ///
  /// - Parameters:
  ///   - losses: Final losses.
  ///   - target: The loss to reach.
  ///   - threshold: See ``threshold(deviation:level:)``.
  /// - Returns: The verdict; nil without losses or when one is not finite.
  public static func zRule(
    _ losses: [Double], target: Double, threshold: Double = publishedThreshold
  ) -> Verdict? {
    zRule(Sample(losses).summary, target: target, threshold: threshold)
  }

  /// The z rule, from count and mean.
  ///
  /// - Parameters:
  ///   - losses: Count and mean of the final losses.
  ///   - target: The loss to reach.
  ///   - threshold: See ``threshold(deviation:level:)``.
  /// - Returns: The verdict; nil without a mean.
  public static func zRule(
    _ losses: SampleSummary, target: Double, threshold: Double = publishedThreshold
  ) -> Verdict? {
    losses.mean.map {
      Verdict(
        statistic: (target - $0) * Double(losses.count).squareRoot(), threshold: threshold)
    }
  }

  /// The pairwise rule that a new record is better than the old one, losses and steps taken together.
  ///
  /// ```
  /// (mean old - mean new + (steps old - steps new) slope) / sqrt(1 / n old + 1 / n new) >= threshold
  /// ```
  ///
  /// - Parameters:
  ///   - new: Final losses of the new record.
  ///   - newSteps: Its steps.
  ///   - old: Final losses of the old record.
  ///   - oldSteps: Its steps.
  ///   - slope: What a step less is worth, in nats.
  ///   - threshold: See ``threshold(deviation:level:)``.
  /// - Returns: The verdict; nil without losses on a side or when one is not finite.
  public static func pairwise(
    new: [Double], newSteps: Double, old: [Double], oldSteps: Double, slope: Double = 0.0045 / 100,
    threshold: Double = publishedThreshold
  ) -> Verdict? {
    pairwise(
      new: Sample(new).summary, newSteps: newSteps, old: Sample(old).summary, oldSteps: oldSteps,
      slope: slope, threshold: threshold)
  }

  /// The pairwise rule, from counts and means.
  ///
  /// - Parameters:
  ///   - new: Count and mean of the final losses of the new record.
  ///   - newSteps: Its steps.
  ///   - old: Count and mean of the final losses of the old record.
  ///   - oldSteps: Its steps.
  ///   - slope: What a step less is worth, in nats.
  ///   - threshold: See ``threshold(deviation:level:)``.
  /// - Returns: The verdict; nil without a mean on a side.
  public static func pairwise(
    new: SampleSummary, newSteps: Double, old: SampleSummary, oldSteps: Double, slope: Double,
    threshold: Double = publishedThreshold
  ) -> Verdict? {
    guard let newMean = new.mean, let oldMean = old.mean else { return nil }
    let gain = oldMean - newMean + (oldSteps - newSteps) * slope
    let scale = (1 / Double(new.count) + 1 / Double(old.count)).squareRoot()
    return Verdict(statistic: gain / scale, threshold: threshold)
  }

  /// The threshold of a known deviation: z(1 - level) sigma.
  ///
  /// - Parameters:
  ///   - deviation: Standard deviation of the loss between seeds.
  ///   - level: One-sided level.
  /// - Returns: A threshold for ``zRule(_:target:threshold:)``, in nats.
  public static func threshold(deviation: Double, level: Double = 0.001) -> Double {
    Levels.check(level)
    return Normal.quantile(1 - level) * deviation
  }
}
