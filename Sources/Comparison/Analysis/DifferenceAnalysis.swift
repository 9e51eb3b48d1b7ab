// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Statistics

/// Two arms of a variant compared on the seeds that report.
public struct DifferenceAnalysis: Codable, Equatable, Sendable {
  /// The arm.
  public var arm: String
  /// What it is compared with.
  public var other: String
  /// Whether the pair belongs to the declared family; the others are exploration.
  public var isInFamily: Bool
  /// Mean final loss of `arm` minus that of `other`, in nats per token: negative is better.
  ///
  /// With p-value, degrees of freedom and the interval at the study's level, neither corrected for the size of the family.
  public var test: DifferenceTest
  /// How p-values were corrected.
  public var adjustment: Adjustment
  /// `test`'s p-value after the correction, which the verdict looks at.
  public var adjustedPValue: Double
  /// Exact permutation test, two-sided; nil where it cannot be done.
  public var permutation: ExactTest?
  /// Two one-sided tests within the margin; nil while the margin is not known or below two replicates.
  public var equivalence: EquivalenceTest?
  /// `equivalence`'s p-value after the correction.
  public var adjustedEquivalencePValue: Double?
  /// Interval by the studentised bootstrap, given as a second opinion where the replicates are skewed.
  public var secondOpinion: ConfidenceInterval?
  /// How pairing was decided, in words.
  public var pairing: String
  /// What to say about it.
  public var verdict: Verdict
  /// What the study could have seen.
  public var power: PowerAnalysis
}

/// How p-values of several comparisons are corrected: over the comparisons of all variants together.
public enum Adjustment: String, Codable, CaseIterable, Sendable {
  /// Holm's over the declared family: the chance of any false claim in it stays at the level.
  case family
  /// Benjamini and Hochberg's over all pairs: an exploration, in which some of what looks different may not be.
  case exploration
  /// Holm's over all pairs, for pairs outside the family of a study that declared no exploration.
  case allPairs = "all-pairs"
}

/// What a comparison says.
public struct Verdict: Codable, Equatable, Sendable {
  /// The words.
  public enum Word: String, Codable, CaseIterable, Sendable {
    /// Lower loss; the corrected p is at most the level.
    case better
    /// Higher loss, likewise.
    case worse
    /// Alike: the difference lies within the margin, by two one-sided tests.
    case equivalent
    /// Lower, and yet within the margin: better, by less than the margin that matters.
    case slightlyBetter = "slightly-better"
    /// Higher, and yet within the margin.
    case slightlyWorse = "slightly-worse"
    /// Neither a difference nor equivalence can be shown.
    case undecided
    /// Every replicate is the same to the last bit.
    case tie
    /// A side has no replicates, or only one.
    case unknown
  }
  /// The word.
  public var word: Word
  /// The verdict in a sentence without the arms' names, for example `undecided; about 14 seeds for each arm would decide it`.
  public var text: String
}

/// What a comparison of so many replicates can see, at the level that Holm's correction leaves to the first of its comparisons.
public struct PowerAnalysis: Codable, Equatable, Sendable {
  /// The chance with which a difference is to be seen; 0.8.
  public var power: Double
  /// Smallest true difference seen with that chance, in nats per token; nil while the noise is not known.
  public var detectableDifference: Double?
  /// The same in standard deviations of the noise.
  public var detectableDeviations: Double?
  /// Replicates of each arm that see half of `detectableDifference`.
  public var countForHalf: Int?
  /// Replicates of each arm that see the difference that was estimated, if it is the true one.
  public var countForObserved: Int?
  /// Replicates of each arm that show equivalence within the margin if there is no difference.
  public var countForEquivalence: Int?
  /// Replicates of each arm that show it if the difference that was estimated is the true one; nil where that is beyond the margin.
  public var countForObservedEquivalence: Int?
}
