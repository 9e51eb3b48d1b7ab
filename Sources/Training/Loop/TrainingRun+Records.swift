// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Schedules
import TensorGraph

/// Reports, records and checkpoints of a run.
extension TrainingRun {
  func report(_ result: TrainingStep.Result, index: Int, seconds: Double) throws {
    let report = StepReport(
      step: index, steps: configuration.training.steps, tokens: progress.tokens,
      loss: result.loss, crossEntropy: result.crossEntropy,
      learningRate: schedule.value(at: index), gradientNorm: result.gradientNorm,
      skip: result.skip, gradientEvaluations: progress.gradientEvaluations,
      chargedTokens: progress.chargedTokens,
      tokensPerSecond: Double(result.countedTargets) / seconds,
      forwardBackwardMilliseconds: result.forwardBackwardSeconds * 1000,
      optimizerMilliseconds: result.optimizerSeconds * 1000, peakBytes: runtime.peakBytes,
      secondsLeft: pace.seconds * Double(configuration.training.steps - progress.step))
    if isMultiple(index, configuration.metrics.every) || report.isSkipped {
      try recorder.step(report)
    }
    observer(.step(report))
  }

  func save() throws {
    try recorder.synchronize()
    let folder = try store.save(
      tensors, configuration: configuration.resolved, keep: configuration.checkpoint.keep
    ) { bytes, checksum in
      CheckpointManifest(
        progress: progress, stepState: step.state, evaluation: lastEvaluation,
        configurationIdentity: configuration.identity,
        precision: step.definition.precision, dataPosition: source.position,
        dataFingerprint: source.fingerprint, initialWeights: initialWeights,
        metricsBytes: recorder.metricsBytes, tensorBytes: bytes, tensorChecksum: checksum)
    }
    lastCheckpoint = (progress.step, folder)
    observer(.checkpoint(step: progress.step, folder: folder))
  }

  func finish(_ outcome: TrainingOutcome) throws -> TrainingSummary {
    if lastCheckpoint?.step != progress.step { try save() }
    let summary = TrainingSummary(
      outcome: outcome, folder: configuration.run.folder, progress: progress,
      evaluation: lastEvaluation, checkpoint: lastCheckpoint?.folder)
    let skips = configuration.training.skipLimit
    try recorder.end(
      summary,
      reason: outcome == .diverged
        ? "loss, gradients or validation loss were not finite (limit: \(skips) steps in a row)"
        : nil)
    observer(.ended(summary))
    return summary
  }
}
