// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Optimizers
import Schedules
import TensorGraph

/// Reports, records and checkpoints of a run.
extension TrainingRun {
  func stepReport(_ result: TrainingStep.Result, index: Int, seconds: Double) -> StepReport {
    StepReport(
      step: index, steps: configuration.training.steps, tokens: progress.tokens,
      loss: result.loss, crossEntropy: result.crossEntropy,
      learningRate: schedule.value(at: index), gradientNorm: result.gradientNorm,
      skip: result.skip, gradientEvaluations: progress.gradientEvaluations,
      chargedTokens: progress.chargedTokens,
      tokensPerSecond: Double(result.countedTargets) / seconds,
      forwardBackwardMilliseconds: result.forwardBackwardSeconds * 1000,
      optimizerMilliseconds: result.optimizerSeconds * 1000, peakBytes: runtime.peakBytes,
      secondsLeft: pace.seconds * Double(configuration.training.steps - progress.step))
  }

  /// Writes the report of the last step, if that has not been done.
  func writeReport() throws {
    guard let report = ahead.report else { return }
    ahead.report = nil
    if isMultiple(report.step, configuration.metrics.every) || report.isSkipped {
      try recorder.step(report)
    }
    observer(.step(report))
  }

  /// Saves a checkpoint.
  ///
  /// - Parameter labels: the tensors that it holds; nil: all, so that the run can go on from it.
  /// - Throws: errors of files.
  func save(only labels: Set<String>? = nil) throws {
    try writeReport()
    try recorder.synchronize()
    if follower != nil {
      // The first process cannot put together what is cut without the others.
      _ = try tensors.written(only: labels)
      lastCheckpoint = (progress.step, configuration.run.folder)
      lastSave = now()
      return
    }
    let folder = try store.save(
      tensors, only: labels, configuration: configuration.resolved,
      keep: configuration.checkpoint.keep
    ) { bytes, checksum in
      CheckpointManifest(
        progress: progress, stepState: step.state, evaluation: lastEvaluation,
        configurationIdentity: configuration.identity,
        precision: steps.definition.precision,
        dataPosition: ahead.position ?? source.position,
        dataFingerprint: source.fingerprint, initialWeights: initialWeights,
        records: recorder.recordBytes, tensorBytes: bytes, tensorChecksum: checksum)
    }
    lastCheckpoint = (progress.step, folder)
    lastSave = now()
    observer(.checkpoint(step: progress.step, folder: folder))
  }

  /// Whether a checkpoint is to be saved after this step.
  var isSaveDue: Bool {
    let settings = configuration.checkpoint
    return isMultiple(progress.step, settings.every)
      || settings.seconds > 0 && (now() - lastSave).seconds >= settings.seconds
  }

  /// Ends the run as somebody asked for.
  func finish(_ kind: StopRequest.Kind?) throws -> TrainingSummary {
    switch kind {
    case .stop: try finish(.stopped, reason: "stopped by a rule of its study")
    default: try finish(.interrupted, reason: "somebody asked for the end")
    }
  }

  func finish(_ outcome: TrainingOutcome, reason: String? = nil) throws -> TrainingSummary {
    try writeReport()
    // What can go on needs everything; of what has ended stays what was asked for.
    let mayGoOn = outcome == .interrupted || outcome == .stopped
    let final = mayGoOn ? .full : configuration.checkpoint.final
    switch final {
    case .full: if lastCheckpoint?.step != progress.step { try save() }
    case .weights: try save(only: steps.definition.evaluatedLabels())
    case .none: lastCheckpoint = nil
    }
    let summary = TrainingSummary(
      outcome: outcome, reason: reason, folder: configuration.run.folder, progress: progress,
      evaluation: lastEvaluation, checkpoint: lastCheckpoint?.folder)
    try recorder.end(summary, numbers: numbers)
    // Only now: before, a process that is killed has to go on from them. They are the first process's to remove.
    switch follower == nil ? final : .full {
    case .full: break
    case .weights: try store.remove(store.steps().filter { $0 != progress.step })
    case .none: try store.remove(store.steps())
    }
    observer(.ended(summary))
    return summary
  }

  /// What the outcome says about the run beside its progress.
  private var numbers: [String: Double] {
    [
      "parameters": Double(cost.parameters),
      "optimizerStateBytes": Double(optimizerStateBytes),
      "trainingFLOPs": configuration.trainingFLOPs(
        steps.definition.model.configuration, steps.definition.optimizer.trained,
        firstSteps: progress.step, chargedTokens: progress.chargedTokens),
      "peakBytes": Double(runtime.peakBytes),
    ]
  }
}

/// What the loop has done ahead of a step, or still has to do after one, because a device computes meanwhile.
struct WorkAhead {
  /// Where in the data the next step's batch begins, when it has been read already; nil: it has not.
  var position: String?
  /// The report of the last step, when it has not been written.
  var report: StepReport?
}
