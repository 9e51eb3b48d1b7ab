// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Puts the SVG text of a chart together.
struct ChartDrawing {
  /// A series with what makes it recognisable.
  struct Drawn {
    var series: ChartSeries
    var color: ChartColor
    /// The lengths of dashes and gaps, empty for a line without gaps.
    var dash: String
    var marker: Marker
    /// The number of the look, by which parts that belong together are found.
    var look: Int

    var hasLine: Bool { series.style != .markers && series.style != .band }
    var hasMarkers: Bool { series.style == .markers || series.style == .lineWithMarkers }
    var isFaint: Bool { series.style == .faintLine }
    /// Whether its name is shown.
    var isNamed: Bool { !isFaint && series.style != .band && !series.name.isEmpty }
    /// The attribute that parts of the same look have in common.
    var group: String { "data-look=\"\(look)\"" }
  }

  let chart: LineChart
  let layout: ChartLayout
  let drawn: [Drawn]
  let isPanel: Bool

  init(
    _ chart: LineChart, width: Double, height: Double, frame: ChartFrame = ChartFrame()
  ) {
    self.chart = chart
    isPanel = frame.isPanel
    drawn = Self.drawn(chart.series)
    layout = ChartLayout(
      chart, width: width, height: height,
      names: frame.isPanel ? [] : drawn.filter(\.isNamed).map(\.series.name), frame: frame)
  }

  /// Gives every series what makes it recognisable: its look, or the next colour, dash and marker.
  static func drawn(_ series: [ChartSeries]) -> [Drawn] {
    var nextColor = 0
    var nextLine = 0
    var nextMarker = 0
    return series.enumerated().map { index, series in
      let color = series.color ?? series.look?.color ?? ChartLook(nextColor).color
      var drawn = Drawn(
        series: series, color: color, dash: "", marker: .circle, look: series.look?.index ?? index)
      if series.color == nil, series.look == nil { nextColor += 1 }
      if drawn.hasLine, !drawn.isFaint {
        drawn.dash = (series.look ?? ChartLook(nextLine)).dash
        if series.look == nil { nextLine += 1 }
      }
      if drawn.hasMarkers {
        drawn.marker = (series.look ?? ChartLook(nextMarker)).marker
        if series.look == nil { nextMarker += 1 }
      }
      return drawn
    }
  }

  /// The chart as an image that stands alone.
  func image() -> String { svg(with: ["<style>\(ChartTheme.ownStyle)</style>"]) }

  /// The chart as one element.
  ///
  /// - Parameter before: elements before all others.
  /// - Returns: one `svg` element.
  func svg(with before: [String] = []) -> String {
    var data: [String] = []
    for item in drawn { data += band(item) }
    for item in drawn { data += line(item) }
    for item in drawn { data += errorBars(item) }
    for item in drawn { data += markers(item) }
    for item in drawn { data += targets(item) }
    data += arrows()
    let isEmpty = drawn.allSatisfy { visiblePoints($0).isEmpty && beyond($0).isEmpty }
    let content = data.joined(separator: "\n")
    let name = "plot-" + contentName("\(layout.width) \(layout.height)\n" + content)

    let (width, height) = (coordinate(layout.width), coordinate(layout.height))
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
        + (isPanel ? "overflow=\"visible\" " : "")
        + "viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(markupEscaped(summary))\" "
        + "font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, "
        + "sans-serif\">"
    ]
    lines += before
    if !isPanel {
      lines.append(
        "<rect class=\"background\" width=\"\(width)\" height=\"\(height)\" fill=\"\(Ink.paper)\"/>"
      )
    }
    lines += [
      "<clipPath id=\"\(name)\"><rect x=\"\(coordinate(layout.left - 5))\" "
        + "y=\"\(coordinate(layout.top - 5))\" "
        + "width=\"\(coordinate(layout.right - layout.left + 10))\" "
        + "height=\"\(coordinate(layout.bottom - layout.top + 10))\"/></clipPath>"
    ]
    lines += head() + marks() + levels() + grid()
    if isEmpty {
      lines.append(
        text(
          "no data", x: (layout.left + layout.right) / 2, y: (layout.top + layout.bottom) / 2,
          size: 13, fill: Ink.faint, anchor: "middle", className: "empty"))
    } else {
      lines += ["<g class=\"data\" clip-path=\"url(#\(name))\">", content, "</g>"]
      lines += levelLabels()
      if !isPanel { lines += layout.hasDirectLabels ? directLabels() : legend() }
    }
    return lines.joined(separator: "\n") + "\n</svg>\n"
  }

  /// The chart in words, for people who hear it.
  private var summary: String {
    let names = drawn.map(\.series.name).filter { !$0.isEmpty }.joined(separator: ", ")
    return "\(chart.title.isEmpty ? "Chart" : chart.title): \(chart.yAxis.fullTitle) over "
      + "\(chart.xAxis.fullTitle)\(names.isEmpty ? "" : "; \(names)")"
  }

  // MARK: - Around the data

  private func head() -> [String] {
    var lines: [String] = []
    var place = 12.0
    func fitted(_ text: String, _ size: Double) -> String {
      cut(text, toWidth: layout.width - 32, fontSize: size)
    }
    for line in layout.titleLines {
      place += place == 12 ? 17 : 20
      lines.append(
        text(
          line, x: isPanel ? layout.left : 16, y: place, size: layout.titleSize, fill: Ink.title,
          weight: "600",
          className: "title"))
    }
    if !chart.subtitle.isEmpty {
      place += 19
      lines.append(
        text(
          fitted(chart.subtitle, ChartLayout.textSize), x: isPanel ? layout.left : 16, y: place,
          size: ChartLayout.textSize, fill: Ink.text, className: "subtitle"))
    }
    if !chart.yAxis.fullTitle.isEmpty, !isPanel {
      lines.append(
        text(
          fitted(chart.yAxis.fullTitle, ChartLayout.textSize), x: 16,
          y: layout.top - 12 - layout.markHeight, size: ChartLayout.textSize, fill: Ink.axisTitle,
          className: "y-title"))
    }
    if !chart.xAxis.fullTitle.isEmpty {
      lines.append(
        text(
          fitted(chart.xAxis.fullTitle, ChartLayout.textSize),
          x: (layout.left + layout.right) / 2, y: layout.bottom + 40, size: ChartLayout.textSize,
          fill: Ink.axisTitle, anchor: "middle", className: "x-title"))
    }
    return lines
  }

  private func grid() -> [String] {
    let (left, right) = (coordinate(layout.left), coordinate(layout.right))
    var lines = ["<g class=\"y-axis\">"]
    for tick in layout.y.ticks {
      let place = layout.placeY(tick.value)
      let at = coordinate(place)
      let stroke = tick.label == nil ? Ink.minorGrid : Ink.grid
      lines.append(
        "<line x1=\"\(left)\" y1=\"\(at)\" x2=\"\(right)\" y2=\"\(at)\" stroke=\"\(stroke)\"/>")
      if let label = tick.label, layout.showsYAxis {
        lines.append(
          text(
            label, x: layout.left - 8, y: place + 4, size: ChartLayout.tickSize, fill: Ink.text,
            anchor: "end"))
      }
    }
    lines += ["</g>", "<g class=\"x-axis\">"]
    let bottom = coordinate(layout.bottom)
    lines.append(
      "<line x1=\"\(left)\" y1=\"\(bottom)\" x2=\"\(right)\" y2=\"\(bottom)\" stroke=\"\(Ink.axis)\"/>"
    )
    for tick in layout.x.ticks {
      let at = coordinate(layout.placeX(tick.value))
      let length = tick.label == nil ? 3.0 : 5.0
      lines.append(
        "<line x1=\"\(at)\" y1=\"\(bottom)\" x2=\"\(at)\" y2=\"\(coordinate(layout.bottom + length))\" "
          + "stroke=\"\(Ink.axis)\"/>")
      if let label = tick.label {
        lines.append(
          text(
            label, x: layout.placeX(tick.value), y: layout.bottom + 19,
            size: ChartLayout.tickSize, fill: Ink.text, anchor: "middle"))
      }
    }
    return lines + ["</g>"]
  }
}
