// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A statement with a pass rule that was fixed before the first run.
///
/// A claim compares two quantities, each a number for every replicate; what it needs follows from the relation. It holds, fails, or
/// cannot be distinguished, never by looking at a point estimate alone.
public struct Claim: Codable, Equatable, Sendable {
  /// A short name, unique, for example `E1-lion`.
  public var name: String
  /// What is claimed, in words.
  public var statement: String
  /// The left side.
  public var left: Quantity
  /// How they relate.
  public var relation: Relation
  /// The right side; nil for a relation to `value`.
  public var right: Quantity?
  /// A number that the left side, or the difference, is compared with; 0.
  public var value: Double
  /// Claims of the same family share Holm's correction.
  public var family: String

  /// Describes a claim.
  public init(
    name: String, statement: String, left: Quantity, relation: Relation, right: Quantity?,
    value: Double = 0, family: String
  ) {
    self.name = name
    self.statement = statement
    self.left = left
    self.relation = relation
    self.right = right
    self.value = value
    self.family = family
  }

  /// How two quantities relate.
  public enum Relation: String, Codable, CaseIterable, Sendable {
    /// left < right - value, by a confidence interval that excludes it.
    case below
    /// left > right + value, likewise.
    case above
    /// |left - right| inside the study's margin (`value` when not 0), by two one-sided tests.
    case equivalent
    /// left is not below right - margin: the upper bound is irrelevant, the interval's lower end stays above -margin.
    case notBelow = "not-below"
    /// left is not above right + margin.
    case notAbove = "not-above"
    /// The interval of left - right contains 0 and its half-width is at most `value` (or the margin): alike as far as can be seen.
    case indistinct
  }

  /// What is measured, for each replicate.
  public struct Quantity: Codable, Equatable, Sendable {
    /// The kinds of measurement.
    public enum Kind: String, Codable, CaseIterable, Sendable {
      /// Final validation loss of the tuned arm (with `sweep` and `at`: at that value of the sweep).
      case loss
      /// Lowest loss over the sweep.
      case best
      /// Highest minus lowest loss over the values of the sweep within `from`...`to`.
      case spread
      /// Mean of min(loss, initial loss) - best over the sweep's window, uniform in the logarithm (Wortsman et al., 2023).
      case sensitivity
      /// Its half below the optimum.
      case leftSensitivity = "left-sensitivity"
      /// Its half above the optimum: stability.
      case rightSensitivity = "right-sensitivity"
      /// Decades of the sweep with a loss within `delta` of the best.
      case basin
      /// Mean over the sweep's values outside `from`...`to` of |loss - loss of the arm `other` at the same value|.
      case distance
      /// Steps to the study's first target, as a fraction of a full run, on a logarithmic scale.
      case stepsToTarget = "steps-to-target"
      /// A recorded statistic at the end of training, by its metric name (`metric`).
      case metric
    }
    /// What.
    public var kind: Kind
    /// The arm.
    public var arm: String
    /// The variant; nil: every variant, each a claim of its own (`NAME/VARIANT`), all in the same family.
    public var variant: String?
    /// The sweep's name where one is meant.
    public var sweep: String?
    /// A value of the sweep.
    public var at: Double?
    /// The first value of a range.
    public var from: Double?
    /// The last value of a range.
    public var to: Double?
    /// Nats above the best that count as the basin; nil: the study's margin.
    public var delta: Double?
    /// The arm that a distance is measured to.
    public var other: String?
    /// The name of a metric.
    public var metric: String?
    /// Whether losses are divided by (initial loss - best), so that variants with other losses compare.
    public var isNormalized: Bool
    /// What the quantity is multiplied with, for example 0.25 in "at most a quarter of".
    public var factor: Double

    /// Describes a quantity.
    public init(
      kind: Kind, arm: String, variant: String? = nil, sweep: String? = nil, at: Double? = nil,
      from: Double? = nil, to: Double? = nil, delta: Double? = nil, other: String? = nil,
      metric: String? = nil, isNormalized: Bool = false, factor: Double = 1
    ) {
      self.kind = kind
      self.arm = arm
      self.variant = variant
      self.sweep = sweep
      self.at = at
      self.from = from
      self.to = to
      self.delta = delta
      self.other = other
      self.metric = metric
      self.isNormalized = isNormalized
      self.factor = factor
    }
  }
}
