// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Where the parts of a chart of rows lie, and its SVG text.
struct RowChartDrawing {
  static let rowHeight = 23.0
  static let headingHeight = 28.0
  static let gap = 18.0

  /// A horizontal axis at its place.
  struct Column {
    var scale: RowChart.Scale
    var range: AxisRange
    var left: Double
    var right: Double

    func place(_ value: Double) -> Double {
      left + min(max(range.fraction(value), -10), 11) * (right - left)
    }

    func isInside(_ value: Double) -> Bool {
      AxisRange.isDrawable(value, range.scale) && place(value) >= left - 0.5
        && place(value) <= right + 0.5
    }

    /// Whether a value lies beyond the right end.
    func isBeyond(_ value: Double) -> Bool {
      value == .infinity || (AxisRange.isDrawable(value, range.scale) && place(value) > right + 0.5)
    }

    /// Whether a value lies beyond the left end.
    func isBefore(_ value: Double) -> Bool {
      value == -.infinity || (AxisRange.isDrawable(value, range.scale) && place(value) < left - 0.5)
    }
  }

  let chart: RowChart
  let width: Double
  private let head: [String]
  private let top: Double
  private let bottom: Double
  private let nameWidth: Double
  private let wordPlaces: [Double]
  private let wordWidths: [Double]
  private let columns: [Column]

  init(_ chart: RowChart, width: Double) {
    self.chart = chart
    self.width = width
    let headHeight: Double
    (head, headHeight) = chartHead(title: chart.title, subtitle: chart.subtitle, width: width)
    let hasLabels = chart.scales.contains { $0.marks.contains { !$0.label.isEmpty } }
    let hasHeadings = !chart.headings.isEmpty
    top = headHeight + 12 + (hasLabels || hasHeadings ? 18 : 0)
    bottom = chart.rows.reduce(top + 4) { $0 + Self.height(of: $1) } + 4

    let longest =
      chart.rows.map { row in
        estimatedWidth(row.name, fontSize: ChartLayout.textSize) + (row.look == nil ? 0 : 24)
      }.max() ?? 0
    nameWidth = min(longest + 8, width * 0.3)
    let wanted = chart.headings.indices.map { index in
      ([chart.headings[index]] + chart.rows.compactMap { $0.look == nil ? nil : $0.words[index] })
        .map { estimatedWidth($0, fontSize: ChartLayout.textSize) }.max() ?? 0
    }
    // Words may take at most two fifths of the width.
    let share = min(1, width * 0.4 / max(1, wanted.reduce(0, +)))
    wordWidths = wanted.map { $0 * share }
    var end = width - 12
    var places: [Double] = []
    for wordWidth in wordWidths.reversed() {
      end -= wordWidth
      places.insert(end, at: 0)
      end -= 14
    }
    wordPlaces = places
    let start = 16 + nameWidth + 12
    let count = Double(max(1, chart.scales.count))
    let room = (end - 6 - start - Self.gap * (count - 1)) / count
    columns = chart.scales.enumerated().map { index, scale in
      let left = start + Double(index) * (room + Self.gap)
      return Column(
        scale: scale, range: Self.range(chart, index, width: room), left: left, right: left + room)
    }
  }

  static func height(of row: RowChart.Row) -> Double {
    row.look == nil ? headingHeight : rowHeight
  }

  /// The axis of a column: all that stands in it, and 0 where there are bars.
  private static func range(_ chart: RowChart, _ index: Int, width: Double) -> AxisRange {
    let scale = chart.scales[index]
    let cells = chart.rows.filter { $0.look != nil }.map { $0.cells[index] }
    var values = cells.flatMap { cell in
      cell.dots.map(\.value) + [cell.estimate, cell.lower, cell.upper, cell.bar].compactMap { $0 }
    }
    if scale.axis.scale == .linear, cells.contains(where: { $0.bar != nil }) { values.append(0) }
    for mark in scale.marks { values += [mark.start, mark.end ?? mark.start] }
    let drawable = values.filter { AxisRange.isDrawable($0, scale.axis.scale) }
    return AxisRange(scale.axis, values: drawable, count: max(2, Int(width / 66)), isWidened: true)
  }

  func svg() -> String {
    var lines = head
    for column in columns { lines += axis(column) }
    for (index, heading) in chart.headings.enumerated() {
      lines.append(
        text(
          cut(heading, toWidth: wordWidths[index], fontSize: ChartLayout.textSize),
          x: wordPlaces[index], y: top - 6, size: ChartLayout.textSize, fill: Ink.text,
          className: "heading"))
    }
    var y = top + 4
    for row in chart.rows {
      let height = Self.height(of: row)
      lines += self.row(row, middle: y + height / 2)
      y += height
    }
    let hasTitles = chart.scales.contains { !$0.axis.fullTitle.isEmpty }
    return imageOf(
      lines, width: width, height: bottom + (hasTitles ? 50 : 30),
      summary: "\(chart.title): " + chart.rows.map(\.name).joined(separator: ", "))
  }

  // MARK: - Axes

  private func axis(_ column: Column) -> [String] {
    var lines: [String] = []
    let (topText, bottomText) = (coordinate(top), coordinate(bottom))
    for tick in column.range.ticks {
      let at = coordinate(column.place(tick.value))
      lines.append(
        "<line x1=\"\(at)\" y1=\"\(topText)\" x2=\"\(at)\" y2=\"\(bottomText)\" "
          + "stroke=\"\(tick.label == nil ? Ink.minorGrid : Ink.grid)\"/>")
      if let label = tick.label {
        lines.append(
          text(
            label, x: column.place(tick.value), y: bottom + 16, size: ChartLayout.tickSize,
            fill: Ink.text, anchor: "middle"))
      }
    }
    lines = marks(column) + lines
    lines.append(
      "<line x1=\"\(coordinate(column.left))\" y1=\"\(bottomText)\" "
        + "x2=\"\(coordinate(column.right))\" y2=\"\(bottomText)\" stroke=\"\(Ink.axis)\"/>")
    if !column.scale.axis.fullTitle.isEmpty {
      lines.append(
        text(
          cut(
            column.scale.axis.fullTitle, toWidth: column.right - column.left + Self.gap,
            fontSize: ChartLayout.textSize), x: (column.left + column.right) / 2, y: bottom + 36,
          size: ChartLayout.textSize, fill: Ink.axisTitle, anchor: "middle", className: "x-title"))
    }
    return lines
  }

  private func marks(_ column: Column) -> [String] {
    var bands: [String] = []
    var lines: [String] = []
    for mark in column.scale.marks where AxisRange.isDrawable(mark.start, column.range.scale) {
      let title = mark.label.isEmpty ? "" : "<title>\(markupEscaped(mark.label))</title>"
      let start = max(column.place(mark.start), column.left)
      let (topText, height) = (coordinate(top), coordinate(bottom - top))
      if let end = mark.end, AxisRange.isDrawable(end, column.range.scale) {
        let right = min(column.place(end), column.right)
        guard start <= right else { continue }
        bands.append(
          "<rect class=\"mark\" x=\"\(coordinate(start))\" y=\"\(topText)\" "
            + "width=\"\(coordinate(max(right - start, 1)))\" height=\"\(height)\" "
            + "fill=\"\(Ink.mark)\">\(title)</rect>")
      } else if column.isInside(mark.start) {
        lines.append(
          "<line class=\"mark\" x1=\"\(coordinate(start))\" y1=\"\(topText)\" "
            + "x2=\"\(coordinate(start))\" y2=\"\(coordinate(bottom))\" stroke=\"\(Ink.faint)\" "
            + "stroke-dasharray=\"3 3\">\(title)</line>")
      } else {
        continue
      }
      guard !mark.label.isEmpty else { continue }
      let middle = mark.end.map { (start + min(column.place($0), column.right)) / 2 } ?? start
      let half = estimatedWidth(mark.label, fontSize: ChartDrawing.markSize) / 2
      let (least, most) = (column.left + half, max(column.left + half, column.right - half))
      lines.append(
        text(
          mark.label, x: min(max(middle, least), most), y: top - 6, size: ChartDrawing.markSize,
          fill: Ink.text, anchor: "middle", className: "mark-label"))
    }
    return bands + lines
  }

  // MARK: - Rows

  private func row(_ row: RowChart.Row, middle: Double) -> [String] {
    guard let look = row.look else {
      return [
        text(
          cut(row.name, toWidth: width - 32, fontSize: ChartLayout.textSize), x: 16, y: middle + 6,
          size: ChartLayout.textSize, fill: Ink.title, weight: "600", className: "group")
      ]
    }
    let color = look.color.rawValue
    var lines = ["<g class=\"row\" data-look=\"\(look.index)\">"]
    lines.append(
      "<path class=\"marker\" d=\"\(look.marker.path(22, middle, radius: 4))\" \(look.marker.paint(color))/>"
    )
    lines.append(
      text(
        cut(row.name, toWidth: nameWidth - 22, fontSize: ChartLayout.textSize), x: 36,
        y: middle + 4,
        size: ChartLayout.textSize, fill: Ink.name, className: "name"))
    for (cell, column) in zip(row.cells, columns) {
      lines += self.cell(cell, column, look: look, name: row.name, middle: middle)
    }
    for (index, word) in row.words.enumerated() {
      lines.append(
        text(
          cut(word, toWidth: wordWidths[index] + 1, fontSize: ChartLayout.textSize),
          x: wordPlaces[index], y: middle + 4, size: ChartLayout.textSize, fill: Ink.name,
          className: "word"))
    }
    return lines + ["</g>"]
  }

  private func cell(
    _ cell: RowChart.Cell, _ column: Column, look: ChartLook, name: String, middle: Double
  ) -> [String] {
    let color = look.color.rawValue
    var lines: [String] = []
    // Dots above, what stands for all of them below.
    let shift = cell.dots.isEmpty || cell.estimate == nil ? 0.0 : 4.5
    if let bar = cell.bar, AxisRange.isDrawable(bar, column.range.scale) {
      lines += self.bar(bar, cell, column, color: color, name: name, middle: middle)
    }
    for dot in cell.dots {
      let title =
        "<title>\(markupEscaped(dot.note.isEmpty ? NumberFormat.significant(dot.value) : dot.note))</title>"
      if column.isInside(dot.value) {
        lines.append(
          "<circle class=\"dot\" cx=\"\(coordinate(column.place(dot.value)))\" cy=\"\(coordinate(middle - shift))\" "
            + "r=\"3.4\" fill=\"\(color)\" fill-opacity=\"0.45\">\(title)</circle>")
      } else if column.isBeyond(dot.value) || column.isBefore(dot.value) {
        lines.append(
          arrow(
            column, toRight: column.isBeyond(dot.value), color: color, middle: middle - shift,
            title: title))
      }
    }
    if let lower = cell.lower, let upper = cell.upper, lower <= upper,
      !lower.isNaN, !upper.isNaN, lower < .infinity, upper > -.infinity
    {
      lines += interval(lower, upper, column, color: color, middle: middle + shift)
    }
    if let estimate = cell.estimate {
      var words = "\(name)\n\(NumberFormat.significant(estimate))"
      if let lower = cell.lower, let upper = cell.upper, !lower.isNaN, !upper.isNaN {
        words += "\n[\(NumberFormat.significant(lower)), \(NumberFormat.significant(upper))]"
      }
      if !cell.note.isEmpty, cell.bar == nil { words += "\n" + cell.note }
      let title = "<title>\(markupEscaped(words))</title>"
      if column.isInside(estimate) {
        let shape = look.marker.path(column.place(estimate), middle + shift, radius: 4.2)
        lines.append(
          "<path class=\"marker\" d=\"\(shape)\" \(look.marker.paint(color))>\(title)</path>")
      } else if column.isBeyond(estimate) || column.isBefore(estimate) {
        lines.append(
          arrow(
            column, toRight: column.isBeyond(estimate), color: color, middle: middle + shift,
            title: title))
      }
    }
    return lines
  }

  private func bar(
    _ bar: Double, _ cell: RowChart.Cell, _ column: Column, color: String, name: String,
    middle: Double
  ) -> [String] {
    let zero =
      column.range.scale == .linear
      ? min(max(column.place(0), column.left), column.right) : column.left
    let end = min(max(column.place(bar), column.left), column.right)
    let (left, right) = (min(zero, end), max(zero, end))
    var lines = [
      "<rect class=\"bar\" x=\"\(coordinate(left))\" y=\"\(coordinate(middle - 7))\" "
        + "width=\"\(coordinate(max(right - left, 0.5)))\" height=\"14\" fill=\"\(color)\" "
        + "fill-opacity=\"0.8\"><title>\(markupEscaped(name + "\n" + NumberFormat.significant(bar)))</title></rect>"
    ]
    guard !cell.note.isEmpty else { return lines }
    let noteWidth = estimatedWidth(cell.note, fontSize: ChartLayout.tickSize)
    let fits = right + 5 + noteWidth <= column.right + Self.gap - 2
    // Over the bar on a rim of paper where there is no room behind it.
    let place = fits ? right + 5 : max(column.left + 4, right - noteWidth - 5)
    let halo =
      fits
      ? ""
      : " stroke=\"\(Ink.paper)\" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\""
    lines.append(
      "<text class=\"bar-note\" x=\"\(coordinate(place))\" y=\"\(coordinate(middle + 4))\" "
        + "font-size=\"\(coordinate(ChartLayout.tickSize))\" fill=\"\(Ink.name)\"\(halo)>"
        + "\(markupEscaped(cell.note))</text>")
    return lines
  }

  private func interval(
    _ lower: Double, _ upper: Double, _ column: Column, color: String, middle: Double
  ) -> [String] {
    func drawable(_ value: Double) -> Bool { AxisRange.isDrawable(value, column.range.scale) }
    let start = drawable(lower) ? max(column.place(lower), column.left) : column.left
    let end = drawable(upper) ? min(column.place(upper), column.right) : column.right
    guard start <= end else { return [] }
    let (x1, x2, y) = (coordinate(start), coordinate(end), coordinate(middle))
    let (above, below) = (coordinate(middle - 4), coordinate(middle + 4))
    var path = "M\(x1) \(y)L\(x2) \(y)"
    // Feet where the ends are, none where the interval goes on beyond the axis.
    if column.isInside(lower) { path += "M\(x1) \(above)L\(x1) \(below)" }
    if column.isInside(upper) { path += "M\(x2) \(above)L\(x2) \(below)" }
    return [
      "<path class=\"interval\" d=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.8\"/>"
    ]
  }

  private func arrow(
    _ column: Column, toRight: Bool, color: String, middle: Double, title: String
  ) -> String {
    let shape =
      toRight
      ? Marker.arrow(column.right + 3, middle, .right)
      : Marker.arrow(column.left - 3, middle, .left)
    return "<path class=\"beyond\" d=\"\(shape)\" fill=\"\(color)\">\(title)</path>"
  }
}
