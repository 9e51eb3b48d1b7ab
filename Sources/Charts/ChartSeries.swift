// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A point of a series, possibly with an interval around its value.
public struct ChartPoint: Equatable, Sendable {
  /// The place along the horizontal axis.
  public var x: Double
  /// The value; if it is not finite, or its size is beyond 1e100, there is a gap.
  public var y: Double
  /// The lower end of the interval around the value.
  public var lower: Double?
  /// The upper end of the interval around the value.
  public var upper: Double?

  /// Creates a point.
  public init(_ x: Double, _ y: Double, lower: Double? = nil, upper: Double? = nil) {
    self.x = x
    self.y = y
    self.lower = lower
    self.upper = upper
  }

  /// A smooth curve through noisy points: local straight lines with weights that halve with distance.
  ///
  ///     smooth(i) = a of the a, b that minimise sum over j of w(j) (y(j) - a - b (x(j) - x(i)))^2,
  ///     w(j) = 2^(-|x(j) - x(i)| / halfLife)
  ///
  /// Points on both sides count, so that the curve does not lag behind; it is for looking, not for deciding
  /// anything while a run goes on.
  ///
  /// - Parameters:
  ///   - points: points with rising x; values that are not finite stay gaps and do not count.
  ///   - halfLife: in units of x, above 0.
  /// - Returns: one point for each point given, without intervals.
  /// - Complexity: O(number of points).
  public static func smoothed(_ points: [ChartPoint], halfLife: Double) -> [ChartPoint] {
    precondition(halfLife > 0, "a half-life is above 0, got \(halfLife)")
    let before = Moments.running(points, halfLife: halfLife)
    let after = Moments.running(
      points.reversed().map { ChartPoint(-$0.x, $0.y) }, halfLife: halfLife)
    return points.indices.map { index in
      let point = points[index]
      guard point.x.isFinite, point.y.isFinite else { return ChartPoint(point.x, .nan) }
      // The point itself is in both sums.
      let sum = before[index].adding(mirrored: after[points.count - 1 - index], without: point.y)
      return ChartPoint(point.x, sum.valueAtOrigin)
    }
  }
}

/// Colours that people with any colour vision can tell apart (Okabe and Ito, 2008).
///
/// The yellow of that palette is left out: it cannot be seen on white.
public enum ChartColor: String, CaseIterable, Sendable {
  /// A strong blue.
  case blue = "#0072B2"
  /// A red that leans to orange.
  case vermilion = "#D55E00"
  /// A green that leans to blue.
  case green = "#009E73"
  /// A light purple.
  case purple = "#CC79A7"
  /// A light orange.
  case orange = "#E69F00"
  /// A light blue.
  case sky = "#56B4E9"
  /// Black.
  case black = "#000000"
}

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
  }

  /// The name shown beside the series.
  public var name: String
  /// The points in the order in which a line connects them.
  public var points: [ChartPoint]
  /// How they are drawn.
  public var style: Style
  /// The colour; `nil` takes the next one of the palette.
  public var color: ChartColor?

  /// Creates a series.
  public init(
    name: String, points: [ChartPoint], style: Style = .line, color: ChartColor? = nil
  ) {
    self.name = name
    self.points = points
    self.style = style
    self.color = color
  }
}
