// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Foundation
import RunRecords
import Studies

/// Tells a person how a study goes: on a terminal a line for each running trial and one for the study, redrawn in place; elsewhere a
/// line for each trial that ends.
final class LiveView {
  private let study: StudyRecord
  private let isTerminal: Bool
  /// Lines on the screen that the next drawing replaces.
  private var drawn = 0
  private var lastTime: ContinuousClock.Instant?
  /// Lines longer than this would wrap and could not be taken back.
  private let width: Int

  /// Starts a view.
  ///
  /// - Parameter study: the study.
  init(_ study: StudyRecord) {
    self.study = study
    isTerminal = Console.isTerminal
    var size = winsize()
    let code = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size)
    width = code == 0 && size.ws_col > 20 ? Int(size.ws_col) - 1 : 100
  }

  /// Shows an event.
  func show(_ event: StudyEvent) {
    switch event {
    case .note(let text): say(text)
    case .warning(let text): say("warning: " + text)
    case .started(_, let view): draw(view)
    case .progress(let view): draw(view)
    case .ended(let result, let seconds, let view):
      say(line(result, seconds: seconds, view))
      draw(view, isDue: true)
    case .failed(let point, let reason, let view):
      say("failed twice: \(point.summary(in: study)): \(reason)")
      draw(view, isDue: true)
    }
  }

  /// Leaves nothing behind that would be overwritten.
  func end() { erase() }

  // MARK: - Lines

  private func line(_ result: TrialResult, seconds: Double, _ view: StudyView) -> String {
    let outcome: String
    switch result.status {
    case .finished:
      outcome =
        (result.finalLoss.map { "loss " + Numbers.fixed($0, 4) } ?? "no loss")
        + (result.isDiverged ? ", not finite" : "")
    case .diverged: outcome = "diverged at step \(Numbers.grouped(result.steps))"
    case .stopped: outcome = "stopped at step \(Numbers.grouped(result.steps))"
    default: outcome = result.status.rawValue
    }
    return "[\(view.ended)/\(Self.total(view))] " + result.point.summary(in: study)
      + (result.isAudit ? " (audit)" : "") + ": \(outcome), \(Numbers.seconds(seconds))"
  }

  private static func total(_ view: StudyView) -> String {
    let sure = view.expected.least == view.expected.most
    return (sure ? "" : "~") + Numbers.grouped(view.expected.expected)
  }

  private func lines(_ view: StudyView) -> [String] {
    var table = Table([.left, .right, .left, .right])
    for trial in view.running {
      let name = "  " + trial.point.summary(in: study) + (trial.isAudit ? " (audit)" : "")
      if let step = trial.step, let steps = trial.steps {
        table.add(
          name, "step \(step)/\(steps)",
          trial.loss.map { "loss " + Numbers.fixed($0, 3) } ?? "",
          trial.secondsLeft.map { Numbers.duration($0) + " left" } ?? "")
      } else {
        table.add(name, "starting", "", "")
      }
    }
    var lines = view.running.isEmpty ? [] : table.lines
    var whole = "\(view.phase.title): \(view.ended) of \(Self.total(view)) trials"
    if view.failed > 0 { whole += ", \(view.failed) failed" }
    if let left = view.secondsLeft { whole += ", about \(Numbers.duration(left)) left" }
    lines.append(whole)
    return lines
  }

  // MARK: - The screen

  private func say(_ text: String) {
    erase()
    Console.say(text)
  }

  private func draw(_ view: StudyView, isDue: Bool = false) {
    guard isTerminal else { return }
    let now = ContinuousClock.now
    if !isDue, let lastTime, now - lastTime < .milliseconds(200) { return }
    lastTime = now
    let lines = lines(view).map { String($0.prefix(width)) }
    // One write, so that nobody sees half of it: up over the old lines, and clear from there.
    Console.say(clearing + lines.joined(separator: "\n"))
    drawn = lines.count
  }

  private var clearing: String { drawn > 0 ? "\u{1B}[\(drawn)A\r\u{1B}[J" : "" }

  private func erase() {
    if drawn > 0 { Console.say(clearing, end: "") }
    drawn = 0
  }
}

extension StudyPhase {
  /// As a person calls it.
  var title: String {
    switch self {
    case .coarse: "coarse grid"
    case .extending: "extending grids"
    case .refining: "refining"
    case .axes: "further axes"
    case .reporting: "reporting"
    case .sweeps: "sweeps"
    case .ladder: "ladder"
    case .audit: "audit"
    case .done: "done"
    }
  }
}
