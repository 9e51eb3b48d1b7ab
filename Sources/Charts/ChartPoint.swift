// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A point of a series, possibly with an interval around its value.
public struct ChartPoint: Equatable, Sendable {
  /// The place along the horizontal axis.
  public var x: Double
  /// The value; if it is not finite, or its size is beyond 1e100, there is a gap.
  ///
  /// Positive infinity is a mark at the upper edge
  /// where the series says so (``ChartSeries/marksBeyond``).
  public var y: Double
  /// The lower end of the interval around the value.
  public var lower: Double?
  /// The upper end of the interval around the value.
  public var upper: Double?
  /// More words under the pointer, for example how many seeds a mean is of; empty for none.
  public var note: String

  /// Creates a point.
  public init(
    _ x: Double, _ y: Double, lower: Double? = nil, upper: Double? = nil, note: String = ""
  ) {
    self.x = x
    self.y = y
    self.lower = lower
    self.upper = upper
    self.note = note
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
