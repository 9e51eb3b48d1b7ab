// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Configurations
public import RunRecords
public import Training

extension StudyDeclaration: TrialRequests {
  /// The version of the program, as trials record it.
  static let version = "0.1.0"

  /// The name of a trial's folder.
  ///
  /// - Throws: `ConfigurationError` when the trial's values do not fit its configuration.
  public func identity(of point: TrialPoint) throws -> String {
    try identity(of: point, isAudit: false)
  }

  /// What a trial must have in common with others to share a program with them.
  ///
  /// Trials that calibrate run alone: one of them runs twice, and has to leave the same bits whatever runs beside it.
  ///
  /// - Throws: `ConfigurationError` when the trial's values do not fit its configuration.
  public func sharing(of point: TrialPoint) throws -> TrialSharing? {
    guard point.seed.purpose != .calibration else { return nil }
    return TrialSharing(try configuration(for: point))
  }

  /// What the process of a trial is asked.
  ///
  /// - Throws: `ConfigurationError` when the trial's values do not fit its configuration.
  public func request(
    _ point: TrialPoint, isAudit: Bool, limits: [TrialLimit], study: StudyFolder, threads: Int
  ) throws -> TrialRequest {
    let identity = try identity(of: point, isAudit: isAudit)
    return TrialRequest(
      layers: try layers(for: point, isAudit: isAudit), folder: study.trial(identity),
      trial: TrialRecord(
        study: record.name, identity: identity, point: point, isAudit: isAudit,
        revision: record.revision, version: Self.version,
        tuning: tuning[ArmInVariant(arm: point.arm, variant: point.variant)]),
      threads: threads, limits: limits.isEmpty ? nil : limits)
  }
}
