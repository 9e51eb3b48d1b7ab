// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Where the values of some runs leave those of others for good: the first step from which on they stay outside of what seeds explain
/// for so many steps.
///
/// At each step the k runs are compared with the n runs of the baseline by Student's two-sample t (pooled, n + k - 2 degrees of
/// freedom); with k = 1 that is a prediction interval. They are outside while |t| lies above a critical value on the same side, and have
/// departed where they are outside at `persistence` steps in a row, m.
///
/// The critical value pays for looking at all steps and at all scalars. Whoever is outside at m steps in a row is outside at one of the steps
/// m, 2m, 3m, ...; so the chance that anything departs in equal sets is at most
///
/// ```
/// scalars x floor(steps / m) x P(|t(n + k - 2)| > critical value) = level
/// ```
///
/// whatever the correlation between steps and between scalars is, as long as values at one step are normal over seeds. It is reached
/// when values stay the same for m steps and are then drawn anew; values that wander more slowly are found outside less often.
/// Shared seeds make the rule stricter still. With few runs the critical value is large: two sets of four tell scalars apart that lie about seven
/// deviations of a run apart, a single run against four about 39 (47 scalars, 20 times m steps).
public struct DepartureRule: Codable, Equatable, Sendable {
  /// The chance that anything departs in equal sets, at most.
  public var level: Double
  /// Steps in a row outside that make a departure, m, at least 1.
  public var persistence: Int
  /// How many scalars are looked at together, at least 1.
  public var scalars: Int

  /// What is known of a departure.
  public struct Departure: Codable, Equatable, Sendable {
    /// The place of the first value outside.
    public var place: Int
    /// How many values in a row lie outside, at least the rule's persistence.
    public var length: Int
    /// Whether they lie above the baseline.
    public var isAbove: Bool
    /// The difference of means over the mean deviation of a run, at the place among them where it is largest; nil where the
    /// runs do not differ at all.
    public var deviations: Double?
    /// How many values lie outside in this departure and all later ones.
    public var total: Int
    /// Whether the last value that can be compared lies outside, in a departure.
    public var isAtEnd: Bool
  }

  /// Makes a rule.
  ///
  /// - Parameters:
  ///   - steps: how many steps are compared.
  ///   - scalars: how many scalars are looked at together.
  ///   - level: the chance of a false alarm, in all of them together, above 0 and below 1.
  ///   - persistence: steps in a row that make a departure; nil: a twentieth of the steps, and at least 5.
  public init(steps: Int, scalars: Int, level: Double = 0.05, persistence: Int? = nil) {
    precondition(level > 0 && level < 1 && scalars >= 1, "level \(level) for \(scalars) scalars")
    self.level = level
    self.scalars = scalars
    self.persistence = max(1, persistence ?? Self.persistence(steps: steps))
  }

  /// The size of t that is outside.
  ///
  /// - Parameters:
  ///   - steps: how many steps are compared.
  ///   - baseline: runs of the baseline, n.
  ///   - others: runs that are compared with it, k.
  /// - Returns: the critical value; nil where nothing is known of how much runs differ: below two runs of the baseline.
  public func criticalValue(steps: Int, baseline: Int, others: Int) -> Double? {
    let looks = steps / persistence
    guard baseline >= 2, others >= 1, looks >= 1 else { return nil }
    let p = level / Double(looks * scalars)
    return StudentT(degreesOfFreedom: Double(baseline + others - 2)).quantile(1 - p / 2)
  }

  /// How many steps in a row make a departure where nothing else is asked for: a twentieth of those compared, and at least 5.
  ///
  /// - Parameter steps: how many steps are compared.
  /// - Returns: m.
  public static func persistence(steps: Int) -> Int { max(5, steps / 20) }

  /// The places at which sets can be compared: where all runs of both have finite values.
  ///
  /// - Parameters:
  ///   - others: values in the runs that are compared, [k, steps].
  ///   - baseline: values in the runs of the baseline, [n, steps].
  /// - Returns: places, rising.
  public static func comparablePlaces(_ others: [[Double]], _ baseline: [[Double]]) -> [Int] {
    let runs = others + baseline
    return (0..<(runs.map(\.count).min() ?? 0)).filter { place in
      runs.allSatisfy { $0[place].isFinite }
    }
  }

  /// Where a scalar departs for the first time.
  ///
  /// Only places at which all runs have finite values are looked at, one after the other whatever lies between them, and the end is the
  /// last of them: a run that was recorded less often, or that ended, is neither outside nor back where it has no value.
  ///
  /// - Parameters:
  ///   - others: its values in the runs that are compared, [k, steps].
  ///   - baseline: its values in the runs of the baseline, [n, steps].
  /// - Returns: nil when it never does, or there are too few runs or steps to tell.
  public func departure(of others: [[Double]], from baseline: [[Double]]) -> Departure? {
    let places = Self.comparablePlaces(others, baseline)
    guard
      let critical = criticalValue(
        steps: places.count, baseline: baseline.count, others: others.count)
    else { return nil }
    var (start, side, largest) = (0, 0, 0.0)
    var found: Departure?
    func close(_ end: Int) {
      guard side != 0, end - start >= persistence else { return }
      let isAtEnd = end == places.count
      found =
        found
        ?? Departure(
          place: places[start], length: end - start, isAbove: side > 0,
          deviations: largest.isFinite ? largest : nil, total: 0, isAtEnd: false)
      found?.total += end - start
      found?.isAtEnd = isAtEnd
    }
    for (index, place) in places.enumerated() {
      let (t, deviations) = Self.compare(others, baseline, place)
      let now = abs(t) > critical ? (t > 0 ? 1 : -1) : 0
      if now != side {
        close(index)
        (start, side, largest) = (index, now, 0)
      }
      largest = max(largest, abs(deviations))
    }
    close(places.count)
    return found
  }

  /// Student's t and the difference in deviations of a run at one place; 0 where something is not finite, infinite where runs do not
  /// differ within the sets but between them.
  private static func compare(
    _ others: [[Double]], _ baseline: [[Double]], _ place: Int
  ) -> (t: Double, deviations: Double) {
    func moments(_ runs: [[Double]]) -> (mean: Double, squares: Double) {
      var sum = 0.0
      for run in runs { sum += run[place] }
      let mean = sum / Double(runs.count)
      var squares = 0.0
      for run in runs { squares += (run[place] - mean) * (run[place] - mean) }
      return (mean, squares)
    }
    let (a, b) = (moments(others), moments(baseline))
    let (k, n) = (Double(others.count), Double(baseline.count))
    let difference = a.mean - b.mean
    let deviation = ((a.squares + b.squares) / (n + k - 2)).squareRoot()
    if !difference.isFinite || !deviation.isFinite || difference == 0 { return (0, 0) }
    let deviations = difference / deviation
    return (deviations / (1 / n + 1 / k).squareRoot(), deviations)
  }
}
