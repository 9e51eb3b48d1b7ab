// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension RecordedRun {
  /// Takes all runs from a log.
  ///
  /// - Parameters:
  ///   - log: The log; validations are enough.
  ///   - step: The step whose validation counts; nil: the last.
  /// - Returns: One run, or several of a script that makes them one after the other.
  /// - Throws: As ``init(_:run:at:)``.
  public static func all(
    of log: SpeedrunLog, at step: Int? = nil
  ) throws(SpeedRecordError) -> [RecordedRun] {
    var runs: [RecordedRun] = []
    for index in log.runs.indices { runs.append(try RecordedRun(log, run: index, at: step)) }
    return runs
  }

  /// Takes a run from its log.
  ///
  /// - Parameters:
  ///   - log: The log; validations are enough.
  ///   - index: Which of the log's runs, from 0.
  ///   - step: The step whose validation counts, common to all runs and chosen from those that were printed; nil: the last.
  /// - Throws: ``SpeedRecordError``: `truncated-log` when the run has not reached its last step, `incomparable` when nothing was
  ///   validated at the step.
  public init(
    _ log: SpeedrunLog, run index: Int = 0, at step: Int? = nil
  ) throws(SpeedRecordError) {
    let all = log.runs
    let validations = index < all.count ? all[index].filter { $0.validationLoss != nil } : []
    guard let last = validations.last, let loss = last.validationLoss else {
      throw SpeedRecordError(.truncatedLog, "\(log.path): has no validation loss; leave it out")
    }
    var chosen = (event: last, loss: loss)
    if let step {
      guard let event = validations.last(where: { $0.step == step }),
        let loss = event.validationLoss
      else {
        let near = validations.map(\.step).min { abs($0 - step) < abs($1 - step) } ?? 0
        throw SpeedRecordError(
          .incomparable,
          "\(log.path): there is no validation at step \(step); the nearest is at \(near)")
      }
      chosen = (event, loss)
    } else if last.step < last.plannedSteps {
      throw SpeedRecordError(
        .truncatedLog,
        "\(log.path): its last validation is of step \(last.step) of \(last.plannedSteps): the log is cut off or the run "
          + "was stopped; complete it, or compare all runs at one step with --at-step \(last.step)")
    }
    self.init(
      name: URL(fileURLWithPath: log.path).deletingPathExtension().lastPathComponent
        + (all.count > 1 ? "#\(index + 1)" : ""), origin: .log,
      loss: chosen.loss.value, seconds: chosen.event.seconds, steps: chosen.event.step)
    path = all.count > 1 ? "\(log.path)#\(index + 1)" : log.path
    lossDecimals = chosen.loss.decimals
    plannedSteps = chosen.event.plannedSteps
    curve = validations.compactMap { event in
      event.step > chosen.event.step
        ? nil : event.validationLoss.map { CurvePoint(step: event.step, loss: $0.value) }
    }
    machine = log.machine.isKnown ? log.machine.description : nil
    recipe = log.sourceChecksum
    checksum = all.count > 1 ? "\(log.checksum)#\(index + 1)" : log.checksum
    registration = log.registration
    if !chosen.loss.value.isFinite { note = "its loss is \(chosen.loss)" }
  }
}
