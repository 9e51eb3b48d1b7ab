// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// A study as it was declared, before its first trial: the file `study.json`.
///
/// It holds everything that analysis and reports need besides the folders of the trials, so both can be made again by anyone who has
/// the records, without the study's TOML, presets or data.
public struct StudyRecord: Codable, Equatable, Sendable {
  /// The version of the file.
  public private(set) var format = 1
  /// The study's name.
  public var name: String
  /// What it asks, in words.
  public var question: String
  /// Models or settings side by side; losses of different variants are never pooled.
  public var variants: [Variant]
  /// What is compared, in the order of the declaration.
  public var arms: [Arm]
  /// The name of the arm that the others are compared with.
  public var baseline: String
  /// How the arms are tuned; nil: they run as declared.
  public var tuning: Tuning?
  /// Knobs that are swept around the tuned arms.
  public var sweeps: [Sweep]
  /// Seeds that report; the length of the list is n.
  public var reportingSeeds: [Int]
  /// What a trial may spend.
  public var budget: Budget
  /// Steps to a loss.
  public var targets: Targets?
  /// What is measured against what, and from when on a difference counts.
  public var rule: ComparisonRule
  /// When a trial may end early.
  public var stopping: Stopping
  /// Statements with pass rules.
  public var claims: [Claim]
  /// When the study was declared.
  public var declaredAt: Date
  /// The revision of the code at that time.
  public var revision: String
  /// The command that runs the study.
  public var command: String
  /// SHA-256 of everything above but `format`, `declaredAt`, `revision` and `command`: the rule is older than the runs.
  public var hash: String

  /// Makes a record.
  public init(
    name: String, question: String, variants: [Variant], arms: [Arm], baseline: String,
    tuning: Tuning?, sweeps: [Sweep], reportingSeeds: [Int], budget: Budget, targets: Targets?,
    rule: ComparisonRule, stopping: Stopping, claims: [Claim], declaredAt: Date, revision: String,
    command: String, hash: String
  ) {
    self.name = name
    self.question = question
    self.variants = variants
    self.arms = arms
    self.baseline = baseline
    self.tuning = tuning
    self.sweeps = sweeps
    self.reportingSeeds = reportingSeeds
    self.budget = budget
    self.targets = targets
    self.rule = rule
    self.stopping = stopping
    self.claims = claims
    self.declaredAt = declaredAt
    self.revision = revision
    self.command = command
    self.hash = hash
  }

  /// A model or setting in which all arms are compared.
  public struct Variant: Codable, Equatable, Sendable {
    /// Its name; `main` when there is only one and it has none.
    public var name: String
    /// Keys it sets, in words, for the report.
    public var changes: [String: String]
    /// Loss that no model can go below, for synthesized text, in nats per token.
    public var entropyFloor: Double?

    /// Describes a variant.
    public init(name: String, changes: [String: String], entropyFloor: Double? = nil) {
      self.name = name
      self.changes = changes
      self.entropyFloor = entropyFloor
    }
  }

  /// What is compared: an optimizer or any other difference.
  public struct Arm: Codable, Equatable, Sendable {
    /// Its name.
    public var name: String
    /// The base method's name.
    public var method: String
    /// Keys it sets, in words, for the report.
    public var changes: [String: String]
    /// Contract fields in which it is meant to differ from the other arms.
    public var differences: [FairnessContract.Field]
    /// The variants it runs in.
    public var variants: [String]
    /// The steps of a full run, by variant: equal unless the budget is FLOPs or seconds.
    public var steps: [String: Int]
    /// The values of swept and tuned keys where nothing else is chosen, by key; where variants differ by `variant/key`, which goes
    /// before.
    public var defaults: [String: KnobValue]

    /// Describes an arm.
    public init(
      name: String, method: String, changes: [String: String],
      differences: [FairnessContract.Field], variants: [String], steps: [String: Int],
      defaults: [String: KnobValue]
    ) {
      self.name = name
      self.method = method
      self.changes = changes
      self.differences = differences
      self.variants = variants
      self.steps = steps
      self.defaults = defaults
    }
  }

  /// How arms are tuned: the same number of trials for every arm of a variant.
  ///
  /// One axis (the learning rate): a coarse grid with the first tuning seed, extended while an arm's best lies on an edge, then
  /// points between around the best, with all tuning seeds. More axes follow one at a time at the best point so far.
  public struct Tuning: Codable, Equatable, Sendable {
    /// Seeds that tune; disjoint from the reporting seeds.
    public var seeds: [Int]
    /// The axes in the order of tuning.
    public var axes: [Axis]
    /// Extensions of the grid at most, for each arm.
    public var extensionLimit: Int
    /// Whether points between follow the coarse grid, with all tuning seeds.
    public var refines: Bool

    /// Describes tuning.
    public init(seeds: [Int], axes: [Axis], extensionLimit: Int, refines: Bool) {
      self.seeds = seeds
      self.axes = axes
      self.extensionLimit = extensionLimit
      self.refines = refines
    }
  }

  /// A key that is tuned.
  public struct Axis: Codable, Equatable, Sendable {
    /// The knob's name in reports, for example `learning rate`.
    public var name: String
    /// The configuration keys that get the value, by arm; arms that are not there are not tuned on this axis.
    public var keys: [String: [String]]
    /// The first grid, ascending, by arm; with variants that differ: by `arm/variant`, which goes before.
    public var grids: [String: [KnobValue]]
    /// Whether values are compared on a logarithmic axis.
    public var isLogarithmic: Bool
    /// Whether the grid grows while the best is on an edge.
    public var isAutomatic: Bool
    /// The factor between an extension and the edge of a grid with a single point, 10^(1/2); other grids have a spacing of their own.
    public var extensionFactor: Double
    /// The largest value that the keys accept; nil: any.
    public var upperBound: Double?

    /// Whether an arm may try values that are not on its grid: learning rates only, for other keys may take whole numbers, or none
    /// beyond a bound.
    public func isFree(arm: String) -> Bool { keys[arm] == ["optimizer.learning_rate"] }

    /// Describes an axis.
    public init(
      name: String, keys: [String: [String]], grids: [String: [KnobValue]], isLogarithmic: Bool,
      isAutomatic: Bool, extensionFactor: Double, upperBound: Double? = nil
    ) {
      self.name = name
      self.keys = keys
      self.grids = grids
      self.isLogarithmic = isLogarithmic
      self.isAutomatic = isAutomatic
      self.extensionFactor = extensionFactor
      self.upperBound = upperBound
    }
  }

  /// A knob that is turned while everything else stays as tuned, on reporting seeds.
  public struct Sweep: Codable, Equatable, Sendable {
    /// Its name, unique, for example `momentum`.
    public var name: String
    /// The configuration keys that get the value, by arm; arms that are not there are not swept.
    public var keys: [String: [String]]
    /// What the values are.
    public var values: Values
    /// The variants it runs in.
    public var variants: [String]
    /// How many of the reporting seeds it uses, from the first.
    public var seedCount: Int
    /// Whether the axis is drawn, and areas under it taken, logarithmically.
    public var isLogarithmic: Bool

    /// Absolute values, or factors of the tuned value.
    public enum Values: Codable, Equatable, Sendable {
      /// Values of the keys, ascending.
      case absolute([KnobValue])
      /// Factors of what tuning chose, ascending.
      case factors([Double])
    }

    /// Describes a sweep.
    public init(
      name: String, keys: [String: [String]], values: Values, variants: [String], seedCount: Int,
      isLogarithmic: Bool
    ) {
      self.name = name
      self.keys = keys
      self.values = values
      self.variants = variants
      self.seedCount = seedCount
      self.isLogarithmic = isLogarithmic
    }
  }

  /// What a full trial may spend; arms' steps follow from it.
  public struct Budget: Codable, Equatable, Sendable {
    /// What is equal between arms.
    public enum Unit: String, Codable, CaseIterable, Sendable {
      /// Updates.
      case steps
      /// Tokens trained on.
      case tokens
      /// Tokens of all gradient evaluations, extra ones included.
      case chargedTokens = "charged-tokens"
      /// Floating-point operations of gradients and updates.
      case flops
      /// Seconds of training on this machine, by calibration before the first trial.
      case seconds
    }
    /// What is equal.
    public var unit: Unit
    /// How much of it.
    public var amount: Double

    /// Describes a budget.
    public init(unit: Unit, amount: Double) {
      self.unit = unit
      self.amount = amount
    }
  }

  /// Losses to reach, and the lengths of the full runs that show when.
  public struct Targets: Codable, Equatable, Sendable {
    /// Losses in nats per token, named in the report by their values.
    public var losses: [Double]
    /// Whether the median final loss of the tuned baseline is a target.
    public var includesBaseline: Bool
    /// Lengths as fractions of a full run, ascending, 1 among them.
    public var ladder: [Double]
    /// How many of the reporting seeds climb it, from the first.
    public var seedCount: Int

    /// Describes targets.
    public init(losses: [Double], includesBaseline: Bool, ladder: [Double], seedCount: Int) {
      self.losses = losses
      self.includesBaseline = includesBaseline
      self.ladder = ladder
      self.seedCount = seedCount
    }
  }

  /// From when on a difference counts.
  public struct ComparisonRule: Codable, Equatable, Sendable {
    /// How replicates of two arms are matched.
    public enum Pairing: String, Codable, CaseIterable, Sendable {
      /// Paired where calibration says the correlation is at least 0.5, else not.
      case calibrated
      /// Never: Welch's t.
      case never
      /// Always, declared beforehand.
      case always
    }
    /// How far apart two arms may be and still be alike.
    public enum Margin: Codable, Equatable, Sendable {
      /// In nats per token.
      case absolute(Double)
      /// A share of the gap between two arms' tuned losses, and at least so many standard deviations of the noise floor.
      case share(Double, of: String, to: String, atLeast: Double)
      /// Standard deviations of the noise floor.
      case deviations(Double)
    }
    /// Two-sided level of the family; 0.05.
    public var level: Double
    /// Equivalence margin.
    public var margin: Margin
    /// Pairing.
    public var pairing: Pairing
    /// Pairs of arms whose tests form the family of Holm's correction; every arm against the baseline unless declared.
    public var family: [[String]]
    /// Whether all pairs get false-discovery-rate levels as an exploration beside the family.
    public var exploresAllPairs: Bool

    /// Describes a rule.
    public init(
      level: Double, margin: Margin, pairing: Pairing, family: [[String]], exploresAllPairs: Bool
    ) {
      self.level = level
      self.margin = margin
      self.pairing = pairing
      self.family = family
      self.exploresAllPairs = exploresAllPairs
    }
  }

  /// When a trial may end before its last step.
  public struct Stopping: Codable, Equatable, Sendable {
    /// Nats above the loss at initialisation that, for three evaluations in a row after the warm-up, certify divergence; nil: only
    /// what is not finite ends a trial.
    public var divergenceMargin: Double?
    /// Whether a learning rate may lose against the best of its own arm; never its neighbour above.
    public var races: Bool
    /// The share of stopped trials that is run again to the end.
    public var auditShare: Double

    /// Describes the rules.
    public init(divergenceMargin: Double?, races: Bool, auditShare: Double) {
      self.divergenceMargin = divergenceMargin
      self.races = races
      self.auditShare = auditShare
    }
  }
}
