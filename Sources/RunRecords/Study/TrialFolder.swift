// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension TrialRecord {
  /// Which trial a run folder holds.
  ///
  /// - Parameter folder: the folder of a run.
  /// - Throws: ``RunRecordError`` when there is no `trial.json`, or it is damaged.
  public init(folder: String) throws(RunRecordError) {
    let path = folder + "/" + RunFolder.FileName.trial
    self = try jsonValue(TrialRecord.self, from: try readFile(path), path: path)
  }
}

extension RunOutcome {
  /// How the run in a folder stands.
  ///
  /// - Parameter folder: the folder of a run.
  /// - Throws: ``RunRecordError`` when the file is missing or damaged.
  public init(folder: String) throws(RunRecordError) {
    let path = folder + "/" + RunFolder.FileName.outcome
    self = try jsonValue(RunOutcome.self, from: try readFile(path), path: path)
  }
}
