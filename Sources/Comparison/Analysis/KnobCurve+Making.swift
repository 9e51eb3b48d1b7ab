// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics

/// What a curve over a knob is measured with besides its trials.
struct CurveContext {
  /// The loss that a failed replicate counts as; nil while none is known.
  let initialLoss: Double?
  /// The variant's noise.
  let noise: NoiseAnalysis
  /// Tolerances of basins, with their names.
  let tolerances: [(name: String, value: Double)]
  /// Coverage of intervals.
  let level: Double
}

extension KnobCurve {
  /// Measures a curve.
  ///
  /// - Parameters:
  ///   - name: of the axis or sweep.
  ///   - keys: the configuration keys.
  ///   - axis: how values lie.
  ///   - purpose: which seeds.
  ///   - cells: values with their replicates, in any order.
  ///   - chosen: the value that the arm reports at.
  ///   - context: what it is measured with.
  init(
    name: String, keys: [String], axis: SweepAxis, purpose: SeedPurpose,
    cells: [(value: KnobValue, factor: Double?, replicates: [Replicate])], chosen: KnobValue?,
    _ context: CurveContext
  ) {
    self.name = name
    self.keys = keys
    self.axis = axis
    self.purpose = purpose
    self.chosen = chosen
    points = cells.map { cell in
      KnobPoint(
        value: cell.value, factor: cell.factor, replicates: cell.replicates,
        loss: Estimate(cell.replicates.compactMap(\.loss), level: context.level),
        diverged: cell.replicates.count { $0.state == .diverged },
        failed: cell.replicates.count { $0.state == .failed },
        isChosen: cell.value == chosen)
    }.sorted { ($0.value.number ?? .infinity) < ($1.value.number ?? .infinity) }
    let whole = WholeCurves(points, axis: axis, cap: context.initialLoss)
    let refined = WholeCurves(points, axis: axis, cap: context.initialLoss, widest: false)
    optimum = (refined?.curves ?? whole?.curves).flatMap { curves in
      try? OptimumFit(curves, noiseFloor: context.noise.deviation, level: context.level)
    }
    guard let curves = whole?.curves, curves.values.count >= 2 else {
      sensitivity = nil
      basins = []
      divergence = nil
      return
    }
    // Around what tuning chose, where other seeds report it: the lowest of a few means moves the window by chance.
    let measured = Sensitivity(curves, optimum: purpose == .reporting ? chosen?.number : nil)
    sensitivity = SensitivityAnalysis(measured, level: context.level)
    basins = context.tolerances.compactMap { tolerance in
      (try? BasinWidth(curves, delta: tolerance.value)).map {
        BasinAnalysis(name: tolerance.name, $0, level: context.level)
      }
    }
    divergence = DivergenceThreshold(curves, level: context.level).map {
      DivergenceAnalysis(
        from: $0.value, share: Double($0.failures) / Double($0.count), interval: $0.shareInterval)
    }
  }

  /// How the values of a knob lie: decay rates by their distance from 1, others as declared.
  static func axis(isLogarithmic: Bool, keys: [String], values: [KnobValue]) -> SweepAxis {
    if isLogarithmic { return .logarithmic }
    let isDecayRate = keys.allSatisfy { key in
      let last = key.split(separator: ".").last ?? ""
      return last.hasPrefix("beta") || last == "momentum"
    }
    let numbers = values.compactMap(\.number)
    return isDecayRate && !numbers.isEmpty && numbers.allSatisfy { $0 >= 0 && $0 < 1 }
      ? .complement : .linear
  }
}

/// The replicates that have a loss at every value, as a matrix.
struct WholeCurves {
  let curves: SweepCurves
  /// The seeds of the curves, in their order.
  let seeds: [Int]

  /// Picks values and seeds.
  ///
  /// - Parameters:
  ///   - points: values with replicates.
  ///   - axis: how values lie; values that it cannot hold are left out.
  ///   - cap: loss at initialisation.
  ///   - widest: whether all values that have a loss are kept, and seeds that lack one dropped; otherwise all seeds are kept, and
  ///     values that lack one dropped, where at least three values remain.
  init?(_ points: [KnobPoint], axis: SweepAxis, cap: Double?, widest: Bool = true) {
    guard let cap else { return nil }
    let columns = points.compactMap { point -> (value: Double, losses: [Int: Double])? in
      guard let value = point.value.number, axis.position(of: value).isFinite else { return nil }
      let losses = Dictionary(
        point.replicates.compactMap { replicate in
          replicate.loss.map { (replicate.seed, $0) }
        }, uniquingKeysWith: { first, _ in first })
      return losses.isEmpty ? nil : (value, losses)
    }
    let allSeeds = Set(columns.flatMap(\.losses.keys)).sorted()
    let kept = widest ? columns : columns.filter { $0.losses.count == allSeeds.count }
    let seeds = allSeeds.filter { seed in kept.allSatisfy { $0.losses[seed] != nil } }
    guard !seeds.isEmpty, kept.count >= (widest ? 1 : 3),
      let curves = try? SweepCurves(
        values: kept.map(\.value),
        replicates: seeds.map { seed in kept.map { $0.losses[seed] ?? cap } }, cap: cap, axis: axis)
    else { return nil }
    self.curves = curves
    self.seeds = seeds
  }
}

extension SensitivityAnalysis {
  init(_ measured: Sensitivity, level: Double) {
    from = measured.lower
    to = measured.upper
    isCut = measured.isClippedBelow || measured.isClippedAbove
    whole = Estimate(measured.whole, level: level)
    left = Estimate(measured.left, level: level)
    right = Estimate(measured.right, level: level)
    normalized = Estimate(measured.normalizedWhole, level: level)
  }
}

extension BasinAnalysis {
  init(name: String, _ measured: BasinWidth, level: Double) {
    self.name = name
    tolerance = measured.delta
    // As claims measure it: the mean over replicates, each with a basin of its own.
    let widths = measured.widths
    width = CensoredEstimate(
      value: widths.reduce(0, +) / Double(widths.count),
      bound: measured.replicates.contains(where: \.isAtLeast) ? .atLeast : .exact,
      interval: measured.interval(level: level).map {
        ConfidenceInterval(lower: max($0.lower, 0), upper: $0.upper, level: $0.level)
      }, count: widths.count)
    from = measured.basin.lower
    to = measured.basin.upper
  }
}
