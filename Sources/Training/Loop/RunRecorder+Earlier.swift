// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords

/// What earlier sessions of a run left.
extension RunRecorder {
  /// Nothing, something to go on with, or a run that has ended.
  enum Earlier {
    case nothing
    case unfinished
    case ended(TrainingSummary)
  }

  /// Looks at a run's folder without changing it.
  ///
  /// - Throws: ``TrainingError`` with code `runFolder` when the run there has another configuration or is another trial.
  static func earlier(
    _ configuration: TrainingConfiguration, trial: TrialRecord? = nil
  ) throws -> Earlier {
    let path = configuration.run.folder
    guard RunFolder.isRun(path) else { return .nothing }
    let record = try RunRecord(path: path)
    let differences = try configuration.resolved.differences(
      from: ResolvedConfiguration(json: record.configurationJSON),
      excluding: ResolvedConfiguration.keysWithoutInfluence)
    guard differences.isEmpty else {
      throw TrainingError(
        .runFolder,
        "\(path) holds a run of another configuration. Choose another run.folder, or give the same values ("
          + differences.map(\.description).joined(separator: "; ") + " there)")
    }
    if let trial, let other = record.trial, !trial.isSamePoint(as: other) {
      throw TrainingError(
        .runFolder,
        "\(path) holds another trial (\(other.identity) of study '\(other.study)'), not \(trial.identity) of '\(trial.study)'; "
          + "choose another folder")
    }
    switch record.outcome.status {
    case .running, .interrupted, .failed, .stopped: return .unfinished
    case .finished: return .ended(summary(record, .finished))
    case .diverged: return .ended(summary(record, .diverged))
    }
  }

  /// Whether a trial's record has to be written over the one that is there.
  ///
  /// The record names the revision that began the run, whoever goes on with it; only an audit is noted later.
  static func replaces(_ trial: TrialRecord, _ path: String) throws -> Bool {
    guard let stored = try RunRecord(path: path).trial else { return true }
    return trial.isAudit && !stored.isAudit
  }

  private static func summary(_ record: RunRecord, _ outcome: TrainingOutcome) -> TrainingSummary {
    let numbers = record.outcome.finalNumbers
    var progress = TrainingProgress()
    progress.step = record.outcome.completedSteps
    progress.tokens = Int(numbers["tokens"] ?? 0)
    progress.gradientEvaluations = Int(numbers["gradientEvaluations"] ?? 0)
    progress.chargedTokens = Int(numbers["chargedTokens"] ?? 0)
    progress.skippedSteps = Int(numbers["skippedSteps"] ?? 0)
    progress.updates = progress.step - progress.skippedSteps
    progress.seconds = numbers["trainingSeconds"] ?? 0
    progress.initialLoss = numbers["initialLoss"]
    let store = CheckpointStore(folder: record.path + "/checkpoints")
    return TrainingSummary(
      outcome: outcome, reason: record.outcome.reason, folder: record.path, progress: progress,
      evaluation: numbers["validationLoss"].map { loss in
        EvaluationReport(
          step: progress.step, tokens: progress.tokens, loss: loss,
          bitsPerByte: numbers["bitsPerByte"],
          evaluatedTokens: Int(numbers["evaluatedTokens"] ?? 0), seconds: 0)
      },
      checkpoint: store.steps().first.map { store.folder + "/" + CheckpointStore.name($0) })
  }
}

extension TrialRecord {
  /// Whether it is the same trial, whatever revision ran it, and whether or not as an audit.
  fileprivate func isSamePoint(as other: TrialRecord) -> Bool {
    study == other.study && identity == other.identity && point == other.point
  }
}
