// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

/// The tuning of all arms of one variant, in rounds that end when every arm's trials have ended.
///
/// After each round arms that needed fewer trials get some more, between or beyond the points they have, so that no arm has been
/// tuned harder than another.
struct VariantTuning {
  /// How far it came.
  enum State {
    /// These trials come next.
    case needs([TrialPoint], StudyPhase)
    /// Every arm is tuned.
    case done([ArmInVariant: TunedCell])
  }

  private let tuning: StudyRecord.Tuning
  private let results: EndedTrials
  private let seedCount: Int
  private var arms: [ArmTuning]
  private var missing: [TrialPoint] = []
  private var phase = StudyPhase.coarse
  /// All trials asked for, in order.
  private(set) var asked: [TrialPoint] = []

  init(
    _ cells: [ArmInVariant], plan: StudyPlan, tuning: StudyRecord.Tuning, results: EndedTrials
  ) {
    self.tuning = tuning
    self.results = results
    seedCount = plan.seeds.tuning.count
    arms = cells.map { ArmTuning($0, plan: plan, tuning: tuning, results: results) }
  }

  /// Replays the tuning as far as there are results.
  mutating func run() -> State {
    if seedCount > 0 {
      guard coarse(), extend(), refine(), turnOtherKnobs() else { return .needs(missing, phase) }
    }
    return .done(Dictionary(uniqueKeysWithValues: arms.map { ($0.name, $0.tuned) }))
  }

  // MARK: - Rounds

  /// Asks for trials, those of different arms in turn; true when all have ended.
  private mutating func round(_ lists: [[TrialPoint]]) -> Bool {
    let wanted = StudyProtocol.interleaved(lists)
    asked += wanted
    missing = wanted.filter { results[$0] == nil }
    return missing.isEmpty
  }

  /// Gives arms with fewer trials some more, until all have the same number or nothing is left to try.
  private mutating func balance(seeds count: Int) -> Bool {
    while true {
      let most = arms.map(\.trials).max() ?? 0
      let lists = arms.indices.map { index in
        arms[index].axis == nil ? [] : fill(index, most - arms[index].trials, seeds: count)
      }
      if lists.allSatisfy(\.isEmpty) { return true }
      guard round(lists) else { return false }
    }
  }

  /// Up to so many more trials of an arm: seeds that its cells near the best lack, else one more cell.
  private mutating func fill(_ index: Int, _ deficit: Int, seeds count: Int) -> [TrialPoint] {
    guard deficit > 0, let scale = arms[index].scale else { return [] }
    let line = arms[index].line()
    guard !line.isEmpty else { return [] }
    if count > 1 {
      let center = line[arms[index].best(in: line)].value ?? 0
      var found: [TrialPoint] = []
      func distance(_ cell: ArmTuning.Cell) -> Double {
        abs(scale.distance(from: center, to: cell.value ?? 0))
      }
      let partial = line.filter { $0.seedCount < count && distance($0) < Self.neighbourhood }
        .sorted { distance($0) < distance($1) }
      for cell in partial where found.count < deficit {
        let upTo = min(count, cell.seedCount + deficit - found.count)
        found += arms[index].ask(cell.knobs, seeds: upTo, phase)
      }
      if !found.isEmpty { return found }
    }
    guard let value = nextValue(index) else { return [] }
    return arms[index].ask(arms[index].knobs(at: value), seeds: min(count, deficit), phase)
  }

  /// Spacings from the best within which more seeds tell more than more points.
  private static let neighbourhood = 1.6

  /// The next value an arm would try: beyond the edge its best lies on, else between.
  private mutating func nextValue(_ index: Int) -> Double? {
    if let beyond = arms[index].beyondEdge() {
      arms[index].extensions += 1
      return beyond
    }
    return arms[index].between()
  }

  // MARK: - Phases

  private mutating func coarse() -> Bool {
    phase = .coarse
    let further = tuning.axes.dropFirst()
    let lists = arms.indices.map { index -> [TrialPoint] in
      let name = arms[index].name
      if let axis = arms[index].axis {
        return axis.grid(arm: name.arm, variant: name.variant).flatMap {
          arms[index].ask(arms[index].setting(arms[index].keys, to: $0), seeds: 1, phase)
        }
      }
      let hasOthers = further.contains { !$0.grid(arm: name.arm, variant: name.variant).isEmpty }
      return hasOthers ? arms[index].ask(arms[index].chosen, seeds: 1, phase) : []
    }
    return round(lists) && balance(seeds: 1)
  }

  private mutating func extend() -> Bool {
    phase = .extending
    while arms.contains(where: { $0.beyondEdge() != nil }) {
      let lists = arms.indices.map { index -> [TrialPoint] in
        guard let value = nextValue(index) else { return [] }
        return arms[index].ask(arms[index].knobs(at: value), seeds: 1, phase)
      }
      guard round(lists), balance(seeds: 1) else { return false }
    }
    return true
  }

  private mutating func refine() -> Bool {
    phase = .refining
    if tuning.refines {
      let lists = arms.indices.map { index -> [TrialPoint] in
        let line = arms[index].line()
        guard !line.isEmpty, let value = line[arms[index].best(in: line)].value else { return [] }
        return arms[index].halfSteps(around: value).flatMap {
          arms[index].ask(arms[index].knobs(at: $0), seeds: 1, phase)
        }
      }
      guard round(lists), balance(seeds: 1) else { return false }
    }
    let reach = tuning.refines ? 2 : 1
    let lists = arms.indices.map { index -> [TrialPoint] in
      guard arms[index].scale != nil else {
        // Nothing has an order here: every cell gets all seeds.
        return arms[index].cells.flatMap { arms[index].ask($0.knobs, seeds: seedCount, phase) }
      }
      let line = arms[index].line()
      guard !line.isEmpty else { return [] }
      let best = arms[index].best(in: line)
      // The best first: it is what a look at an unfinished study should show.
      return line.indices.filter { abs($0 - best) <= reach }
        .sorted { abs($0 - best) < abs($1 - best) }
        .flatMap { arms[index].ask(line[$0].knobs, seeds: seedCount, phase) }
    }
    guard round(lists), balance(seeds: seedCount) else { return false }
    for index in arms.indices { arms[index].chooseBest() }
    return true
  }

  private mutating func turnOtherKnobs() -> Bool {
    phase = .axes
    for axis in tuning.axes.dropFirst() {
      let grids = arms.map { axis.grid(arm: $0.name.arm, variant: $0.name.variant) }
      let lists = arms.indices.map { index -> [TrialPoint] in
        candidates(index, axis, grids[index]).flatMap {
          arms[index].ask($0.knobs, seeds: seedCount, phase)
        }
      }
      guard round(lists) else { return false }
      var moved: [[TrialPoint]] = []
      for index in arms.indices {
        let isAccepted = decide(index, axis, candidates(index, axis, grids[index]))
        guard isAccepted, let value = arms[index].chosenValue else {
          moved.append([])
          continue
        }
        moved.append(
          arms[index].halfSteps(around: value).flatMap {
            arms[index].ask(arms[index].knobs(at: $0), seeds: seedCount, phase)
          })
      }
      guard round(moved), balance(seeds: seedCount) else { return false }
      for index in arms.indices { arms[index].chooseBest() }
    }
    return true
  }

  /// The cells of an axis other than the chosen one.
  private func candidates(
    _ index: Int, _ axis: StudyRecord.Axis, _ grid: [KnobValue]
  ) -> [(value: KnobValue, knobs: [String: KnobValue])] {
    let keys = axis.keys[arms[index].name.arm] ?? []
    return grid.map { ($0, arms[index].setting(keys, to: $0)) }
      .filter { $0.1 != arms[index].chosen }
  }

  /// Takes the best of other values if it is better by more than noise, by Student's t on differences between equal seeds.
  private mutating func decide(
    _ index: Int, _ axis: StudyRecord.Axis,
    _ others: [(value: KnobValue, knobs: [String: KnobValue])]
  ) -> Bool {
    let arm = arms[index]
    func losses(_ knobs: [String: KnobValue]) -> [Double] { arm.seeds.map { arm.loss(knobs, $0) } }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    guard let best = others.min(by: { mean(losses($0.knobs)) < mean(losses($1.knobs)) }) else {
      return false
    }
    let (current, other) = (losses(arm.chosen), losses(best.knobs))
    let pValue = Tests.paired(current, other).pValueAbove(0)
    let isAccepted = pValue < Self.acceptanceLevel
    let kept = (axis.keys[arm.name.arm] ?? []).first.flatMap { arm.chosen[$0] } ?? .text("unset")
    arms[index].moves.append(
      TunedCell.Move(
        axis: axis.name, value: isAccepted ? best.value : kept, isAccepted: isAccepted,
        gain: mean(current) - mean(other), pValue: pValue))
    if isAccepted { arms[index].chosen = best.knobs }
    return isAccepted
  }

  /// One-sided level at which a value other than the default is taken.
  private static let acceptanceLevel = 0.05
}
