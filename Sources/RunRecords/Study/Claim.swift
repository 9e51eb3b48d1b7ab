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
  /// Without a right side the number that the left side is compared with; otherwise what the comparison is shifted by, or the margin
  /// within which sides are alike; 0.
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
  ///
  /// Without a right side, `below`, `above` and `not-below` compare the left one with `value` itself.
  ///
  /// The margin is `value` where that is not 0, else what counts as alike for the quantity: the study's margin for losses and
  /// sensitivities (divided as they are when normalised), half of the widest gap of the sweep for a basin, nothing for the others.
  /// A claim fails where its opposite is shown: never because it was not shown itself.
  public enum Relation: String, Codable, CaseIterable, Sendable {
    /// left < right - value, by a confidence interval that excludes it.
    case below
    /// left > right + value, likewise.
    case above
    /// |left - right| inside the margin, by two one-sided tests.
    case equivalent
    /// left > right - margin, by a one-sided test: not worse where more is better.
    case notBelow = "not-below"
    /// left < right + margin, by a one-sided test; without a right side, left < margin.
    case notAbove = "not-above"
    /// The interval of left - right contains 0 and its half-width is at most the margin: alike as far as can be seen.
    case indistinct
  }

  /// What is measured, for each replicate.
  public struct Quantity: Codable, Equatable, Sendable {
    /// The kinds of measurement.
    public enum Kind: String, Codable, CaseIterable, Sendable {
      /// Final validation loss of the tuned arm (with `sweep` and `at`: at that value of the sweep).
      case loss
      /// Loss at the sweep's best value, which for each replicate is that of the mean over the others.
      case best
      /// Loss at the worst minus loss at the best value of the sweep within `from`...`to`, for each replicate those of the mean over the
      /// others, so that noise alone makes no spread.
      case spread
      /// Mean of min(loss, initial loss) - best over the sweep's window around the tuned value, uniform in the logarithm (Wortsman et
      /// al., 2023).
      case sensitivity
      /// Its half below the optimum.
      case leftSensitivity = "left-sensitivity"
      /// Its half above the optimum: stability.
      case rightSensitivity = "right-sensitivity"
      /// Decades of the sweep with a loss within `delta` of the best.
      case basin
      /// Mean over the sweep's values outside `from`...`to` of |loss - loss of the arm `other` at the same value|, with the sign at
      /// each value taken from the mean over replicates.
      case distance
      /// Natural logarithm of the length, as a fraction of a full run, at which the study's first target is reached.
      case stepsToTarget = "steps-to-target"
      /// A recorded statistic at the end of training, by its metric name (`metric`).
      case metric
    }
    /// What.
    public var kind: Kind
    /// The arm.
    public var arm: String
    /// The variant; nil: that of the other side, or where neither has one every variant, each a claim of its own (`NAME/VARIANT`), all
    /// in the same family.
    public var variant: String?
    /// The sweep's name where one is meant.
    public var sweep: String?
    /// A value of the sweep; of a sweep of factors the factor.
    public var at: Double?
    /// The first value of a range; of a sweep of factors the factor.
    public var from: Double?
    /// The last value of a range, likewise.
    public var to: Double?
    /// Nats above the best that count as the basin; nil: the study's margin.
    public var delta: Double?
    /// The arm that a distance is measured to.
    public var other: String?
    /// The name of a metric.
    public var metric: String?
    /// Whether losses are divided by (initial loss - best), so that variants with other losses compare.
    public var isNormalized: Bool
    /// What the quantity is multiplied with, above 0, for example 0.25 in "at most a quarter of".
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
