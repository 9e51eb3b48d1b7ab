// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords
public import Statistics

/// The small parameters of several runs laid over each other: courses, roughness, jumps at transitions, and where an arm leaves
/// what the seeds of the baseline explain.
public struct ScalarComparison: Codable, Equatable, Sendable {
  /// How runs are placed over each other.
  public enum Alignment: String, Codable, CaseIterable, Sendable {
    /// The same step.
    case step
    /// The same share of the same stage, for runs of different lengths.
    case stage
  }

  /// Runs that differ in nothing but seeds.
  public struct Arm: Codable, Equatable, Sendable {
    /// What it is called.
    public var name: String
    /// The folders of its runs.
    public var folders: [String]

    /// Names some runs.
    public init(name: String, folders: [String]) {
      self.name = name
      self.folders = folders
    }
  }

  /// The courses of an arm's runs at the positions of the comparison.
  public struct Course: Codable, Equatable, Sendable {
    /// The arm.
    public var arm: String
    /// Mean, lowest and highest run; NaN where no run has a value.
    public var envelope: TrajectoryEnvelope
  }

  /// A value of a parameter, or a parameter's root mean square.
  public struct Scalar: Codable, Equatable, Sendable {
    /// `residual_lambdas[3]`, or `smear.gate.weight, root mean square`.
    public var name: String
    /// The parameter.
    public var parameter: TrajectoryHeader.Parameter
    /// One course for each arm that recorded it.
    public var courses: [Course]
  }

  /// Where an arm leaves the baseline.
  public struct ArmDeparture: Codable, Equatable, Sendable {
    /// The arm.
    public var arm: String
    /// The scalar's name.
    public var scalar: String
    /// Where it leaves, as the alignment counts.
    public var position: Double
    /// Side, length, size.
    public var departure: DepartureRule.Departure
  }

  /// The roughness of a parameter in an arm, all its values together: mean over runs.
  public struct RoughnessRow: Codable, Equatable, Sendable {
    /// The parameter.
    public var parameter: String
    /// The arm.
    public var arm: String
    /// Over all recorded steps.
    public var everyStep: Estimate
    /// From update to update.
    public var updates: Estimate
    /// `updates` over the baseline's; nil where either is not known or 0, or the arms were recorded at other distances.
    public var ratio: Double?
  }

  /// How far a scalar moves at a transition in an arm: means over runs.
  public struct JumpRow: Codable, Equatable, Sendable {
    /// The scalar's name.
    public var scalar: String
    /// The arm.
    public var arm: String
    /// The stage that ends and the one that begins.
    public var transition: String
    /// The first step of the new stage in the arm's first run.
    public var step: Int
    /// In the parameter's unit.
    public var size: Double
    /// In deviations of the run's ordinary differences; nil where that is not known.
    public var unusual: Double?
  }

  /// A moment, or a time during which a group is left alone, at a position.
  public struct Mark: Codable, Equatable, Sendable {
    /// Where it is, or begins.
    public var start: Double
    /// Where it ends; nil for a moment.
    public var end: Double?
    /// The stage that begins, or the group that is left alone.
    public var name: String
  }

  /// A quantile of the sizes of a larger parameter's values.
  public struct Quantile: Codable, Equatable, Sendable {
    /// One of `TrajectoryHeader.summaryNames`: `q50`, `max`.
    public var name: String
    /// One course for each arm.
    public var courses: [Course]
  }

  /// A number that steps were made with, after schedules.
  public struct Number: Codable, Equatable, Sendable {
    /// `batch_tokens`, `GROUP.learning_rate`.
    public var name: String
    /// One course for each arm that recorded it.
    public var courses: [Course]
  }

  /// A norm of a larger parameter over the steps at which it was measured.
  public struct Norm: Codable, Equatable, Sendable {
    /// The parameter.
    public var parameter: TrajectoryHeader.Parameter
    /// Steps, rising.
    public var steps: [Int]
    /// The norm, one course for each arm.
    public var courses: [Course]
    /// Quantiles of the sizes of its values, from the lowest to the largest.
    public var quantiles: [Quantile]
  }

  /// What an arm's head in 8-bit floating point did to one of its operands: means over runs.
  public struct Float8Course: Codable, Equatable, Sendable {
    /// The arm.
    public var arm: String
    /// The operand.
    public var tensor: Float8Record.Tensor
    /// The largest number of its format.
    public var limit: Double
    /// Steps, rising.
    public var steps: [Int]
    /// What values are divided by.
    public var scale: [Double]
    /// The share beyond the format.
    public var saturated: [Double]
    /// Quantiles of sizes before scaling, [``Float8Record/quantileNames``, steps].
    public var quantiles: [[Double]]

    /// Quantiles of sizes after scaling: what has to fit the format.
    public var scaledQuantiles: [[Double]] {
      quantiles.map { zip($0, scale).map { $0 / $1 } }
    }
  }

  /// How runs are placed over each other.
  public var alignment: Alignment
  /// The arms, in the order given.
  public var arms: [Arm]
  /// The arm that the others are compared with; nil: none.
  public var baseline: String?
  /// Where courses have values: steps, or stages that are done.
  public var positions: [Double]
  /// The transitions of the baseline, else of the first arm.
  public var transitions: [Mark]
  /// Whether runs have them at different steps.
  public var transitionsDiffer: Bool
  /// The pauses of the baseline, else of the first arm.
  public var pauses: [Mark]
  /// Everything that is drawn.
  public var scalars: [Scalar]
  /// The rule behind ``departures``; nil where there is no baseline of two runs.
  public var rule: DepartureRule?
  /// First departures, the earliest first.
  public var departures: [ArmDeparture]
  /// For each parameter and arm.
  public var roughness: [RoughnessRow]
  /// For each scalar, transition and arm.
  public var jumps: [JumpRow]
  /// Norms and quantiles of larger parameters.
  public var norms: [Norm]
  /// What steps were made with.
  public var numbers: [Number]
  /// Heads in 8-bit floating point.
  public var float8: [Float8Course]
  /// What a reader has to know.
  public var notes: [String]

  /// Whether there is nothing to show.
  public var isEmpty: Bool { scalars.isEmpty && norms.isEmpty && float8.isEmpty }
}
