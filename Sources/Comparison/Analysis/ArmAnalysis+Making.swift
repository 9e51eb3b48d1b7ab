// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

extension ArmAnalysis {
  /// An arm of a variant.
  init(_ arm: ArmMeasurement, in variant: VariantMeasurement) {
    let study = variant.study
    let context = variant.curveContext
    let axes = (study.tuning?.axes ?? []).filter {
      !$0.grid(arm: arm.name, variant: variant.name).isEmpty
    }
    name = arm.name
    method = arm.arm.method
    changes = arm.arm.changes
    declaredDifferences = arm.arm.differences
    isUndertuned = arm.tuned?.isUndertuned ?? false
    let trials = variant.book.tuning(arm.name)
    tuningTrials = arm.tuned?.trials ?? trials.count { $0.trial.result?.hasEnded == true }
    tuningHistory = arm.tuned.map(Self.history) ?? []
    tuningCurves = axes.compactMap { axis in
      Self.tuningCurve(axis, arm: arm, trials: trials, book: variant.book, context)
    }
    knobs = axes.enumerated().compactMap { index, axis in
      let keys = axis.keys[arm.name] ?? []
      guard let value = keys.first.flatMap({ arm.knobs[$0] }) else { return nil }
      let edge: KnobChoice.Edge? =
        switch index == 0 && axis.name == study.tuning?.axes.first?.name ? arm.tuned?.edge : nil {
        case .lower: .lowest
        case .upper: .highest
        case .certified, .some(.none), nil: nil
        }
      return KnobChoice(
        name: axis.name, keys: keys, value: value, isTuned: arm.tuned != nil, edge: edge)
    }
    sweeps = arm.sweeps.map { sweep, points in
      let keys = sweep.keys[arm.name] ?? []
      return KnobCurve(
        name: sweep.name, keys: keys,
        axis: KnobCurve.axis(
          isLogarithmic: sweep.isLogarithmic, keys: keys, values: points.map(\.cell.value)),
        purpose: .reporting,
        cells: points.map { ($0.cell.value, $0.cell.factor, $0.measured.map(\.replicate)) },
        chosen: keys.first.flatMap { arm.knobs[$0] }, context)
    }
    replicates = arm.reporting.map(\.replicate)
    lossCurve = CourseAnalysis.losses(
      of: arm.reporting, initialLoss: variant.book.initialLoss, level: variant.coverage)
    statistics = StatisticAnalysis.all(of: arm.reporting, level: variant.coverage)
    budgetCurve = Self.budgetCurve(trials, book: variant.book, level: variant.coverage)
  }

  private static func history(_ tuned: TunedCell) -> [TuningStep] {
    let tries = tuned.history.map { tried in
      TuningStep(
        phase: tried.phase, knobs: tried.knobs,
        loss: tried.meanLoss.isFinite ? tried.meanLoss : nil,
        seeds: tried.losses.keys.map(\.number).sorted(), decision: nil)
    }
    let moves = tuned.moves.map { move in
      let gain = MarginAnalysis.text(abs(move.gain))
      let seen = move.gain >= 0 ? "\(gain) nats lower" : "\(gain) nats higher"
      return TuningStep(
        phase: .axes, knobs: [move.axis: move.value], loss: nil, seeds: [],
        decision: move.isAccepted
          ? "\(move.axis) moved to \(move.value): \(seen), p = \(MarginAnalysis.text(move.pValue))"
          : "\(move.axis) stays at \(move.value): the best other value was \(seen), p = "
            + MarginAnalysis.text(move.pValue))
    }
    return tries + moves
  }

  /// The curve of an axis: of all lines of trials that differ in its keys only, the one with the most values.
  private static func tuningCurve(
    _ axis: StudyRecord.Axis, arm: ArmMeasurement,
    trials: [(seed: TuningSeed, trial: LoadedTrial)], book: TrialBook, _ context: CurveContext
  ) -> KnobCurve? {
    guard let keys = axis.keys[arm.name], let key = keys.first else { return nil }
    func others(_ knobs: [String: KnobValue]) -> [String: KnobValue] {
      knobs.filter { !keys.contains($0.key) }
    }
    var lines: [[String: KnobValue]: [KnobValue: [Replicate]]] = [:]
    for (seed, trial) in trials {
      guard let knobs = trial.result?.point.knobs, let value = knobs[key] else { continue }
      lines[others(knobs), default: [:]][value, default: []].append(
        book.replicate(seed.number, trial))
    }
    let chosen = others(arm.knobs)
    guard
      let line = lines.max(by: { first, second in
        if first.value.count != second.value.count { return first.value.count < second.value.count }
        return first.key != chosen && second.key == chosen
      })?.value
    else { return nil }
    return KnobCurve(
      name: axis.name, keys: keys,
      axis: KnobCurve.axis(
        isLogarithmic: axis.isLogarithmic, keys: keys, values: Array(line.keys)),
      purpose: .tuning,
      cells: line.map { value, replicates in
        (value, nil, replicates.sorted { $0.seed < $1.seed })
      },
      chosen: arm.tuned == nil ? nil : arm.knobs[key], context)
  }

  /// Expected best loss over the cells that were tried, by the first tuning seed, which has all of them.
  private static func budgetCurve(
    _ trials: [(seed: TuningSeed, trial: LoadedTrial)], book: TrialBook, level: Double
  ) -> [BudgetCurve.Point] {
    guard let first = book.plan.seeds.tuning.first, let cap = book.initialLoss else { return [] }
    let losses = trials.compactMap { seed, trial -> Double? in
      guard seed == first, let result = trial.result, result.hasEnded else { return nil }
      // A trial that was stopped was never the best.
      return result.cappedLoss ?? cap
    }
    return losses.isEmpty ? [] : BudgetCurve(losses: losses, cap: cap, level: level).points
  }
}
