// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Training

/// Runs the first steps of trials to see how fast they are, in a folder that is thrown away.
struct ThroughputProbe {
  /// How long and how far a trial is watched after its first step.
  struct Patience: Sendable {
    /// Seconds of steps that are enough.
    var seconds = 1.0
    /// Steps that there must be beside the seconds.
    var steps = 3
    /// Seconds of steps after which whatever there is must do.
    var mostSeconds = 10.0
    /// Seconds until the first step after which nothing is expected any more.
    var mostSecondsToStart = 60.0
  }

  /// What was seen of one trial.
  struct Speed: Equatable, Sendable {
    /// Until it began with the first evaluation.
    var startSeconds: Double
    var evaluationSeconds: Double
    var stepsPerSecond: Double
    /// The steps that were timed, zero-based.
    var timed: Range<Int>
  }

  let program: TrialProcess.Program
  var patience = Patience()

  /// Runs trials at the same time, until each has been watched long enough.
  ///
  /// - Parameters:
  ///   - processes: the trials of each process; their folders are replaced by ones that are thrown away.
  ///   - isStopped: asked meanwhile.
  /// - Returns: the speed of each, nil where it ended or stayed silent before its first step; with it the reasons.
  /// - Throws: ``ChildProcessError`` when the system cannot start processes.
  func measure(
    _ processes: [[TrialRequest]], isStopped: () -> Bool
  ) throws -> [(speed: Speed?, reason: String?)] {
    let folder =
      FileManager.default.temporaryDirectory.path
      + "/assay-throughput-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var trials: [TrialProcess] = []
    for requests in processes {
      let together = requests.enumerated().map { index, request in
        TrialRequest(
          layers: request.layers,
          // Nothing but steps between the first evaluation and the last.
          overrides: request.overrides + ["evaluation.every=0", "checkpoint.every=0"],
          folder: "\(folder)/\(trials.count + index)", trial: request.trial.copy(index),
          threads: request.threads)
      }
      trials += try TrialProcess.together(together, program: program, lock: nil)
    }
    while !isStopped(), !trials.allSatisfy({ $0.end != nil || isSeen($0) }) {
      TrialProcess.wait(for: trials, milliseconds: 50)
    }
    // Before their folder goes, or they would make it again.
    for child in TrialProcess.processes(of: trials) { child.destroy() }
    return trials.map { (Self.speed($0), Self.reason($0)) }
  }

  private func isSeen(_ trial: TrialProcess) -> Bool {
    let now = ContinuousClock.now
    guard let first = trial.firstStep, let last = trial.lastStep else {
      return now - trial.started > .seconds(patience.mostSecondsToStart)
    }
    let seconds = now - first.time
    if seconds > .seconds(patience.mostSeconds) { return true }
    return seconds > .seconds(patience.seconds) && last.time > first.time
      && last.step.step - first.step >= patience.steps
  }

  private static func speed(_ trial: TrialProcess) -> Speed? {
    guard let ready = trial.ready, let evaluation = trial.evaluations.first,
      let first = trial.firstStep, let last = trial.lastStep
    else { return nil }
    var timed = first.step..<last.step.step
    var seconds = (last.time - first.time).inSeconds
    if timed.isEmpty || seconds <= 0 {
      if case .told(let end)? = trial.end, end.completedSteps > first.step,
        let final = trial.evaluations.last
      {
        // So short that it said only how it began and that it is over.
        timed = first.step..<end.completedSteps
        seconds = (final.time - first.time).inSeconds
      } else {
        // One step is all there is: it took the time since the evaluation, compilation of the optimizer included.
        timed = 0..<first.step
        seconds = (first.time - evaluation.time).inSeconds
      }
    }
    return Speed(
      startSeconds: (ready - trial.started).inSeconds,
      evaluationSeconds: (evaluation.time - ready).inSeconds,
      stepsPerSecond: Double(timed.count) / max(seconds, 1e-6), timed: timed)
  }

  private static func reason(_ trial: TrialProcess) -> String? {
    switch trial.end {
    case .failed(let reason): reason
    case .told(let end) where end.status == .failed: end.reason
    default: nil
    }
  }
}

extension TrialRecord {
  /// The same trial under another name: those of a process are told apart by their names.
  fileprivate func copy(_ index: Int) -> TrialRecord {
    TrialRecord(
      study: study, identity: index == 0 ? identity : "\(identity)-\(index)", point: point,
      isAudit: isAudit, revision: revision, version: version, tuning: tuning)
  }
}

extension Duration {
  /// As a number.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
