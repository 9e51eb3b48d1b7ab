// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A chart of lines and markers, as an SVG image that stands alone.
///
/// The same chart gives the same text. Names stand at the ends of the lines where there is room, else
/// below the chart; nothing covers data. Every series has a colour and a dash pattern or marker of its own,
/// so that it can be told apart without colour. Points show their values under the pointer.
public struct LineChart: Equatable, Sendable {
  /// The title; empty for none.
  public var title: String
  /// A line below the title, for example the conditions; empty for none.
  public var subtitle: String
  /// The horizontal axis.
  public var xAxis: ChartAxis
  /// The vertical axis.
  public var yAxis: ChartAxis
  /// The series; later ones are drawn over earlier ones.
  public var series: [ChartSeries]
  /// Moments and times behind the data.
  public var marks: [ChartMark]
  /// Values and ranges of the vertical axis behind the data.
  public var levels: [ChartLevel]

  /// Describes a chart.
  public init(
    title: String, subtitle: String = "", xAxis: ChartAxis, yAxis: ChartAxis,
    series: [ChartSeries], marks: [ChartMark] = [], levels: [ChartLevel] = []
  ) {
    self.title = title
    self.subtitle = subtitle
    self.xAxis = xAxis
    self.yAxis = yAxis
    self.series = series
    self.marks = marks
    self.levels = levels
  }

  /// The chart as SVG 1.1 text.
  ///
  /// - Parameters:
  ///   - width: in pixels, at least 240.
  ///   - height: in pixels, at least 160.
  /// - Returns: one `svg` element with a white background.
  public func svg(width: Int = 760, height: Int = 440) -> String {
    precondition(
      width >= 240 && height >= 160, "a chart is at least 240 x 160, not \(width) x \(height)")
    return ChartDrawing(self, width: Double(width), height: Double(height)).image()
  }
}
