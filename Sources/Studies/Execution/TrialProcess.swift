// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Training

/// A trial under way in a child process: what it was asked, what it has said, how it ended.
///
/// Trials that share their programs share the process too; each ends by itself when it has said so, and the last with the process.
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
  /// Trials of the process.
  let companions: Int
  private var told: TrialEvent.End?

  /// Starts a trial.
  ///
  /// - Parameters:
  ///   - request: what to run.
  ///   - program: what runs it.
  ///   - lock: the study's lock, for the child to hold as long as it lives.
  /// - Throws: ``ChildProcessError``, or an encoding error.
  convenience init(_ request: TrialRequest, program: Program, lock: Int32?) throws {
    self.init(
      request, try Self.process([request], program: program, lock: lock), companions: 1)
  }

  private init(_ request: TrialRequest, _ child: ChildProcess, companions: Int) {
    self.request = request
    self.child = child
    self.companions = companions
  }

  /// Starts trials that share their programs, in one process.
  ///
  /// - Throws: ``ChildProcessError``, or an encoding error.
  static func together(
    _ requests: [TrialRequest], program: Program, lock: Int32?
  ) throws -> [TrialProcess] {
    let child = try process(requests, program: program, lock: lock)
    return requests.map { TrialProcess($0, child, companions: requests.count) }
  }

  private static func process(
    _ requests: [TrialRequest], program: Program, lock: Int32?
  ) throws -> ChildProcess {
    try ChildProcess(
      executable: program.executable, arguments: program.arguments,
      input: String(decoding: try TrialRequest.json(requests), as: UTF8.self) + "\n", lock: lock)
  }

  /// The name of the trial's folder.
  var identity: String { request.trial.identity }

  /// Whether its process or its own words say that it failed.
  var hasFailed: Bool {
    switch end {
    case .failed: true
    case .told(let end): end.status == .failed
    case nil: false
    }
  }

  /// The processes of trials, each once.
  static func processes(of trials: [TrialProcess]) -> [ChildProcess] {
    var seen: Set<ObjectIdentifier> = []
    return trials.map(\.child).filter { seen.insert(ObjectIdentifier($0)).inserted }
  }

  /// Sleeps until a trial has something to say or the time is up, and listens to all.
  static func wait(for trials: [TrialProcess], milliseconds: Int32) {
    let processes = processes(of: trials)
    ChildProcess.wait(for: processes, milliseconds: milliseconds)
    let now = ContinuousClock.now
    for child in processes {
      let own = trials.filter { $0.child === child }
      for line in child.takeLines().compactMap({ TrialLine($0) }) {
        // What is not for us, a library's chatter, must not end a trial.
        let trial = own.first { $0.companions == 1 || $0.identity == line.trial }
        trial?.take(line.event, now)
      }
      // The last of them waits for the end of the process, so that nobody kills it before it has gone.
      let isLast = own.allSatisfy { $0.told != nil || $0.end != nil }
      for trial in own { trial.conclude(isLast: isLast) }
    }
  }

  private func take(_ event: TrialEvent, _ now: ContinuousClock.Instant) {
    switch event {
    case .started: ready = now
    case .step(let step):
      if firstStep == nil { firstStep = (step.step, now) }
      lastStep = (step, now)
    case .evaluation(let step, let loss): evaluations.append((step, loss, now))
    case .warning(let text): warnings.append(text)
    case .ended(let end): told = end
    }
  }

  private func conclude(isLast: Bool) {
    guard end == nil else { return }
    if let told, told.status != .running, !isLast {
      end = .told(told)
      return
    }
    guard let ending = child.end else { return }
    end =
      switch (told, ending) {
      case (let told?, .exited) where told.status != .running: .told(told)
      case (let told?, .killed) where told.status != .running && companions > 1: .told(told)
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
