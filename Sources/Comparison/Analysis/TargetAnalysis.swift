// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// When each arm reaches a loss, from full runs of several lengths.
public struct TargetAnalysis: Codable, Equatable, Sendable {
  /// The loss in nats per token; nil while the baseline has no result.
  public var loss: Double?
  /// Its name, for example `3.2` or `median of adamw`.
  public var name: String
  /// One for each arm, in the order of the declaration.
  public var arms: [ArmTarget]
}

/// When an arm reaches a loss.
public struct ArmTarget: Codable, Equatable, Sendable {
  /// The arm.
  public var arm: String
  /// Length of the shortest full run that reaches it, as a fraction of the arm's full run; median over replicates, right-censored at
  /// the longest run.
  public var fraction: CensoredEstimate
  /// In updates.
  public var steps: CensoredEstimate
  /// In tokens trained on.
  public var tokens: CensoredEstimate?
  /// In floating-point operations.
  public var flops: CensoredEstimate?
  /// In seconds of training on this machine.
  public var seconds: CensoredEstimate?
  /// Replicates that reach it.
  public var reached: Int
  /// Replicates with a whole ladder.
  public var count: Int
  /// The fraction of every replicate, nil where it is not reached.
  public var replicates: [Replicate]
  /// Baseline's steps over this arm's: above 1 is faster; nil for the baseline.
  public var speedUpInSteps: CensoredEstimate?
  /// Baseline's floating-point operations over this arm's.
  public var speedUpInFlops: CensoredEstimate?
  /// Baseline's seconds over this arm's.
  public var speedUpInSeconds: CensoredEstimate?
  /// The rungs: loss against length.
  public var rungs: [Rung]
  /// Whether full runs end below the target, by the rules of speed records; nil below two runs.
  public var rule: TargetRule?

  /// A replicate's place on the ladder.
  public struct Replicate: Codable, Equatable, Sendable {
    /// The seed.
    public var seed: Int
    /// The fraction at which the target is reached; nil: not reached.
    public var fraction: Double?
  }

  /// One length of the ladder.
  public struct Rung: Codable, Equatable, Sendable {
    /// As a fraction of a full run.
    public var fraction: Double
    /// Its mean final loss.
    public var loss: Estimate
  }
}

/// Whether the mean final loss of full runs lies below a target, by the rules that speed records of language models are accepted by.
public struct TargetRule: Codable, Equatable, Sendable {
  /// One-sided t test that the mean is below; records ask for less than 0.01.
  public var pValue: Double
  /// (target - mean) sqrt(n), in nats per token; nil without a calibration.
  public var zStatistic: Double?
  /// What it has to reach: z(0.999) times the upper 80 % limit of the calibrated deviation.
  public var zThreshold: Double?
}
