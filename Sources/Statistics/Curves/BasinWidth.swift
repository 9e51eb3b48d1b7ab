// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// How far a knob may be turned before it costs `delta` nats: the width of the basin around the best value.
public struct BasinWidth: Codable, Equatable, Sendable {
  /// The basin of one curve.
  public struct Basin: Codable, Equatable, Sendable {
    /// Where the loss comes back to best + delta below the optimum, or the grid's lowest value.
    public var lower: Double
    /// Where it does above, or the grid's highest value.
    public var upper: Double
    /// Width in units of the axis: decades, or plain units on a linear axis.
    public var width: Double
    /// Whether the basin goes on below the grid: the width is at least this.
    public var isCensoredBelow: Bool
    /// Whether the basin goes on above the grid: the width is at least this.
    public var isCensoredAbove: Bool
    /// Whether the width is a lower bound.
    public var isAtLeast: Bool { isCensoredBelow || isCensoredAbove }
  }

  /// Nats above the best.
  public var delta: Double
  /// The basin of the mean curve.
  public var basin: Basin
  /// The basins of single replicates, each around its loss at the value that is best on average.
  public var replicates: [Basin]

  /// The widths of the replicates.
  public var widths: [Double] { replicates.map(\.width) }

  /// The t interval of the width over replicates; nil below two, or where one is only a lower bound.
  ///
  /// - Parameter level: Coverage.
  /// - Returns: The interval in units of the axis.
  public func interval(level: Double = 0.95) -> ConfidenceInterval? {
    replicates.contains(where: \.isAtLeast) ? nil : Sample(widths).interval(level: level)
  }

  /// Measures the basin, from the best value outwards while the loss stays at or below best + delta.
  ///
  /// Straight lines join grid points. Basins beyond a ridge do not count.
  ///
  /// - Parameters:
  ///   - curves: Losses over the grid.
  ///   - delta: Nats above the best, not negative.
  /// - Throws: ``StatisticsError`` with code `out-of-range` for another delta.
  public init(_ curves: SweepCurves, delta: Double) throws(StatisticsError) {
    guard delta >= 0, delta.isFinite else {
      throw StatisticsError(
        .outOfRange, "a basin \(delta) nats above the best; give a number of 0 or more")
    }
    self.delta = delta
    let positions = curves.positions
    let best = curves.bestIndex
    func basin(_ losses: [Double]) -> Basin {
      let limit = losses[best] + delta
      func end(_ indices: some Sequence<Int>) -> (position: Double, isCensored: Bool) {
        var inside = best
        for index in indices {
          if losses[index] > limit {
            let share = (limit - losses[inside]) / (losses[index] - losses[inside])
            return (positions[inside] + share * (positions[index] - positions[inside]), false)
          }
          inside = index
        }
        return (positions[inside], true)
      }
      let below = end((0..<best).reversed())
      let above = end((best + 1)..<max(positions.count, best + 1))
      return Basin(
        lower: curves.axis.value(at: below.position), upper: curves.axis.value(at: above.position),
        width: above.position - below.position, isCensoredBelow: below.isCensored,
        isCensoredAbove: above.isCensored)
    }
    self.basin = basin(curves.meanCurve)
    replicates = curves.losses.map(basin)
  }
}
