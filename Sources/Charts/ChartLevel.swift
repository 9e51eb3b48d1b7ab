// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A value or a range of values along the vertical axis that is marked behind the data, for example a target.
public struct ChartLevel: Equatable, Sendable {
  /// The value, or the lower end of the range.
  public var value: Double
  /// The upper end; `nil` for a single value.
  public var upper: Double?
  /// What it is, written above it at the right; empty for nothing.
  public var label: String

  /// Marks a value by a line, or a range by a band.
  public init(_ value: Double, to upper: Double? = nil, label: String = "") {
    self.value = value
    self.upper = upper
    self.label = label
  }
}

extension ChartDrawing {
  private var shownLevels: [ChartLevel] {
    chart.levels.filter { level in
      AxisRange.isDrawable(level.value, chart.yAxis.scale)
        && AxisRange.isDrawable(level.upper ?? level.value, chart.yAxis.scale)
    }
  }

  /// Bands and lines behind the data.
  func levels() -> [String] {
    let (left, right) = (coordinate(layout.left), coordinate(layout.right))
    var bands: [String] = []
    var lines: [String] = []
    for level in shownLevels {
      let bottom = min(layout.placeY(level.value), layout.bottom)
      let top = max(layout.placeY(level.upper ?? level.value), layout.top)
      guard top <= bottom else { continue }
      let title = level.label.isEmpty ? "" : "<title>\(markupEscaped(level.label))</title>"
      if level.upper == nil {
        let at = coordinate(bottom)
        lines.append(
          "<line class=\"level\" x1=\"\(left)\" y1=\"\(at)\" x2=\"\(right)\" y2=\"\(at)\" "
            + "stroke=\"\(Ink.faint)\" stroke-dasharray=\"3 3\">\(title)</line>")
      } else {
        bands.append(
          "<rect class=\"level\" x=\"\(left)\" y=\"\(coordinate(top))\" "
            + "width=\"\(coordinate(layout.right - layout.left))\" "
            + "height=\"\(coordinate(max(bottom - top, 1)))\" fill=\"\(Ink.mark)\">\(title)</rect>")
      }
    }
    return bands + lines
  }

  /// Labels over the data, on a rim of paper, apart from one another.
  func levelLabels() -> [String] {
    let labelled = shownLevels.filter { !$0.label.isEmpty }.compactMap { level in
      let place = layout.placeY(level.upper ?? level.value)
      return layout.isInside(layout.right, place) ? (level.label, place - 4) : nil
    }
    let places = spread(
      labelled.map(\.1), distance: 12, bounds: (layout.top + 9)...max(layout.top + 9, layout.bottom)
    )
    return zip(labelled, places).map { item, place in
      "<text class=\"level-label\" x=\"\(coordinate(layout.right - 4))\" y=\"\(coordinate(place))\" "
        + "font-size=\"\(coordinate(Self.markSize))\" text-anchor=\"end\" fill=\"\(Ink.text)\" "
        + "stroke=\"\(Ink.paper)\" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\">"
        + markupEscaped(
          cut(item.0, toWidth: layout.right - layout.left - 8, fontSize: Self.markSize))
        + "</text>"
    }
  }
}
