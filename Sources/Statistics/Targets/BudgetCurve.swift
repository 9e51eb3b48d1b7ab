// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What tuning with fewer trials would have found: expected best loss against the number of trials.
///
/// In the manner of Dodge et al. (*Show your work*, 2019), but exactly and without replacement: over all subsets of k of the n trials,
///
/// ```
/// E[best of k] = sum over i of v(i) C(n - i, k - 1) / C(n, k),   v(1) <= v(2) <= ...
/// ```
public struct BudgetCurve: Codable, Equatable, Sendable {
  /// One number of trials.
  public struct Point: Codable, Equatable, Sendable {
    /// Trials.
    public var trials: Int
    /// Expected lowest loss among so many, in nats per token.
    public var expectedBest: Double
    /// The middle of what it would be with other trials of the same space; a band for the eye, not a test.
    public var band: ConfidenceInterval
  }

  /// From 1 trial to all; empty without trials, or where the cap is not finite.
  public var points: [Point]

  /// Computes the curve.
  ///
  /// - Parameters:
  ///   - losses: Final loss of every trial that tuned; not finite, or above the cap: failed, counts as the cap.
  ///   - cap: Loss at initialisation, finite.
  ///   - level: Coverage of the band.
  ///   - resamples: Lists of trials drawn again for the band.
  ///   - seed: Seed of the resampling.
  public init(
    losses: [Double], cap: Double, level: Double = 0.95, resamples: Int = 499, seed: UInt64 = 0
  ) {
    Levels.check(level)
    guard cap.isFinite else {
      points = []
      return
    }
    let n = losses.count
    let capped = losses.map { $0.isFinite ? min($0, cap) : cap }
    var draws = PositionDraws(seed: seed, name: "statistics/budget-curve")
    let lists = (0..<max(resamples, 1)).map { _ in
      capped.indices.map { _ in capped[draws.next(below: n)] }.sorted()
    }
    let sorted = capped.sorted()
    points = (0..<n).map { index in
      let weights = Self.weights(best: index + 1, of: n)
      func expectation(_ values: [Double]) -> Double {
        zip(weights, values).reduce(0) { $0 + $1.0 * $1.1 }
      }
      let expected = expectation(sorted)
      return Point(
        trials: index + 1, expectedBest: expected,
        band: percentiles(lists.map(expectation).sorted(), level: level)
          ?? ConfidenceInterval(lower: expected, upper: expected, level: level))
    }
  }

  /// C(n - i, k - 1) / C(n, k) for i from 1 to n: k / n for the lowest, and (n - i - k + 1) / (n - i) of its predecessor.
  static func weights(best k: Int, of n: Int) -> [Double] {
    var weights = [Double](repeating: 0, count: n)
    var weight = Double(k) / Double(n)
    for i in 1...n {
      weights[i - 1] = weight
      weight *= i < n ? Double(max(n - i - k + 1, 0)) / Double(n - i) : 0
    }
    return weights
  }
}

/// The expected lowest of k trials drawn without replacement from those that were run.
///
/// - Parameters:
///   - k: Trials, in 1 ... count.
///   - losses: Final losses of all trials; not finite, or above the cap: failed, counts as the cap.
///   - cap: Loss at initialisation, finite.
/// - Returns: The expectation; nil where there are not so many trials, or the cap is not finite.
public func expectedBest(of k: Int, losses: [Double], cap: Double) -> Double? {
  guard k >= 1, k <= losses.count, cap.isFinite else { return nil }
  let sorted = losses.map { $0.isFinite ? min($0, cap) : cap }.sorted()
  return zip(BudgetCurve.weights(best: k, of: losses.count), sorted).reduce(0) {
    $0 + $1.0 * $1.1
  }
}
