// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
import RunRecords
import TensorGraph

/// The records of one session of a run: its folder, its metrics and its outcome.
final class RunRecorder {
  private let folder: RunFolder
  private let metrics: MetricsWriter
  private var outcome: RunOutcome

  /// Starts a run's records, or goes on with them.
  ///
  /// - Parameters:
  ///   - configuration: stored with the origin of every value.
  ///   - machine: what to add to the record of the machine.
  ///   - optimizer: what becomes of every parameter.
  ///   - keptBytes: how much of the metrics belongs to the checkpoint that the session starts from; 0 without one.
  /// - Throws: `RunRecordError`.
  init(
    _ configuration: TrainingConfiguration, machine: [String: String],
    optimizer: OptimizerTable, keptBytes: Int
  ) throws {
    let path = configuration.run.folder
    if RunFolder.isRun(path) {
      folder = try RunFolder.open(at: path)
      outcome = try folder.outcome()
      outcome.status = .running
      outcome.reason = nil
      outcome.endTime = nil
      outcome.sessionCount += 1
      try folder.write(
        Data(configuration.resolved.tomlText.utf8), to: RunFolder.FileName.configurationText)
      try folder.write(configuration.resolved.json, to: RunFolder.FileName.configurationJSON)
      try folder.setOutcome(outcome)
    } else {
      folder = try RunFolder.create(
        at: path, configurationText: configuration.resolved.tomlText,
        configurationJSON: configuration.resolved.json, machine: .current(details: machine))
      outcome = try folder.outcome()
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try folder.write(encoder.encode(optimizer), to: RunFolder.FileName.optimizer)
    metrics = try folder.metricsWriter(keeping: .bytes(keptBytes))
  }

  /// Bytes of metrics so far.
  var metricsBytes: Int { metrics.position }

  func step(_ report: StepReport) throws {
    var values: [(name: String, value: MetricValue)] = [
      ("tokens", .integer(report.tokens)),
      ("loss", .single(Float(report.loss))),
      ("crossEntropy", .single(Float(report.crossEntropy))),
      ("learningRate", .number(report.learningRate)),
      ("gradientNorm", .single(Float(report.gradientNorm))),
      ("tokensPerSecond", .single(Float(report.tokensPerSecond))),
      ("forwardBackwardMilliseconds", .single(Float(report.forwardBackwardMilliseconds))),
      ("optimizerMilliseconds", .single(Float(report.optimizerMilliseconds))),
      ("peakBytes", .integer(report.peakBytes)),
    ]
    if report.chargedTokens != report.tokens {
      values.append(("gradientEvaluations", .integer(report.gradientEvaluations)))
      values.append(("chargedTokens", .integer(report.chargedTokens)))
    }
    if let skip = report.skip {
      values.append(("skipped", .boolean(true)))
      values.append(("skipReason", .string(skip.rawValue)))
    }
    try metrics.append(step: report.step, values)
  }

  func evaluation(_ report: EvaluationReport) throws {
    var values: [(name: String, value: MetricValue)] = [
      ("tokens", .integer(report.tokens)), ("validationLoss", .number(report.loss)),
    ]
    if let bits = report.bitsPerByte { values.append(("bitsPerByte", .number(bits))) }
    values += [
      ("evaluatedTokens", .integer(report.evaluatedTokens)),
      ("evaluationSeconds", .single(Float(report.seconds))),
    ]
    try metrics.append(step: report.step, values)
  }

  func statistics(
    _ measured: [ParameterRole: WeightStatistics.Measurement], step: Int
  ) throws {
    let roles = ParameterRole.allCases.compactMap { role in measured[role].map { (role, $0) } }
    let values = roles.flatMap { role, measurement -> [(name: String, value: MetricValue)] in
      [
        ("weightNorm.\(role.rawValue)", .single(Float(measurement.weightNorm))),
        (
          "updateRootMeanSquare.\(role.rawValue)",
          .single(Float(measurement.updateRootMeanSquare))
        ),
      ]
    }
    try metrics.append(step: step, values)
  }

  /// Brings the metrics to the disk.
  func synchronize() throws { try metrics.synchronize() }

  func end(_ summary: TrainingSummary, reason: String?) throws {
    try metrics.synchronize()
    outcome.status =
      switch summary.outcome {
      case .finished: .finished
      case .diverged: .diverged
      case .interrupted: .interrupted
      }
    outcome.reason = reason
    outcome.completedSteps = summary.progress.step
    outcome.endTime = Date()
    outcome.finalNumbers = [
      "tokens": Double(summary.progress.tokens),
      "gradientEvaluations": Double(summary.progress.gradientEvaluations),
      "chargedTokens": Double(summary.progress.chargedTokens),
      "skippedSteps": Double(summary.progress.skippedSteps),
      "trainingSeconds": summary.progress.seconds,
    ]
    if let evaluation = summary.evaluation {
      outcome.finalNumbers["validationLoss"] = evaluation.loss
      outcome.finalNumbers["bitsPerByte"] = evaluation.bitsPerByte
      outcome.finalNumbers["evaluatedTokens"] = Double(evaluation.evaluatedTokens)
    }
    try folder.setOutcome(outcome)
  }

  /// Notes an error that ended the session; the error itself is more important than the note.
  func fail(_ error: any Error, step: Int) {
    outcome.status = .failed
    outcome.reason = "\(error)"
    outcome.completedSteps = step
    outcome.endTime = Date()
    try? folder.setOutcome(outcome)
  }

  // MARK: - Earlier sessions

  /// What an earlier session left: nothing, something to go on with, or a run that has ended.
  enum Earlier {
    case nothing
    case unfinished
    case ended(TrainingSummary)
  }

  /// Looks at a run's folder without changing it.
  ///
  /// - Throws: ``TrainingError`` with code `runFolder` when the run there has another configuration.
  static func earlier(_ configuration: TrainingConfiguration) throws -> Earlier {
    let path = configuration.run.folder
    guard RunFolder.isRun(path) else { return .nothing }
    let record = try RunRecord(path: path)
    let differences = try configuration.resolved.differences(
      from: ResolvedConfiguration(json: record.configurationJSON),
      excluding: TrainingConfiguration.keysWithoutInfluence)
    guard differences.isEmpty else {
      throw TrainingError(
        .runFolder,
        "\(path) holds a run of another configuration. Choose another run.folder, or give the same values ("
          + differences.map(\.description).joined(separator: "; ") + " there)")
    }
    switch record.outcome.status {
    case .running, .interrupted, .failed, .stopped: return .unfinished
    case .finished: return .ended(summary(record, .finished))
    case .diverged: return .ended(summary(record, .diverged))
    }
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
    let store = CheckpointStore(folder: record.path + "/checkpoints")
    return TrainingSummary(
      outcome: outcome, folder: record.path, progress: progress,
      evaluation: numbers["validationLoss"].map { loss in
        EvaluationReport(
          step: progress.step, tokens: progress.tokens, loss: loss,
          bitsPerByte: numbers["bitsPerByte"],
          evaluatedTokens: Int(numbers["evaluatedTokens"] ?? 0), seconds: 0)
      },
      checkpoint: store.steps().first.map { store.folder + "/" + CheckpointStore.name($0) })
  }
}
