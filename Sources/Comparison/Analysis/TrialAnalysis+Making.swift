// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords

/// What most trials of a study were run with.
struct Fleet {
  let machine: String?
  let revision: String?

  init(_ trials: [LoadedTrial]) {
    machine = Self.mostFrequent(trials.compactMap(Self.machine))
    revision = Self.mostFrequent(trials.compactMap(\.record?.revision))
  }

  /// What makes two machines the same: processor, cores and instruction set; their bits may differ otherwise.
  ///
  /// Of a trial that was gone on with elsewhere, all of them.
  static func machine(_ trial: LoadedTrial) -> String? {
    let machines = trial.machines.map { "\($0.processor)/\($0.architecture)/\($0.coreCount)" }
    return machines.isEmpty ? nil : machines.withoutRepetitions.joined(separator: ", ")
  }

  private static func mostFrequent(_ values: [String]) -> String? {
    let counts = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +)
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
  }
}

extension TrialAnalysis {
  /// A trial as a table shows it.
  init(_ loaded: LoadedTrial, study: StudyRecord, fleet: Fleet) {
    let result = loaded.result
    var marks = loaded.marks
    if let machine = Fleet.machine(loaded), machine != fleet.machine { marks.insert(.otherMachine) }
    if let revision = loaded.record?.revision, revision != fleet.revision {
      marks.insert(.otherRevision)
    }
    if let record = loaded.record {
      let arm = study.arm(named: record.point.arm)
      let isKnown = arm?.variants.contains(record.point.variant) == true
      if !isKnown || record.study != study.name { marks.insert(.foreign) }
    }
    identity = loaded.identity
    point = loaded.record?.point
    status = loaded.outcome?.status
    reason = loaded.outcome?.reason
    loss = result?.cappedLoss.flatMap { $0.isFinite ? $0 : nil }
    let isAbove =
      result?.status == .finished
      && result?.initialLoss.map { initial in
        !((result?.finalLoss ?? .nan) <= initial)
      } == true
    isDiverged = result?.isDiverged == true || isAbove
    initialLoss = result?.initialLoss.flatMap { $0.isFinite ? $0 : nil }
    steps = loaded.outcome?.completedSteps ?? 0
    seconds = loaded.finalNumber("trainingSeconds")
    folder = StudyFolder.FileName.trials + "/" + loaded.identity
    revision = loaded.record?.revision ?? "unknown"
    machine = loaded.machineInWords
    contractHash = loaded.contract?.hash
    isAudit = loaded.record?.isAudit ?? false
    self.marks = TrialMark.allCases.filter(marks.contains)
    problems = loaded.problems
  }
}

extension StopAnalysis {
  /// Every trial that a rule ended early, with its audit.
  static func all(_ trials: [LoadedTrial], study: StudyRecord, plan: StudyPlan) -> [StopAnalysis] {
    let results = trials.compactMap(\.result)
    let audits = Dictionary(
      results.filter { $0.isAudit && $0.hasEnded }.map { ($0.point, $0) },
      uniquingKeysWith: { first, _ in first })
    return results.filter { StudyProtocol.wasStoppedByRule($0, of: study) }.map { stopped in
      let audited = audits[stopped.point]?.cappedLoss.flatMap { $0.isFinite ? $0 : nil }
      let rivals = results.filter { other in
        other.point.variant == stopped.point.variant && other.point.arm == stopped.point.arm
          && other.point.seed == stopped.point.seed && other.point.horizon == stopped.point.horizon
          && !other.isAudit
      }
      let lowest = rivals.compactMap(\.cappedLoss).filter(\.isFinite).min()
      return StopAnalysis(
        trial: stopped.identity, variant: stopped.point.variant, arm: stopped.point.arm,
        reason: stopped.reason ?? "no reason was recorded", step: stopped.steps,
        loss: stopped.finalLoss.flatMap { $0.isFinite ? $0 : nil }, auditedLoss: audited,
        regret: audited.flatMap { audited in lowest.map { max(0, $0 - audited) } })
    }
  }
}
