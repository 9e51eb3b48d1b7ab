// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Where the runs of a set lie at each step: a picture of how much seeds differ, not a test.
///
/// For a test see ``DepartureRule``: of runs that differ in nothing but seeds, most leave mean +/- 2 sd of four others somewhere.
public struct TrajectoryEnvelope: Codable, Equatable, Sendable {
  /// What the envelope is.
  public enum Kind: Equatable, Sendable {
    /// From the lowest to the highest run.
    case range
    /// The mean and so many standard deviations (n - 1) on either side.
    case deviations(Double)
  }

  /// The mean over the runs that have a finite value there; NaN where none has.
  public var mean: [Double]
  /// The lower end; the mean where only one run has a value.
  public var lower: [Double]
  /// The upper end.
  public var upper: [Double]

  /// Lays runs over each other.
  ///
  /// - Parameters:
  ///   - runs: one course for each run, [runs, places]; places beyond the shortest are left out.
  ///   - kind: what the envelope is.
  public init(_ runs: [[Double]], _ kind: Kind = .range) {
    let count = runs.map(\.count).min() ?? 0
    (mean, lower, upper) = ([], [], [])
    for place in 0..<count {
      let values = runs.map { $0[place] }.filter(\.isFinite)
      let middle = values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
      mean.append(middle)
      switch kind {
      case .range:
        lower.append(values.min() ?? .nan)
        upper.append(values.max() ?? .nan)
      case .deviations(let factor):
        let half = factor * (Sample(values).standardDeviation ?? 0)
        lower.append(middle - half)
        upper.append(middle + half)
      }
    }
  }
}
