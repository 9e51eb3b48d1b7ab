// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords

/// What a study does next: a pure function of its declaration and of the trials that have ended.
///
/// Nothing is remembered between calls. A study is resumed, and its decisions are explained, by asking again.
public enum StudyProtocol {
  /// How far a study is, what was decided and what is needed next.
  ///
  /// - Parameters:
  ///   - study: the declaration.
  ///   - results: of trials, in any order; those that have not ended, and those that nobody asked for, change nothing.
  /// - Returns: the progress; equal for equal sets of results.
  /// - Throws: ``ProtocolError`` when the declaration contradicts itself.
  public static func next(
    _ study: StudyRecord, _ results: [TrialResult]
  ) throws(ProtocolError) -> StudyProgress {
    let plan = try StudyPlan(study)
    let estimate = try estimate(study)
    let ended = EndedTrials(results)
    let audited = Set(results.filter { $0.isAudit && $0.hasEnded }.map(\.point))
    var missing: [(phase: StudyPhase, point: TrialPoint)] = []
    var audits: [TrialPoint] = []
    var phases: [String: StudyPhase] = [:]
    var tuned: [ArmInVariant: TunedCell] = [:]
    var endedCount = 0
    var total = TrialCount(0)
    for variant in study.variants {
      let way = variantProgress(plan, variant.name, ended)
      tuned.merge(way.tuned) { _, new in new }
      missing += way.missing
      endedCount += way.asked.count - way.missing.count
      let stopped = way.asked.filter { point in
        ended[point].map { wasStoppedByRule($0, of: study) } ?? false
          && isAudited(point, of: study)
      }
      let toAudit = stopped.filter { !audited.contains($0) }
      audits += toAudit
      endedCount += stopped.count - toAudit.count
      let isTuned = way.missing.isEmpty || way.phase >= .reporting
      phases[variant.name] = way.missing.isEmpty ? (toAudit.isEmpty ? .done : .audit) : way.phase
      total =
        total
        + (isTuned
          ? TrialCount(way.asked.count + stopped.count)
          : estimate.total(in: variant.name).atLeast(way.asked.count + stopped.count))
    }
    let needed = missing.enumerated()
      .sorted { ($0.element.phase, $0.offset) < ($1.element.phase, $1.offset) }
      .map(\.element.point)
    return StudyProgress(
      needed: needed, audits: audits, tuned: tuned, phases: phases, endedCount: endedCount,
      expectedTotal: total)
  }

  /// How far one variant is.
  private struct VariantProgress {
    var phase = StudyPhase.done
    /// Without duplicates, in running order.
    var asked: [TrialPoint] = []
    var missing: [(phase: StudyPhase, point: TrialPoint)] = []
    var tuned: [ArmInVariant: TunedCell] = [:]
  }

  private static func variantProgress(
    _ plan: StudyPlan, _ variant: String, _ ended: EndedTrials
  ) -> VariantProgress {
    var way = VariantProgress()
    let cells = plan.cells.filter { $0.variant == variant }
    if let tuning = plan.study.tuning {
      var rounds = VariantTuning(cells, plan: plan, tuning: tuning, results: ended)
      let state = rounds.run()
      way.asked = rounds.asked
      switch state {
      case .needs(let points, let phase):
        way.phase = phase
        way.missing = points.map { (phase, $0) }
        return way
      case .done(let tuned): way.tuned = tuned
      }
    }
    var seen = Set(way.asked)
    let wanted = measurements(plan, cells) { way.tuned[$0]?.knobs ?? plan.defaults($0) }
    for (phase, point) in wanted where seen.insert(point).inserted {
      way.asked.append(point)
      if ended[point] == nil { way.missing.append((phase, point)) }
    }
    way.phase = way.missing.map(\.phase).min() ?? .done
    return way
  }

  /// What is measured once cells are chosen: seed by seed, arm by arm, so that arms advance together.
  private static func measurements(
    _ plan: StudyPlan, _ cells: [ArmInVariant],
    tuned: (ArmInVariant) -> [String: KnobValue]
  ) -> [(phase: StudyPhase, point: TrialPoint)] {
    let reporting = interleaved(cells.map { plan.measurements($0, knobs: tuned($0)) })
    let sweeps = plan.study.sweeps.flatMap { sweep in
      interleaved(cells.map { plan.sweepTrials(sweep, $0, tuned: tuned($0)) })
    }
    let ladder = interleaved(
      cells.map { cell in plan.ladderTrials(cell, tuned: tuned(cell)).flatMap(\.trials) })
    return reporting.map { (.reporting, $0) } + sweeps.map { (.sweeps, $0) }
      + ladder.map { (.ladder, $0) }
  }

  /// The first of each list, then the second of each, and so on.
  static func interleaved<Element>(_ lists: [[Element]]) -> [Element] {
    (0..<(lists.map(\.count).max() ?? 0)).flatMap { index in
      lists.compactMap { $0.indices.contains(index) ? $0[index] : nil }
    }
  }
}

/// Trials that have ended in a way that counts, by point; audits decide nothing and are not among them.
struct EndedTrials {
  private var results: [TrialPoint: TrialResult] = [:]

  init(_ all: [TrialResult]) {
    for result in all where result.hasEnded && !result.isAudit {
      // Two folders of one point are somebody's copy: whichever is read first, the same one counts.
      if let other = results[result.point],
        (other.identity, other.folder) <= (result.identity, result.folder)
      {
        continue
      }
      results[result.point] = result
    }
  }

  subscript(point: TrialPoint) -> TrialResult? { results[point] }
}
