// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison
import Foundation
import RunRecords
import Statistics

extension ReportContents {
  /// Steps, tokens, operations and seconds to a loss, from full runs of several lengths.
  func targets() -> ReportSection? {
    var blocks: [ReportBlock] = []
    for variant in variants {
      for (index, target) in variant.targets.enumerated() where !target.arms.isEmpty {
        let loss = target.loss.map { ReportNumber.significant($0, 4) } ?? "not known yet"
        let place = hasVariants ? "\(variant.name): " : ""
        blocks.append(
          .heading(
            "\(place)to a loss of \(loss)" + (target.name == loss ? "" : " (\(target.name))")))
        let name = { (kind: String) in
          Self.fileName(
            kind, self.hasVariants ? variant.name : "", index == 0 ? "" : "\(index + 1)")
        }
        if index == 0, let figure = ladderFigure(target, variant, name: name("ladder")) {
          blocks.append(.figure(figure))
        }
        if let figure = speedUpFigure(target, name: name("speed-up"), place: place) {
          blocks.append(.figure(figure))
        }
        blocks.append(.table(targetTable(target).withoutEmptyColumns))
      }
    }
    if !blocks.isEmpty {
      blocks.insert(
        .paragraph(
          "Every length is a full run with its own schedule: nobody is charged for stopping in the middle of one. Between "
            + "lengths the loss is interpolated. A replicate that never gets there counts as longer than the longest run "
            + "(\u{2265}); it is never left out. Speed-ups divide the baseline's by the arm's: above 1 is faster. Times are those of the "
            + "run that was disturbed least. The last columns ask, as speed records do, whether the mean of full runs lies below the target: "
            + "a one-sided t test, and with a calibration (target - mean) sqrt(n) against 3.09 times the upper 80 % limit of the noise."
        ),
        at: 0)
    }
    return section("targets", "To a target", blocks)
  }

  private func ladderFigure(_ target: TargetAnalysis, _ variant: VariantAnalysis, name: String)
    -> ReportFigure?
  {
    guard target.arms.contains(where: { $0.rungs.count > 1 }) else { return nil }
    let chart = LineChart(
      title: "Final loss of full runs of other lengths" + (hasVariants ? ", \(variant.name)" : ""),
      xAxis: ChartAxis(title: "Length as a fraction of a full run", scale: .logarithmic),
      yAxis: ChartAxis(title: "Final validation loss", unit: Self.lossUnit),
      series: target.arms.map { arm in
        ChartSeries(
          name: arm.arm,
          points: arm.rungs.map {
            ChartPoint(
              $0.fraction, $0.loss.value ?? .nan, lower: $0.loss.interval?.lower,
              upper: $0.loss.interval?.upper,
              note: "\($0.loss.count) seeds")
          }, style: .lineWithMarkers, look: look(arm.arm), intervals: .bars, marksBeyond: true)
      },
      levels: variant.targets.compactMap { target in
        target.loss.map { ChartLevel($0, label: "target: \(target.name)") }
      })
    return ReportFigure(
      name: name, caption: "Where a line crosses a target, a full run of that length reaches it.",
      svg: chart.svg(width: 900, height: 400))
  }

  private func speedUpFigure(_ target: TargetAnalysis, name: String, place: String) -> ReportFigure?
  {
    typealias Pick = KeyPath<ArmTarget, CensoredEstimate?>
    let kinds: [(title: String, pick: Pick)] = [
      ("in steps", \.speedUpInSteps), ("in FLOPs", \.speedUpInFlops),
      ("in time", \.speedUpInSeconds),
    ].filter { kind in target.arms.contains { $0[keyPath: kind.1]?.value != nil } }
    let arms = target.arms.filter { arm in kinds.contains { arm[keyPath: $0.pick]?.value != nil } }
    guard !arms.isEmpty else { return nil }
    func cell(_ estimate: CensoredEstimate?) -> RowChart.Cell {
      var (lower, upper) = (estimate?.interval?.lower, estimate?.interval?.upper)
      if let value = estimate?.value {
        // A bound is drawn as what it is: an interval that goes on.
        if estimate?.bound == .atLeast { (lower, upper) = (lower ?? value, .infinity) }
        if estimate?.bound == .atMost { (lower, upper) = (-.infinity, upper ?? value) }
      }
      return RowChart.Cell(
        estimate: estimate?.value, lower: lower, upper: upper,
        note: censored(estimate, ReportNumber.factor))
    }
    let svg = RowChart(
      title: "\(place)speed-up over \(study.baseline)",
      scales: kinds.map {
        RowChart.Scale(
          ChartAxis(title: $0.title, scale: .logarithmic, isFactor: true), marks: [ChartMark(1)])
      },
      rows: arms.map { arm in
        RowChart.Row(
          name: arm.arm, look: look(arm.arm), cells: kinds.map { cell(arm[keyPath: $0.pick]) })
      }
    ).svg(width: 960)
    return ReportFigure(
      name: name, caption: "Speed-up over \(study.baseline) with intervals: right of 1 is faster.",
      svg: svg)
  }

  private func zRule(_ rule: TargetRule?) -> String {
    guard let rule, let statistic = rule.zStatistic, let threshold = rule.zThreshold else {
      return ""
    }
    return
      "\(ReportNumber.significant(statistic, 2)) of \(ReportNumber.significant(threshold, 2)): "
      + (statistic >= threshold ? "passes" : "does not pass")
  }

  private func targetTable(_ target: TargetAnalysis) -> ReportTable {
    var table = ReportTable([
      "<arm", "reached", "fraction of a full run", "steps", "tokens", "FLOPs", "time",
      "speed-up in steps",
      "in FLOPs", "in time", "p (mean below)", "<z rule",
    ])
    for arm in target.arms {
      table.add([
        armCell(arm.arm), .init("\(arm.reached) of \(arm.count)"), .init(censored(arm.fraction)),
        .init(censored(arm.steps, ReportNumber.short)),
        .init(censored(arm.tokens, ReportNumber.short)),
        .init(censored(arm.flops, ReportNumber.short)),
        .init(censored(arm.seconds, ReportNumber.duration)),
        .init(censored(arm.speedUpInSteps, ReportNumber.factor)),
        .init(censored(arm.speedUpInFlops, ReportNumber.factor)),
        .init(censored(arm.speedUpInSeconds, ReportNumber.factor)),
        .init(arm.rule.map { ReportNumber.probability($0.pValue) } ?? ""), .init(zRule(arm.rule)),
      ])
    }
    return table
  }
}
