// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

/// One arm of a variant with everything that reporting seeds measured.
struct ArmMeasurement {
  /// One value of a sweep.
  struct SweepPoint {
    let cell: StudyPlan.SweepCell
    let measured: [Measured]
  }

  let arm: StudyRecord.Arm
  /// What tuning chose; nil where there is no tuning, or it is not done.
  let tuned: TunedCell?
  /// The values it reports at.
  let knobs: [String: KnobValue]
  /// The full runs at these values.
  let reporting: [Measured]
  /// Of each sweep that concerns the arm its values.
  let sweeps: [(sweep: StudyRecord.Sweep, points: [SweepPoint])]
  /// The runs of each length.
  let ladder: [(horizon: Double, measured: [Measured])]

  var name: String { arm.name }

  init(_ arm: StudyRecord.Arm, book: TrialBook, tuned: TunedCell?) {
    let cell = ArmInVariant(arm: arm.name, variant: book.variant.name)
    let plan = book.plan
    let knobs = tuned?.knobs ?? plan.defaults(cell)
    self.arm = arm
    self.tuned = tuned
    self.knobs = knobs
    reporting = book.measured(plan.measurements(cell, knobs: knobs))
    sweeps = plan.study.sweeps.compactMap { sweep in
      let points = plan.sweepCells(sweep, cell, tuned: knobs).map { point in
        SweepPoint(
          cell: point,
          measured: book.measured(
            plan.measurements(cell, knobs: point.knobs, count: sweep.seedCount)))
      }
      return points.isEmpty ? nil : (sweep, points)
    }
    ladder = plan.ladderTrials(cell, tuned: knobs).map { ($0.horizon, book.measured($0.trials)) }
  }
}

/// One variant with everything that is computed from.
struct VariantMeasurement {
  let book: TrialBook
  let arms: [ArmMeasurement]
  let noise: NoiseAnalysis
  let margin: MarginAnalysis
  let level: Double

  var study: StudyRecord { book.plan.study }
  var name: String { book.variant.name }
  /// Coverage of intervals.
  var coverage: Double { 1 - level }

  init(
    _ variant: StudyRecord.Variant, plan: StudyPlan, trials: [LoadedTrial],
    tuned: [ArmInVariant: TunedCell], calibration: Calibration?
  ) {
    let study = plan.study
    let book = TrialBook(plan, variant: variant, trials: trials)
    let arms = study.arms(in: variant.name).map { arm in
      ArmMeasurement(
        arm, book: book, tuned: tuned[ArmInVariant(arm: arm.name, variant: variant.name)])
    }
    self.book = book
    self.arms = arms
    level = study.rule.level
    noise = NoiseAnalysis(
      variant: variant.name, baseline: study.baseline,
      arms: arms.map { ($0.name, $0.reporting) }, calibration: calibration, level: 1 - level)
    margin = MarginAnalysis(
      study.rule.margin,
      losses: Dictionary(
        arms.compactMap { arm in Sample(arm.reporting.losses).median.map { (arm.name, $0) } },
        uniquingKeysWith: { first, _ in first }),
      noise: noise)
  }

  func arm(named name: String) -> ArmMeasurement? { arms.first { $0.name == name } }

  /// What curves over knobs are measured with.
  var curveContext: CurveContext {
    var tolerances: [(name: String, value: Double)] = []
    if let margin = margin.value, margin > 0 { tolerances.append(("margin", margin)) }
    if case .share(_, let from, let to, _) = study.rule.margin,
      let first = arm(named: from).flatMap({ Sample($0.reporting.losses).median }),
      let second = arm(named: to).flatMap({ Sample($0.reporting.losses).median }), first != second
    {
      tolerances.append(("half the gap", abs(second - first) / 2))
      tolerances.append(("the gap", abs(second - first)))
    }
    tolerances += [("0.01 nats", 0.01), ("0.05 nats", 0.05)]
    return CurveContext(
      initialLoss: book.initialLoss, noise: noise, tolerances: tolerances, level: coverage)
  }

  /// All pairs of arms, those of the family first, each once.
  var pairs: [(arm: ArmMeasurement, other: ArmMeasurement, isInFamily: Bool)] {
    var pairs: [(arm: ArmMeasurement, other: ArmMeasurement, isInFamily: Bool)] = []
    var seen: Set<Set<String>> = []
    for names in study.rule.family where names.count == 2 && names[0] != names[1] {
      guard let arm = self.arm(named: names[0]), let other = self.arm(named: names[1]),
        seen.insert(Set(names)).inserted
      else { continue }
      pairs.append((arm, other, true))
    }
    // The baseline comes second wherever it takes part, so that a negative difference is always one in the arm's favour.
    let ordered =
      arms.filter { $0.name != study.baseline } + arms.filter { $0.name == study.baseline }
    for (index, arm) in ordered.enumerated() {
      for other in ordered.dropFirst(index + 1)
      where seen.insert([arm.name, other.name]).inserted {
        pairs.append((arm, other, false))
      }
    }
    return pairs
  }

  /// All comparisons before p-values are corrected.
  var comparisons: [PairComparison] {
    pairs.map { pair in
      PairComparison(
        (pair.arm.name, pair.other.name), (pair.arm.reporting, pair.other.reporting),
        isInFamily: pair.isInFamily, rule: study.rule, noise: noise, margin: margin.value)
    }
  }

  // MARK: - Contract

  /// The runs that only their arms may distinguish: full runs at the tuned values first.
  var contractGroups: (reporting: [ContractCheck.Group], others: [ContractCheck.Group]) {
    func groups(_ place: String, _ lists: [(arm: StudyRecord.Arm, measured: [Measured])])
      -> [ContractCheck.Group]
    {
      book.plan.seeds.reporting.compactMap { seed in
        let runs = lists.compactMap { list -> (arm: StudyRecord.Arm, trial: LoadedTrial)? in
          guard let trial = list.measured.first(where: { $0.seed == seed })?.trial,
            trial.result?.hasEnded == true
          else { return nil }
          return (study.withBudgetDifferences(list.arm), trial)
        }
        return runs.isEmpty
          ? nil : ContractCheck.Group(variant: name, seed: seed.trialSeed, place: place, runs: runs)
      }
    }
    var others: [ContractCheck.Group] = []
    for sweep in study.sweeps {
      let swept = arms.compactMap { arm in
        arm.sweeps.first { $0.sweep.name == sweep.name }.map { (arm: arm.arm, points: $0.points) }
      }
      // Factors of different tuned values are at the same place; of absolute values the value itself is.
      for index in 0..<(swept.map(\.points.count).max() ?? 0) {
        let lists = swept.compactMap { list in
          index < list.points.count ? (arm: list.arm, measured: list.points[index].measured) : nil
        }
        others += groups("sweep \(sweep.name), value \(index + 1)", lists)
      }
    }
    for (index, horizon) in (study.targets?.ladder ?? []).enumerated() where horizon != 1 {
      let lists = arms.compactMap { arm in
        index < arm.ladder.count
          ? (arm: arm.arm, measured: arm.ladder[index].measured) : nil
      }
      others += groups("length \(MarginAnalysis.text(horizon))", lists)
    }
    return (groups("", arms.map { ($0.arm, $0.reporting) }), others + tuningGroups)
  }

  /// One tuning trial of each arm for each tuning seed, where what is tuned is no condition of the comparison.
  private var tuningGroups: [ContractCheck.Group] {
    book.plan.seeds.tuning.compactMap { seed in
      var runs: [(arm: StudyRecord.Arm, trial: LoadedTrial)] = []
      for arm in arms {
        let trials = book.tuning(arm.name).filter {
          $0.seed == seed && $0.trial.result?.hasEnded == true
        }.map(\.trial)
        if Set(trials.compactMap(\.contract?.hash)).count > 1 { return nil }
        guard let first = trials.first else { continue }
        runs.append((study.withBudgetDifferences(arm.arm), first))
      }
      return runs.isEmpty
        ? nil
        : ContractCheck.Group(variant: name, seed: seed.trialSeed, place: "tuning", runs: runs)
    }
  }
}

extension StudyRecord {
  /// The arm, with the fields in which a budget other than steps or tokens makes arms differ.
  fileprivate func withBudgetDifferences(_ arm: Arm) -> Arm {
    switch budget.unit {
    case .steps, .tokens: return arm
    case .chargedTokens, .flops, .seconds:
      var arm = arm
      arm.differences += [.trainingTokens, .batchTokens, .schedule]
      return arm
    }
  }
}
