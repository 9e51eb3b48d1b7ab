// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Training

/// A trial under way in a child process: what it was asked, what it has said, how it ended.
final class TrialProcess {
  /// How a trial's process ended, whatever its record says.
  enum End: Equatable {
    /// As its last event and its exit code say.
    case told(TrialEvent.End)
    /// Without a word: killed, crashed, or never understood what it was asked.
    case failed(String)
  }

  /// Which executable runs trials, and how it is called.
  struct Program: Sendable {
    var executable = ownExecutable()
    var arguments = ["trial"]
  }

  let request: TrialRequest
  let started = ContinuousClock.now
  /// The first step it told of, and when: what its speed is measured from.
  private(set) var firstStep: (step: Int, time: ContinuousClock.Instant)?
  private(set) var lastStep: (step: TrialEvent.Step, time: ContinuousClock.Instant)?
  /// When it had compiled everything and began.
  private(set) var ready: ContinuousClock.Instant?
  /// The validation losses it told of.
  private(set) var evaluations: [(step: Int, loss: Double, time: ContinuousClock.Instant)] = []
  private(set) var warnings: [String] = []
  private(set) var end: End?

  let child: ChildProcess
  private var told: TrialEvent.End?

  /// Starts a trial.
  ///
  /// - Parameters:
  ///   - request: what to run.
  ///   - program: what runs it.
  ///   - lock: the study's lock, for the child to hold as long as it lives.
  /// - Throws: ``ChildProcessError``, or an encoding error.
  init(_ request: TrialRequest, program: Program, lock: Int32?) throws {
    self.request = request
    child = try ChildProcess(
      executable: program.executable, arguments: program.arguments,
      input: String(decoding: try request.json, as: UTF8.self) + "\n", lock: lock)
  }

  /// The name of the trial's folder.
  var identity: String { request.trial.identity }

  /// Sleeps until a trial has something to say or the time is up, and listens to all.
  static func wait(for trials: [TrialProcess], milliseconds: Int32) {
    ChildProcess.wait(for: trials.map(\.child), milliseconds: milliseconds)
    for trial in trials { trial.listen() }
  }

  private func listen() {
    let now = ContinuousClock.now
    for line in child.takeLines() {
      switch TrialEvent(line: line) {
      case .started: ready = now
      case .step(let step):
        if firstStep == nil { firstStep = (step.step, now) }
        lastStep = (step, now)
      case .evaluation(let step, let loss): evaluations.append((step, loss, now))
      case .warning(let text): warnings.append(text)
      case .ended(let end): told = end
      // Not for us: a library's chatter must not end a trial.
      case nil: break
      }
    }
    guard end == nil, let ending = child.end else { return }
    end =
      switch (told, ending) {
      case (let told?, .exited) where told.status != .running: .told(told)
      default: .failed(Self.reason(ending, child.errorText))
      }
  }

  /// The last words, or how it ended where there were none.
  private static func reason(_ end: ChildProcess.End, _ errors: String) -> String {
    let last = errors.split(separator: "\n").last { $0.hasPrefix("error: ") }
    switch end {
    case .exited:
      return last.map { String($0.dropFirst(7)) }
        ?? (errors.isEmpty ? "\(end)" : "\(end): \(errors)")
    case .killed(SIGKILL):
      return "its process was killed (signal 9): by hand, or for want of memory"
    case .killed: return "its process crashed: \(end)" + (errors.isEmpty ? "" : ": \(errors)")
    }
  }
}
