// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import RunRecords

/// A study as its file says it, before anything is known about methods, models and data.
struct StudyDraft {
  /// A variant: keys of a configuration, and perhaps a budget of its own.
  struct Variant {
    var name: String
    var layer: ConfigurationLayer
    /// In the unit of the study's budget; nil: the study's.
    var amount: Double?
  }

  /// An arm: keys of a configuration, and what the study wants to know about it.
  struct Arm {
    var name: String
    /// The number of its table in the file.
    var table: Int
    var layer: ConfigurationLayer
    var differences: [FairnessContract.Field]
    var variants: [String]
  }

  /// The values of a knob.
  struct Values: Equatable {
    var values: [KnobValue]
    var isLogarithmic: Bool
  }

  /// What learning rates an arm is tuned over.
  enum Rates: Equatable {
    /// Brackets around the default of its method's card.
    case automatic
    /// The search space of its method's card.
    case card
    /// It keeps the one that it has.
    case fixed
    /// These.
    case values(Values)
  }

  /// A knob and where it stands.
  struct Axis {
    var name: String
    var line: Int?
    var keys: [String: [String]]
    var values: Values
  }

  /// How arms are tuned.
  struct Tuning {
    /// By arm.
    var rates: [String: Rates]
    var axes: [Axis]
    /// Nil: the standard number.
    var extensions: Int?
    var refines: Bool
  }

  /// A sweep, with its line for messages.
  struct Sweep {
    var sweep: StudyRecord.Sweep
    var line: Int?
  }

  var name = ""
  var question = ""
  var base = ""
  var folder = ""
  var baseline = ""
  var common = ConfigurationSource().layer()
  var variants: [Variant] = []
  var arms: [Arm] = []
  /// Nil: the steps of the configurations.
  var budget: StudyRecord.Budget?
  var tuningSeeds: [Int] = []
  var reportingSeeds: [Int] = []
  var tuning: Tuning?
  var sweeps: [Sweep] = []
  var targets: StudyRecord.Targets?
  var rule = StudyRecord.ComparisonRule(
    level: 0.05, margin: .deviations(2), pairing: .calibrated, family: [], exploresAllPairs: false)
  var stopping = StudyRecord.Stopping(divergenceMargin: nil, races: false, auditShare: 0.05)
  var claims: [Claim] = []
}
