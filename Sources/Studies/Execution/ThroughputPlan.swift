// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
import Foundation
public import RunRecords
public import Training

/// Finds out how fast the arms of a study are on this machine, and how to share its cores between trials, or its device.
///
/// The first steps of one trial of each arm are run in folders that are thrown away, as many at a time as there will be slots, so
/// that they disturb each other as much as they will later. On a device behind a plugin one process runs at a time, and as many trials
/// share its programs as is fastest, up to `machine.batch_runs`. No result depends on what comes out.
public struct ThroughputPlan {
  /// What is measured: one trial of each arm in each variant, with what it costs.
  public struct Subject {
    let cell: ArmInVariant
    let cost: TrialCost
    let request: (_ threads: Int) throws -> TrialRequest

    /// Names an arm.
    ///
    /// - Parameters:
    ///   - cell: the arm and variant.
    ///   - cost: what a full trial costs.
    ///   - request: makes one of its trials with so many threads.
    public init(
      cell: ArmInVariant, cost: TrialCost,
      request: @escaping (_ threads: Int) throws -> TrialRequest
    ) {
      self.cell = cell
      self.cost = cost
      self.request = request
    }

    /// Steps a second of a whole trial, from those of its first steps, which may be shorter than others.
    func meanRate(_ speed: ThroughputProbe.Speed) -> Double {
      speed.stepsPerSecond * cost.estimate.relativeCost(ofSteps: speed.timed)
    }
  }

  /// Where a step takes longer than this by a careful guess, it is not run to see.
  static let mostSecondsOfAStep = 5.0
  /// Operations a second of a core that nobody has measured: a guess on the low side.
  static let guessedSpeed = 2e10
  /// The share of the machine's memory that trials may fill.
  static let memoryShare = 0.8
  /// Below this many seconds of a trial, another way to share cores or a device is not worth looking for.
  static let leastSecondsOfATrial = 5.0
  /// How much faster fewer trials with more threads, or several in one program, have to be.
  static let advantage = 1.03

  var probe = ThroughputProbe(program: TrialProcess.Program())
  var machine: MachineRecord
  let jobs: Int?
  let note: (String) -> Void
  let isStopped: () -> Bool

  /// Prepares for this machine.
  ///
  /// - Parameters:
  ///   - jobs: trials at a time, where somebody chose; nil: what is fastest.
  ///   - note: is told what takes time.
  ///   - isStopped: asked meanwhile.
  public init(jobs: Int?, note: @escaping (String) -> Void, isStopped: @escaping () -> Bool) {
    machine = .current()
    self.jobs = jobs
    self.note = note
    self.isStopped = isStopped
  }

  private var cores: Int { max(1, machine.coreCount) }

  /// Measures what is not known.
  ///
  /// - Parameters:
  ///   - subjects: all arms.
  ///   - stored: what an earlier session measured.
  /// - Returns: speeds and layout; nil when somebody asked for the end meanwhile.
  /// - Throws: ``ChildProcessError``, or errors of configuration.
  public func measure(
    _ subjects: [Subject], stored: ThroughputRecord?
  ) throws -> ThroughputRecord? {
    let device = try deviceUse(subjects)
    if let stored, stored.machine == machine, stored.device?.name == device?.name,
      stored.device?.mostRuns == device?.mostRuns,
      jobs.map({ $0 == stored.slots }) ?? !stored.isChosen,
      subjects.allSatisfy({ stored.speed(variant: $0.cell.variant, arm: $0.cell.arm) != nil })
    {
      return stored
    }
    let slots = jobs ?? (device == nil ? slotsThatFit(subjects) : 1)
    var record = ThroughputRecord(
      machine: machine, slots: slots, threads: max(1, cores / slots), isChosen: jobs != nil,
      device: device)
    // What is slow on this processor need not be on a device.
    let (quick, slow) = subjects.partitioned { device != nil || canBeMeasured($0.cost) }
    if !quick.isEmpty {
      note("measuring the speed of \(quick.count) arm\(quick.count == 1 ? "" : "s") ...")
    }
    for start in stride(from: 0, to: quick.count, by: slots) {
      let group = Array(quick[start..<min(start + slots, quick.count)])
      try measure(group, into: &record)
      if isStopped() { return nil }
    }
    if jobs == nil, slots > 1, let first = quick.first { try share(first, &record) }
    if let first = quick.first { try sharePrograms(first, &record) }
    if isStopped() { return nil }
    var speed: RunEstimate.Speed?
    for subject in slow + quick
    where record.speed(variant: subject.cell.variant, arm: subject.cell.arm) == nil {
      record.arms.append(try guess(subject, threads: record.threads, &speed))
    }
    return record
  }

  /// Computes what is not known from operations and memory traffic; nothing is run.
  ///
  /// - Parameters:
  ///   - subjects: all arms.
  ///   - flopsPerSecond: of the whole machine; nil: this machine's speeds, measured in a fraction of a second.
  /// - Returns: speeds and layout.
  /// - Throws: errors of configuration.
  func guess(_ subjects: [Subject], flopsPerSecond: Double?) throws -> ThroughputRecord {
    let device = try deviceUse(subjects)
    let slots = flopsPerSecond == nil && device == nil ? jobs ?? slotsThatFit(subjects) : 1
    var record = ThroughputRecord(
      machine: machine, slots: slots, threads: max(1, cores / slots), device: device)
    var speed = flopsPerSecond.map { RunEstimate.Speed(flopsPerSecond: $0) }
    for subject in subjects {
      record.arms.append(try guess(subject, threads: record.threads, &speed))
    }
    return record
  }

  // MARK: - Parts

  private func measure(_ group: [Subject], into record: inout ThroughputRecord) throws {
    // All slots are busy while somebody measures, or the last arm of an odd number would have the machine for itself.
    let busy = (0..<record.slots).map { group[$0 % group.count] }
    let seen = try probe.measure(
      busy.map { [try $0.request(record.threads)] }, isStopped: isStopped)
    for (subject, seen) in zip(group, seen) {
      guard let speed = seen.speed else {
        if let reason = seen.reason { note("\(subject.cell) cannot be measured: \(reason)") }
        continue
      }
      record.arms.append(
        ThroughputRecord.ArmSpeed(
          variant: subject.cell.variant, arm: subject.cell.arm, startSeconds: speed.startSeconds,
          evaluationSeconds: speed.evaluationSeconds, stepsPerSecond: subject.meanRate(speed),
          isMeasured: true))
    }
  }

  /// Compares ways to share the cores by the speed of one arm, where trials are long enough for it to matter.
  private func share(_ subject: Subject, _ record: inout ThroughputRecord) throws {
    guard let speed = speedOfLong(subject, record) else { return }
    note("comparing ways to share \(cores) cores ...")
    let first = speed.stepsPerSecond * Double(record.slots)
    var layouts = [
      ThroughputRecord.Layout(slots: record.slots, threads: record.threads, stepsPerSecond: first)
    ]
    var slots = record.slots / 2
    while slots >= 1, !isStopped() {
      let threads = cores / slots
      let seen = try probe.measure(
        try (0..<slots).map { _ in [try subject.request(threads)] }, isStopped: isStopped)
      let rates = seen.compactMap(\.speed).map(subject.meanRate)
      guard rates.count == slots else { break }
      layouts.append(
        ThroughputRecord.Layout(
          slots: slots, threads: threads, stepsPerSecond: rates.reduce(0, +)))
      slots /= 2
    }
    record.layouts = layouts
    var best = layouts[0]
    for layout in layouts where layout.stepsPerSecond > best.stepsPerSecond * Self.advantage {
      best = layout
    }
    guard best != layouts[0] else { return }
    // Each trial gets the machine's speed over fewer slots.
    let gain = best.stepsPerSecond / first * Double(record.slots) / Double(best.slots)
    for index in record.arms.indices {
      record.arms[index].stepsPerSecond *= gain
      record.arms[index].evaluationSeconds /= gain
    }
    (record.slots, record.threads) = (best.slots, best.threads)
  }

  /// Compares numbers of trials in one program by the speed of one arm, where trials are long enough for it to matter.
  private func sharePrograms(_ subject: Subject, _ record: inout ThroughputRecord) throws {
    guard let most = record.device?.mostRuns, most > 1,
      let speed = speedOfLong(subject, record)
    else { return }
    note("comparing up to \(most) trials in one program ...")
    let alone = speed.stepsPerSecond * Double(record.slots)
    var best = (runs: 1, stepsPerSecond: alone)
    record.layouts = [layout(record, runs: 1, alone)]
    var runs = most
    while runs > 1, !isStopped() {
      let pack = try (0..<runs).map { _ in try subject.request(record.threads) }
      let seen = try probe.measure((0..<record.slots).map { _ in pack }, isStopped: isStopped)
      let rates = seen.compactMap(\.speed).map(subject.meanRate)
      // So many may be too many for the device's memory.
      if rates.count == record.slots * runs {
        let together = rates.reduce(0, +)
        record.layouts.append(layout(record, runs: runs, together))
        // Fewer share less well, once they do.
        if best.runs > 1, together < best.stepsPerSecond { break }
        if together > best.stepsPerSecond * (best.runs > 1 ? 1 : Self.advantage) {
          best = (runs, together)
        }
      }
      runs /= 2
    }
    if isStopped() { return }
    record.device?.runs = best.runs
    let gain = (best.stepsPerSecond / alone * 10).rounded() / 10
    note(
      best.runs == 1
        ? "trials run one by one: sharing a program is no faster here"
        : "\(best.runs) trials share a program: \(gain) times the steps a second of one")
  }

  private func layout(
    _ record: ThroughputRecord, runs: Int, _ stepsPerSecond: Double
  ) -> ThroughputRecord.Layout {
    ThroughputRecord.Layout(
      slots: record.slots, threads: record.threads, runs: runs, stepsPerSecond: stepsPerSecond)
  }

  /// The speed of an arm whose trials are long.
  private func speedOfLong(
    _ subject: Subject, _ record: ThroughputRecord
  ) -> ThroughputRecord.ArmSpeed? {
    guard let speed = record.speed(variant: subject.cell.variant, arm: subject.cell.arm) else {
      return nil
    }
    let evaluations = subject.cost.evaluations(ofSteps: subject.cost.steps)
    let seconds = speed.seconds(steps: subject.cost.steps, evaluations: evaluations)
    return seconds > Self.leastSecondsOfATrial ? speed : nil
  }

  /// What the first arm says of a device; a study has one base.
  private func deviceUse(_ subjects: [Subject]) throws -> ThroughputRecord.DeviceUse? {
    guard let first = subjects.first else { return nil }
    let settings = try TrainingConfiguration(first.request(1).source()).machine
    guard settings.usesXLA else { return nil }
    return ThroughputRecord.DeviceUse(name: settings.device, mostRuns: settings.batchRuns)
  }

  /// As many trials as cores, unless they do not fit into memory together.
  private func slotsThatFit(_ subjects: [Subject]) -> Int {
    let largest = subjects.map(\.cost.estimate.memory.total).max() ?? 0
    guard largest > 0 else { return cores }
    let fitting = Int(Double(machine.memoryBytes) * Self.memoryShare / Double(largest))
    return max(1, min(cores, fitting))
  }

  /// Not where a step would take a minute, or weights would not fit.
  private func canBeMeasured(_ cost: TrialCost) -> Bool {
    cost.stepFLOPs / (Self.guessedSpeed * Double(cores)) < Self.mostSecondsOfAStep
      && Double(cost.estimate.memory.total) < Double(machine.memoryBytes) * Self.memoryShare
  }

  /// From operations and memory traffic, at the speeds that this machine has now.
  private func guess(
    _ subject: Subject, threads: Int, _ speed: inout RunEstimate.Speed?
  ) throws -> ThroughputRecord.ArmSpeed {
    let configuration = try TrainingConfiguration(subject.request(threads).source())
    let machine = try speed ?? RunEstimate.Speed.measured(configuration)
    speed = machine
    let estimate = subject.cost.estimate
    let evaluations = subject.cost.evaluations(ofSteps: estimate.steps)
    let seconds = estimate.seconds(at: machine)
    let evaluating = estimate.evaluationFLOPs / machine.flopsPerSecond
    return ThroughputRecord.ArmSpeed(
      variant: subject.cell.variant, arm: subject.cell.arm, startSeconds: 0,
      evaluationSeconds: evaluating / Double(evaluations),
      stepsPerSecond: Double(estimate.steps) / max(seconds - evaluating, 1e-9), isMeasured: false)
  }
}

extension Array {
  fileprivate func partitioned(_ isFirst: (Element) -> Bool) -> ([Element], [Element]) {
    (filter(isFirst), filter { !isFirst($0) })
  }
}
