// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics

/// A claim's quantity: a number for every replicate.
struct MeasuredQuantity {
  /// Values by seed, factor included.
  var values: [Int: Double] = [:]
  /// Whether a true value may lie above the one that is given: a basin that ends at the grid's edge, a target not reached.
  var hasLowerBounds = false
  /// Whether a true value may lie below the one that is given.
  var hasUpperBounds = false
  /// What counts as alike where the claim does not say; nil: the claim has to say.
  var margin: Double?
  /// Whether a claim without a value of its own needs the margin of losses, and that is not known.
  var lacksMargin = false
  /// Why there are no values.
  var problem: String?
  let arm: String
  /// The arm that a distance is measured to.
  let other: String?
  let variant: String

  /// Measures a quantity in a variant; nil: there is no variant of the name that the quantity gives.
  init(_ quantity: Claim.Quantity, in variant: VariantMeasurement?) {
    arm = quantity.arm
    other = quantity.kind == .distance ? quantity.other : nil
    self.variant = variant?.name ?? quantity.variant ?? ""
    guard let variant else {
      problem = "there is no variant \(self.variant)"
      return
    }
    guard let arm = variant.arm(named: quantity.arm) else {
      problem = "there is no arm \(quantity.arm) in \(variant.name)"
      return
    }
    margin = variant.margin.value
    lacksMargin = margin == nil && ![.metric, .stepsToTarget, .basin].contains(quantity.kind)
    switch quantity.kind {
    case .loss: takeLoss(quantity, arm)
    case .metric: takeMetric(quantity, arm)
    case .stepsToTarget: takeSteps(arm, variant)
    case .best, .spread, .sensitivity, .leftSensitivity, .rightSensitivity, .basin, .distance:
      takeCurve(quantity, arm, variant)
    }
    if values.isEmpty, problem == nil { problem = "no replicate of \(arm.name) has it yet" }
    values = values.mapValues { $0 * quantity.factor }
  }

  // MARK: - Single cells

  /// The replicates that are meant: at a value of a sweep, or the tuned arm's.
  private mutating func cell(
    _ quantity: Claim.Quantity, _ arm: ArmMeasurement
  ) -> [Measured] {
    guard let at = quantity.at else { return arm.reporting }
    guard let sweep = points(quantity, arm) else { return [] }
    guard let point = sweep.first(where: { Self.isSame(Self.position($0.cell), at) }) else {
      problem = "the sweep \(quantity.sweep ?? "") has no value \(at)"
      return []
    }
    return point.measured
  }

  private mutating func takeLoss(_ quantity: Claim.Quantity, _ arm: ArmMeasurement) {
    values = cell(quantity, arm).lossesBySeed
  }

  private mutating func takeMetric(_ quantity: Claim.Quantity, _ arm: ArmMeasurement) {
    margin = nil
    guard let metric = quantity.metric else {
      problem = "no metric is named"
      return
    }
    for measured in cell(quantity, arm) {
      if let last = measured.trial?.statistics[metric]?.last, last.value.isFinite {
        values[measured.seed.number] = last.value
      } else if let number = measured.trial?.finalNumber(metric) {
        values[measured.seed.number] = number
      }
    }
    if values.isEmpty { problem = "no replicate of \(arm.name) recorded \(metric)" }
  }

  private mutating func takeSteps(_ arm: ArmMeasurement, _ variant: VariantMeasurement) {
    margin = nil
    guard let targets = variant.study.targets else {
      problem = "the study has no targets"
      return
    }
    let baseline = variant.arm(named: variant.study.baseline)?.reporting.losses ?? []
    guard
      let loss = targets.losses.first
        ?? (targets.includesBaseline ? Sample(baseline).median : nil)
    else {
      problem = "the target is not known yet"
      return
    }
    let ladder = Ladder(
      arm: arm.name, steps: arm.arm.steps[variant.name] ?? 0, cost: CostAnalysis([]),
      horizons: arm.ladder.map(\.horizon), rungs: arm.ladder.map(\.measured))
    let seeds = ladder.whole.keys.sorted()
    guard let reaches = ladder.targets(loss, seeds: seeds)?.reaches else { return }
    for (seed, reach) in zip(seeds, reaches) {
      switch reach {
      case .reached(let fraction): values[seed] = log(fraction)
      case .never(let last):
        values[seed] = log(last)
        hasLowerBounds = true
      case .beforeLadder(let first):
        values[seed] = log(first)
        hasUpperBounds = true
      }
    }
  }

  // MARK: - Sweeps

  private mutating func points(
    _ quantity: Claim.Quantity, _ arm: ArmMeasurement
  ) -> [ArmMeasurement.SweepPoint]? {
    guard let name = quantity.sweep else {
      problem = "no sweep is named"
      return nil
    }
    guard let sweep = arm.sweeps.first(where: { $0.sweep.name == name }) else {
      problem = "\(arm.name) has no sweep \(name); what tuning tried is never reported"
      return nil
    }
    return sweep.points
  }

  private mutating func takeCurve(
    _ quantity: Claim.Quantity, _ arm: ArmMeasurement, _ variant: VariantMeasurement
  ) {
    guard let all = points(quantity, arm) else { return }
    if quantity.kind == .distance {
      takeDistance(quantity, all, arm, variant)
      return
    }
    let isCut = quantity.kind == .spread || quantity.kind == .best
    let kept = isCut ? all.filter { Self.isInside($0.cell, quantity) } : all
    guard let whole = Self.curves(kept, quantity, arm, variant) else {
      problem = "the sweep \(quantity.sweep ?? "") of \(arm.name) has no replicate with every value"
      return
    }
    let curves = whole.curves
    let best = curves.bestIndex
    let keys = arm.sweeps.first { $0.sweep.name == quantity.sweep }?.sweep.keys[arm.name]
    let centre = keys?.first.flatMap { arm.knobs[$0]?.number }
    func sensitivity() -> Sensitivity { Sensitivity(curves, optimum: centre) }
    var found: [Double]?
    switch quantity.kind {
    case .best: found = curves.ends.map(\.lowest)
    case .spread: found = curves.ends.map { $0.highest - $0.lowest }
    case .sensitivity: found = sensitivity().whole
    case .leftSensitivity: found = sensitivity().left
    case .rightSensitivity: found = sensitivity().right
    case .basin:
      let delta = quantity.delta ?? variant.margin.value ?? 0.01
      let basin = try? BasinWidth(curves, delta: delta)
      found = basin?.widths
      hasLowerBounds = basin?.replicates.contains(where: \.isAtLeast) ?? false
      // What the grid can resolve: half of the widest gap between its values.
      margin = zip(curves.positions.dropFirst(), curves.positions).map(-).max().map { $0 / 2 }
    case .loss, .distance, .stepsToTarget, .metric: break
    }
    guard var found else {
      problem = "\(arm.name)'s best value lies on the edge of the sweep \(quantity.sweep ?? "")"
      return
    }
    if quantity.isNormalized, quantity.kind != .basin {
      let scales = curves.losses.map { curves.cap - $0[best] }
      found = zip(found, scales).map { value, scale in scale > 0 ? value / scale : 1 }
      let scale = scales.reduce(0, +) / Double(scales.count)
      margin = margin.flatMap { scale > 0 ? $0 / scale : nil }
    }
    values = Dictionary(uniqueKeysWithValues: zip(whole.seeds, found))
  }

  /// Mean over values outside the range of |loss - other's loss|, with the sign of the mean difference at each value taken from all
  /// replicates, so that noise alone does not add up to a distance.
  private mutating func takeDistance(
    _ quantity: Claim.Quantity, _ all: [ArmMeasurement.SweepPoint], _ arm: ArmMeasurement,
    _ variant: VariantMeasurement
  ) {
    guard let name = quantity.other, let other = variant.arm(named: name),
      let others = points(quantity, other)
    else {
      problem = problem ?? "no other arm is named"
      return
    }
    let hasRange = quantity.from != nil || quantity.to != nil
    let outside = all.filter { !hasRange || !Self.isInside($0.cell, quantity) }
    var sums: [Int: [Double]] = [:]
    var count = 0
    for point in outside {
      guard
        let match = others.first(where: {
          Self.isSame(Self.position($0.cell), Self.position(point.cell))
        })
      else { continue }
      let own = point.measured.lossesBySeed
      let theirs = match.measured.lossesBySeed
      let differences = own.compactMap { seed, loss in theirs[seed].map { (seed, loss - $0) } }
      guard !differences.isEmpty else { continue }
      let sign = differences.reduce(0) { $0 + $1.1 } < 0 ? -1.0 : 1.0
      for (seed, difference) in differences { sums[seed, default: []].append(sign * difference) }
      count += 1
    }
    for (seed, list) in sums where list.count == count {
      values[seed] = list.reduce(0, +) / Double(count)
    }
    if values.isEmpty {
      problem = "no replicate of \(arm.name) and \(name) shares every value of the sweep"
    }
  }

  private static func curves(
    _ points: [ArmMeasurement.SweepPoint], _ quantity: Claim.Quantity, _ arm: ArmMeasurement,
    _ variant: VariantMeasurement
  ) -> WholeCurves? {
    let curve = points.map { point in
      KnobPoint(
        value: point.cell.value, factor: point.cell.factor,
        replicates: point.measured.map(\.replicate),
        loss: Estimate(value: nil, interval: nil, count: 0), diverged: 0, failed: 0,
        isChosen: false)
    }
    let sweep = arm.sweeps.first { $0.sweep.name == quantity.sweep }?.sweep
    // Of a spread only the losses matter, so a value that a logarithmic axis cannot hold stays.
    let isAnyAxis = quantity.kind == .spread || quantity.kind == .best
    let axis =
      isAnyAxis
      ? .linear
      : KnobCurve.axis(
        isLogarithmic: sweep?.isLogarithmic ?? false, keys: sweep?.keys[arm.name] ?? [],
        values: points.map(\.cell.value))
    return WholeCurves(curve, axis: axis, cap: variant.book.initialLoss)
  }

  /// Where a value stands: its factor in a sweep of factors, else the value itself.
  private static func position(_ cell: StudyPlan.SweepCell) -> Double {
    cell.factor ?? cell.value.number ?? .nan
  }

  private static func isSame(_ first: Double, _ second: Double) -> Bool {
    abs(first - second) <= 1e-9 * max(abs(first), abs(second))
  }

  private static func isInside(_ cell: StudyPlan.SweepCell, _ quantity: Claim.Quantity) -> Bool {
    let position = position(cell)
    let isAbove = quantity.from.map { position >= $0 || isSame(position, $0) } ?? true
    let isBelow = quantity.to.map { position <= $0 || isSame(position, $0) } ?? true
    return isAbove && isBelow
  }
}

extension SweepCurves {
  /// For each replicate its losses at the lowest and the highest point of the mean of the *others*.
  ///
  /// Points that are chosen on the replicates that report them would be low, and high, by the noise that chose them.
  fileprivate var ends: [(lowest: Double, highest: Double)] {
    losses.indices.map { index in
      var sum = [Double](repeating: 0, count: positions.count)
      for (other, curve) in losses.enumerated() where other != index || losses.count == 1 {
        for column in sum.indices { sum[column] += curve[column] }
      }
      let low = sum.indices.min { sum[$0] < sum[$1] } ?? 0
      let high = sum.indices.max { sum[$0] < sum[$1] } ?? 0
      return (losses[index][low], losses[index][high])
    }
  }
}
