// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What a chart takes from the others that it stands among.
struct ChartFrame {
  /// Room to the left of the area of the data, at least.
  var margin = 0.0
  /// The vertical axis that all share.
  var yRange: AxisRange?
  /// The upper and lower end of the area of the data, where all have the same.
  var top: Double?
  var bottom: Double?
  /// Whether it is one of several beside each other: names and the title of all stand around them.
  var isPanel = false
  /// Whether the vertical axis has its numbers and its title.
  var showsYAxis = true
}

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
  let titleSize: Double
  let showsYAxis: Bool
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
  ///   - frame: what it shares with other charts.
  init(
    _ chart: LineChart, width: Double, height: Double, names: [String],
    frame: ChartFrame = ChartFrame()
  ) {
    self.width = width
    self.height = height
    showsYAxis = frame.showsYAxis
    titleSize = frame.isPanel ? 13 : Self.titleSize
    titleLines = wrapped(
      chart.title, toWidth: (width - (frame.isPanel ? 20 : 32)) / 1.12, fontSize: titleSize)
    var headHeight = (frame.isPanel ? 20.0 : 14) + 20 * Double(titleLines.count)
    if !chart.subtitle.isEmpty { headHeight += 18 }
    markHeight = chart.marks.allSatisfy(\.label.isEmpty) ? 0 : 14
    let yTitleHeight = chart.yAxis.fullTitle.isEmpty || frame.isPanel ? 0 : 28.0
    top = frame.top ?? headHeight + yTitleHeight + markHeight
    let axisHeight = 24 + (chart.xAxis.fullTitle.isEmpty ? 0 : 20.0) + 8

    let longest = names.map { estimatedWidth($0, fontSize: Self.textSize) }.max() ?? 0
    let labelWidth = Self.sampleWidth + 6 + longest
    let room = height - top - axisHeight
    hasDirectLabels = Double(names.count) * Self.labelDistance <= room
    if hasDirectLabels {
      legendColumns = 0
      legendRows = 0
      let free = frame.isPanel ? 0.0 : 24
      right = width - (names.isEmpty ? free : min(labelWidth + Self.labelGap + 8, width * 0.4))
    } else {
      legendColumns = max(1, Int((width - 32) / min(labelWidth + 14, width / 2)))
      let needed = (names.count + legendColumns - 1) / legendColumns
      legendRows = min(needed, max(1, Int(height * 0.4 / Self.labelDistance)))
      right = width - 24
    }
    bottom = frame.bottom ?? height - axisHeight - Double(legendRows) * Self.labelDistance

    let yRange =
      frame.yRange ?? Self.yRange(chart.yAxis, Self.yValues(chart), height: bottom - top)
    y = yRange
    left = frame.isPanel ? frame.margin : max(frame.margin, Self.margin(for: yRange))
    x = AxisRange(
      chart.xAxis, values: Self.xValues(chart), count: max(2, Int((right - left) / 86)),
      isWidened: false)
  }

  /// The room that the numbers of a vertical axis need.
  static func margin(for range: AxisRange) -> Double {
    let labels = range.ticks.compactMap(\.label)
    return 24 + (labels.map { estimatedWidth($0, fontSize: Self.tickSize) }.max() ?? 0)
  }

  /// A vertical axis for values.
  static func yRange(_ axis: ChartAxis, _ values: [Double], height: Double) -> AxisRange {
    AxisRange(axis, values: values, count: max(3, Int(height / 52)), isWidened: true)
  }

  private static func drawable(_ chart: LineChart) -> [ChartPoint] {
    chart.series.flatMap { series in
      series.points.filter {
        AxisRange.isDrawable($0.x, chart.xAxis.scale)
          && AxisRange.isDrawable($0.y, chart.yAxis.scale)
      }
    }
  }

  /// The values that a chart's vertical axis has to show.
  static func yValues(_ chart: LineChart) -> [Double] {
    drawable(chart).flatMap { [$0.y, $0.lower ?? $0.y, $0.upper ?? $0.y] }
      .filter { AxisRange.isDrawable($0, chart.yAxis.scale) }
  }

  /// The values that its horizontal axis has to show; what is beyond the vertical one has a mark at its edge.
  private static func xValues(_ chart: LineChart) -> [Double] {
    let beyond = chart.series.filter(\.marksBeyond).flatMap { series in
      series.points.filter {
        $0.y == .infinity && AxisRange.isDrawable($0.x, chart.xAxis.scale)
      }
    }
    return (drawable(chart) + beyond).map(\.x)
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
