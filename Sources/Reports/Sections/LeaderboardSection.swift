// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison
import RunRecords
import Statistics

extension ReportContents {
  /// Losses, differences to the baseline, verdicts and costs at a glance.
  func leaderboard() -> ReportSection? {
    var blocks: [ReportBlock] = []
    for variant in variants where !variant.leaderboard.isEmpty {
      blocks += heading(variant)
      blocks.append(.table(leaderboardTable(variant).withoutEmptyColumns))
    }
    if let forest = forestFigure() { blocks.append(.figure(forest)) }
    if let seeds = seedFigure() { blocks.append(.figure(seeds)) }
    return section("leaderboard", "Leaderboard", blocks)
  }

  func leaderboardTable(_ variant: VariantAnalysis) -> ReportTable {
    let percent = ReportNumber.percent(1 - study.rule.level)
    var table = ReportTable(
      caption:
        "Final validation loss in \(Self.lossUnit) on reporting seeds, mean with its \(percent) interval; "
        + "what diverged counts as the loss at initialisation"
        + (variant.initialLoss.map { " (\(ReportNumber.fixed($0, 3)))" } ?? "") + "."
        + (variant.targets.first.map { " Speed-up: in steps, to the target \($0.name)." } ?? ""),
      [
        "#", "<arm", "loss", "above the floor", "bits per byte", "n", "<failures",
        "difference to \(study.baseline)", "<verdict", "learning rate", "ms a step", "state",
        "speed-up",
      ])
    for row in variant.leaderboard {
      let analysis = variant.arms.first { $0.name == row.arm }
      let comparison = toBaseline(row.arm, in: variant)
      let target = variant.targets.first?.arms.first { $0.arm == row.arm }
      let cells: [ReportTable.Cell] = [
        .init(row.rank.map { "\($0)" } ?? ReportNumber.none), armCell(row.arm),
        .init(loss(row.loss)),
        .init(row.aboveFloor.map { loss($0) } ?? ""),
        .init(row.bitsPerByte.map { loss($0) } ?? ""), .init("\(row.loss.count)"),
        failureCell(row),
        .init(
          row.isBaseline
            ? "baseline"
            : comparison.map { difference($0.test.estimate, $0.test.interval) } ?? ReportNumber.none
        ),
        row.isBaseline
          ? .init("baseline") : comparison.map { cell($0.verdict) } ?? .init(ReportNumber.none),
        analysis?.isUndertuned == true
          ? .init("\(analysis.flatMap(mainKnob) ?? "") undertuned", tone: .warning)
          : .init(analysis.flatMap(mainKnob) ?? ""),
        .init(row.cost.millisecondsPerStep.map { ReportNumber.significant($0, 3) } ?? ""),
        .init(row.cost.stateBytes.map(ReportNumber.bytes) ?? ""),
        .init(target.flatMap(\.speedUpInSteps).map { censored($0, ReportNumber.factor) } ?? ""),
      ]
      table.add(cells)
    }
    return table
  }

  private func failureCell(_ row: LeaderboardRow) -> ReportTable.Cell {
    let words = failureWords(row)
    return ReportTable.Cell(words.isEmpty ? "0" : words, tone: words.isEmpty ? .plain : .warning)
  }

  func failureWords(_ row: LeaderboardRow) -> String {
    [
      row.diverged > 0 ? "\(row.diverged) diverged" : "",
      row.failed > 0 ? "\(row.failed) failed" : "",
      row.missing > 0 ? "\(row.missing) missing" : "",
    ].filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// The value of the first tuned axis.
  private func mainKnob(_ arm: ArmAnalysis) -> String? {
    arm.knobs.first { $0.isTuned }.map { knob($0.value) }
  }

  // MARK: - Figures

  /// Differences to the baseline with intervals, the margin around 0, and verdicts.
  private func forestFigure() -> ReportFigure? {
    var rows: [RowChart.Row] = []
    var intervals: [(Double, Double)] = []
    var margins: [Double] = []
    for variant in variants {
      let compared = variant.leaderboard.filter { !$0.isBaseline }
        .compactMap { row in toBaseline(row.arm, in: variant) }
      guard !compared.isEmpty else { continue }
      if hasVariants { rows.append(RowChart.Row(heading: variant.name)) }
      if let margin = variant.margin.value { margins.append(margin) }
      for item in compared {
        let (estimate, interval) = (item.test.estimate, item.test.interval)
        if let estimate {
          intervals.append((interval?.lower ?? estimate, interval?.upper ?? estimate))
        }
        rows.append(
          RowChart.Row(
            name: item.arm, look: look(item.arm),
            cells: [
              .init(
                estimate: estimate, lower: interval?.lower, upper: interval?.upper,
                note: item.verdict.text)
            ],
            words: [difference(estimate, interval), word(item.verdict.word)]))
      }
    }
    guard !intervals.isEmpty else { return nil }
    // Several margins: the narrowest, so that nothing looks alike that is not.
    let margin = margins.min()
    let marks =
      (margin.map {
        [ChartMark(-$0, to: $0, label: "margin \u{00B1}\(ReportNumber.significant($0, 2))")]
      } ?? [])
      + [ChartMark(0)]
    let ends = intervals + [(-(margin ?? 0), margin ?? 0)]
    let level = ReportNumber.percent(1 - study.rule.level)
    return ReportFigure(
      name: "differences",
      caption:
        "Difference of the mean final loss to \(study.baseline), with \(level) intervals: left of 0 is better. "
        + (margin == nil
          ? ""
          : Set(margins).count > 1
            ? "The band is the narrowest of the variants' margins within which arms count as alike. "
            : "The band is the margin within which arms count as alike. ")
        + "Arrows lie beyond the axis.",
      svg: RowChart(
        title: "Difference to \(study.baseline)",
        scales: [
          RowChart.Scale(
            ChartAxis(
              title: "Difference of final loss", unit: Self.lossUnit, limits: Self.limits(ends)),
            marks: marks)
        ],
        headings: ["difference", "verdict"], rows: rows
      ).svg(width: 960))
  }

  /// Every reporting seed of every arm.
  private func seedFigure() -> ReportFigure? {
    var rows: [RowChart.Row] = []
    var intervals: [(Double, Double)] = []
    for variant in variants {
      guard variant.arms.contains(where: { $0.replicates.contains { $0.loss != nil } }) else {
        continue
      }
      if hasVariants { rows.append(RowChart.Row(heading: variant.name)) }
      for row in variant.leaderboard {
        guard let arm = variant.arms.first(where: { $0.name == row.arm }) else { continue }
        let dots = arm.replicates.compactMap { replicate -> RowChart.Cell.Dot? in
          guard let loss = replicate.loss else { return nil }
          let isDiverged = replicate.state == .diverged
          return RowChart.Cell.Dot(
            isDiverged ? .infinity : loss,
            note: "\(arm.name), seed \(replicate.seed)\n"
              + (isDiverged ? "diverged" : ReportNumber.significant(loss, 6)))
        }
        let finite = dots.map(\.value).filter(\.isFinite)
        if let least = finite.min(), let most = finite.max() { intervals.append((least, most)) }
        // A mean with capped replicates in it lies among none of them.
        let isWhole = row.diverged == 0
        rows.append(
          RowChart.Row(
            name: arm.name, look: look(arm.name),
            cells: [
              .init(
                dots: dots, estimate: isWhole ? row.loss.value : nil,
                lower: isWhole ? row.loss.interval?.lower : nil,
                upper: isWhole ? row.loss.interval?.upper : nil)
            ],
            words: ["\(row.loss.count)", failureWords(row)]))
      }
    }
    guard !intervals.isEmpty else { return nil }
    return ReportFigure(
      name: "seeds",
      caption:
        "Every reporting seed (dots) with the mean and its interval below. Arrows: diverged, or beyond the axis.",
      svg: RowChart(
        title: "Every seed",
        scales: [
          RowChart.Scale(
            ChartAxis(
              title: "Final validation loss", unit: Self.lossUnit, limits: Self.limits(intervals)))
        ],
        headings: ["n", "failures"], rows: rows
      ).svg(width: 960))
  }

  /// Ends of an axis that shows most intervals well: one that would squeeze all others into a corner is left to an arrow.
  ///
  /// Nil where all intervals fit together.
  static func limits(_ intervals: [(lower: Double, upper: Double)]) -> ClosedRange<Double>? {
    let finite = intervals.filter { $0.lower.isFinite && $0.upper.isFinite }
    guard finite.count > 2 else { return nil }
    let middles = finite.map { ($0.lower + $0.upper) / 2 }.sorted()
    let center = middles[middles.count / 2]
    let sorted = finite.sorted {
      max(abs($0.lower - center), abs($0.upper - center))
        < max(abs($1.lower - center), abs($1.upper - center))
    }
    // Half of them always; each further one unless it makes the axis five times as long.
    var (least, most) = (center, center)
    var isCut = false
    for (index, interval) in sorted.enumerated() {
      let (low, high) = (min(least, interval.lower), max(most, interval.upper))
      if index >= (sorted.count + 1) / 2, high - low > 5 * (most - least), most > least {
        isCut = true
        break
      }
      (least, most) = (low, high)
    }
    guard isCut, least < most else { return nil }
    let rim = 0.06 * (most - least)
    return (least - rim)...(most + rim)
  }
}
