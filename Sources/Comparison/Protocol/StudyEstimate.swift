// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords

/// How many trials a study runs, before its first: what a price is made of.
public struct StudyEstimate: Codable, Equatable, Sendable {
  /// The trials of one arm in one variant and one part of the study.
  public struct Entry: Codable, Equatable, Sendable {
    /// The arm's name.
    public let arm: String
    /// The variant's name.
    public let variant: String
    /// The part of the study.
    public let phase: StudyPhase
    /// How many.
    public let trials: TrialCount
    /// Their mean length as a fraction of a full run.
    public let length: Double
  }

  /// All parts that have trials.
  public let entries: [Entry]

  /// The trials of the whole study.
  public var total: TrialCount { entries.reduce(TrialCount(0)) { $0 + $1.trials } }

  /// The trials of a part.
  public func total(of phase: StudyPhase) -> TrialCount {
    entries.filter { $0.phase == phase }.reduce(TrialCount(0)) { $0 + $1.trials }
  }

  /// The trials of an arm.
  public func total(for arm: String) -> TrialCount {
    entries.filter { $0.arm == arm }.reduce(TrialCount(0)) { $0 + $1.trials }
  }

  /// The trials of a variant.
  public func total(in variant: String) -> TrialCount {
    entries.filter { $0.variant == variant }.reduce(TrialCount(0)) { $0 + $1.trials }
  }
}

extension TrialCount {
  /// The same number, where so many are known already.
  func atLeast(_ count: Int) -> TrialCount {
    TrialCount(least: max(least, count), expected: max(expected, count), most: max(most, count))
  }

  static func * (count: TrialCount, factor: Int) -> TrialCount {
    TrialCount(
      least: count.least * factor, expected: count.expected * factor, most: count.most * factor)
  }
}

extension StudyProtocol {
  /// Bounds of the number of trials, by arm and part of the study.
  ///
  /// How many there are depends on the losses: whether grids grow, whether values are accepted. Where an arm needs more trials
  /// than others, the others get as many, so the upper bound of each is that of the greatest.
  ///
  /// - Throws: ``ProtocolError`` when the declaration contradicts itself.
  public static func estimate(_ study: StudyRecord) throws(ProtocolError) -> StudyEstimate {
    let plan = try StudyPlan(study)
    var entries: [StudyEstimate.Entry] = []
    for variant in study.variants {
      let cells = plan.cells.filter { $0.variant == variant.name }
      func add(
        _ cell: ArmInVariant, _ phase: StudyPhase, _ trials: TrialCount, _ length: Double = 1
      ) {
        guard trials.most > 0 else { return }
        entries.append(
          StudyEstimate.Entry(
            arm: cell.arm, variant: cell.variant, phase: phase, trials: trials, length: length))
      }
      if let tuning = study.tuning, !tuning.seeds.isEmpty {
        let tunings = cells.map { TuningEstimate($0, plan, tuning) }
        for phase in TuningEstimate.phases {
          let counts = tunings.map { $0.counts[phase] ?? TrialCount(0) }
          for (tuning, count) in zip(tunings, counts) {
            // Arms without the first axis have nothing to be filled up with.
            add(tuning.cell, phase, tuning.isFilledUp ? filledUp(count, counts) : count)
          }
        }
      }
      for cell in cells {
        add(cell, .reporting, TrialCount(study.reportingSeeds.count))
        add(cell, .sweeps, sweepCount(cell, plan))
        let rungs = plan.ladderTrials(cell, tuned: plan.defaults(cell)).filter { $0.horizon != 1 }
        let lengths = rungs.map(\.horizon)
        add(
          cell, .ladder, TrialCount(rungs.reduce(0) { $0 + $1.trials.count }),
          lengths.isEmpty ? 1 : lengths.reduce(0, +) / Double(lengths.count))
      }
    }
    return StudyEstimate(entries: entries + audits(study, entries))
  }

  private static func filledUp(_ count: TrialCount, _ all: [TrialCount]) -> TrialCount {
    TrialCount(
      least: count.least, expected: all.map(\.expected).max() ?? count.expected,
      most: all.map(\.most).max() ?? count.most)
  }

  /// The trials of all sweeps of an arm that no other part has.
  private static func sweepCount(_ cell: ArmInVariant, _ plan: StudyPlan) -> TrialCount {
    let defaults = plan.defaults(cell)
    let tunedKeys = Set((plan.study.tuning?.axes ?? []).flatMap { $0.keys[cell.arm] ?? [] })
    return plan.study.sweeps.reduce(TrialCount(0)) { sum, sweep in
      guard plan.sweeps(sweep, cell), let keys = sweep.keys[cell.arm], let first = keys.first else {
        return sum
      }
      switch sweep.values {
      case .factors(let factors):
        return sum + TrialCount(factors.filter { $0 != 1 }.count * sweep.seedCount)
      case .absolute(let values):
        let isDefault = defaults[first].map(values.contains) ?? false
        // A tuned value may or may not be one of the sweep's.
        let isOpen = keys.contains(where: tunedKeys.contains) || keys.count > 1
        let overlap = isDefault ? 1 : 0
        return sum
          + TrialCount(
            least: values.count - (isOpen ? 1 : overlap), expected: values.count - overlap,
            most: values.count - (isOpen ? 0 : overlap)) * sweep.seedCount
      }
    }
  }

  /// At most the audit's share of all trials, and none where no rule stops any.
  private static func audits(
    _ study: StudyRecord, _ entries: [StudyEstimate.Entry]
  ) -> [StudyEstimate.Entry] {
    let stopping = study.stopping
    guard stopping.auditShare > 0, stopping.races || stopping.divergenceMargin != nil else {
      return []
    }
    let cells = study.variants.flatMap { variant in
      study.arms(in: variant.name).map { (arm: $0.name, variant: variant.name) }
    }
    return cells.map { cell in
      let most = entries.filter { $0.arm == cell.arm && $0.variant == cell.variant }
        .reduce(0) { $0 + $1.trials.most }
      let share = Int((Double(most) * stopping.auditShare).rounded(.up))
      return StudyEstimate.Entry(
        arm: cell.arm, variant: cell.variant, phase: .audit,
        trials: TrialCount(least: 0, expected: 0, most: share), length: 1)
    }
  }
}

/// Bounds of the tuning trials of one arm in one variant, before arms are filled up to the same number.
private struct TuningEstimate {
  static let phases: [StudyPhase] = [.coarse, .extending, .refining, .axes]

  let cell: ArmInVariant
  private(set) var counts: [StudyPhase: TrialCount] = [:]
  /// Whether the arm has an axis on which it can be given more trials.
  let isFilledUp: Bool

  init(_ cell: ArmInVariant, _ plan: StudyPlan, _ tuning: StudyRecord.Tuning) {
    self.cell = cell
    let seeds = tuning.seeds.count
    let first = tuning.axes.first
    let grid = first?.grid(arm: cell.arm, variant: cell.variant) ?? []
    let scale = first.flatMap {
      $0.isFree(arm: cell.arm)
        ? KnobScale(grid: grid, isLogarithmic: $0.isLogarithmic, fallback: $0.extensionFactor) : nil
    }
    // Between the points of a grid of one there is nothing, unless it grows or gets neighbours.
    let isLonely = grid.count == 1 && !tuning.refines && first?.isAutomatic != true
    isFilledUp = scale != nil && !isLonely
    let further = tuning.axes.dropFirst()
      .map { ($0, $0.grid(arm: cell.arm, variant: cell.variant)) }.filter { !$0.1.isEmpty }
    let points = grid.isEmpty ? (further.isEmpty ? 0 : 1) : grid.count
    counts[.coarse] = TrialCount(points)
    if let first, scale != nil {
      let grows = first.isAutomatic && first.isLogarithmic
      let limit = grows ? tuning.extensionLimit : 0
      counts[.extending] = TrialCount(least: 0, expected: min(1, limit), most: limit)
      let half = tuning.refines ? 2 : 0
      let reach = tuning.refines ? 2 : 1
      let repeated = TrialCount(
        least: min(points, reach + 1), expected: min(points + half, 2 * reach + 1),
        most: min(points + half + limit, 2 * reach + 1))
      counts[.refining] =
        TrialCount(least: 0, expected: half, most: half) + repeated * (seeds - 1)
    } else {
      counts[.refining] = TrialCount(points) * (seeds - 1)
    }
    let defaults = plan.defaults(cell)
    counts[.axes] = further.reduce(TrialCount(0)) { sum, entry in
      let (axis, grid) = entry
      let value = axis.keys[cell.arm]?.first.flatMap { defaults[$0] }
      let others = grid.count - (value.map(grid.contains) == true ? 1 : 0)
      let steps = scale == nil ? 0 : 2
      return sum
        + TrialCount(least: others, expected: others, most: others + steps) * seeds
    }
  }
}
