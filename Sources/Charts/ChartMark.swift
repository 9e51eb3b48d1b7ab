// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A moment or a time along the horizontal axis that is marked behind the data.
public struct ChartMark: Equatable, Sendable {
  /// Where it is, or begins.
  public var start: Double
  /// Where it ends; `nil` for a moment.
  public var end: Double?
  /// What it is, written at the top where there is room; empty for nothing.
  public var label: String

  /// Marks a moment by a line, or a time by a band.
  public init(_ start: Double, to end: Double? = nil, label: String = "") {
    self.start = start
    self.end = end
    self.label = label
  }
}

extension ChartDrawing {
  static let markSize = 10.0

  /// Bands, lines and labels behind the data.
  func marks() -> [String] {
    let shown = chart.marks.filter { mark in
      AxisRange.isDrawable(mark.start, chart.xAxis.scale)
        && AxisRange.isDrawable(mark.end ?? mark.start, chart.xAxis.scale)
    }
    var bands: [String] = []
    var lines: [String] = []
    for mark in shown {
      let start = max(layout.placeX(mark.start), layout.left)
      let end = min(layout.placeX(mark.end ?? mark.start), layout.right)
      guard start <= end, start <= layout.right + 0.5 else { continue }
      let title = mark.label.isEmpty ? "" : "<title>\(markupEscaped(mark.label))</title>"
      let (top, bottom) = (coordinate(layout.top), coordinate(layout.bottom))
      if mark.end == nil {
        let at = coordinate(start)
        lines.append(
          "<line class=\"mark\" x1=\"\(at)\" y1=\"\(top)\" x2=\"\(at)\" y2=\"\(bottom)\" "
            + "stroke=\"\(Ink.faint)\" stroke-dasharray=\"3 3\">\(title)</line>")
      } else {
        bands.append(
          "<rect class=\"mark\" x=\"\(coordinate(start))\" y=\"\(top)\" "
            + "width=\"\(coordinate(max(end - start, 1)))\" "
            + "height=\"\(coordinate(layout.bottom - layout.top))\" "
            + "fill=\"\(Ink.mark)\">\(title)</rect>")
      }
    }
    return bands + lines + markLabels(shown)
  }

  /// Labels from left to right above the area of the data; one that would touch the one before it moves a little, and is left
  /// out where that is not enough.
  private func markLabels(_ shown: [ChartMark]) -> [String] {
    var lines: [String] = []
    var free = layout.left
    for mark in shown.sorted(by: { $0.start < $1.start }) where !mark.label.isEmpty {
      let place = layout.placeX(mark.start)
      guard layout.isInside(place, layout.top) else { continue }
      let width = estimatedWidth(mark.label, fontSize: Self.markSize)
      let start = max(free, min(place, layout.width - 8 - width))
      guard start <= place + 32, start + width <= layout.width - 8 + 0.5 else { continue }
      free = start + width + 8
      lines.append(
        text(
          mark.label, x: start, y: layout.top - 3, size: Self.markSize, fill: Ink.text,
          className: "mark-label"))
    }
    return lines
  }
}
