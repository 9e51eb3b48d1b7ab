// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A named sequence of points.
public struct ChartSeries: Equatable, Sendable {
  /// How points are drawn.
  public enum Style: Equatable, Sendable {
    /// A line.
    case line
    /// A thin pale line, for raw data under a smoothed line; it has no label of its own.
    case faintLine
    /// Markers without a line.
    case markers
    /// A line with markers.
    case lineWithMarkers
    /// Only the band between the ends of the intervals; it has no label of its own.
    case band
  }

  /// How intervals around values are drawn.
  public enum Intervals: Equatable, Sendable {
    /// A pale area along the line.
    case band
    /// A bar at each point.
    case bars
  }

  /// The name shown beside the series.
  public var name: String
  /// The points in the order in which a line connects them.
  public var points: [ChartPoint]
  /// How they are drawn.
  public var style: Style
  /// The colour; `nil` takes the look's, or the next one of the palette.
  public var color: ChartColor?
  /// Colour, dash and marker; `nil` takes the next ones.
  ///
  /// Series with the same look belong together: pointing at one makes the others pale.
  public var look: ChartLook?
  /// How intervals are drawn.
  public var intervals: Intervals
  /// Whether values above the axis, infinity among them, are arrows at its upper edge instead of being left out.
  public var marksBeyond: Bool

  /// Creates a series.
  public init(
    name: String, points: [ChartPoint], style: Style = .line, color: ChartColor? = nil,
    look: ChartLook? = nil, intervals: Intervals = .band, marksBeyond: Bool = false
  ) {
    self.name = name
    self.points = points
    self.style = style
    self.color = color
    self.look = look
    self.intervals = intervals
    self.marksBeyond = marksBeyond
  }
}

extension ChartSeries {
  /// Quantiles of many values over time, as bands that grow darker towards the middle, and a line.
  ///
  /// - Parameters:
  ///   - name: the name beside the line.
  ///   - x: the places, [T].
  ///   - quantiles: rows of values from the lowest quantile to the highest, [an odd number, each T]: the middle one is the line, and
  ///     the first and the last, the second and the last but one, ... are the ends of bands.
  ///   - look: colour and dash.
  /// - Returns: the bands from the widest to the narrowest, then the line.
  public static func fan(
    name: String, x: [Double], quantiles: [[Double]], look: ChartLook? = nil
  ) -> [ChartSeries] {
    precondition(
      quantiles.count % 2 == 1 && quantiles.allSatisfy { $0.count == x.count },
      "a fan has an odd number of rows of \(x.count) values, not \(quantiles.map(\.count))")
    let middle = quantiles.count / 2
    let median = quantiles[middle]
    let bands = (0..<middle).map { row in
      ChartSeries(
        name: "",
        points: x.indices.map {
          ChartPoint(
            x[$0], median[$0], lower: quantiles[row][$0],
            upper: quantiles[quantiles.count - 1 - row][$0])
        }, style: .band, look: look)
    }
    let line = ChartSeries(
      name: name, points: x.indices.map { ChartPoint(x[$0], median[$0]) }, look: look)
    return bands + [line]
  }
}
