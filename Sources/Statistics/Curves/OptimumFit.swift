// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams

/// Where a sweep's optimum lies and how low it is, with what seeds and the choice of a curve leave open.
///
/// Losses are fitted against the position on the axis (log10 of a learning rate) near the lowest mean, in four shapes: no single one is
/// to be trusted, for a basin that rises faster on one side moves a parabola's vertex. For each shape, replicates are drawn again with
/// whole curves together, and the middle 95 % of the optima are its interval; the **union of the four** is reported, as "seed and
/// shape". Its measured coverage is in `Docs/statistics.md`.
///
/// With fewer than five values there is one shape only, and the interval of the optimum reaches to the neighbours of the lowest point.
///
/// A minimum is looked for between the points it was fitted to, never beyond the grid: with ``edge`` set, the optimum may lie outside,
/// and the intervals do not cover it.
public struct OptimumFit: Codable, Equatable, Sendable {
  /// What the intervals carry.
  public enum Uncertainty: String, Codable, CaseIterable, Sendable {
    /// Replicates drawn again, and the spread between shapes.
    case seedsAndShape = "seeds-and-shape"
    /// One curve, disturbed by the calibrated noise floor, and the spread between shapes.
    case noiseFloorAndShape = "noise-floor-and-shape"
    /// One curve: nothing but the spread between shapes. Not a confidence interval.
    case shapeOnly = "shape-only"
  }

  /// The optimum by one shape.
  public struct Fit: Codable, Equatable, Sendable {
    /// The shape.
    public var shape: CurveShape
    /// The knob's value at the minimum.
    public var value: Double
    /// The fitted loss there.
    public var loss: Double
    /// Interval of `value` by resampling.
    public var valueInterval: ConfidenceInterval
    /// Interval of `loss` by resampling.
    public var lossInterval: ConfidenceInterval
  }

  /// The knob's value with the lowest mean loss on the grid.
  public var bestValue: Double
  /// The mean loss there: too low by selection, so no result.
  public var bestLoss: Double
  /// The optimum: the median of the shapes' positions.
  public var value: Double
  /// The loss at the optimum: the median of the shapes'.
  public var loss: Double
  /// Union of the shapes' intervals of the value.
  public var valueInterval: ConfidenceInterval
  /// Union of the shapes' intervals of the loss.
  public var lossInterval: ConfidenceInterval
  /// The shapes; only quadratic-3 where the grid has fewer than five values.
  public var fits: [Fit]
  /// The edge of the grid that the lowest mean lies on; nil inside.
  public var edge: GridEdge?
  /// What the intervals carry.
  public var uncertainty: Uncertainty
  /// Number of curves.
  public var replicateCount: Int

  /// Fits the optimum.
  ///
  /// - Parameters:
  ///   - curves: Losses over the grid, at least three values; failed runs count as the cap.
  ///   - noiseFloor: Standard deviation of the loss between seeds, used only where there is one curve.
  ///   - level: Level of each shape's interval.
  ///   - resamples: Number of resamples.
  ///   - seed: Seed of the resampling.
  /// - Throws: ``StatisticsError`` with code `too-few` below three values.
  public init(
    _ curves: SweepCurves, noiseFloor: Double? = nil, level: Double = 0.95, resamples: Int = 999,
    seed: UInt64 = 0
  ) throws(StatisticsError) {
    Levels.check(level)
    guard curves.values.count >= 3 else {
      throw StatisticsError(
        .tooFew, "an optimum between \(curves.values.count) values; three are needed to see a basin"
      )
    }
    let shapes = CurveShapes(positions: curves.positions)
    let mean = curves.meanCurve
    let minima = shapes.minima(mean)
    let disturbance = noiseFloor.flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
    if curves.replicateCount > 1 {
      uncertainty = .seedsAndShape
    } else {
      uncertainty = disturbance == nil ? .shapeOnly : .noiseFloorAndShape
    }
    var positions = minima.map { [$0.position] }
    var losses = minima.map { [$0.loss] }
    if uncertainty != .shapeOnly {
      positions = minima.map { _ in [] }
      losses = positions
      var resampling = CurveResampling(curves, deviation: disturbance ?? 0, seed: seed)
      for _ in 0..<max(resamples, 1) {
        for (index, minimum) in shapes.minima(resampling.next()).enumerated() {
          positions[index].append(minimum.position)
          losses[index].append(minimum.loss)
        }
      }
    }
    let axis = curves.axis
    fits = shapes.shapes.indices.compactMap { index in
      guard let position = percentiles(positions[index].sorted(), level: level),
        let loss = percentiles(losses[index].sorted(), level: level)
      else { return nil }
      return Fit(
        shape: shapes.shapes[index], value: axis.value(at: minima[index].position),
        loss: minima[index].loss, valueInterval: position.mapped(axis.value(at:)),
        lossInterval: loss)
    }
    bestValue = curves.values[curves.bestIndex]
    bestLoss = mean[curves.bestIndex]
    value = axis.value(at: Sample(minima.map(\.position)).median ?? 0)
    loss = Sample(minima.map(\.loss)).median ?? 0
    let point = ConfidenceInterval(lower: value, upper: value, level: level)
    let height = ConfidenceInterval(lower: loss, upper: loss, level: level)
    var places = fits.map(\.valueInterval)
    if shapes.shapes.count == 1 {
      // One shape says nothing about the choice of a shape: no more is known than that the optimum lies between neighbours.
      let last = curves.values.count - 1
      places.append(
        ConfidenceInterval(
          lower: curves.values[max(curves.bestIndex - 1, 0)],
          upper: curves.values[min(curves.bestIndex + 1, last)], level: level))
    }
    valueInterval = ConfidenceInterval.union(places) ?? point
    lossInterval = ConfidenceInterval.union(fits.map(\.lossInterval)) ?? height
    edge = curves.edge
    replicateCount = curves.replicateCount
  }
}

/// Mean curves of replicates drawn again with whole curves together; of one curve, disturbed by normal noise.
struct CurveResampling {
  private let curves: SweepCurves
  private let deviation: Double
  private let noise: RandomStream
  private var noiseIndex = 0
  private var draws: PositionDraws

  init(_ curves: SweepCurves, deviation: Double, seed: UInt64) {
    self.curves = curves
    self.deviation = deviation
    draws = PositionDraws(seed: seed, name: "statistics/curve-resampling")
    noise = RandomStream(seed: seed, name: "statistics/curve-noise")
  }

  /// The next mean curve.
  mutating func next() -> [Double] {
    let count = curves.replicateCount
    if count == 1 {
      return curves.losses[0].map { loss in
        defer { noiseIndex += 1 }
        return loss + deviation * noise.normal(at: noiseIndex)
      }
    }
    var sum = curves.losses[draws.next(below: count)]
    for _ in 1..<count {
      let other = curves.losses[draws.next(below: count)]
      for column in sum.indices { sum[column] += other[column] }
    }
    for column in sum.indices { sum[column] /= Double(count) }
    return sum
  }
}
