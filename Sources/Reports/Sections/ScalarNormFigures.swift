// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison
import RunRecords
import Statistics

extension ScalarContents {
  /// The quantiles that are drawn: the middle, where the few large values begin, and the largest.
  static let drawnQuantiles = ["q50", "q99", "max"]

  /// Norms and sizes of what is too large to be recorded whole, two figures for each role.
  func norms() -> [ReportBlock] {
    var roles: [String] = []
    for norm in comparison.norms where !roles.contains(norm.parameter.role) {
      roles.append(norm.parameter.role)
    }
    let figures = roles.flatMap { role -> [ReportFigure] in
      let own = comparison.norms.filter { $0.parameter.role == role }
      let sized = own.filter { norm in
        norm.quantiles.contains { Self.drawnQuantiles.contains($0.name) && !$0.courses.isEmpty }
      }
      return [normFigure(own, role)] + (sized.isEmpty ? [] : [sizeFigure(sized, role)])
    }
    return figures.isEmpty
      ? [] : [.heading("Norms of larger parameters")] + figures.map { .figure($0) }
  }

  private func normFigure(_ norms: [ScalarComparison.Norm], _ role: String) -> ReportFigure {
    let panels = norms.map { norm in
      LineChart(
        title: norm.parameter.name, xAxis: ChartAxis(title: ""), yAxis: ChartAxis(title: ""),
        series: norm.courses.map { line($0, at: norm.steps.map(Double.init)) })
    }
    return ReportFigure(
      name: ReportContents.fileName("norms", role, suffix),
      caption: "Norms of \(Self.words(role)) parameters over steps.",
      svg: ChartPanels(
        title: "Norm, \(Self.words(role))", panels: panels, sharesAxis: norms.count > 1
      ).svg(width: Self.width(panels.count), panelHeight: Self.panelHeight))
  }

  /// Whether a norm grows because all values do or because a few do.
  private func sizeFigure(_ norms: [ScalarComparison.Norm], _ role: String) -> ReportFigure {
    let panels = norms.map { norm in
      LineChart(
        title: norm.parameter.name, xAxis: ChartAxis(title: ""),
        yAxis: ChartAxis(title: "", scale: .logarithmic),
        series: norm.quantiles.filter { Self.drawnQuantiles.contains($0.name) }.flatMap {
          quantile in
          quantile.courses.map { course in
            ChartSeries(
              name: course.arm,
              points: zip(norm.steps, course.envelope.mean).filter { $0.1 > 0 && $0.1.isFinite }
                .map { ChartPoint(Double($0), $1, note: quantile.name) },
              look: look(course.arm))
          }
        })
    }
    return ReportFigure(
      name: ReportContents.fileName("sizes", role, suffix),
      caption:
        "Sizes of the values of \(Self.words(role)) parameters over steps, mean over runs: of each arm, from below, the median, the 99 % "
        + "quantile and the largest.",
      svg: ChartPanels(
        title: "Sizes of values, \(Self.words(role))", panels: panels, sharesAxis: norms.count > 1
      ).svg(width: Self.width(panels.count), panelHeight: Self.panelHeight))
  }

  /// What steps were made with, where it changes over steps or differs between arms.
  func numbers() -> [ReportBlock] {
    let shown = comparison.numbers.filter { number in
      Set(number.courses.flatMap(\.envelope.mean).filter(\.isFinite)).count > 1
    }
    if shown.isEmpty { return [] }
    let panels = shown.map { number in
      LineChart(
        title: number.name, xAxis: axis, yAxis: ChartAxis(title: ""),
        series: number.courses.map { line($0, at: comparison.positions) })
    }
    let still = comparison.numbers.count - shown.count
    let rest = still == 0 ? "" : " Numbers that stay the same in all arms: \(still)."
    return [
      .heading("What steps were made with"),
      .figure(
        ReportFigure(
          name: ReportContents.fileName("scalars-numbers", suffix),
          caption:
            "Tokens of a step, scalars of the model, and of each group of parameters what its schedule says, "
            + (comparison.alignment == .step ? "over steps." : "over stages that are done.") + rest,
          svg: ChartPanels(title: "What steps were made with", panels: panels, sharesAxis: false)
            .svg(width: Self.width(panels.count), panelHeight: Self.panelHeight))),
    ]
  }
}
