// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension ChartDrawing {
  private var named: [Drawn] { drawn.filter(\.isNamed) }

  /// Names at the ends of their lines, moved apart, each with a sample of its line.
  func directLabels() -> [String] {
    var ends: [(item: Drawn, end: Place?)] = []
    for item in named { ends.append((item, visiblePoints(item).last?.place)) }
    let places = spread(
      ends.map { $0.end?.y ?? layout.bottom }, distance: ChartLayout.labelDistance,
      bounds: layout.top...layout.bottom)
    var lines = ["<g class=\"labels\">"]
    for ((item, end), place) in zip(ends, places) {
      let start = layout.right + ChartLayout.labelGap
      if let end, start - end.x > ChartLayout.labelGap + 6 || abs(end.y - place) > 5 {
        lines.append(
          "<path class=\"leader\" d=\"M\(coordinate(end.x + 3)) \(coordinate(end.y))"
            + "L\(coordinate(start - 2)) \(coordinate(place))\" fill=\"none\" "
            + "stroke=\"\(item.color.rawValue)\" stroke-width=\"0.75\" stroke-opacity=\"0.6\"/>")
      }
      lines += Self.label(item, x: start, y: place, width: layout.width - start - 6)
    }
    return lines + ["</g>"]
  }

  /// Names below the chart, in columns.
  func legend() -> [String] {
    let capacity = layout.legendColumns * layout.legendRows
    let shown = named.count <= capacity ? named : Array(named.prefix(capacity - 1))
    let columnWidth = (layout.width - 32) / Double(layout.legendColumns)
    func place(_ index: Int) -> (x: Double, y: Double) {
      let (column, row) = (index / layout.legendRows, index % layout.legendRows)
      let top = layout.height - Double(layout.legendRows) * ChartLayout.labelDistance
      return (
        16 + Double(column) * columnWidth, top + Double(row) * ChartLayout.labelDistance
      )
    }
    var lines = ["<g class=\"labels\">"]
    for (index, item) in shown.enumerated() {
      let (x, y) = place(index)
      lines += Self.label(item, x: x, y: y, width: columnWidth - 8)
    }
    if shown.count < named.count {
      let (x, y) = place(shown.count)
      lines.append(
        text(
          "and \(named.count - shown.count) more", x: x, y: y + 4, size: ChartLayout.textSize,
          fill: Ink.text))
    }
    return lines + ["</g>"]
  }

  /// A sample of a line or marker and a name.
  static func label(_ item: Drawn, x: Double, y: Double, width: Double) -> [String] {
    var lines = ["<g \(item.group)>"]
    let end = x + ChartLayout.sampleWidth
    if item.hasLine {
      lines.append(
        "<line x1=\"\(coordinate(x))\" y1=\"\(coordinate(y))\" x2=\"\(coordinate(end))\" "
          + "y2=\"\(coordinate(y))\" stroke=\"\(item.color.rawValue)\" stroke-width=\"2.5\""
          + (item.dash.isEmpty ? "/>" : " stroke-dasharray=\"\(item.dash)\"/>"))
    }
    if item.hasMarkers { lines.append(marker(item, Place(x: (x + end) / 2, y: y), "")) }
    // Something to point at, as wide as sample and name.
    lines.append(
      "<rect class=\"target\" x=\"\(coordinate(x))\" y=\"\(coordinate(y - 7))\" "
        + "width=\"\(coordinate(width))\" height=\"14\" fill=\"none\" pointer-events=\"all\"/>")
    let room = width - ChartLayout.sampleWidth - 6
    lines.append(
      text(
        cut(item.series.name, toWidth: room, fontSize: ChartLayout.textSize), x: end + 6,
        y: y + 4, size: ChartLayout.textSize, fill: Ink.name, className: "name"))
    return lines + ["</g>"]
  }
}
