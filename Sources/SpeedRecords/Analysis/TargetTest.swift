// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Statistics

/// Whether the mean loss of a set lies below a target: the rules, what they rest on, and what they would need.
public struct TargetTest: Codable, Equatable, Sendable {
  /// p without one of the runs.
  public struct Influence: Codable, Equatable, Sendable {
    /// The run that is left out.
    public let run: String
    /// Its loss.
    public let loss: Double
    /// One-sided p without it.
    public let pValue: Double
  }

  /// The loss to reach.
  public let target: Double
  /// Level of the t test.
  public let level: Double
  /// Number of runs.
  public let count: Int
  /// t = (target - mean) / (s / sqrt(n)); nil where it cannot be had.
  public let t: Double?
  /// One-sided p-value; 1 where nothing can be tested.
  public let pValue: Double
  /// Smallest and largest p-value that printed numbers allow; nil where the runs themselves are known.
  public let pValueRange: [Double]?
  /// Whether p is below the level.
  public var passes: Bool { pValue < level }
  /// (target - mean) sqrt(n), in nats; nil without a mean.
  public let zStatistic: Double?
  /// Whether it reaches the threshold; nil when the rule was not asked for.
  public let passesZRule: Bool?
  /// p without each run, in the order of the set; empty below three runs and for tables.
  public let influence: [Influence]
  /// The chance that this margin and deviation pass the t test with this many runs, were they the true ones.
  public let power: Double?
  /// Runs that the t test would need for the asked power; nil beyond 10,000 and where the mean is not below the target.
  public let requiredRuns: Int?
  /// Runs that the z rule would need; nil where it was not asked for, beyond 10,000, and where the mean is not
  /// below the target.
  public let requiredRunsOfZRule: Int?

  /// Tests a set; nil when there is no target or no loss.
  init?(_ set: RunSet, _ rules: RecordRules) {
    guard let target = rules.target, let losses = set.losses else { return nil }
    self.target = target
    level = rules.level
    count = losses.count
    let test = Tests.oneSample(losses, target: target, alternative: .below)
    pValue = test.pValue
    t = test.standardError.flatMap { error in
      losses.mean.flatMap { error > 0 ? (target - $0) / error : nil }
    }
    if let printed = set.printed, let loss = printed.loss {
      let all = losses.roundings(
        mean: Self.half(loss.meanDecimals), deviation: Self.half(loss.deviationDecimals)
      ).map { Tests.oneSample($0, target: target, alternative: .below).pValue }
      pValueRange = [all.min() ?? pValue, all.max() ?? pValue]
    } else {
      pValueRange = nil
    }
    zStatistic = SpeedrunRules.zRule(losses, target: target)?.statistic
    passesZRule = rules.threshold.flatMap { threshold in
      SpeedrunRules.zRule(losses, target: target, threshold: threshold)?.passes
    }
    let runs = set.runs.filter { $0.loss != nil }
    influence =
      runs.count < 3
      ? []
      : runs.indices.map { index in
        var rest = runs
        let run = rest.remove(at: index)
        return Influence(
          run: run.name, loss: run.loss ?? .nan,
          pValue: Tests.oneSample(rest.compactMap(\.loss), target: target, alternative: .below)
            .pValue)
      }
    let margin = losses.mean.map { target - $0 }
    let deviation = losses.standardDeviation.flatMap { $0 > 0 ? $0 : nil }
    if let margin, let deviation {
      power = Power.powerOfMean(margin: margin / deviation, count: count, level: rules.level)
      requiredRuns = Power.requiredCountOfMean(
        margin: margin / deviation, level: rules.level, power: rules.power)
      requiredRunsOfZRule = rules.threshold.flatMap {
        Power.requiredCountOfThreshold(
          margin: margin, deviation: rules.deviation ?? deviation, threshold: $0,
          power: rules.power)
      }
    } else {
      (power, requiredRuns, requiredRunsOfZRule) = (nil, nil, nil)
    }
  }

  /// Half a unit of the last of so many digits.
  static func half(_ decimals: Int) -> Double {
    var unit = 0.5
    for _ in 0..<decimals { unit /= 10 }
    return unit
  }
}
