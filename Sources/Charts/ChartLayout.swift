// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Where the parts of a chart lie, in pixels from the top left corner.
struct ChartLayout {
  static let tickSize = 11.0
  static let textSize = 12.0
  static let titleSize = 15.0
  static let labelDistance = 15.0
  static let labelGap = 14.0
  static let sampleWidth = 22.0

  let width: Double
  let height: Double
  let titleLines: [String]
  /// The area of the data.
  let left: Double
  let right: Double
  let top: Double
  let bottom: Double
  /// The height of the labels of marks, above the area of the data.
  let markHeight: Double
  let x: AxisRange
  let y: AxisRange
  /// Whether names stand at the ends of lines; otherwise they stand below the chart.
  let hasDirectLabels: Bool
  /// Columns and rows of names below the chart.
  let legendColumns: Int
  let legendRows: Int

  /// Finds room for everything.
  ///
  /// - Parameters:
  ///   - chart: what to draw.
  ///   - width: the whole width.
  ///   - height: the whole height.
  ///   - names: the names to show.
  ///   - margin: room to the left of the area of the data, at least.
  init(_ chart: LineChart, width: Double, height: Double, names: [String], margin: Double = 0) {
    self.width = width
    self.height = height
    titleLines = wrapped(chart.title, toWidth: (width - 32) / 1.12, fontSize: Self.titleSize)
    var headHeight = 14.0 + 20 * Double(titleLines.count)
    if !chart.subtitle.isEmpty { headHeight += 18 }
    markHeight = chart.marks.allSatisfy(\.label.isEmpty) ? 0 : 14
    top = headHeight + (chart.yAxis.fullTitle.isEmpty ? 0 : 28) + markHeight
    let axisHeight = 24 + (chart.xAxis.fullTitle.isEmpty ? 0 : 20.0) + 8

    let longest = names.map { estimatedWidth($0, fontSize: Self.textSize) }.max() ?? 0
    let labelWidth = Self.sampleWidth + 6 + longest
    let room = height - top - axisHeight
    hasDirectLabels = Double(names.count) * Self.labelDistance <= room
    if hasDirectLabels {
      legendColumns = 0
      legendRows = 0
      right = width - (names.isEmpty ? 24 : min(labelWidth + Self.labelGap + 8, width * 0.4))
    } else {
      legendColumns = max(1, Int((width - 32) / min(labelWidth + 14, width / 2)))
      let needed = (names.count + legendColumns - 1) / legendColumns
      legendRows = min(needed, max(1, Int(height * 0.4 / Self.labelDistance)))
      right = width - 24
    }
    bottom = height - axisHeight - Double(legendRows) * Self.labelDistance

    let drawable = chart.series.flatMap { series in
      series.points.filter {
        AxisRange.isDrawable($0.x, chart.xAxis.scale)
          && AxisRange.isDrawable($0.y, chart.yAxis.scale)
      }
    }
    let ends = drawable.flatMap { [$0.y, $0.lower ?? $0.y, $0.upper ?? $0.y] }
      .filter { AxisRange.isDrawable($0, chart.yAxis.scale) }
    let yRange = AxisRange(
      chart.yAxis, values: ends, count: max(3, Int((bottom - top) / 52)), isWidened: true)
    y = yRange
    let tickWidth =
      yRange.ticks.compactMap(\.label).map { estimatedWidth($0, fontSize: Self.tickSize) }.max()
      ?? 0
    left = max(margin, 16 + tickWidth + 8)
    x = AxisRange(
      chart.xAxis, values: drawable.map(\.x), count: max(2, Int((right - left) / 86)),
      isWidened: false)
  }

  /// The horizontal place of a value; far outside values stay within bounds.
  func placeX(_ value: Double) -> Double {
    left + clamped(x.fraction(value)) * (right - left)
  }

  /// The vertical place of a value; far outside values stay within bounds.
  func placeY(_ value: Double) -> Double {
    bottom - clamped(y.fraction(value)) * (bottom - top)
  }

  /// Whether a place is in the area of the data, give or take half a pixel.
  func isInside(_ x: Double, _ y: Double) -> Bool {
    x >= left - 0.5 && x <= right + 0.5 && y >= top - 0.5 && y <= bottom + 0.5
  }

  private func clamped(_ fraction: Double) -> Double { min(max(fraction, -10), 11) }
}
