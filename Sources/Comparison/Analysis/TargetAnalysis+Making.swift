// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics

/// One arm's ladder: final losses of full runs of several lengths.
struct Ladder {
  let arm: String
  /// Updates of a full run of length 1.
  let steps: Int
  let cost: CostAnalysis
  let horizons: [Double]
  /// The replicates of each length.
  let rungs: [[Measured]]

  /// Losses by seed of the replicates that have every length.
  var whole: [Int: [Double]] {
    let bySeed = rungs.map { measured in
      // What diverged never reaches a target, at whatever loss it is capped.
      Dictionary(
        measured.compactMap { replicate in
          replicate.loss.map {
            (replicate.seed.number, replicate.replicate.state == .diverged ? .infinity : $0)
          }
        }, uniquingKeysWith: { first, _ in first })
    }
    guard let first = bySeed.first else { return [:] }
    var result: [Int: [Double]] = [:]
    for seed in first.keys {
      let losses = bySeed.compactMap { $0[seed] }
      if losses.count == bySeed.count { result[seed] = losses }
    }
    return result
  }

  /// Losses of the full runs.
  var full: [Double] {
    zip(horizons, rungs).first { $0.0 == 1 }?.1.losses ?? []
  }

  func targets(_ loss: Double, seeds: [Int]) -> CensoredTargets? {
    let whole = whole
    return try? CensoredTargets(
      target: loss, horizons: horizons, replicates: seeds.compactMap { whole[$0] })
  }
}

extension TargetAnalysis {
  /// When each arm reaches a loss.
  ///
  /// - Parameters:
  ///   - loss: the target; nil while it is not known.
  ///   - name: its name.
  ///   - ladders: one for each arm.
  ///   - baseline: the name of the arm that speed-ups refer to.
  ///   - noise: the variant's, for the z rule.
  ///   - level: coverage of intervals.
  init(
    loss: Double?, name: String, ladders: [Ladder], baseline: String, noise: NoiseAnalysis,
    level: Double
  ) {
    self.loss = loss
    self.name = name
    let reference = ladders.first { $0.arm == baseline }
    arms = ladders.map { ladder in
      var arm = ArmTarget(
        ladder, loss: loss, baseline: ladder.arm == baseline ? nil : reference, level: level)
      arm.rule = loss.flatMap { TargetRule(ladder.full, target: $0, noise: noise) }
      return arm
    }
  }
}

extension ArmTarget {
  init(_ ladder: Ladder, loss: Double?, baseline: Ladder?, level: Double) {
    arm = ladder.arm
    rungs = zip(ladder.horizons, ladder.rungs).map { horizon, measured in
      Rung(fraction: horizon, loss: Estimate(measured.losses, level: level))
    }
    let seeds = ladder.whole.keys.sorted()
    count = seeds.count
    let targets = loss.flatMap { ladder.targets($0, seeds: seeds) }
    reached = targets?.reachedCount ?? 0
    replicates = zip(seeds, targets?.reaches ?? []).map {
      Replicate(seed: $0, fraction: $1.horizon)
    }
    fraction = CensoredEstimate(targets, level: level)
    steps = fraction.scaled(by: Double(ladder.steps))
    tokens = ladder.cost.tokens.map(fraction.scaled)
    flops = ladder.cost.flops.map(fraction.scaled)
    seconds = ladder.cost.seconds.map(fraction.scaled)
    let common = baseline.map { Set($0.whole.keys).intersection(seeds).sorted() } ?? []
    guard let baseline, let loss, !common.isEmpty,
      let own = ladder.targets(loss, seeds: common),
      let others = baseline.targets(loss, seeds: common)
    else {
      speedUpInSteps = nil
      speedUpInFlops = nil
      speedUpInSeconds = nil
      return
    }
    let speedUp = SpeedUp(baseline: others, arm: own, level: level)
    func ratio(_ path: KeyPath<CostAnalysis, Double?>) -> Double? {
      guard let numerator = baseline.cost[keyPath: path],
        let denominator = ladder.cost[keyPath: path], denominator > 0
      else { return nil }
      return numerator / denominator
    }
    let inFractions = CensoredEstimate(speedUp)
    speedUpInSteps = inFractions.scaled(by: Double(baseline.steps) / Double(max(ladder.steps, 1)))
    speedUpInFlops = ratio(\.flops).map(inFractions.scaled)
    speedUpInSeconds = ratio(\.seconds).map(inFractions.scaled)
  }
}

extension TargetRule {
  /// Tests full runs against a target; nil below two runs.
  init?(_ losses: [Double], target: Double, noise: NoiseAnalysis) {
    guard losses.count > 1 else { return nil }
    pValue = SpeedrunRules.meanBelow(losses, target: target).pValue
    let verdict = noise.upperLimit.flatMap { deviation in
      SpeedrunRules.zRule(
        losses, target: target, threshold: SpeedrunRules.threshold(deviation: deviation))
    }
    zStatistic = verdict?.statistic
    zThreshold = verdict?.threshold
  }
}

extension NoiseAnalysis {
  /// What a calibrated deviation stays below with 80 % confidence; nil without a calibration.
  fileprivate var upperLimit: Double? {
    guard source == .calibration, degreesOfFreedom > 0 else { return nil }
    return deviation.map {
      NoiseFloor.upperLimit(deviation: $0, degreesOfFreedom: degreesOfFreedom)
    }
  }
}

extension CensoredEstimate {
  /// The median horizon; the ladder's end as a bound where the median replicate lies beyond it.
  init(_ targets: CensoredTargets?, level: Double) {
    count = targets?.reaches.count ?? 0
    guard let targets, !targets.reaches.isEmpty else {
      value = nil
      bound = .exact
      interval = nil
      return
    }
    interval = targets.interval(level: level)
    if let median = targets.medianHorizon {
      value = median
      bound = .exact
      return
    }
    var last: Double?
    var first: Double?
    for reach in targets.reaches {
      switch reach {
      case .never(let end): last = end
      case .beforeLadder(let start): first = start
      case .reached: break
      }
    }
    let isLate = 2 * targets.reachedCount <= targets.reaches.count
    value = isLate ? last : first
    bound = isLate ? .atLeast : .atMost
  }

  /// A ratio of horizons; where censoring leaves the median open, the end of its interval that is known.
  init(_ speedUp: SpeedUp) {
    count = speedUp.count
    if let ratio = speedUp.ratio {
      value = ratio
      bound = .exact
      interval = speedUp.interval
      return
    }
    interval = speedUp.medianInterval
    if let median = speedUp.median {
      value = median
      bound = .exact
    } else if speedUp.armReached >= speedUp.baselineReached {
      value = speedUp.medianInterval.flatMap { $0.lower > 0 ? $0.lower : nil }
      bound = .atLeast
    } else {
      value = speedUp.medianInterval.flatMap { $0.upper.isFinite ? $0.upper : nil }
      bound = .atMost
    }
  }

  /// The estimate in another unit.
  func scaled(by factor: Double) -> CensoredEstimate {
    CensoredEstimate(
      value: value.map { $0 * factor }, bound: bound,
      interval: interval?.mapped { $0 * factor }, count: count)
  }
}
