// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

extension VariantAnalysis {
  /// A variant with comparisons whose p-values are corrected.
  init(
    _ variant: VariantMeasurement, check: ContractCheck, groups: [ContractCheck.Group],
    differences: [DifferenceAnalysis]
  ) {
    let study = variant.study
    name = variant.name
    changes = variant.book.variant.changes
    entropyFloor = variant.book.variant.entropyFloor
    initialLoss = variant.book.initialLoss
    margin = variant.margin
    noise = variant.noise
    let arms = variant.arms.map { ArmAnalysis($0, in: variant) }
    self.arms = arms
    contract = ContractAnalysis(
      check, groups: groups, arms: variant.arms.map(\.arm), tuningTrials: arms.map(\.tuningTrials),
      study: study)
    self.differences = differences
    leaderboard = Self.leaderboard(variant, differences)
    targets = Self.targets(variant)
  }

  private static func leaderboard(
    _ variant: VariantMeasurement, _ differences: [DifferenceAnalysis]
  ) -> [LeaderboardRow] {
    let rows = variant.arms.map { arm in
      LeaderboardRow(arm, in: variant, differences)
    }
    // Sorting is stable in the order of the declaration where losses are equal.
    var sorted = rows.enumerated().sorted { first, second in
      let left = first.element.loss.value ?? .infinity
      let right = second.element.loss.value ?? .infinity
      return (left, first.offset) < (right, second.offset)
    }.map(\.element)
    for index in sorted.indices where sorted[index].loss.value != nil {
      let isTie = index > 0 && sorted[index].loss.value == sorted[index - 1].loss.value
      sorted[index].rank = isTie ? sorted[index - 1].rank : index + 1
    }
    return sorted
  }

  private static func targets(_ variant: VariantMeasurement) -> [TargetAnalysis] {
    let study = variant.study
    guard let declared = study.targets else { return [] }
    let ladders = variant.arms.map { arm in
      let finished = arm.reporting.finished
      return Ladder(
        arm: arm.name, steps: arm.arm.steps[variant.name] ?? 0, cost: CostAnalysis(finished),
        horizons: arm.ladder.map(\.horizon), rungs: arm.ladder.map(\.measured))
    }
    func target(_ loss: Double?, _ name: String) -> TargetAnalysis {
      TargetAnalysis(
        loss: loss, name: name, ladders: ladders, baseline: study.baseline, noise: variant.noise,
        level: variant.coverage)
    }
    var targets = declared.losses.map { target($0, "\($0)") }
    if declared.includesBaseline {
      let baseline = variant.arm(named: study.baseline)
      let losses = baseline?.reporting.losses ?? []
      // The target is that of the whole study, not of the replicates that happen to be done.
      let isWhole = baseline.map { $0.reporting.missingCount == 0 } ?? false
      targets.append(
        target(isWhole ? Sample(losses).median : nil, "median of \(study.baseline)"))
    }
    return targets
  }
}

extension LeaderboardRow {
  init(_ arm: ArmMeasurement, in variant: VariantMeasurement, _ differences: [DifferenceAnalysis]) {
    let measured = arm.reporting
    let losses = measured.losses
    let sample = Sample(losses)
    self.arm = arm.name
    rank = nil
    let apart: Set<Verdict.Word> = [.better, .worse, .slightlyBetter, .slightlyWorse, .unknown]
    tiedWith = differences.compactMap { difference in
      guard !apart.contains(difference.verdict.word) else { return nil }
      if difference.arm == arm.name { return difference.other }
      return difference.other == arm.name ? difference.arm : nil
    }
    isBaseline = arm.name == variant.study.baseline
    loss = Estimate(losses, level: variant.coverage)
    standardDeviation = sample.standardDeviation
    median = sample.median
    diverged = measured.count(.diverged)
    failed = measured.count(.failed)
    missing = measured.missingCount
    let bits = measured.finished.compactMap { $0.finalNumber("bitsPerByte") }
    bitsPerByte =
      diverged == 0 && !bits.isEmpty && bits.count == losses.count
      ? Estimate(bits, level: variant.coverage) : nil
    aboveFloor = variant.book.variant.entropyFloor.map { floor in
      Estimate(losses.map { $0 - floor }, level: variant.coverage)
    }
    cost = CostAnalysis(measured.finished)
  }
}
