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
    let known = EndedTrials(results)
    var missing: [(phase: StudyPhase, point: TrialPoint)] = []
    var asked: Set<TrialPoint> = []
    var phases: [String: StudyPhase] = [:]
    let tuned: [ArmInVariant: TunedCell] = [:]
    for variant in study.variants {
      let cells = plan.cells.filter { $0.variant == variant.name }
      let wanted = measurements(plan, cells) { plan.defaults($0) }
      var phase = StudyPhase.done
      for (part, point) in wanted where asked.insert(point).inserted {
        guard known[point] == nil else { continue }
        missing.append((part, point))
        phase = min(phase, part)
      }
      phases[variant.name] = phase
    }
    let needed = missing.enumerated()
      .sorted { ($0.element.phase, $0.offset) < ($1.element.phase, $1.offset) }
      .map(\.element.point)
    return StudyProgress(
      needed: needed, audits: [], tuned: tuned, phases: phases,
      endedCount: asked.count - needed.count, expectedTotal: TrialCount(asked.count))
  }

  /// What is measured once cells are chosen: seed by seed, arm by arm, so that arms advance together.
  static func measurements(
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
      if let other = results[result.point], other.identity <= result.identity { continue }
      results[result.point] = result
    }
  }

  subscript(point: TrialPoint) -> TrialResult? { results[point] }
}
