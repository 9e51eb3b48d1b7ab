// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
public import RunRecords
public import Training

/// One session of a study: its price, then its trials.
public struct StudySession {
  /// The declaration.
  public let record: StudyRecord
  /// Where the study lies, or is to lie.
  public let folder: StudyFolder
  /// What a full trial of each arm costs, with one thread.
  public let costs: [ArmInVariant: TrialCost]

  private let requests: any TrialRequests
  private let text: String

  /// Prepares a session; nothing is written or started.
  ///
  /// - Parameters:
  ///   - record: the declaration.
  ///   - text: the declaration as it was given.
  ///   - requests: makes what a trial's process is asked.
  ///   - path: the study's folder.
  ///   - runs: whether trials are to follow; a price alone may be asked for whatever the folder holds.
  /// - Throws: ``StudyRefusal`` when trials are to follow and the folder holds another declaration; errors of configuration and
  ///   data.
  public init(
    _ record: StudyRecord, text: String, requests: any TrialRequests, at path: String,
    runs: Bool = true
  ) throws {
    self.record = record
    self.text = text
    self.requests = requests
    folder = StudyFolder(path)
    if runs { try FrozenStudy.check(record, in: folder) }
    costs = try Self.costs(record, requests, folder, threads: 1)
  }

  private static func costs(
    _ record: StudyRecord, _ requests: any TrialRequests, _ folder: StudyFolder, threads: Int
  ) throws -> [ArmInVariant: TrialCost] {
    var costs: [ArmInVariant: TrialCost] = [:]
    for (cell, point) in try samples(record) {
      let request = try requests.request(
        point, isAudit: false, limits: [], study: folder, threads: threads)
      costs[cell] = try TrialCost(TrainingConfiguration(request.source()))
    }
    return costs
  }

  /// A trial of each arm in each variant, as declared.
  private static func samples(
    _ record: StudyRecord
  ) throws -> [(cell: ArmInVariant, point: TrialPoint)] {
    let plan = try StudyPlan(record)
    return plan.cells.compactMap { cell in
      plan.measurements(cell, knobs: plan.defaults(cell), count: 1).first.map { (cell, $0) }
    }
  }

  /// Whether nothing is left to run.
  ///
  /// - Throws: `ProtocolError` when the declaration contradicts itself.
  public var isComplete: Bool {
    get throws {
      try StudyProtocol.next(record, TrialResult.all(in: folder).results).isComplete
    }
  }

  // MARK: - The price

  /// How fast the arms are here: stored, or measured now and stored where the study has begun.
  ///
  /// - Parameters:
  ///   - jobs: trials at a time, where somebody chose.
  ///   - stop: asked meanwhile.
  ///   - note: is told what takes time.
  /// - Returns: nil when somebody asked for the end.
  /// - Throws: errors of processes, configuration and files.
  public func throughput(
    jobs: Int?, stop: StopRequest, note: @escaping (String) -> Void
  ) throws -> ThroughputRecord? {
    let plan = ThroughputPlan(jobs: jobs, note: note) { stop.isRequested }
    let stored = folder.throughput()
    let record = try plan.measure(try subjects(), stored: stored)
    if let record, record != stored, StudyFolder.isStudy(folder.path) { try folder.write(record) }
    return record
  }

  private func subjects() throws -> [ThroughputPlan.Subject] {
    try Self.samples(record).compactMap { cell, point in
      costs[cell].map { cost in
        ThroughputPlan.Subject(cell: cell, cost: cost) { threads in
          try requests.request(point, isAudit: false, limits: [], study: folder, threads: threads)
        }
      }
    }
  }

  /// How fast the arms should be, computed without running anything; what an earlier session measured here goes before.
  ///
  /// - Parameters:
  ///   - flopsPerSecond: the speed of another machine; nil: of this one.
  ///   - jobs: trials at a time, where somebody chose.
  /// - Returns: speeds and layout.
  /// - Throws: errors of configuration and files.
  public func guessedThroughput(
    flopsPerSecond: Double?, jobs: Int? = nil
  ) throws -> ThroughputRecord {
    let plan = ThroughputPlan(jobs: jobs, note: { _ in }, isStopped: { false })
    let stored = folder.throughput()
    if let stored, flopsPerSecond == nil, stored.machine == plan.machine,
      costs.keys.allSatisfy({ stored.speed(variant: $0.variant, arm: $0.arm) != nil })
    {
      return stored
    }
    return try plan.guess(try subjects(), flopsPerSecond: flopsPerSecond)
  }

  /// What the study costs on this machine.
  ///
  /// - Throws: `ProtocolError` when the declaration contradicts itself.
  public func price(_ throughput: ThroughputRecord) throws -> StudyPrice {
    // Trials of another declaration pay for nothing here.
    let isOwn = (try? folder.record().hash) == record.hash
    let results = isOwn ? TrialResult.all(in: folder).results : []
    // Memory follows from the threads of a trial.
    let costs =
      throughput.threads == 1
      ? costs : try Self.costs(record, requests, folder, threads: throughput.threads)
    let progress = try StudyProtocol.next(record, results)
    return StudyPrice(
      try StudyProtocol.estimate(record), costs: costs, throughput: throughput,
      done: progress.endedCount,
      sharing: try sharing(progress.needed, mostRuns: throughput.device?.runs))
  }

  private func sharing(_ needed: [TrialPoint], mostRuns: Int?) throws -> StudyPrice.Sharing? {
    if mostRuns == 1 { return nil }
    let packing = TrialPacking(requests, mostRuns: mostRuns)
    guard let programs = try packing.programs(needed) else { return nil }
    return StudyPrice.Sharing(
      device: programs.device, runs: programs.runs, trials: needed.count,
      programs: programs.count)
  }

  /// Seconds of certain trials on this machine, with all slots busy; nil where the speed of an arm is not known.
  public func seconds(of points: [TrialPoint], _ throughput: ThroughputRecord) -> Double? {
    var sum = 0.0
    for point in points {
      let cell = ArmInVariant(arm: point.arm, variant: point.variant)
      guard let full = full(throughput)[cell] else { return nil }
      sum += full * point.horizon
    }
    return sum / Double(throughput.slots)
  }

  /// Seconds of a full trial of each arm whose speed is known.
  private func full(_ throughput: ThroughputRecord) -> [ArmInVariant: Double] {
    var full: [ArmInVariant: Double] = [:]
    for (cell, cost) in costs {
      full[cell] = throughput.speed(variant: cell.variant, arm: cell.arm)?.seconds(
        steps: cost.steps, evaluations: cost.evaluations(ofSteps: cost.steps))
    }
    return full
  }

  // MARK: - The trials

  /// Runs what is missing.
  ///
  /// - Parameters:
  ///   - throughput: layout and speeds; stored with the study.
  ///   - plan: says what is needed; nil: the study's protocol.
  ///   - stop: asked several times a second.
  ///   - observer: is told what happens.
  /// - Returns: how the session ended, and the trials there are.
  /// - Throws: ``StudyRefusal``, errors of processes and files.
  public func run(
    _ throughput: ThroughputRecord, plan: (([TrialResult]) throws -> TrialAgenda)? = nil,
    stop: StopRequest, observer: @escaping (StudyEvent) -> Void
  ) throws -> (end: StudyEnd, trials: [TrialResult]) {
    let frozen = try FrozenStudy(record, text: text, at: folder.path) { observer(.note($0)) }
    try frozen.folder.write(throughput)
    let run = try StudyRun(
      frozen.record, in: frozen.folder, lock: frozen.lock, requests: requests, plan: plan,
      clock: TrialClock(full(throughput)),
      options: StudyRun.Options(
        slots: throughput.slots, threads: throughput.threads, mostRuns: throughput.device?.runs),
      observer: observer)
    let end = try run.run(stop: stop)
    return (end, run.trials)
  }
}
