// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What a seed is for.
///
/// A winner is never reported on the seeds that chose it.
public enum SeedPurpose: String, Codable, CaseIterable, Sendable {
  /// Chooses hyperparameters; its losses are never reported as an arm's result.
  case tuning
  /// Measures what was chosen.
  case reporting
  /// Measures noise, before anything is chosen.
  case calibration
}

/// A seed with its purpose: two trials with the same one start from the same weights and see the same tokens.
public struct TrialSeed: Codable, Hashable, Sendable {
  /// What it is for.
  public let purpose: SeedPurpose
  /// `training.seed`: of the initial weights.
  public let initial: Int
  /// `training.data_seed`: of the order of the data.
  public let data: Int

  /// A seed; the order of the data has the same number unless given.
  public init(_ purpose: SeedPurpose, _ initial: Int, data: Int? = nil) {
    self.purpose = purpose
    self.initial = initial
    self.data = data ?? initial
  }
}

/// The value of a configuration key in a sweep.
public enum KnobValue: Codable, Hashable, Sendable, CustomStringConvertible {
  /// A number.
  case number(Double)
  /// Anything else, as text.
  case text(String)

  /// Reads a number or a text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  /// Writes a number or a text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .number(let number): try container.encode(number)
    case .text(let text): try container.encode(text)
    }
  }

  /// The number; nil for a text.
  public var number: Double? { if case .number(let number) = self { number } else { nil } }

  /// As it stands in a configuration.
  public var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .text(let text): text
    }
  }
}

/// Which trial of a study: a point that a protocol asks for, and where its result belongs.
public struct TrialPoint: Codable, Hashable, Sendable {
  /// The variant's name.
  public let variant: String
  /// The arm's name.
  public let arm: String
  /// Weights and tokens it starts from.
  public let seed: TrialSeed
  /// Configuration keys that the protocol sets, with their values; everything else is the arm's and the variant's.
  public let knobs: [String: KnobValue]
  /// The length of the run as a fraction of the arm's steps; 1 except on the ladder towards a target.
  public let horizon: Double

  /// Describes a trial.
  public init(
    variant: String, arm: String, seed: TrialSeed, knobs: [String: KnobValue], horizon: Double = 1
  ) {
    self.variant = variant
    self.arm = arm
    self.seed = seed
    self.knobs = knobs
    self.horizon = horizon
  }
}

/// What makes a run a trial of a study: the file `trial.json` in the run's folder.
public struct TrialRecord: Codable, Equatable, Sendable {
  /// The version of the file.
  public private(set) var format = 1
  /// The study's name.
  public let study: String
  /// The name of the trial's folder: variant, arm and a hash of every configuration key that can change numbers.
  public let identity: String
  /// Which trial it is.
  public let point: TrialPoint
  /// Whether it repeats, to the end, a trial that a rule had stopped.
  public let isAudit: Bool
  /// The revision of the code that ran it, with `+` after it when files were changed; `unknown` outside a checkout.
  public let revision: String
  /// The version of the program.
  public let version: String
  /// How many trials choose the hyperparameters of its arm, in words, as its contract says it; nil: none.
  public let tuning: String?

  /// Describes a trial.
  public init(
    study: String, identity: String, point: TrialPoint, isAudit: Bool = false, revision: String,
    version: String, tuning: String? = nil
  ) {
    self.study = study
    self.identity = identity
    self.point = point
    self.isAudit = isAudit
    self.revision = revision
    self.version = version
    self.tuning = tuning
  }
}
