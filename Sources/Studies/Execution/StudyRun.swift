// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
import Foundation
public import RunRecords
public import Training

/// Runs the trials that a study still needs, each in a process of its own, or several that share their programs in one, as many
/// processes at a time as there are slots.
///
/// What is needed is decided by `StudyProtocol` alone, from the declaration and the trials that have ended. This class keeps nothing
/// that is not in the folders of the trials, so a study that was killed at any moment goes on when it is run again, and ends with the
/// same bits (where programs are shared, with the same numbers but for rounding). No decision depends on which trial happened to end first: the protocol asks only for trials that are needed whatever
/// the others turn out to be, and what may stop a trial early (``RaceRule``) is fixed before it starts.
public final class StudyRun {
  /// What can be chosen for a session without changing any result.
  public struct Options: Sendable {
    /// Processes at a time.
    public var slots: Int
    /// Threads of each.
    public var threads: Int
    /// The most trials that share programs; nil: as many as their configurations allow.
    public var mostRuns: Int?
    /// Seconds that trials have to save when somebody asks for the end.
    public var secondsToSave = 120.0
    /// The executable that runs trials and its arguments; this one and `trial`.
    var program = TrialProcess.Program()

    /// Chooses how cores are shared.
    public init(slots: Int, threads: Int, mostRuns: Int? = nil) {
      self.slots = slots
      self.threads = threads
      self.mostRuns = mostRuns
    }
  }

  /// The study.
  public let record: StudyRecord
  /// Where it lies.
  public let folder: StudyFolder
  /// What is left to run.
  public private(set) var agenda: TrialAgenda
  /// What has ended or begun, in no particular order.
  public var trials: [TrialResult] { Array(results.values) }

  private let plan: ([TrialResult]) throws -> TrialAgenda
  private let options: Options
  private let requests: any TrialRequests
  private let observer: (StudyEvent) -> Void
  private let lock: StudyLock
  private let pool: TrialPool
  private let races: RaceRule?
  private let packing: TrialPacking
  private var results: [String: TrialResult] = [:]
  private var failures: [TrialFailure] = []
  private var clock: TrialClock

  /// Takes up a study.
  ///
  /// - Parameters:
  ///   - record: the declaration.
  ///   - folder: the study's folder, whose lock the caller holds.
  ///   - lock: that lock.
  ///   - requests: makes what a trial's process is asked.
  ///   - plan: says what is needed, given what has ended; nil: `StudyProtocol`.
  ///   - clock: how long trials take.
  ///   - options: how cores are shared.
  ///   - observer: is told what happens.
  /// - Throws: ``ProtocolError`` when the declaration contradicts itself, ``StudyRefusal`` when trials in the folder have
  ///   another configuration than the declaration gives them.
  public init(
    _ record: StudyRecord, in folder: StudyFolder, lock: StudyLock, requests: any TrialRequests,
    plan: (([TrialResult]) throws -> TrialAgenda)? = nil, clock: TrialClock, options: Options,
    observer: @escaping (StudyEvent) -> Void
  ) throws {
    self.record = record
    self.folder = folder
    self.lock = lock
    self.requests = requests
    self.clock = clock
    self.options = options
    self.observer = observer
    pool = TrialPool(slots: options.slots, program: options.program, lock: lock.descriptor)
    races = record.stopping.races ? RaceRule(record) : nil
    packing = TrialPacking(requests, mostRuns: options.mostRuns)
    let (found, problems) = TrialResult.all(in: folder)
    for problem in problems { observer(.warning("\(problem)")) }
    let own = try Self.checked(found, of: record, requests, observer)
    for result in own { results[result.identity] = result }
    let plan = plan ?? { TrialAgenda(try StudyProtocol.next(record, $0)) }
    self.plan = plan
    agenda = try plan(own)
  }

  /// Trials of an earlier session belong to this declaration: their configurations are those that it gives them now.
  ///
  /// One of each arm and variant is enough, for what they have in common is what can change behind a declaration's back: the base. A
  /// folder that somebody brought from another study is left alone, and said.
  private static func checked(
    _ results: [TrialResult], of record: StudyRecord, _ requests: any TrialRequests,
    _ observer: (StudyEvent) -> Void
  ) throws -> [TrialResult] {
    var known: [ArmInVariant: Bool] = [:]
    return try results.filter { result in
      let cell = ArmInVariant(arm: result.point.arm, variant: result.point.variant)
      if result.isAudit { return known[cell] ?? true }
      if let isKnown = known[cell] { return isKnown }
      let isAsked = record.arm(named: cell.arm)?.variants.contains(cell.variant) == true
      guard isAsked, let identity = try? requests.identity(of: result.point) else {
        known[cell] = false
        observer(.warning("\(result.folder) is no trial of this study, and is not used"))
        return false
      }
      known[cell] = true
      guard identity == result.identity else {
        throw StudyRefusal(
          "\(result.folder) was run with another configuration than the study gives \(cell) now: it was copied or edited, or the "
            + "study's base has changed. Move it away or undo the change, or choose another 'folder' for the study"
        )
      }
      return true
    }
  }

  // MARK: - Running

  /// Runs until nothing is left, until only failures are left, or until somebody asks for the end.
  ///
  /// - Parameter stop: asked several times a second.
  /// - Returns: how it ended.
  /// - Throws: errors of the system; trials under way end with this process and go on later.
  public func run(stop: StopRequest) throws -> StudyEnd {
    while !stop.isRequested {
      try fill()
      if pool.running.isEmpty { break }
      let over = try pool.wait(milliseconds: 250)
      for trial in over {
        let ending = end(trial)
        agenda = try plan(trials)
        if let ending { tell(ending) }
      }
      observer(.progress(view))
    }
    if stop.isRequested, !pool.running.isEmpty {
      observer(.note("saving \(pool.running.count) trials ..."))
      pool.interrupt(seconds: options.secondsToSave)
      return .interrupted
    }
    if agenda.isComplete { return .complete }
    return stop.isRequested ? .interrupted : .incomplete(failures: failures)
  }

  /// Starts trials while there is room: the longest first, so that the last to end is a short one.
  private func fill() throws {
    while pool.hasRoom {
      let open = openTrials
      guard let next = next(of: open) else { return }
      let points = try pack(next, open)
      let asked = try points.map { try request($0, isAudit: next.isAudit) }
      try pool.start(together: asked)
      for point in points { observer(.started(point, view)) }
    }
  }

  /// What may start now, in running order.
  private var openTrials: [Key] {
    let busy = Set(pool.running.map { Key($0.request.trial) })
    let lost = Set(failures.map { Key($0) })
    return (agenda.needed.map { Key($0, false) } + agenda.audits.map { Key($0, true) })
      .filter { !busy.contains($0) && !lost.contains($0) && mayStart($0) }
  }

  private func next(of open: [Key]) -> Key? {
    // The first of the long ones: trials of about the same length keep the protocol's order, in which arms advance together.
    let seconds = open.map { clock.seconds($0.point) }
    let longest = seconds.max() ?? 0
    return zip(open, seconds).first { $0.1 >= 0.75 * longest }.map { $0.0 }
  }

  /// The trials that start together: audits, and trials that have failed beside others, run alone.
  private func pack(_ next: Key, _ open: [Key]) throws -> [TrialPoint] {
    guard !next.isAudit, try !isLoner(next.point) else { return [next.point] }
    let others = try open.filter { try !$0.isAudit && !isLoner($0.point) }
    return try packing.pack(next.point, among: others.map(\.point)) { point in
      TrialPosition(folder: folder.trial(try requests.identity(of: point)))
    }
  }

  private func isLoner(_ point: TrialPoint) throws -> Bool {
    try !pool.loners.isEmpty && pool.loners.contains(requests.identity(of: point))
  }

  /// A trial in a race waits for those that it is compared with, so that its limits are the same in every session.
  private func mayStart(_ key: Key) -> Bool {
    guard let races, !key.isAudit else { return true }
    return races.references(of: key.point).allSatisfy { reference in
      results.values.contains { $0.point == reference && $0.hasEnded && !$0.isAudit }
        || failures.contains { $0.point == reference }
    }
  }

  private func request(_ point: TrialPoint, isAudit: Bool) throws -> TrialRequest {
    let limits = isAudit ? [] : races?.limits(of: point, trials) ?? []
    return try requests.request(
      point, isAudit: isAudit, limits: limits, study: folder, threads: options.threads)
  }

  // MARK: - Ends of trials

  /// What became of a trial.
  private enum Ending {
    case counts(TrialResult, seconds: Double)
    case failed(TrialFailure)
  }

  private func tell(_ ending: Ending) {
    switch ending {
    case .counts(let result, let seconds): observer(.ended(result, seconds: seconds, view))
    case .failed(let failure):
      observer(.failed(failure.point, reason: failure.reason, view))
    }
  }

  /// Takes in what became of a trial; nil when it was interrupted by somebody, and will be asked for again.
  private func end(_ trial: TrialProcess) -> Ending? {
    let record = trial.request.trial
    for warning in trial.warnings { observer(.warning("\(record.identity): \(warning)")) }
    // Those who share a program share its time.
    let seconds = (ContinuousClock.now - trial.started).inSeconds / Double(trial.companions)
    if trial.hasFailed, trial.companions > 1 {
      observer(
        .warning(
          "\(record.identity) failed beside other trials and runs again alone: \(reason(trial))"))
      return nil
    }
    let reason: String
    switch trial.end {
    case .told(let end) where end.status == .interrupted: return nil
    case .told(let end) where end.status == .failed: reason = end.reason ?? "it does not say why"
    case .failed(let why): reason = why
    case .told, nil:
      do {
        let result = try TrialResult(folder: folder.trial(record.identity))
        guard result.hasEnded else {
          reason = "its process says that it ended, its record that it is \(result.status.rawValue)"
          break
        }
        results[record.identity] = result
        clock.note(result, seconds: seconds)
        return .counts(result, seconds: seconds)
      } catch {
        reason = "\(error)"
      }
    }
    noteFailure(record.identity, reason)
    let failure = TrialFailure(
      point: record.point, isAudit: record.isAudit, identity: record.identity, reason: reason)
    failures.append(failure)
    return .failed(failure)
  }

  private func reason(_ trial: TrialProcess) -> String {
    switch trial.end {
    case .failed(let why): why
    case .told(let end): end.reason ?? "it does not say why"
    case nil: "it has not ended"
    }
  }

  /// Leaves the reason in the trial's record, where its own process could not.
  private func noteFailure(_ identity: String, _ reason: String) {
    let path = folder.trial(identity)
    guard let run = try? RunFolder.open(at: path), var outcome = try? RunOutcome(folder: path),
      outcome.status == .running
    else { return }
    outcome.status = .failed
    outcome.reason = reason
    outcome.endTime = Date()
    try? run.setOutcome(outcome)
  }

  /// A trial, or its repetition to the end.
  private struct Key: Hashable {
    let point: TrialPoint
    let isAudit: Bool

    init(_ point: TrialPoint, _ isAudit: Bool) {
      self.point = point
      self.isAudit = isAudit
    }
    init(_ trial: TrialRecord) { self.init(trial.point, trial.isAudit) }
    init(_ failure: TrialFailure) { self.init(failure.point, failure.isAudit) }
  }

  // MARK: - Watching

  private var view: StudyView {
    let running = pool.running.map { trial in
      StudyView.Trial(
        point: trial.request.trial.point, isAudit: trial.request.trial.isAudit,
        step: trial.lastStep?.step.step, steps: trial.lastStep?.step.steps,
        loss: trial.lastStep?.step.loss, validationLoss: trial.evaluations.last?.loss,
        secondsLeft: trial.lastStep?.step.secondsLeft)
    }
    return StudyView(
      running: running, ended: agenda.ended, failed: failures.count, expected: agenda.expected,
      phase: agenda.phase,
      secondsLeft: clock.secondsLeft(
        agenda, running: running, slots: options.slots))
  }
}

/// A folder whose study is another one.
public struct StudyRefusal: Error, Equatable, CustomStringConvertible {
  /// What differs, and what to do.
  public let description: String

  init(_ description: String) { self.description = description }
}
