// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// How much loss it costs to miss the optimum of a knob.
///
/// Learning-rate sensitivity of Wortsman et al. (*Small-scale proxies for large-scale Transformer training instabilities*, 2023),
/// in a window around each arm's own optimum, since units of learning rates differ between methods:
///
/// ```
/// S = mean over [x* / 10^1.5, x* 10^1.5], uniform in log10 x, of min(l(x), l0) - l*
/// ```
///
/// by the trapezoidal rule over grid points, straight lines between them. The left half is slow, the right half unstable: only the
/// right half is stability. All are given for each replicate, to be compared by the tests for losses. l* is the replicate's loss at the
/// value that is best on average: its own lowest would be too low by selection. l0 is the cap of the curves; a failed run counts
/// as l0, never as missing.
public struct Sensitivity: Codable, Equatable, Sendable {
  /// x*: the centre of the window.
  public var optimum: Double
  /// Lower end of the window, after clipping.
  public var lower: Double
  /// Upper end of the window, after clipping.
  public var upper: Double
  /// Whether the grid ends before the window on the left; the mean is over what is there.
  public var isClippedBelow: Bool
  /// Whether the grid ends before the window on the right.
  public var isClippedAbove: Bool
  /// S for each replicate, in nats per token; nil where the window is empty.
  public var whole: [Double]?
  /// The left half for each replicate; nil where the optimum is the lowest grid value.
  public var left: [Double]?
  /// The right half for each replicate; nil where the optimum is the highest grid value.
  public var right: [Double]?
  /// l0 - l* for each replicate, in nats per token: what the normalised variants are divided by.
  public var scale: [Double]

  /// S / (l0 - l*) for each replicate, so that models with other losses at initialisation compare; 1 where everything failed.
  public var normalizedWhole: [Double]? { normalized(whole) }
  /// The left half over l0 - l*.
  public var normalizedLeft: [Double]? { normalized(left) }
  /// The right half over l0 - l*.
  public var normalizedRight: [Double]? { normalized(right) }

  /// Measures sensitivity.
  ///
  /// - Parameters:
  ///   - curves: Losses over the grid.
  ///   - optimum: Centre of the window, moved into the grid where it lies outside; nil: the value with the lowest mean loss.
  ///   - halfWidth: Half of the window in units of the axis' positions, above 0: 1.5 decades on a logarithmic axis; nil: 1.5 there and
  ///     the whole grid on a linear axis, where no width is natural.
  public init(_ curves: SweepCurves, optimum: Double? = nil, halfWidth: Double? = nil) {
    let positions = curves.positions
    let first = positions[0]
    let last = positions[positions.count - 1]
    let wanted = optimum.map(curves.axis.position(of:)).flatMap { $0.isFinite ? $0 : nil }
    let centre = min(max(wanted ?? positions[curves.bestIndex], first), last)
    let reach = halfWidth ?? (curves.axis == .linear ? .infinity : 1.5)
    // A grid point that should be the window's end may miss it by rounding.
    let slack = 1e-9 * max(1, abs(centre))
    let from = max(centre - reach, first)
    let to = min(centre + reach, last)
    isClippedBelow = reach.isFinite && centre - reach < first - slack
    isClippedAbove = reach.isFinite && centre + reach > last + slack
    self.optimum = curves.axis.value(at: centre)
    lower = curves.axis.value(at: from)
    upper = curves.axis.value(at: to)
    let best = curves.bestIndex
    let lowest = curves.losses.map { $0[best] }
    func means(_ start: Double, _ end: Double) -> [Double]? {
      guard end - start > slack else { return nil }
      return zip(curves.losses, lowest).map { losses, floor in
        area(positions, losses, from: start, to: end) / (end - start) - floor
      }
    }
    whole = means(from, to)
    left = means(from, centre)
    right = means(centre, to)
    scale = lowest.map { curves.cap - $0 }
  }

  private func normalized(_ values: [Double]?) -> [Double]? {
    values.map { zip($0, scale).map { value, scale in scale > 0 ? value / scale : 1 } }
  }
}

/// The area under the piecewise linear curve through ascending positions, between two positions inside them.
func area(_ positions: [Double], _ values: [Double], from start: Double, to end: Double) -> Double {
  var x = start
  var y = interpolated(positions, values, at: start)
  var sum = 0.0
  func extend(to nextX: Double, _ nextY: Double) {
    sum += (nextX - x) * (y + nextY) / 2
    (x, y) = (nextX, nextY)
  }
  for (position, value) in zip(positions, values) where position > start && position < end {
    extend(to: position, value)
  }
  extend(to: end, interpolated(positions, values, at: end))
  return sum
}
