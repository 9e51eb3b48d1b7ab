// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords
public import Training

/// Makes what the process of a trial is asked: a study's declaration, or a calibration of its noise.
public protocol TrialRequests {
  /// The name of a trial's folder: variant, arm and a hash of every key that can change numbers.
  ///
  /// - Throws: `ConfigurationError` when the trial's values do not fit its configuration.
  func identity(of point: TrialPoint) throws -> String

  /// What the process of a trial is asked.
  ///
  /// - Parameters:
  ///   - point: the trial.
  ///   - isAudit: whether it repeats a stopped trial to the end.
  ///   - limits: validation losses above which it is to be stopped.
  ///   - study: where its folder is to be.
  ///   - threads: threads of its process.
  /// - Returns: what it finds on standard input.
  /// - Throws: `ConfigurationError` when the trial's values do not fit its configuration.
  func request(
    _ point: TrialPoint, isAudit: Bool, limits: [TrialLimit], study: StudyFolder, threads: Int
  ) throws -> TrialRequest

  /// What a trial must have in common with others to share a program with them; nil: it shares with none.
  ///
  /// - Throws: `ConfigurationError` when the trial's values do not fit its configuration.
  func sharing(of point: TrialPoint) throws -> TrialSharing?
}

extension TrialRequests {
  /// Trials share nothing unless somebody says so.
  public func sharing(of point: TrialPoint) throws -> TrialSharing? { nil }
}
