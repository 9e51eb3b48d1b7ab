// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Charts side by side, as one SVG image: several models, variants or roles beside each other.
///
/// They have the same vertical axis, so that equal values have equal heights; or each its own.
///
/// A series has the same look in every panel: its own, or one by its name. Names stand once, below all panels.
public struct ChartPanels: Equatable, Sendable {
  /// The title of all; empty for none.
  public var title: String
  /// A line below the title; empty for none.
  public var subtitle: String
  /// The charts, whose titles stand above them; a vertical axis of all is the first one's.
  public var panels: [LineChart]
  /// Charts in a row, at most; `nil` chooses by the width.
  public var columns: Int?
  /// Whether all have the same vertical axis; otherwise titles have to say what each has.
  public var sharesAxis: Bool

  /// Puts charts side by side.
  public init(
    title: String, subtitle: String = "", panels: [LineChart], columns: Int? = nil,
    sharesAxis: Bool = true
  ) {
    self.sharesAxis = sharesAxis
    self.title = title
    self.subtitle = subtitle
    self.panels = panels
    self.columns = columns
  }

  /// The panels as SVG 1.1 text.
  ///
  /// - Parameters:
  ///   - width: of the whole image in pixels, at least 320.
  ///   - panelHeight: of each row of panels, in pixels, at least 160.
  /// - Returns: one `svg` element with a white background.
  public func svg(width: Int = 960, panelHeight: Int = 320) -> String {
    precondition(
      width >= 320 && panelHeight >= 160,
      "panels are at least 320 wide and 160 high, not \(width) x \(panelHeight)")
    return ChartPanelsDrawing(self, width: Double(width), panelHeight: Double(panelHeight)).svg()
  }
}

/// Puts the SVG text of panels together.
private struct ChartPanelsDrawing {
  let chart: ChartPanels
  let panels: [LineChart]
  let width: Double
  let panelHeight: Double

  init(_ chart: ChartPanels, width: Double, panelHeight: Double) {
    self.chart = chart
    self.width = width
    self.panelHeight = panelHeight
    // The same name has the same look in all panels; numbers that are taken are left to those who took them.
    let all = chart.panels.flatMap(\.series)
    var looks: [String: ChartLook] = [:]
    for series in all where series.look != nil { looks[series.name] = series.look }
    var taken = Set(looks.values.map(\.index))
    for series in all where looks[series.name] == nil && series.color == nil {
      let next = (0...).first { !taken.contains($0) } ?? 0
      looks[series.name] = ChartLook(next)
      taken.insert(next)
    }
    panels = chart.panels.map { panel in
      var panel = panel
      for index in panel.series.indices where panel.series[index].look == nil {
        panel.series[index].look = looks[panel.series[index].name]
      }
      return panel
    }
  }

  private var columns: Int {
    let most = max(1, Int(width / 240))
    guard let wanted = chart.columns else {
      // Rows of about the same length.
      let rows = (panels.count + most - 1) / most
      return max(1, (panels.count + rows - 1) / max(1, rows))
    }
    return min(max(1, wanted), max(1, panels.count))
  }

  func svg() -> String {
    let axis = chart.sharesAxis ? panels.first?.yAxis ?? ChartAxis(title: "") : ChartAxis(title: "")
    let rows = panels.isEmpty ? 0 : (panels.count + columns - 1) / columns
    let shared = ChartLayout.yRange(
      axis, panels.flatMap(ChartLayout.yValues), height: panelHeight - 90)
    let ranges = panels.map { panel in
      chart.sharesAxis
        ? shared
        : ChartLayout.yRange(panel.yAxis, ChartLayout.yValues(panel), height: panelHeight - 90)
    }
    let margins = ranges.map(ChartLayout.margin)
    let inner = 36.0
    let margin = margins.first ?? 0
    let cell = (width - margin + inner - 20) / Double(columns)
    let ownCell = (width - 20) / Double(columns)

    func size(_ index: Int) -> (x: Double, width: Double, margin: Double) {
      let column = index % columns
      if !chart.sharesAxis { return (Double(column) * ownCell, ownCell, margins[index]) }
      return column == 0
        ? (0, margin + cell - inner, margin)
        : (margin + Double(column) * cell - inner, cell, inner)
    }
    func frame(_ index: Int, top: Double?, bottom: Double?) -> ChartFrame {
      ChartFrame(
        margin: size(index).margin, yRange: ranges[index], top: top, bottom: bottom, isPanel: true,
        showsYAxis: !chart.sharesAxis || index % columns == 0)
    }
    // First each by itself, then all with the lowest head and the highest foot, so that equal values have equal heights.
    let alone = panels.indices.map { index in
      ChartDrawing(
        panels[index], width: size(index).width, height: panelHeight,
        frame: frame(index, top: nil, bottom: nil)
      ).layout
    }
    let top = alone.map(\.top).max()
    let bottom = alone.map(\.bottom).min()

    var (lines, y) = chartHead(title: chart.title, subtitle: chart.subtitle, width: width)
    if !axis.fullTitle.isEmpty {
      y += 20
      lines.append(
        text(
          cut(axis.fullTitle, toWidth: width - 32, fontSize: ChartLayout.textSize), x: 16, y: y,
          size: ChartLayout.textSize, fill: Ink.axisTitle, className: "y-title"))
    }
    y += 6
    for index in panels.indices {
      let place = y + Double(index / columns) * panelHeight
      let drawing = ChartDrawing(
        panels[index], width: size(index).width, height: panelHeight,
        frame: frame(index, top: top, bottom: bottom))
      lines.append(
        "<g class=\"panel\" transform=\"translate(\(coordinate(size(index).x)) \(coordinate(place)))\">"
      )
      lines.append(drawing.svg().trimmingLastBreak)
      lines.append("</g>")
    }
    y += Double(rows) * panelHeight + 6
    let (names, namesHeight) = legend(top: y)
    lines += names
    return imageOf(
      lines, width: width, height: y + namesHeight + 8,
      summary: "\(chart.title): \(panels.map(\.title).joined(separator: ", "))")
  }

  /// The names of all series once, in rows.
  private func legend(top: Double) -> (lines: [String], height: Double) {
    var seen = Set<String>()
    let items = panels.flatMap { ChartDrawing.drawn($0.series) }.filter {
      $0.isNamed && seen.insert($0.series.name).inserted
    }
    var lines = ["<g class=\"labels\">"]
    var (x, y) = (16.0, top + 6)
    for item in items {
      let wanted =
        ChartLayout.sampleWidth + 6
        + estimatedWidth(item.series.name, fontSize: ChartLayout.textSize)
      let room = min(wanted + 2, width - 32)
      if x > 16, x + room > width - 12 { (x, y) = (16, y + ChartLayout.labelDistance + 2) }
      lines += ChartDrawing.label(item, x: x, y: y, width: room)
      x += room + 18
    }
    return (lines + ["</g>"], items.isEmpty ? 0 : y - top + 8)
  }
}

extension String {
  /// The text without the line break at its end.
  var trimmingLastBreak: String { hasSuffix("\n") ? String(dropLast()) : self }
}
