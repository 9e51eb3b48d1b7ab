// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords

/// Turns what happens in a run into lines for another program.
public final class TrialEventStream {
  /// Steps are told at most this often.
  public static let secondsBetweenSteps = 0.25

  private let trial: String?
  private let write: (String) -> Void
  private var lastStep: ContinuousClock.Instant?

  /// Starts a stream.
  ///
  /// - Parameters:
  ///   - trial: the name that every line bears, where several trials share a process.
  ///   - write: takes one line, without its newline.
  public init(trial: String? = nil, write: @escaping (String) -> Void) {
    self.trial = trial
    self.write = write
  }

  /// Tells an event, or keeps quiet about a step when one was told less than a quarter of a second ago.
  public func observe(_ event: TrainingEvent) {
    switch event {
    case .started(let start): tell(.started(firstStep: start.firstStep, steps: start.steps))
    case .step(let report):
      let now = ContinuousClock.now
      if let lastStep, (now - lastStep).seconds < Self.secondsBetweenSteps { return }
      lastStep = now
      tell(
        .step(
          TrialEvent.Step(
            step: report.step + 1, steps: report.steps, loss: report.loss,
            tokensPerSecond: report.tokensPerSecond, secondsLeft: report.secondsLeft)))
    case .evaluation(let report):
      tell(.evaluation(step: report.step, validationLoss: report.loss))
    case .warning(let text): tell(.warning(text))
    case .ended(let summary):
      tell(
        .ended(
          TrialEvent.End(
            status: summary.outcome.status, reason: summary.reason,
            completedSteps: summary.progress.step, validationLoss: summary.evaluation?.loss)))
    case .statistics, .effectiveRates, .checkpoint: break
    }
  }

  /// Tells that an error ended the run.
  public func fail(_ error: any Error) {
    tell(.ended(TrialEvent.End(status: .failed, reason: "\(error)")))
  }

  private func tell(_ event: TrialEvent) { write(TrialLine(event, of: trial).text) }
}
