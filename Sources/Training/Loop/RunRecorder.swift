// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
import RunRecords
import TensorGraph

/// The records of one session of a run: its folder, its metrics and timings, and its outcome.
final class RunRecorder {
  private let folder: RunFolder
  private let metrics: MetricsWriter
  private let timings: MetricsWriter
  /// Nil where there is nothing to record.
  private let trajectories: TrajectoryWriter?
  /// Bytes that earlier sessions recorded, where this one records nothing: they belong to its checkpoints all the same.
  private let earlierTrajectories: Int?
  private var outcome: RunOutcome

  /// Starts a run's records, or goes on with them.
  ///
  /// - Parameters:
  ///   - configuration: stored with the origin of every value.
  ///   - path: of the run's folder.
  ///   - trial: which trial of a study the run is; nil: whatever it was.
  ///   - machine: what to add to the record of the machine.
  ///   - firstStep: steps made before the session.
  ///   - optimizer: what becomes of every parameter.
  ///   - trajectories: whose values are recorded; nil: nobody's.
  ///   - kept: how much of the records belongs to the checkpoint that the session starts from; nothing without one.
  /// - Throws: `RunRecordError`.
  init(
    _ configuration: TrainingConfiguration, at path: String, trial: TrialRecord?,
    machine: [String: String],
    firstStep: Int, optimizer: OptimizerTable, trajectories: TrajectoryHeader?, kept: RecordBytes
  ) throws {
    // Where the folder lies and how many threads there are may differ between two runs of the same bits.
    let stored = try configuration.resolved.without(["run", "machine.threads"]).json
    let text = configuration.resolved.tomlText
    if RunFolder.isRun(path) {
      folder = try RunFolder.open(at: path)
      try folder.breakSeal()
      outcome = try folder.outcome()
      outcome.status = .running
      outcome.reason = nil
      outcome.endTime = nil
      outcome.sessionCount += 1
      try folder.write(Data(text.utf8), to: RunFolder.FileName.configurationText)
      try folder.write(stored, to: RunFolder.FileName.configurationJSON)
      if let trial, try Self.replaces(trial, path) { try folder.write(trial) }
      try folder.add(SessionRecord(firstStep: firstStep, machine: .current(details: machine)))
      try folder.setOutcome(outcome)
    } else {
      folder = try RunFolder.create(
        at: path, configurationText: text, configurationJSON: stored,
        machine: .current(details: machine), trial: trial)
      outcome = try folder.outcome()
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try folder.write(encoder.encode(optimizer), to: RunFolder.FileName.optimizer)
    metrics = try folder.metricsWriter(keeping: .bytes(kept.metrics))
    timings = try folder.timingsWriter(keeping: .bytes(kept.timings))
    if let trajectories {
      self.trajectories = try folder.trajectoryWriter(
        trajectories, keepingBytes: kept.trajectories ?? 0)
      earlierTrajectories = nil
    } else {
      self.trajectories = nil
      earlierTrajectories = try folder.cutTrajectories(keepingBytes: kept.trajectories ?? 0)
    }
  }

  /// Bytes of metrics, trajectories and timings so far.
  var recordBytes: RecordBytes {
    var bytes = RecordBytes()
    bytes.metrics = metrics.position
    bytes.timings = timings.position
    bytes.trajectories = trajectories?.position ?? earlierTrajectories
    return bytes
  }

  // MARK: - While it runs

  /// Whether the contract is there.
  var hasContract: Bool {
    FileManager.default.fileExists(atPath: folder.file(RunFolder.FileName.contract))
  }

  /// Stores what has to be equal for another run to be compared with this one.
  func write(_ contract: FairnessContract) throws { try folder.write(contract) }

  func step(_ report: StepReport) throws {
    var values: [(name: String, value: MetricValue)] = [
      ("tokens", .integer(report.tokens)),
      ("loss", .single(Float(report.loss))),
      ("crossEntropy", .single(Float(report.crossEntropy))),
      ("learningRate", .number(report.learningRate)),
      ("gradientNorm", .single(Float(report.gradientNorm))),
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
    try timings.append(
      step: report.step,
      [
        ("tokensPerSecond", .single(Float(report.tokensPerSecond))),
        ("forwardBackwardMilliseconds", .single(Float(report.forwardBackwardMilliseconds))),
        ("optimizerMilliseconds", .single(Float(report.optimizerMilliseconds))),
        ("peakBytes", .integer(report.peakBytes)),
      ])
  }

  func evaluation(_ report: EvaluationReport) throws {
    var values: [(name: String, value: MetricValue)] = [
      ("tokens", .integer(report.tokens)), ("validationLoss", .number(report.loss)),
    ]
    if let bits = report.bitsPerByte { values.append(("bitsPerByte", .number(bits))) }
    values.append(("evaluatedTokens", .integer(report.evaluatedTokens)))
    try metrics.append(step: report.step, values)
    try timings.append(
      step: report.step, [("evaluationSeconds", .single(Float(report.seconds)))])
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

  func effectiveRates(
    _ measured: [ParameterRole: EffectiveRates.Measurement], step: Int
  ) throws {
    var values: [(name: String, value: MetricValue)] = []
    for role in ParameterRole.allCases {
      guard let measurement = measured[role] else { continue }
      func append(_ statistic: String, _ value: MetricValue) {
        values.append((RecordedNumbers.effectiveRate(role, statistic), value))
      }
      for (name, value) in zip(LogQuantiles.names, measurement.quantiles.values) {
        append(name, .single(value))
      }
      append("spread", .number(measurement.quantiles.spread))
      if let slope = measurement.frequencySlope { append("frequencySlope", .number(slope)) }
    }
    if !values.isEmpty { try metrics.append(step: step, values) }
  }

  func trajectory(
    step: Int, numbers: [Float], values: [UnsafeBufferPointer<Float>]
  ) throws { try trajectories?.append(step: step, numbers: numbers, values: values) }

  func summaries(_ rows: [[Float]], step: Int) throws {
    try trajectories?.append(step: step, summaries: rows)
  }

  /// What a head in 8-bit floating point did.
  func float8(_ record: Float8Record) throws { try metrics.append(record) }

  /// Brings metrics, trajectories and timings to the disk.
  func synchronize() throws {
    try metrics.synchronize()
    try trajectories?.synchronize()
    try timings.synchronize()
  }

  // MARK: - The end

  /// Stores how the run ended, and seals it unless it is to go on.
  ///
  /// - Parameters:
  ///   - summary: how it ended.
  ///   - numbers: to store beside those of the summary.
  /// - Throws: `RunRecordError`.
  func end(_ summary: TrainingSummary, numbers: [String: Double]) throws {
    try synchronize()
    let progress = summary.progress
    outcome.status = summary.outcome.status
    outcome.reason = summary.reason
    outcome.completedSteps = progress.step
    outcome.endTime = Date()
    outcome.finalNumbers = numbers
    outcome.finalNumbers["tokens"] = Double(progress.tokens)
    outcome.finalNumbers["gradientEvaluations"] = Double(progress.gradientEvaluations)
    outcome.finalNumbers["chargedTokens"] = Double(progress.chargedTokens)
    outcome.finalNumbers["skippedSteps"] = Double(progress.skippedSteps)
    outcome.finalNumbers["trainingSeconds"] = progress.seconds
    outcome.finalNumbers["initialLoss"] = progress.initialLoss
    for name in ["optimizerMilliseconds", "forwardBackwardMilliseconds"] {
      outcome.finalNumbers[name] = try medianTiming(name)
    }
    if let evaluation = summary.evaluation {
      outcome.finalNumbers["validationLoss"] = evaluation.loss
      outcome.finalNumbers["bitsPerByte"] = evaluation.bitsPerByte
      outcome.finalNumbers["evaluatedTokens"] = Double(evaluation.evaluatedTokens)
    }
    if summary.outcome == .interrupted {
      try folder.setOutcome(outcome)
    } else {
      try folder.seal(with: outcome, sha256: SHA256.hexadecimal(of:))
    }
  }

  /// The median of a timing over all sessions.
  private func medianTiming(_ name: String) throws -> Double? {
    let values = try MetricsReader(path: timings.path).series(name).map(\.value).sorted()
    return values.isEmpty ? nil : values[values.count / 2]
  }

  /// Notes an error that ended the session; the error itself is more important than the note.
  func fail(_ error: any Error, step: Int) {
    outcome.status = .failed
    outcome.reason = "\(error)"
    outcome.completedSteps = step
    outcome.endTime = Date()
    try? folder.setOutcome(outcome)
  }
}
