// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Looking at a comparison several times, at replicate counts fixed beforehand, without more false claims than its level.
///
/// Pocock (*Group sequential methods in the design and analysis of clinical trials*, 1977): the same two-sided level at each look, so
/// that under the null the chance of passing any look is the level of the whole. For three looks at equal distances and 0.05 it is 0.0221.
/// Levels are those of the normal distribution; with t tests of few replicates they hold approximately, see `Docs/statistics.md`.
public enum GroupSequential {
  /// The level of each look.
  ///
  /// - Parameters:
  ///   - counts: Replicates of each arm at the looks, above 0, ascending, for example 5, 8, 12.
  ///   - level: Two-sided level of the whole, 0.05.
  /// - Returns: The two-sided level to use at every look; `level` for a single look.
  public static func pocockLevel(counts: [Int], level: Double = 0.05) -> Double {
    Levels.check(level)
    precondition(
      counts.first.map { $0 > 0 } ?? false
        && zip(counts, counts.dropFirst()).allSatisfy { $0 < $1 },
      "looks at \(counts) replicates")
    var lower = level / Double(counts.count)
    var upper = level
    // The chance of any false claim grows with the level of each look; between one look and Bonferroni lies the answer.
    while upper - lower > 1e-10 {
      let middle = (lower + upper) / 2
      if falseClaims(counts: counts, levelOfEach: middle) > level {
        upper = middle
      } else {
        lower = middle
      }
    }
    return (lower + upper) / 2
  }

  /// The chance of passing any look under the null when each is tested at `levelOfEach`.
  ///
  /// The sum of replicates is a random walk; the density of where it stands while no look was passed is carried from look to look by
  /// Simpson's rule (Armitage, McPherson and Rowe, 1969).
  ///
  /// - Parameters:
  ///   - counts: Replicates of each arm at the looks, above 0, ascending.
  ///   - levelOfEach: Two-sided level of each look.
  /// - Returns: A probability, to about 1e-8.
  public static func falseClaims(counts: [Int], levelOfEach: Double) -> Double {
    Levels.check(levelOfEach)
    let critical = Normal.quantile(1 - levelOfEach / 2)
    var points = [0.0]
    var masses = [1.0]
    var previous = 0.0
    for (index, count) in counts.enumerated() {
      let time = Double(count)
      let step = (time - previous).squareRoot()
      let bound = critical * time.squareRoot()
      if index == counts.count - 1 {
        let inside = zip(points, masses).reduce(0.0) { sum, start in
          sum + start.1
            * (Normal.cumulative((bound - start.0) / step)
              - Normal.cumulative((-bound - start.0) / step))
        }
        return 1 - inside
      }
      let intervals = 128
      let width = 2 * bound / Double(intervals)
      let next = (0...intervals).map { -bound + width * Double($0) }
      masses = next.enumerated().map { place, x in
        let isEnd = place == 0 || place == intervals
        let weight = width / 3 * (isEnd ? 1 : (place % 2 == 1 ? 4 : 2))
        var density = 0.0
        for (y, mass) in zip(points, masses) { density += mass * Normal.density((x - y) / step) }
        return weight * density / step
      }
      points = next
      previous = time
    }
    return 1 - masses.reduce(0, +)
  }
}
