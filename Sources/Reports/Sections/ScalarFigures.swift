// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison
import RunRecords
import Statistics

extension ScalarContents {
  /// Of a whole figure; of fewer panels than fill a row, as much as they need.
  static func width(_ panels: Int) -> Int { min(1080, 40 + 346 * panels) }
  static let panelHeight = 190
  /// Pieces of a course that are drawn by their lowest and highest value: more cannot be told apart in a panel.
  private static let pieces = 100

  private var caption: String {
    let axis = comparison.alignment == .step ? "over steps" : "over stages that are done"
    let bands =
      comparison.arms.contains { $0.folders.count > 1 }
      ? " Lines: mean over runs; bands: from the lowest run to the highest." : ""
    let marks = comparison.transitions.isEmpty ? "" : " Dashed: a stage begins."
    let pauses = comparison.pauses.isEmpty ? "" : " Grey: the group is left alone."
    let departures = comparison.departures.isEmpty ? "" : " Markers: an arm leaves the baseline."
    return axis + "." + bands + marks + pauses + departures
  }

  // MARK: - Small parameters

  /// One figure for each parameter of several scalars, and one for all that are alone.
  func scalarFigures() -> [ReportBlock] {
    var groups: [(title: String, scalars: [ScalarComparison.Scalar], sharesAxis: Bool)] = []
    func add(_ scalar: ScalarComparison.Scalar, to title: String, sharesAxis: Bool) {
      if let index = groups.firstIndex(where: { $0.title == title }) {
        groups[index].scalars.append(scalar)
      } else {
        groups.append((title, [scalar], sharesAxis))
      }
    }
    for scalar in comparison.scalars {
      let isWhole = scalar.name.hasPrefix(scalar.parameter.name + "[")
      if isWhole {
        add(scalar, to: scalar.parameter.name, sharesAxis: true)
      } else if scalar.name == scalar.parameter.name {
        add(scalar, to: "Single scalars", sharesAxis: false)
      } else {
        add(
          scalar, to: "Root mean squares of \(Self.words(scalar.parameter.role)) parameters",
          sharesAxis: false)
      }
    }
    let figures = groups.map { group in
      let panels = group.scalars.enumerated().map { index, scalar in
        panel(
          scalar, title: Self.panelTitle(scalar, in: group.title), isLabelled: index == 0)
      }
      return ReportFigure(
        name: ReportContents.fileName("scalars", group.title, suffix),
        caption: "\(group.title), \(caption)",
        svg: ChartPanels(title: group.title, panels: panels, sharesAxis: group.sharesAxis).svg(
          width: Self.width(panels.count), panelHeight: Self.panelHeight))
    }
    return figures.isEmpty ? [] : [.heading("Courses")] + figures.map { .figure($0) }
  }

  static func words(_ role: String) -> String { role.replacing("_", with: " ") }

  private static func panelTitle(_ scalar: ScalarComparison.Scalar, in group: String) -> String {
    let name = scalar.name.split(separator: ",").first.map(String.init) ?? scalar.name
    if scalar.name.hasPrefix(group + "[") { return String(scalar.name.dropFirst(group.count)) }
    return scalar.name.hasSuffix("root mean square") ? name : scalar.name
  }

  private func panel(
    _ scalar: ScalarComparison.Scalar, title: String, isLabelled: Bool
  ) -> LineChart {
    let transitions = comparison.transitions.map {
      ChartMark($0.start, label: isLabelled ? $0.name : "")
    }
    let pauses = comparison.pauses.filter { $0.name == scalar.parameter.group }.map {
      ChartMark($0.start, to: $0.end)
    }
    var series = scalar.courses.map { line($0, at: comparison.positions) }
    for item in comparison.departures where item.scalar == scalar.name {
      guard let course = scalar.courses.first(where: { $0.arm == item.arm }),
        let place = comparison.positions.firstIndex(of: item.position)
      else { continue }
      series.append(
        ChartSeries(
          name: "",
          points: [
            ChartPoint(
              item.position, course.envelope.mean[place],
              note: "\(item.arm) leaves what seeds of the baseline explain")
          ], style: .markers, look: look(item.arm)))
    }
    return LineChart(
      title: title, xAxis: axis, yAxis: ChartAxis(title: ""), series: series,
      marks: pauses + transitions)
  }

  var axis: ChartAxis {
    guard let last = comparison.positions.last, last > 0 else { return ChartAxis(title: "") }
    return ChartAxis(title: "", limits: 0...last)
  }

  /// A course with at most two points for each piece, those where its line is lowest and highest, so that jitter stays visible.
  func line(_ course: ScalarComparison.Course, at positions: [Double]) -> ChartSeries {
    let envelope = course.envelope
    let isSeveral = (comparison.arms.first { $0.name == course.arm }?.folders.count ?? 1) > 1
    let known = envelope.mean.indices.filter { envelope.mean[$0].isFinite }
    let length = max(1, (known.count + Self.pieces - 1) / Self.pieces)
    var places: [Int] = []
    for start in stride(from: 0, to: known.count, by: length) {
      let piece = known[start..<min(start + length, known.count)]
      let ends = [
        piece.min { envelope.mean[$0] < envelope.mean[$1] },
        piece.max { envelope.mean[$0] < envelope.mean[$1] },
      ]
      places += Set(ends.compactMap { $0 }).sorted()
    }
    if let last = known.last, places.last != last { places.append(last) }
    let points = places.map { place in
      ChartPoint(
        positions[place], envelope.mean[place], lower: isSeveral ? envelope.lower[place] : nil,
        upper: isSeveral ? envelope.upper[place] : nil)
    }
    return ChartSeries(name: course.arm, points: points, look: look(course.arm))
  }

  // MARK: - 8-bit floating point

  /// What the head's operands look like in their format: sizes before and after scaling, and the share beyond it.
  func float8() -> [ReportBlock] {
    let arms = comparison.arms.map(\.name).filter { arm in
      comparison.float8.contains { $0.arm == arm }
    }
    if arms.isEmpty { return [] }
    let tensors = Float8Record.Tensor.allCases.filter { tensor in
      comparison.float8.contains { $0.tensor == tensor }
    }
    var figures: [ReportFigure] = []
    let shares = tensors.map { tensor in
      LineChart(
        title: tensor.rawValue, xAxis: ChartAxis(title: "Step"),
        yAxis: ChartAxis(title: "Share saturated", unit: "%"),
        series: comparison.float8.filter { $0.tensor == tensor }.map { course in
          ChartSeries(
            name: course.arm,
            points: zip(course.steps, course.saturated).map { ChartPoint(Double($0), 100 * $1) },
            look: look(course.arm))
        })
    }
    figures.append(
      ReportFigure(
        name: ReportContents.fileName("float8-saturated", suffix),
        caption:
          "Share of values that lie beyond the largest number of their format, mean over runs.",
        svg: ChartPanels(title: "Saturated values of the 8-bit head", panels: shares).svg(
          width: Self.width(shares.count), panelHeight: 230)))
    for arm in arms {
      let own = comparison.float8.filter { $0.arm == arm }
      let panels =
        own.map { sizes($0, $0.quantiles, title: $0.tensor.rawValue, level: nil) }
        + own.map {
          sizes(
            $0, $0.scaledQuantiles, title: "\($0.tensor.rawValue) / scale", level: $0.limit)
        }
      figures.append(
        ReportFigure(
          name: ReportContents.fileName("float8-sizes", arm, suffix),
          caption:
            "Sizes of values of \(arm) before and after they are divided by the scale: quantiles, mean over runs. What lies above the marked limit is saturated; "
            + "room between the largest and the limit is precision that is not used.",
          svg: ChartPanels(
            title: "Sizes of values, 8-bit head: \(arm)", panels: panels, columns: own.count,
            sharesAxis: false
          ).svg(width: Self.width(own.count), panelHeight: 230)))
    }
    return [.heading("8-bit head")] + figures.map { .figure($0) }
  }

  private func sizes(
    _ course: ScalarComparison.Float8Course, _ quantiles: [[Double]], title: String, level: Double?
  ) -> LineChart {
    let names = ["median", "90 %", "99 %", "99.9 %", "largest"]
    let rows = zip(names, quantiles).enumerated()
    let drawn = quantiles.joined().filter { $0 > 0 && $0.isFinite }
    // The limit belongs into the picture, however far away it is.
    let limits: ClosedRange<Double>? = level.flatMap { level in
      drawn.min().map { min($0, level) / 1.5...max(drawn.max() ?? level, level) * 2 }
    }
    return LineChart(
      title: title, xAxis: ChartAxis(title: "Step"),
      yAxis: ChartAxis(title: "Size", scale: .logarithmic, limits: limits),
      series: rows.map { index, row in
        ChartSeries(
          name: row.0, points: zip(course.steps, row.1).map { ChartPoint(Double($0), $1) },
          look: ChartLook(index))
      },
      levels: level.map { [ChartLevel($0, label: "limit \(ReportNumber.count(Int($0)))")] } ?? [])
  }
}
