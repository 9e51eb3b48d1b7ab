// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import RunRecords
import Statistics
import Training

/// When a tuning trial may lose against others of its own arm, variant and seed: a race over the learning rate alone.
///
/// Losses on the way do not order losses at the end: a high rate looks bad early and wins after the decay. So a trial is stopped only
/// when it is behind the best at the same step by more than Delta(t), the 99 % upper limit of the gaps between complete curves that
/// still turned round between step t and the end; and never the right-hand neighbour of the best.
///
/// The rule gives the same limits in every session, however trials are timed, killed or resumed: whom a trial is compared with
/// depends on the declaration only (``references(of:)``), those are complete before it starts, and it is told its limits when it
/// starts. Half of the coarse grid, every second value from the first, is never raced; the other half is compared with it, and every
/// later point of the same seed with the whole grid.
struct RaceRule: Sendable {
  /// Complete curves without which nothing is known about Delta.
  static let leastCurves = 4
  /// Gaps that turned round without which their upper limit is a guess.
  static let leastTurns = 3

  private let study: StudyRecord
  private let axis: StudyRecord.Axis
  private let seed: TrialSeed

  /// The rule of a study; nil when nothing is tuned.
  init?(_ study: StudyRecord) {
    guard let tuning = study.tuning, let axis = tuning.axes.first, let seed = tuning.seeds.first
    else { return nil }
    self.study = study
    self.axis = axis
    self.seed = TrialSeed(.tuning, seed)
  }

  /// The trials of the coarse grid that a trial is compared with; none for one that does not race.
  func references(of point: TrialPoint) -> [TrialPoint] {
    guard point.seed == seed, point.horizon == 1 else { return [] }
    let grid = coarse(arm: point.arm, variant: point.variant)
    guard let first = grid.first, differsOnTheAxisOnly(point, first) else { return [] }
    guard let index = grid.firstIndex(of: point) else { return grid }
    return index.isMultiple(of: 2)
      ? [] : grid.indices.filter { $0.isMultiple(of: 2) }.map { grid[$0] }
  }

  /// The validation losses above which a trial is stopped, by step.
  ///
  /// - Parameters:
  ///   - point: the trial.
  ///   - results: of all trials so far; those it is not compared with change nothing.
  /// - Returns: limits, ascending by step; none for a trial that does not race.
  func limits(of point: TrialPoint, _ results: [TrialResult]) -> [TrialLimit] {
    let references = Set(references(of: point))
    // In one order, for sums depend on it to the last bit.
    let rivals = results.filter { references.contains($0.point) && !$0.isAudit }
      .sorted { $0.identity < $1.identity }
    let curves = rivals.filter { rival in
      rival.status == .finished && rival.evaluations.allSatisfy(\.loss.isFinite)
    }
    guard curves.count >= Self.leastCurves,
      let best = curves.min(by: { ($0.finalLoss ?? .infinity) < ($1.finalLoss ?? .infinity) }),
      !isRightNeighbour(point, of: best.point)
    else { return [] }
    var margin: Double?
    return best.evaluations.dropFirst().dropLast().compactMap { evaluation in
      let step = evaluation.step
      let losses = curves.compactMap { curve in
        curve.evaluations.first { $0.step == step }.map {
          (now: $0.loss, final: curve.finalLoss ?? $0.loss)
        }
      }
      guard losses.count == curves.count else { return nil }
      // Where too few turned round, those of an earlier step are a wider limit.
      margin = Self.upperLimit(Self.turns(losses)) ?? margin
      let lowest = losses.map(\.now).min() ?? .infinity
      return margin.map { TrialLimit(step: step, loss: lowest + $0) }
    }
  }

  /// The gaps between pairs whose order now is not that at the end.
  private static func turns(_ losses: [(now: Double, final: Double)]) -> [Double] {
    losses.indices.flatMap { i in
      losses.indices.dropFirst(i + 1).compactMap { j in
        let now = losses[i].now - losses[j].now
        return now * (losses[i].final - losses[j].final) < 0 ? abs(now) : nil
      }
    }
  }

  /// The 99 % prediction limit of the next such gap, and no less than the largest that was seen.
  private static func upperLimit(_ gaps: [Double]) -> Double? {
    let sample = Sample(gaps)
    guard gaps.count >= leastTurns, let largest = gaps.max(), let mean = sample.mean,
      let deviation = sample.standardDeviation
    else { return nil }
    let count = Double(gaps.count)
    let quantile = StudentT(degreesOfFreedom: count - 1).quantile(0.99)
    return max(largest, mean + quantile * deviation * (1 + 1 / count).squareRoot())
  }

  private func coarse(arm: String, variant: String) -> [TrialPoint] {
    guard let keys = axis.keys[arm], let defaults = study.arm(named: arm)?.defaults(in: variant)
    else { return [] }
    return axis.grid(arm: arm, variant: variant).map { value in
      TrialPoint(
        variant: variant, arm: arm, seed: seed,
        knobs: defaults.merging(keys.map { ($0, value) }) { _, new in new })
    }
  }

  private func differsOnTheAxisOnly(_ point: TrialPoint, _ other: TrialPoint) -> Bool {
    let keys = axis.keys[point.arm] ?? []
    func rest(_ point: TrialPoint) -> [String: KnobValue] {
      point.knobs.filter { !keys.contains($0.key) }
    }
    return rest(point) == rest(other)
  }

  private func isRightNeighbour(_ point: TrialPoint, of best: TrialPoint) -> Bool {
    func value(_ point: TrialPoint) -> Double? {
      axis.keys[point.arm]?.first.flatMap { point.knobs[$0]?.number }
    }
    guard let own = value(point), let lowest = value(best) else { return true }
    let between = coarse(arm: point.arm, variant: point.variant).compactMap(value)
      .contains { $0 > lowest && $0 < own }
    return own > lowest && !between
  }
}
