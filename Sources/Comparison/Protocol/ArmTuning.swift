// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords

/// One arm's way through tuning: what it has asked for, and what it would ask for next.
///
/// A *cell* is a set of values of all swept and tuned keys; a *line* is all cells that differ on the first axis only.
struct ArmTuning {
  /// A cell that was asked for.
  struct Cell {
    let knobs: [String: KnobValue]
    let phase: StudyPhase
    /// The value of the first axis; nil where the arm has none or it is not a number.
    let value: Double?
    /// How many tuning seeds, from the first, it was asked for on.
    var seedCount: Int
  }

  let name: ArmInVariant
  let seeds: [TuningSeed]
  let results: EndedTrials
  /// The first axis; nil where the arm is not tuned on it.
  let axis: StudyRecord.Axis?
  let keys: [String]
  /// Nil where nothing may be tried between or beyond the values of the grid.
  let scale: KnobScale?
  let extensionLimit: Int

  private(set) var cells: [Cell] = []
  private var indices: [[String: KnobValue]: Int] = [:]
  /// Trials asked for.
  private(set) var trials = 0
  var extensions = 0
  /// The values chosen so far.
  var chosen: [String: KnobValue]
  var moves: [TunedCell.Move] = []

  init(
    _ name: ArmInVariant, plan: StudyPlan, tuning: StudyRecord.Tuning, results: EndedTrials
  ) {
    self.name = name
    self.results = results
    seeds = plan.seeds.tuning
    extensionLimit = tuning.extensionLimit
    chosen = plan.defaults(name)
    let first = tuning.axes.first
    let grid = first?.grid(arm: name.arm, variant: name.variant) ?? []
    axis = grid.isEmpty ? nil : first
    keys = axis?.keys[name.arm] ?? []
    scale = axis.flatMap {
      $0.isFree(arm: name.arm)
        ? KnobScale(grid: grid, isLogarithmic: $0.isLogarithmic, fallback: $0.extensionFactor) : nil
    }
  }

  // MARK: - Asking

  /// A trial of a cell.
  func point(_ knobs: [String: KnobValue], _ seed: TuningSeed) -> TrialPoint {
    TrialPoint(variant: name.variant, arm: name.arm, seed: seed.trialSeed, knobs: knobs)
  }

  /// Asks for a cell on so many seeds, from the first.
  ///
  /// - Returns: the trials that were not asked for before.
  mutating func ask(
    _ knobs: [String: KnobValue], seeds count: Int, _ phase: StudyPhase
  ) -> [TrialPoint] {
    let index: Int
    if let known = indices[knobs] {
      index = known
    } else {
      index = cells.count
      indices[knobs] = index
      let value = scale == nil ? nil : keys.first.flatMap { knobs[$0]?.number }
      cells.append(Cell(knobs: knobs, phase: phase, value: value, seedCount: 0))
    }
    let from = cells[index].seedCount
    guard count > from else { return [] }
    cells[index].seedCount = count
    trials += count - from
    return seeds[from..<count].map { point(knobs, $0) }
  }

  /// The chosen values with another one on the first axis; the value of a cell that lies at the same place, where there is one.
  func knobs(at value: Double) -> [String: KnobValue] {
    let near = line().first { cell in
      guard let scale, let other = cell.value else { return false }
      return abs(scale.distance(from: other, to: value)) < 0.02
    }
    if let near { return near.knobs }
    return setting(keys, to: .number(value))
  }

  /// The chosen values with one value for some keys.
  func setting(_ keys: [String], to value: KnobValue) -> [String: KnobValue] {
    chosen.merging(keys.map { ($0, value) }) { _, new in new }
  }

  // MARK: - Losses

  /// The loss that counts for tuning: infinite for a trial that was stopped, which can never be the best.
  ///
  /// Only asked for trials that have ended.
  func loss(_ knobs: [String: KnobValue], _ seed: TuningSeed) -> Double {
    results[point(knobs, seed)]?.cappedLoss ?? .infinity
  }

  func losses(_ cell: Cell) -> [Double] {
    seeds.prefix(cell.seedCount).map { loss(cell.knobs, $0) }
  }

  func meanLoss(_ cell: Cell) -> Double {
    let all = losses(cell)
    return all.reduce(0, +) / Double(all.count)
  }

  // MARK: - The line through the chosen values

  /// The cells on the line, by value.
  func line() -> [Cell] {
    let others = chosen.filter { !keys.contains($0.key) }
    return cells.filter { cell in
      (cell.value != nil || scale == nil)
        && cell.knobs.filter { !keys.contains($0.key) } == others
    }.sorted { ($0.value ?? 0) < ($1.value ?? 0) }
  }

  /// The place in a line of the lowest loss of the first seed, of equal ones the smallest value: where everything diverges, the
  /// way is down.
  func best(in line: [Cell]) -> Int {
    var best = 0
    for index in line.indices
    where loss(line[index].knobs, seeds[0]) < loss(line[best].knobs, seeds[0]) {
      best = index
    }
    return best
  }

  /// Takes the cell of the line with the lowest mean among those with all seeds.
  mutating func chooseBest() {
    var best: (cell: Cell, loss: Double)?
    for cell in line() where cell.seedCount == seeds.count {
      let mean = meanLoss(cell)
      if best.map({ mean < $0.loss }) ?? true { best = (cell, mean) }
    }
    if let best { chosen = best.cell.knobs }
  }

  /// The value one spacing beyond the edge that the best lies on; nil where it lies on none, or the grid may not grow.
  func beyondEdge() -> Double? {
    guard let axis, axis.isAutomatic, axis.isLogarithmic, let scale, extensions < extensionLimit
    else { return nil }
    let line = line()
    guard !line.isEmpty else { return nil }
    let index = best(in: line)
    guard let value = line[index].value else { return nil }
    if index == line.count - 1, !hasDiverged(line[index]) {
      let above = scale.value(1, above: value)
      if axis.upperBound.map({ above <= $0 }) ?? true { return above }
    }
    return index == 0 ? scale.value(-1, above: value) : nil
  }

  /// Whether the cell's first trial ended no lower than it began.
  private func hasDiverged(_ cell: Cell) -> Bool {
    guard let result = results[point(cell.knobs, seeds[0])] else { return false }
    return result.isDiverged || result.cappedLoss == result.initialLoss
  }

  /// Whether the cell's first trial diverged and did not recover.
  private func hasFailed(_ cell: Cell) -> Bool {
    results[point(cell.knobs, seeds[0])].map { $0.status != .stopped && !$0.hasLearned } ?? false
  }

  /// A value inside the line that tells most about its best: the middle between it and its better neighbour, or, where they are
  /// close, its other neighbour, or the widest gap; nil where nothing is left between.
  func between() -> Double? {
    guard let scale else { return nil }
    let line = line()
    guard line.count > 1 else { return nil }
    let values = line.compactMap(\.value)
    let index = best(in: line)
    func gap(_ first: Int) -> Double { scale.distance(from: values[first], to: values[first + 1]) }
    let gaps = [index - 1, index].filter { $0 >= 0 && $0 + 1 < values.count }
    let byNeighbour = gaps.sorted { first, second in
      let losses = [first, second].map { loss(line[$0 < index ? $0 : $0 + 1].knobs, seeds[0]) }
      return losses[0] < losses[1]
    }
    let widest = values.indices.dropLast().max { gap($0) < gap($1) }
    let place =
      byNeighbour.first { gap($0) > Self.fineGap }
      ?? widest.flatMap { gap($0) > Self.finestGap ? $0 : nil }
    return place.map { scale.middle(values[$0], values[$0 + 1]) }
  }

  /// Below this many spacings between the best and a neighbour, a point between them tells less than one elsewhere.
  private static let fineGap = 0.3
  /// Below this many spacings nothing is put between two points.
  private static let finestGap = 0.1

  /// The values half a spacing to both sides of the best.
  func halfSteps(around value: Double) -> [Double] {
    guard let scale else { return [] }
    return [-0.5, 0.5].map { scale.value($0, above: value) }.filter { other in
      other != value && (axis?.upperBound.map { other <= $0 } ?? true)
    }
  }

  /// The value of the first axis among the chosen ones.
  var chosenValue: Double? { scale == nil ? nil : keys.first.flatMap { chosen[$0]?.number } }

  // MARK: - The end

  /// What was chosen.
  var tuned: TunedCell {
    TunedCell(
      knobs: chosen,
      history: cells.map { cell in
        TunedCell.Tried(
          knobs: cell.knobs, phase: cell.phase,
          losses: Dictionary(
            uniqueKeysWithValues: seeds.prefix(cell.seedCount).map { ($0, loss(cell.knobs, $0)) }))
      },
      moves: moves, edge: edge, extensions: extensions, trials: trials)
  }

  private var edge: TunedCell.Edge {
    guard let value = chosenValue else { return .none }
    let tried = cells.compactMap { cell in cell.value.map { (cell, $0) } }
    let above = tried.filter { $0.1 > value }
    guard let next = above.map(\.1).min() else {
      return tried.count > 1 || axis?.isAutomatic == true ? .upper : .none
    }
    if !tried.contains(where: { $0.1 < value }) { return .lower }
    return above.contains { $0.1 == next && hasFailed($0.0) } ? .certified : .none
  }
}
