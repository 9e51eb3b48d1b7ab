// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Training

/// Tells a person how a run goes.
final class TrainingReport {
  private let progress = ProgressLine()
  private var start: TrainingStart?
  /// Where no person watches, a line every so often: about twenty in a run.
  private var stepsBetweenLines = 1

  /// Shows an event.
  func observe(_ event: TrainingEvent) {
    switch event {
    case .started(let start): begin(start)
    case .step(let report): show(report)
    case .evaluation(let report): show(report)
    case .statistics, .effectiveRates: break
    case .checkpoint(let step, _):
      if Console.isTerminal { break }
      progress.end()
      Console.say("step \(step): saved")
    case .warning(let text):
      progress.end()
      Console.say("warning: " + text)
    case .ended(let summary): end(summary)
    }
  }

  private func begin(_ start: TrainingStart) {
    self.start = start
    stepsBetweenLines = max(1, start.steps / 20)
    #if DEBUG
      Console.say("debug build: Swift parts are slow; use -c release")
    #endif
    Console.say(
      "\(start.firstStep > 0 ? "going on with" : "run") \(start.folder): "
        + "\(Numbers.short(Double(start.parameters))) parameters "
        + "(\(Numbers.short(Double(start.nonEmbeddingParameters))) outside the token tables), "
        + "\(Numbers.grouped(start.steps)) steps of \(Numbers.grouped(start.batchTokens)) tokens, "
        + "\(start.precision.rawValue)")
    Console.say(start.runtime)
    if start.firstStep > 0 { Console.say("continuing after step \(start.firstStep)") }
  }

  private func show(_ report: StepReport) {
    let done = report.step + 1
    let width = String(report.steps).count
    let step = String(repeating: " ", count: width - String(done).count) + String(done)
    progress.show(
      "step \(step)/\(report.steps)  loss \(Numbers.fixed(report.loss, 4))  "
        + "\(Numbers.short(report.tokensPerSecond)) tokens/s  "
        + "\(Numbers.duration(report.secondsLeft)) left"
        + (report.isSkipped ? "  (not finite: skipped)" : ""),
      event: report.isSkipped || done == report.steps
        ? "\(done)" : "from \(report.step / stepsBetweenLines)")
  }

  private func show(_ report: EvaluationReport) {
    progress.end()
    Console.say(
      "step \(report.step): validation loss \(Numbers.fixed(report.loss, 4)) nats a token"
        + (report.bitsPerByte.map { ", \(Numbers.fixed($0, 4)) bits a byte" } ?? ""))
  }

  private func end(_ summary: TrainingSummary) {
    progress.end()
    let steps = Numbers.grouped(summary.progress.step)
    switch summary.outcome {
    case .finished where start == nil:
      Console.say("\(summary.folder): finished before, after \(steps) steps; nothing to do")
    case .finished:
      Console.say(
        "finished \(steps) steps, \(Numbers.grouped(summary.progress.tokens)) tokens, "
          + "in \(Numbers.duration(summary.progress.seconds))")
    case .diverged:
      Console.say("diverged at step \(steps): " + (summary.reason ?? "no reason is recorded"))
      Console.say(
        "  try a smaller --optimizer.learning_rate, or clipping (--optimizer.gradient_clip)")
    case .interrupted:
      Console.say("interrupted after step \(steps), and saved; the same command goes on")
    case .stopped:
      Console.say("stopped after step \(steps) by a rule of its study, and saved")
    }
    if let evaluation = summary.evaluation {
      Console.say(
        "validation loss \(Numbers.fixed(evaluation.loss, 4)) nats a token"
          + (evaluation.bitsPerByte.map { ", \(Numbers.fixed($0, 4)) bits a byte" } ?? ""))
    }
    if summary.progress.skippedSteps > 0 {
      Console.say(
        "\(summary.progress.skippedSteps) steps were skipped: loss or gradients not finite")
    }
    Console.say("the run lies in \(summary.folder)")
  }
}
