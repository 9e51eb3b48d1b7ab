// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords

extension TrialResult {
  /// Reads the result of a trial from its folder.
  ///
  /// - Parameter folder: the folder of a run with `trial.json`.
  /// - Throws: `RunRecordError` when a file is missing or damaged.
  public init(folder: String) throws(RunRecordError) {
    let trial = try TrialRecord(folder: folder)
    let outcome = try RunOutcome(folder: folder)
    let metrics = try MetricsReader(path: folder + "/" + RunFolder.FileName.metrics)
    var evaluations: [Evaluation] = []
    while let record = try metrics.next() {
      if let loss = record.number("validationLoss") {
        evaluations.append(Evaluation(step: record.step, loss: loss))
      }
    }
    self.init(
      point: trial.point, identity: trial.identity, isAudit: trial.isAudit, status: outcome.status,
      reason: outcome.reason, steps: outcome.completedSteps, finalNumbers: outcome.finalNumbers,
      evaluations: evaluations, folder: folder)
  }

  /// The results of all trials of a study that can be read, and what was wrong with the others.
  ///
  /// A folder without `trial.json` belongs to nobody and a damaged one counts as not run: both are named and left alone.
  public static func all(
    in study: StudyFolder
  ) -> (results: [TrialResult], problems: [RunRecordError]) {
    var results: [TrialResult] = []
    var problems: [RunRecordError] = []
    for folder in study.trials() {
      do throws(RunRecordError) {
        results.append(try TrialResult(folder: folder))
      } catch {
        problems.append(error)
      }
    }
    return (results, problems)
  }
}
