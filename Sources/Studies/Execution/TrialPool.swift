// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Training

/// The trials that run at the same time: each in a process of its own, so that the end of one is the end of one, or several that share
/// their programs in one.
///
/// A trial whose process fails is started once more, for what killed it may have been passing; the second failure is told. A trial
/// that failed beside others is left to the caller, who starts it alone.
final class TrialPool {
  /// Starts of a trial before it counts as failed.
  static let attempts = 2

  /// Processes at a time.
  let slots: Int
  private(set) var running: [TrialProcess] = []
  private let program: TrialProcess.Program
  private let lock: Int32?
  private var failures: [String: Int] = [:]
  /// Trials that have failed beside others.
  private(set) var loners: Set<String> = []

  /// Makes an empty pool.
  ///
  /// - Parameters:
  ///   - slots: processes at a time.
  ///   - program: what runs them.
  ///   - lock: an open file that every child inherits.
  init(slots: Int, program: TrialProcess.Program, lock: Int32?) {
    precondition(slots > 0, "a pool of \(slots) slots runs nothing")
    self.slots = slots
    self.program = program
    self.lock = lock
  }

  /// Whether another process may start.
  var hasRoom: Bool { TrialProcess.processes(of: running).count < slots }

  /// Starts a trial.
  ///
  /// - Throws: ``ChildProcessError`` when the system cannot.
  func start(_ request: TrialRequest) throws {
    running.append(try TrialProcess(request, program: program, lock: lock))
  }

  /// Starts trials that share their programs.
  ///
  /// - Throws: ``ChildProcessError`` when the system cannot.
  func start(together requests: [TrialRequest]) throws {
    running += try TrialProcess.together(requests, program: program, lock: lock)
  }

  /// Sleeps until something happens or the time is up.
  ///
  /// - Returns: the trials that are over; those that failed alone for the first time run again and are not among them.
  /// - Throws: ``ChildProcessError`` when one cannot be started again.
  func wait(milliseconds: Int32) throws -> [TrialProcess] {
    TrialProcess.wait(for: running, milliseconds: milliseconds)
    let ended = running.filter { $0.end != nil }
    running.removeAll { $0.end != nil }
    var over: [TrialProcess] = []
    for trial in ended {
      if trial.hasFailed, trial.companions > 1 {
        loners.insert(trial.identity)
        failures[trial.identity, default: 0] += 1
      }
      if isWorthAnotherAttempt(trial) {
        try start(trial.request)
      } else {
        over.append(trial)
      }
    }
    return over
  }

  private func isWorthAnotherAttempt(_ trial: TrialProcess) -> Bool {
    guard trial.hasFailed, trial.companions == 1 else { return false }
    failures[trial.identity, default: 0] += 1
    return failures[trial.identity, default: 0] < Self.attempts
  }

  /// Asks all trials to save and end, and waits until they have; those that do not in time are killed, and go on from what they saved
  /// before.
  ///
  /// - Parameters:
  ///   - seconds: how long they have.
  ///   - isHurried: asked meanwhile; true kills them at once.
  func interrupt(seconds: Double, isHurried: () -> Bool = { false }) {
    for child in TrialProcess.processes(of: running) { child.send(SIGTERM) }
    let start = ContinuousClock.now
    while running.contains(where: { $0.end == nil }) {
      if isHurried() || ContinuousClock.now - start > .seconds(seconds) { break }
      TrialProcess.wait(for: running, milliseconds: 100)
    }
    // What still runs is killed with its owner.
    running = []
  }
}
