// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation
public import RunRecords

/// Everything that is known about a study, derived from its records and nothing else.
///
/// Reports, `--json`, the dashboard and claims draw from this value; none of them computes a number of its own. No number in it is NaN
/// or infinite: what diverged is counted and capped, what is not known is nil.
public struct StudyAnalysis: Codable, Equatable, Sendable {
  /// The version of the layout.
  public private(set) var format = 1
  /// The study as it was declared.
  public var study: StudyRecord
  /// Whether the study was declared before its runs; false when runs that were there are compared.
  public var isDeclared: Bool
  /// The folder the records were read from, as it was named.
  public var folder: String
  /// When the analysis was made.
  public var madeAt: Date
  /// The command that makes it again.
  public var command: String
  /// The title of a report: the study's name, with every declared difference of the contract behind it.
  public var title: String
  /// How far the study has come.
  public var completion: StudyCompletion
  /// The noise floor of the setup, where `calibration.json` lies in the folder.
  public var calibration: Calibration?
  /// One for each variant, in the order of the declaration.
  public var variants: [VariantAnalysis]
  /// Of each arm that runs beside the baseline in all of several variants.
  public var contrasts: [VariantContrast] = []
  /// One for each claim and variant, in the order of the declaration.
  public var claims: [ClaimResult]
  /// Every trial, sorted by identity.
  public var trials: [TrialAnalysis]
  /// Trials that a rule ended early, with what the audit found.
  public var stops: [StopAnalysis]
  /// What a reader has to know about the records before believing the numbers.
  public var marks: [StudyMark]
}

/// How far a study has come.
public struct StudyCompletion: Codable, Equatable, Sendable {
  /// Trials whose outcome is final: finished, diverged or stopped.
  public var done: Int
  /// Trials that have begun and go on, or can be resumed.
  public var unfinished: Int
  /// Trials that ended by an error.
  public var failed: Int
  /// Trials that the protocol asks for now and that are not done; 0 in a complete study.
  public var missing: Int
  /// Trials of the whole study: at least, expected, at most.
  public var total: TrialCount
  /// The part of the study that each variant is in.
  public var phases: [String: StudyPhase]
  /// Whether nothing is left to run.
  public var isComplete: Bool
}

/// Something about the records that a reader has to know.
public struct StudyMark: Codable, Equatable, Sendable {
  /// The kinds of mark.
  public enum Kind: String, Codable, CaseIterable, Sendable {
    /// Files were changed after the run had ended, or a file is damaged or missing.
    case edited
    /// Records come from more than one machine.
    case machines
    /// Records come from more than one revision of the code, or from files that were not committed.
    case revisions
    /// Trials are missing, failed or unfinished.
    case incomplete
    /// An arm's optimum lies on the edge of its grid.
    case undertuned
    /// Replicates diverged.
    case diverged
    /// The number of replicates is too small for what is asked.
    case fewSeeds = "few-seeds"
    /// No noise floor was measured; the study's own residuals stand in.
    case uncalibrated
    /// Something else, in words.
    case other
  }
  /// What kind.
  public var kind: Kind
  /// What is the matter, in one sentence.
  public var text: String
  /// The trials concerned; empty when it is not about single trials.
  public var trials: [String]
}
