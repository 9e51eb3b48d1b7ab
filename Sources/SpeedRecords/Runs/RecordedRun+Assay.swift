// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords

extension RecordedRun {
  /// Takes a run from its folder.
  ///
  /// - Parameters:
  ///   - folder: The folder of one of Assay's runs.
  ///   - name: The name in tables; nil: the folder's.
  ///   - step: The step whose validation counts; nil: the last.
  ///   - checksSeal: Whether files are compared with the seal of a run that has ended.
  /// - Throws: ``SpeedRecordError``: `unreadable` with what is wrong with the folder or was changed after its end, `unfinished-run` for one that is to go on,
  ///   `incomparable` when nothing was validated at the step.
  public init(
    assay folder: String, name: String? = nil, at step: Int? = nil, checksSeal: Bool = true
  ) throws(SpeedRecordError) {
    let record: RunRecord
    let configuration: ResolvedConfiguration
    let scan: MetricsScan
    let checksum: String
    do {
      record = try RunRecord(path: folder)
      configuration = try ResolvedConfiguration(json: record.configurationJSON)
      let metrics = folder + "/" + RunFolder.FileName.metrics
      scan = try MetricsScan(path: metrics, names: ["validationLoss"])
      checksum = SHA256.hexadecimal(
        of: [UInt8](try Data(contentsOf: URL(fileURLWithPath: metrics))))
    } catch {
      throw SpeedRecordError(.unreadable, "\(folder): cannot be taken as a run: \(error)")
    }
    let outcome = record.outcome
    if checksSeal, outcome.hasSeal { try Self.requireSeal(folder) }
    let points = scan.lines.compactMap { line in
      line.number("validationLoss").map { CurvePoint(step: line.step, loss: $0) }
    }
    let planned = Self.integer(configuration, "training.steps")
    var loss = outcome.finalNumbers["validationLoss"]
    var steps = outcome.completedSteps
    switch outcome.status {
    case .finished: break
    case .diverged:
      // A diverged run is a result: its loss is not finite, whatever was last measured.
      loss = .nan
    case .running, .interrupted, .stopped, .failed:
      guard step != nil else {
        throw SpeedRecordError(
          .unfinishedRun,
          "\(folder): has not ended (\(outcome.status.rawValue) after \(outcome.completedSteps) steps); go on with it, "
            + "or leave it out before looking at its loss")
      }
    }
    if let step {
      guard let point = points.last(where: { $0.step == step }) else {
        throw SpeedRecordError(
          .incomparable, "\(folder): there is no validation at step \(step); see its metrics.jsonl")
      }
      loss = point.loss
      steps = step
    }
    guard let loss else {
      throw SpeedRecordError(
        .unfinishedRun,
        "\(folder): has no validation loss; set evaluation.every or take runs that were evaluated at their end"
      )
    }
    let initial = Self.integer(configuration, "training.seed") ?? 0
    self.init(
      name: name ?? URL(fileURLWithPath: folder).lastPathComponent, origin: .assay, loss: loss,
      // The time is that of the whole run.
      seconds: steps == outcome.completedSteps ? outcome.finalNumbers["trainingSeconds"] : nil,
      steps: steps,
      seed: RunSeed(
        initial, data: Self.integer(configuration, "training.data_seed") ?? initial))
    path = folder
    plannedSteps = planned
    curve = points.filter { $0.step <= steps }
    isTunedOn = record.trial?.point.seed.purpose == .tuning
    // Threads, the instruction set and the precision are among the details.
    machine = record.machines.map { machine in
      (["\(machine.processor), \(machine.coreCount) cores, \(machine.operatingSystem)"]
        + machine.details.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })
        .joined(separator: ", ")
    }.withoutRepetitions.joined(separator: "; then ")
    // Where the data lie does not matter: the contract has what they are.
    recipe = configuration.contentHash(
      excluding: ResolvedConfiguration.keysOfReplicates + ["data.path"])
    if let values = record.contract?.values {
      evaluation = "data \(values[.data] ?? ""), held out \(values[.evaluationTokens] ?? "")"
    }
    self.checksum = checksum
    if outcome.status == .diverged { note = outcome.reason ?? "it diverged" }
  }

  /// A run that has ended is what it was then, or it is no evidence.
  private static func requireSeal(_ folder: String) throws(SpeedRecordError) {
    let edited: [String]?
    do {
      edited = try RunSeal.editedFiles(of: folder, sha256: SHA256.hexadecimal(of:))
    } catch {
      throw SpeedRecordError(.unreadable, "\(folder): its seal cannot be compared: \(error)")
    }
    guard let edited else {
      throw SpeedRecordError(
        .unreadable, "\(folder): has ended and has no \(RunFolder.FileName.seal); leave it out")
    }
    guard edited.isEmpty else {
      throw SpeedRecordError(
        .unreadable,
        "\(folder): changed after the run had ended: \(edited.joined(separator: ", ")); leave it out, or take the run from where "
          + "it was made")
    }
  }

  private static func integer(_ configuration: ResolvedConfiguration, _ key: String) -> Int? {
    if case .integer(let number) = configuration[key]?.value { return number }
    return nil
  }
}

extension RunOutcome {
  /// Whether a run that ended so was sealed.
  var hasSeal: Bool { status == .finished || status == .diverged || status == .stopped }
}
