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

    var hasLine: Bool { series.style != .markers }
    var hasMarkers: Bool { series.style == .markers || series.style == .lineWithMarkers }
    var isFaint: Bool { series.style == .faintLine }
  }

  let chart: LineChart
  let layout: ChartLayout
  let drawn: [Drawn]

  init(_ chart: LineChart, width: Double, height: Double, margin: Double = 0) {
    self.chart = chart
    let palette = ChartColor.allCases
    let dashes = ["", "7 3", "2 2.5", "9 3 2 3", "4 2", "12 4", "6 2 2 2 2 2"]
    var nextColor = 0
    var nextLine = 0
    var nextMarker = 0
    drawn = chart.series.map { series in
      let color = series.color ?? palette[nextColor % palette.count]
      if series.color == nil { nextColor += 1 }
      var drawn = Drawn(series: series, color: color, dash: "", marker: .circle)
      if drawn.hasLine, !drawn.isFaint {
        drawn.dash = dashes[nextLine % dashes.count]
        nextLine += 1
      }
      if drawn.hasMarkers {
        drawn.marker = Marker.allCases[nextMarker % Marker.allCases.count]
        nextMarker += 1
      }
      return drawn
    }
    layout = ChartLayout(
      chart, width: width, height: height,
      names: drawn.filter { !$0.isFaint && !$0.series.name.isEmpty }.map(\.series.name),
      margin: margin)
  }

  func svg() -> String {
    var data: [String] = []
    for item in drawn { data += band(item) }
    for item in drawn { data += line(item) }
    for item in drawn { data += markers(item) }
    for item in drawn { data += targets(item) }
    let isEmpty = drawn.allSatisfy { visiblePoints($0).isEmpty }
    let content = data.joined(separator: "\n")
    let name = "plot-" + contentName("\(layout.width) \(layout.height)\n" + content)

    let (width, height) = (coordinate(layout.width), coordinate(layout.height))
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
        + "viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(escaped(summary))\" "
        + "font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, "
        + "sans-serif\">",
      "<rect class=\"background\" width=\"\(width)\" height=\"\(height)\" fill=\"#FFFFFF\"/>",
      "<clipPath id=\"\(name)\"><rect x=\"\(coordinate(layout.left - 5))\" "
        + "y=\"\(coordinate(layout.top - 5))\" "
        + "width=\"\(coordinate(layout.right - layout.left + 10))\" "
        + "height=\"\(coordinate(layout.bottom - layout.top + 10))\"/></clipPath>",
    ]
    lines += head() + marks() + grid()
    if isEmpty {
      lines.append(
        text(
          "no data", x: (layout.left + layout.right) / 2, y: (layout.top + layout.bottom) / 2,
          size: 13, fill: "#767676", anchor: "middle", className: "empty"))
    } else {
      lines += ["<g class=\"data\" clip-path=\"url(#\(name))\">", content, "</g>"]
      lines += layout.hasDirectLabels ? directLabels() : legend()
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
          line, x: 16, y: place, size: ChartLayout.titleSize, fill: "#111111", weight: "600",
          className: "title"))
    }
    if !chart.subtitle.isEmpty {
      place += 19
      lines.append(
        text(
          fitted(chart.subtitle, ChartLayout.textSize), x: 16, y: place,
          size: ChartLayout.textSize, fill: "#555555", className: "subtitle"))
    }
    if !chart.yAxis.fullTitle.isEmpty {
      lines.append(
        text(
          fitted(chart.yAxis.fullTitle, ChartLayout.textSize), x: 16,
          y: layout.top - 12 - layout.markHeight, size: ChartLayout.textSize, fill: "#333333",
          className: "y-title"))
    }
    if !chart.xAxis.fullTitle.isEmpty {
      lines.append(
        text(
          fitted(chart.xAxis.fullTitle, ChartLayout.textSize),
          x: (layout.left + layout.right) / 2, y: layout.bottom + 40, size: ChartLayout.textSize,
          fill: "#333333", anchor: "middle", className: "x-title"))
    }
    return lines
  }

  private func grid() -> [String] {
    let (left, right) = (coordinate(layout.left), coordinate(layout.right))
    var lines = ["<g class=\"y-axis\">"]
    for tick in layout.y.ticks {
      let place = layout.placeY(tick.value)
      let at = coordinate(place)
      let stroke = tick.label == nil ? "#F3F3F3" : "#E2E2E2"
      lines.append(
        "<line x1=\"\(left)\" y1=\"\(at)\" x2=\"\(right)\" y2=\"\(at)\" stroke=\"\(stroke)\"/>")
      if let label = tick.label {
        lines.append(
          text(
            label, x: layout.left - 8, y: place + 4, size: ChartLayout.tickSize, fill: "#555555",
            anchor: "end"))
      }
    }
    lines += ["</g>", "<g class=\"x-axis\">"]
    let bottom = coordinate(layout.bottom)
    lines.append(
      "<line x1=\"\(left)\" y1=\"\(bottom)\" x2=\"\(right)\" y2=\"\(bottom)\" stroke=\"#777777\"/>")
    for tick in layout.x.ticks {
      let at = coordinate(layout.placeX(tick.value))
      let length = tick.label == nil ? 3.0 : 5.0
      lines.append(
        "<line x1=\"\(at)\" y1=\"\(bottom)\" x2=\"\(at)\" y2=\"\(coordinate(layout.bottom + length))\" "
          + "stroke=\"#777777\"/>")
      if let label = tick.label {
        lines.append(
          text(
            label, x: layout.placeX(tick.value), y: layout.bottom + 19,
            size: ChartLayout.tickSize, fill: "#555555", anchor: "middle"))
      }
    }
    return lines + ["</g>"]
  }

  func text(
    _ content: String, x: Double, y: Double, size: Double, fill: String,
    anchor: String = "start", weight: String = "", className: String = ""
  ) -> String {
    "<text"
      + (className.isEmpty ? "" : " class=\"\(className)\"")
      + " x=\"\(coordinate(x))\" y=\"\(coordinate(y))\" font-size=\"\(coordinate(size))\""
      + (weight.isEmpty ? "" : " font-weight=\"\(weight)\"")
      + (anchor == "start" ? "" : " text-anchor=\"\(anchor)\"")
      + " fill=\"\(fill)\">\(escaped(content))</text>"
  }
}
