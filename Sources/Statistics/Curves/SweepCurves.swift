// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How the values of a knob lie on an axis.
public enum SweepAxis: String, Codable, CaseIterable, Sendable {
  /// Position log10(x), in decades; for learning rates, weight decay, epsilon, lengths.
  case logarithmic
  /// Position x.
  case linear
  /// Position -log10(1 - x), in decades; for decay rates such as momentum, below 1.
  case complement

  /// Where a value lies.
  ///
  /// - Parameter value: A value of the knob.
  /// - Returns: Its position; not finite where the axis cannot hold the value.
  public func position(of value: Double) -> Double {
    switch self {
    case .logarithmic: log10(value)
    case .linear: value
    case .complement: -log1p(-value) / M_LN10
    }
  }

  /// The value at a position.
  ///
  /// - Parameter position: Any number.
  /// - Returns: The value whose position it is.
  public func value(at position: Double) -> Double {
    switch self {
    case .logarithmic: pow(10, position)
    case .linear: position
    case .complement: -expm1(-position * M_LN10)
    }
  }
}

/// Losses over the values of one knob, a whole curve for each replicate: what optimum, sensitivity, basin and divergence are read from.
public struct SweepCurves: Codable, Equatable, Sendable {
  /// The axis.
  public let axis: SweepAxis
  /// The knob's values, ascending, all different.
  public let values: [Double]
  /// What a failed run counts as: the loss at initialisation, in nats per token.
  public let cap: Double
  /// Losses `[replicate][value]`, in the order of `values`, capped: finite and at most `cap`.
  public let losses: [[Double]]
  /// Cells that were capped, `[replicate][value]`: not finite, or above the cap.
  public let isCapped: [[Bool]]

  /// Checks and caps curves.
  ///
  /// - Parameters:
  ///   - values: The knob's values, in any order, all different.
  ///   - replicates: Losses `[replicate][value]`, at least one curve, every curve whole. A loss that is not finite, or above the
  ///     cap, is a failed run and counts as the cap; nothing else may stand for a run that is missing.
  ///   - cap: Loss at initialisation, finite.
  ///   - axis: The axis.
  /// - Throws: ``StatisticsError`` where the axis cannot hold a value, values repeat, a curve is not whole, or the cap is not finite.
  public init(
    values: [Double], replicates: [[Double]], cap: Double, axis: SweepAxis = .logarithmic
  ) throws(StatisticsError) {
    guard !values.isEmpty, !replicates.isEmpty else {
      throw StatisticsError(
        .tooFew,
        "\(replicates.count) curves over \(values.count) values; at least one of each is needed")
    }
    guard cap.isFinite else {
      throw StatisticsError(
        .outOfRange, "a cap of \(cap) is not a loss; give the loss at initialisation")
    }
    for value in values where !axis.position(of: value).isFinite {
      let remedy = axis == .linear ? "leave it out" : "use a linear axis or leave it out"
      throw StatisticsError(.badGrid, "a \(axis.rawValue) axis cannot hold \(value); \(remedy)")
    }
    for curve in replicates where curve.count != values.count {
      throw StatisticsError(
        .ragged,
        "a curve of \(curve.count) losses over \(values.count) values; leave out replicates that "
          + "are not whole")
    }
    let order = values.indices.sorted { values[$0] < values[$1] }
    for (left, right) in zip(order, order.dropFirst()) where values[left] == values[right] {
      throw StatisticsError(.badGrid, "the value \(values[left]) stands in the grid twice")
    }
    self.axis = axis
    self.cap = cap
    self.values = order.map { values[$0] }
    losses = replicates.map { curve in
      order.map { curve[$0].isNaN || curve[$0] == -.infinity ? cap : min(curve[$0], cap) }
    }
    isCapped = replicates.map { curve in
      order.map { !curve[$0].isFinite || curve[$0] > cap }
    }
  }

  /// Number of curves.
  public var replicateCount: Int { losses.count }

  /// Positions of the values on the axis, ascending.
  public var positions: [Double] { values.map(axis.position(of:)) }

  /// The mean over replicates, for each value.
  public var meanCurve: [Double] {
    values.indices.map { column in
      let first = losses[0][column]
      return first + losses.reduce(0) { $0 + ($1[column] - first) } / Double(losses.count)
    }
  }

  /// Index of the value with the lowest mean loss; the lower value where two are equal.
  public var bestIndex: Int { lowestIndex(meanCurve) }

  /// Which edge of the grid the best value lies on; nil inside.
  public var edge: GridEdge? {
    switch bestIndex {
    case 0: .lower
    case values.count - 1: .upper
    default: nil
    }
  }
}

/// An edge of a grid; an optimum there is undertuned: it may lie beyond.
public enum GridEdge: String, Codable, CaseIterable, Sendable {
  /// The lowest value.
  case lower
  /// The highest value.
  case upper
}

/// The index of the lowest value, the first of several; values are finite and not empty.
func lowestIndex(_ values: [Double]) -> Int {
  var best = 0
  for index in 1..<max(values.count, 1) where values[index] < values[best] { best = index }
  return best
}

/// The piecewise linear curve through ascending positions, at a position inside them.
func interpolated(_ positions: [Double], _ values: [Double], at position: Double) -> Double {
  guard let right = positions.firstIndex(where: { $0 >= position }) else {
    return values[values.count - 1]
  }
  if right == 0 || positions[right] == position { return values[right] }
  let share = (position - positions[right - 1]) / (positions[right] - positions[right - 1])
  return values[right - 1] + share * (values[right] - values[right - 1])
}
