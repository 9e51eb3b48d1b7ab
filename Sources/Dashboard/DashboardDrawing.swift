// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison
import RunRecords

/// The charts of the page.
struct DashboardDrawing {
  let analysis: StudyAnalysis?
  let live: [LiveTrial]

  /// What a chart has of a page with two beside each other: letters keep their size.
  private static let width = 560
  private static let height = 320

  /// For each variant tuning and losses over steps, then the trials that run now.
  var charts: [DashboardCharts.Chart] {
    var found: [DashboardCharts.Chart] = []
    if let running { found.append(chart("running", running)) }
    for variant in analysis?.variants ?? [] {
      let place = (analysis?.variants.count ?? 0) > 1 ? " in \(variant.name)" : ""
      if let losses = losses(variant, place) {
        found.append(chart("losses/\(variant.name)", losses))
      }
      if let tuning = tuning(variant, place) {
        found.append(chart("tuning/\(variant.name)", tuning))
      }
    }
    return found
  }

  private func chart(_ name: String, _ chart: LineChart) -> DashboardCharts.Chart {
    DashboardCharts.Chart(name: name, svg: chart.svg(width: Self.width, height: Self.height))
  }

  /// An arm has one look in all charts.
  private func look(_ arm: String) -> ChartLook {
    ChartLook(analysis?.study.arms.firstIndex { $0.name == arm } ?? 0)
  }

  /// Training losses of the trials that run now.
  private var running: LineChart? {
    let arms = live.map(\.record.point.arm)
    let series = live.enumerated().compactMap { index, trial -> ChartSeries? in
      let points = trial.tail.losses.filter(\.value.isFinite).map {
        ChartPoint(Double($0.step), $0.value)
      }
      guard let first = points.first, let last = points.last, points.count > 1 else { return nil }
      let point = trial.record.point
      let halfLife = max(1, (last.x - first.x) / 60)
      return ChartSeries(
        name: "\(point.arm), seed \(point.seed.initial)",
        points: ChartPoint.smoothed(points, halfLife: halfLife),
        // Two trials of one arm have to be told apart.
        look: Set(arms).count == arms.count ? look(point.arm) : ChartLook(index))
    }
    guard !series.isEmpty else { return nil }
    return LineChart(
      title: "Training loss of running trials", subtitle: "smoothed",
      xAxis: ChartAxis(title: "step"), yAxis: ChartAxis(title: "loss", unit: "nats per token"),
      series: series)
  }

  /// Validation loss over steps, mean over reporting seeds.
  private func losses(_ variant: VariantAnalysis, _ place: String) -> LineChart? {
    let series = variant.arms.compactMap { arm -> ChartSeries? in
      guard let curve = arm.lossCurve, curve.steps.count > 1 else { return nil }
      let points = curve.steps.indices.map { index in
        ChartPoint(
          Double(curve.steps[index]), curve.mean[index], lower: curve.lower[index],
          upper: curve.upper[index])
      }
      return ChartSeries(name: arm.name, points: points, look: look(arm.name))
    }
    guard !series.isEmpty else { return nil }
    return LineChart(
      title: "Validation loss" + place, subtitle: "mean over reporting seeds with its interval",
      xAxis: ChartAxis(title: "step"),
      yAxis: ChartAxis(title: "validation loss", unit: "nats per token"),
      series: series, levels: floor(variant))
  }

  /// Loss against the value of the first tuned axis, on tuning seeds.
  private func tuning(_ variant: VariantAnalysis, _ place: String) -> LineChart? {
    var axis = "value"
    var isLogarithmic = true
    let series = variant.arms.compactMap { arm -> ChartSeries? in
      guard let curve = arm.tuningCurves.first else { return nil }
      let points = curve.points.compactMap { point -> ChartPoint? in
        guard let x = point.value.number, let y = point.loss.value else { return nil }
        isLogarithmic = isLogarithmic && x > 0
        return ChartPoint(x, y)
      }
      guard !points.isEmpty else { return nil }
      axis = curve.name
      return ChartSeries(
        name: arm.name, points: points, style: .lineWithMarkers, look: look(arm.name))
    }
    guard !series.isEmpty else { return nil }
    return LineChart(
      title: "Tuning" + place, subtitle: "final loss on tuning seeds, which are never reported",
      xAxis: ChartAxis(title: axis, scale: isLogarithmic ? .logarithmic : .linear),
      yAxis: ChartAxis(title: "validation loss", unit: "nats per token"), series: series,
      levels: floor(variant))
  }

  private func floor(_ variant: VariantAnalysis) -> [ChartLevel] {
    variant.entropyFloor.map { [ChartLevel($0, label: "entropy floor")] } ?? []
  }
}
