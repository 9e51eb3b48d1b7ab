// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords
public import Statistics

/// One model or setting with all arms in it; losses of different variants are never pooled.
public struct VariantAnalysis: Codable, Equatable, Sendable {
  /// The variant's name.
  public var name: String
  /// Keys it sets.
  public var changes: [String: String]
  /// Loss that no model can go below, in nats per token; nil for real text.
  public var entropyFloor: Double?
  /// Validation loss before the first step, mean over trials, in nats per token: what a diverged replicate counts as.
  public var initialLoss: Double?
  /// The equality that the comparison stands on.
  public var contract: ContractAnalysis
  /// The arms in the order of the declaration.
  public var arms: [ArmAnalysis]
  /// The arms from the lowest loss to the highest; arms without a loss at the end.
  public var leaderboard: [LeaderboardRow]
  /// From when on a difference counts.
  public var margin: MarginAnalysis
  /// How much a loss moves from seed to seed.
  public var noise: NoiseAnalysis
  /// Every pair of arms once; those of the declared family first, each as arm minus baseline (or minus the second of the declared pair).
  public var differences: [DifferenceAnalysis]
  /// Steps, tokens, operations and seconds to each target.
  public var targets: [TargetAnalysis]
}

/// The contract within a variant.
public struct ContractAnalysis: Codable, Equatable, Sendable {
  /// One condition.
  public struct Condition: Codable, Equatable, Sendable {
    /// Which.
    public var field: FairnessContract.Field
    /// Whether all arms agree, seed by seed.
    public var isEqual: Bool
    /// Whether the value depends on the seed; then `values` are those of the first seed.
    public var dependsOnSeed: Bool
    /// What the arms have: one entry when all agree.
    public var values: [Value]
  }
  /// A value with the arms that have it.
  public struct Value: Codable, Equatable, Sendable {
    /// The arms.
    public var arms: [String]
    /// The condition in words, or a checksum.
    public var value: String
    /// Whether these arms declared to differ in the field.
    public var isDeclared: Bool
  }
  /// The conditions in the order of the contract.
  public var conditions: [Condition]
  /// Tuning trials of each arm in the order of arms; equal unless an arm is not tuned.
  public var tuningTrials: [Int]
  /// Seeds that tuned.
  public var tuningSeeds: [Int]
  /// Seeds that report.
  public var reportingSeeds: [Int]
  /// For a title, for example `schedule differs for schedule-free (declared)`; nil when nothing differs.
  public var declaredDifferences: String?
}

/// A row of the leaderboard.
public struct LeaderboardRow: Codable, Equatable, Sendable {
  /// The arm.
  public var arm: String
  /// Its place, from 1; arms of identical losses share one; nil without a loss.
  public var rank: Int?
  /// Arms that cannot be told from this one: their verdict is neither better nor worse.
  public var tiedWith: [String]
  /// Whether it is the study's baseline.
  public var isBaseline: Bool
  /// Mean final validation loss over reporting seeds, in nats per token, with its t interval; diverged replicates are capped at the
  /// loss at initialisation.
  public var loss: Estimate
  /// Standard deviation over reporting seeds.
  public var standardDeviation: Double?
  /// Median over reporting seeds.
  public var median: Double?
  /// Replicates that diverged; they are in the mean, capped.
  public var diverged: Int
  /// Replicates that ended by an error; they are not in the mean.
  public var failed: Int
  /// Replicates that are missing or unfinished; they are not in the mean.
  public var missing: Int
  /// Bits per byte of text, where recorded and nothing diverged.
  public var bitsPerByte: Estimate?
  /// Loss minus the entropy floor, where one is known.
  public var aboveFloor: Estimate?
  /// What a full run costs.
  public var cost: CostAnalysis
}

/// What a full run of an arm costs: means over its reporting runs.
public struct CostAnalysis: Codable, Equatable, Sendable {
  /// Updates.
  public var steps: Double?
  /// Tokens trained on.
  public var tokens: Double?
  /// Tokens of all gradient evaluations, extra ones included.
  public var chargedTokens: Double?
  /// Gradient evaluations.
  public var gradientEvaluations: Double?
  /// Floating-point operations of gradients and updates.
  public var flops: Double?
  /// Seconds of training, without evaluation.
  public var seconds: Double?
  /// Milliseconds of a step: gradients and update; median over recorded steps.
  public var millisecondsPerStep: Double?
  /// Milliseconds of the update alone; median over recorded steps.
  public var millisecondsPerUpdate: Double?
  /// Bytes of optimizer state.
  public var stateBytes: Double?
  /// Trained parameters.
  public var parameters: Double?
  /// Peak memory in bytes.
  public var peakBytes: Double?
}

/// From when on a difference counts.
public struct MarginAnalysis: Codable, Equatable, Sendable {
  /// In nats per token; nil while what it is measured from is not known.
  public var value: Double?
  /// How it came about, for example `15 % of the gap between sgd and adamw`.
  public var explanation: String
}

/// How much a loss moves from seed to seed.
public struct NoiseAnalysis: Codable, Equatable, Sendable {
  /// Where it comes from.
  public enum Source: String, Codable, CaseIterable, Sendable {
    /// `calibration.json`, measured on seeds of its own.
    case calibration
    /// The baseline's replicates in the study itself; where it has fewer than two, or one diverged, those of all arms that finished.
    case residuals
    /// There are not enough replicates.
    case unknown
  }
  /// Where it comes from.
  public var source: Source
  /// Standard deviation of a final loss, initial weights and order of data both varied, in nats per token.
  public var deviation: Double?
  /// Its chi-square interval.
  public var interval: ConfidenceInterval?
  /// Degrees of freedom behind it.
  public var degreesOfFreedom: Int
  /// The deviation within the study's own arms, pooled over those whose replicates all finished.
  public var residualDeviation: Double?
  /// How the arms' losses move together over shared seeds, from calibration, or from the study itself for information only: pairing
  /// is never decided by it.
  public var correlations: [ArmCorrelation]
}

/// How two arms' losses move together over shared seeds.
public struct ArmCorrelation: Codable, Equatable, Sendable {
  /// One arm.
  public var arm: String
  /// The other.
  public var other: String
  /// Pearson's correlation; nil below three pairs or where nothing varies.
  public var value: Double?
  /// Fisher's interval.
  public var interval: ConfidenceInterval?
  /// The number of pairs.
  public var count: Int

  /// Describes a correlation.
  public init(
    arm: String, other: String, value: Double?, interval: ConfidenceInterval?, count: Int
  ) {
    self.arm = arm
    self.other = other
    self.value = value
    self.interval = interval
    self.count = count
  }
}
