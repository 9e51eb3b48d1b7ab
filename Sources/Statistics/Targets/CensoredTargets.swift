// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// When replicates reach a target loss, read from a ladder of full runs of several lengths.
///
/// A schedule ends at its last step, so the steps to a loss cannot be read from the middle of a run: each rung is a run of its own with a
/// schedule of its own length. Between rungs the final loss is interpolated in the logarithm of the length. The crossing is the **first**
/// rung at or below the target, read upwards; whether a longer run comes back above it does not matter, so noise between rungs can
/// make a crossing early but never late. A failed rung is above every target; next to one the crossing is the rung itself.
public struct CensoredTargets: Codable, Equatable, Sendable {
  /// When one replicate reaches the target.
  public enum Reach: Codable, Equatable, Sendable {
    /// At this horizon, by interpolation.
    case reached(Double)
    /// At or before the lowest rung, which is given (left-censored).
    case beforeLadder(Double)
    /// Not on the ladder; its highest rung is given (right-censored).
    case never(Double)

    /// The horizon where it is known; nil where it is censored.
    public var horizon: Double? {
      if case .reached(let horizon) = self { horizon } else { nil }
    }
    /// Whether the target was reached on the ladder or before it.
    public var isReached: Bool {
      if case .never = self { false } else { true }
    }
    /// The lowest and highest horizon that what was seen allows.
    var bounds: (lower: Double, upper: Double) {
      switch self {
      case .reached(let horizon): (horizon, horizon)
      case .beforeLadder(let first): (0, first)
      case .never(let last): (last, .infinity)
      }
    }
  }

  /// The target, in nats per token.
  public var target: Double
  /// One for each replicate.
  public var reaches: [Reach]

  /// Reads the ladder.
  ///
  /// - Parameters:
  ///   - target: The loss to reach, finite.
  ///   - horizons: Lengths of the runs in any unit (fractions, steps, tokens), above 0, in any order, all different.
  ///   - replicates: Final losses `[replicate][horizon]`; not finite: failed.
  /// - Throws: ``StatisticsError`` for a target that is not finite, horizons that are not above 0 or repeat, or ladders that are not whole.
  public init(
    target: Double, horizons: [Double], replicates: [[Double]]
  ) throws(StatisticsError) {
    guard target.isFinite else {
      throw StatisticsError(.outOfRange, "a target of \(target) is not a loss")
    }
    guard !horizons.isEmpty else {
      throw StatisticsError(.tooFew, "a ladder without rungs; give at least one length of run")
    }
    for horizon in horizons where !(horizon > 0 && horizon.isFinite) {
      throw StatisticsError(.badGrid, "a run of length \(horizon) stands on the ladder")
    }
    for ladder in replicates where ladder.count != horizons.count {
      throw StatisticsError(
        .ragged,
        "a ladder of \(ladder.count) losses over \(horizons.count) lengths; leave out replicates "
          + "that are not whole")
    }
    let order = horizons.indices.sorted { horizons[$0] < horizons[$1] }
    for (left, right) in zip(order, order.dropFirst()) where horizons[left] == horizons[right] {
      throw StatisticsError(.badGrid, "the length \(horizons[left]) stands on the ladder twice")
    }
    self.target = target
    let lengths = order.map { horizons[$0] }
    reaches = replicates.map { losses in
      Self.reach(target, lengths, order.map { losses[$0] })
    }
  }

  private static func reach(_ target: Double, _ horizons: [Double], _ losses: [Double]) -> Reach {
    // NaN and -infinity are failures: neither is at or below a target.
    guard let rung = losses.firstIndex(where: { $0 <= target && $0.isFinite }) else {
      return .never(horizons[horizons.count - 1])
    }
    if rung == 0 { return .beforeLadder(horizons[0]) }
    let above = losses[rung - 1]
    guard above.isFinite else { return .reached(horizons[rung]) }
    let share = (above - target) / (above - losses[rung])
    let low = log(horizons[rung - 1])
    return .reached(exp(low + share * (log(horizons[rung]) - low)))
  }

  /// Replicates that reach the target.
  public var reachedCount: Int { reaches.count(where: \.isReached) }

  /// The share of replicates that reach the target, with its Clopper-Pearson interval.
  ///
  /// - Parameter level: Coverage.
  /// - Returns: The interval; 0 ... 1 without replicates.
  public func shareInterval(level: Double = 0.95) -> ConfidenceInterval {
    Binomial.clopperPearson(successes: reachedCount, of: reaches.count, level: level)
  }

  /// The median horizon; nil where the middle replicates are censored or there are none.
  public var medianHorizon: Double? {
    guard let low = Sample(reaches.map(\.bounds.lower)).median,
      let high = Sample(reaches.map(\.bounds.upper)).median, low == high, low.isFinite
    else { return nil }
    return low
  }

  /// Mean horizon with its t interval on logarithms (a geometric mean); nil where a replicate is censored, or below two.
  ///
  /// - Parameter level: Coverage.
  /// - Returns: The interval in the unit of the horizons.
  public func interval(level: Double = 0.95) -> ConfidenceInterval? {
    let horizons = reaches.compactMap(\.horizon)
    guard horizons.count == reaches.count else { return nil }
    return Sample(horizons.map { log($0) }).interval(level: level)?.mapped { exp($0) }
  }
}
