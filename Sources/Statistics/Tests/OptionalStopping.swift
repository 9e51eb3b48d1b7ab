// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams

/// What rules that were not fixed beforehand do to false positives, by simulation under the null: the true mean lies exactly at the target.
///
/// Normal replicates of a fixed random stream, so the same arguments give the same answer. The standard error of a rate p is
/// sqrt(p (1 - p) / simulations): 0.0016 for 5.6 % with the default.
public enum OptionalStopping {
  /// The share of comparisons that are stopped as a success: one-sided one-sample t test, looked at after every replicate.
  ///
  /// - Parameters:
  ///   - counts: Replicates at which somebody looks, from at least 2.
  ///   - level: Level at each look.
  ///   - simulations: Number of simulated comparisons.
  ///   - seed: Seed of the replicates.
  /// - Returns: The false-positive rate of stopping at the first success.
  public static func falsePositives(
    counts: ClosedRange<Int>, level: Double, simulations: Int = 20_000, seed: UInt64 = 0
  ) -> Double {
    Levels.check(level)
    precondition(counts.lowerBound >= 2, "a t test of \(counts.lowerBound) replicates")
    let critical = counts.map { StudentT(degreesOfFreedom: Double($0 - 1)).quantile(1 - level) }
    return share(simulations, count: counts.upperBound, seed: seed) { values in
      var sum = 0.0
      var squares = 0.0
      for (index, value) in values.enumerated() {
        sum += value
        squares += value * value
        let n = index + 1
        guard n >= counts.lowerBound else { continue }
        if Self.tBelow(sum: sum, squares: squares, count: n)
          >= critical[n - counts.lowerBound]
        {
          return true
        }
      }
      return false
    }
  }

  /// The same of the z rule: (target - mean) sqrt(n) >= threshold, looked at after every replicate.
  ///
  /// - Parameters:
  ///   - counts: Replicates at which somebody looks, from at least 1.
  ///   - threshold: In standard deviations of a replicate, for example 0.004 / 0.0013.
  ///   - simulations: Number of simulated comparisons.
  ///   - seed: Seed of the replicates.
  /// - Returns: The false-positive rate of stopping at the first success.
  public static func falsePositives(
    counts: ClosedRange<Int>, threshold: Double, simulations: Int = 20_000, seed: UInt64 = 0
  ) -> Double {
    precondition(counts.lowerBound >= 1, "the z rule with \(counts.lowerBound) replicates")
    return share(simulations, count: counts.upperBound, seed: seed) { values in
      var sum = 0.0
      for (index, value) in values.enumerated() {
        sum += value
        let n = index + 1
        if n >= counts.lowerBound, -sum >= threshold * Double(n).squareRoot() { return true }
      }
      return false
    }
  }

  /// The share of one-sided one-sample t tests that pass after the worst replicates were left out.
  ///
  /// - Parameters:
  ///   - dropped: How many of the highest values are left out.
  ///   - count: Replicates before that; at least two more than are dropped.
  ///   - level: Level of the test.
  ///   - simulations: Number of simulated comparisons.
  ///   - seed: Seed of the replicates.
  /// - Returns: The false-positive rate.
  public static func falsePositives(
    dropping dropped: Int, of count: Int, level: Double, simulations: Int = 20_000,
    seed: UInt64 = 0
  ) -> Double {
    Levels.check(level)
    precondition(dropped >= 0 && count - dropped >= 2, "\(dropped) of \(count) replicates dropped")
    let n = count - dropped
    let critical = StudentT(degreesOfFreedom: Double(n - 1)).quantile(1 - level)
    return share(simulations, count: count, seed: seed) { values in
      let kept = values.sorted().prefix(n)
      let sum = kept.reduce(0, +)
      let squares = kept.reduce(0) { $0 + $1 * $1 }
      return Self.tBelow(sum: sum, squares: squares, count: n) >= critical
    }
  }

  /// t of the claim that the mean lies below 0.
  private static func tBelow(sum: Double, squares: Double, count: Int) -> Double {
    let n = Double(count)
    let variance = max(squares - sum * sum / n, 0) / (n - 1)
    return -sum / n / (variance / n).squareRoot()
  }

  private static func share(
    _ simulations: Int, count: Int, seed: UInt64, _ isSuccess: ([Double]) -> Bool
  ) -> Double {
    precondition(simulations > 0, "\(simulations) simulations")
    let stream = RandomStream(seed: seed, name: "statistics/optional-stopping")
    var drawn = [Float](repeating: 0, count: count)
    var values = [Double](repeating: 0, count: count)
    var successes = 0
    for simulation in 0..<simulations {
      drawn.withUnsafeMutableBufferPointer {
        stream.fillNormal(into: $0, mean: 0, standardDeviation: 1, startingAt: simulation * count)
      }
      for index in 0..<count { values[index] = Double(drawn[index]) }
      if isSuccess(values) { successes += 1 }
    }
    return Double(successes) / Double(simulations)
  }
}
