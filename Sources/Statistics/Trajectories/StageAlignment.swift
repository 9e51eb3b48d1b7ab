// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Places runs of different lengths over each other by the stages of their schedules.
///
/// After a step the run has come to `stage + share of the stage's steps that are done`: the end of stage 0 is 1, the middle of stage 1 is
/// 1.5, whatever the number of steps.
public struct StageAlignment: Equatable, Sendable {
  /// The first step of each stage, from 0 on, rising.
  public let starts: [Int]
  /// The number of steps of the run.
  public let steps: Int

  /// Describes a run.
  ///
  /// - Parameters:
  ///   - starts: the first step of each stage, the first of them 0, rising, below the number of steps.
  ///   - steps: the number of steps of the run, at least 1.
  public init(starts: [Int], steps: Int) {
    precondition(
      starts.first == 0 && steps >= 1 && starts.allSatisfy { $0 < steps }
        && zip(starts, starts.dropFirst()).allSatisfy { $0 < $1 },
      "stages that start at \(starts) in a run of \(steps) steps")
    self.starts = starts
    self.steps = steps
  }

  /// Where the run is after a step: above 0, and at most the number of stages.
  ///
  /// - Parameter step: zero-based.
  /// - Returns: the stage, counted from 0, and the share of it that is done.
  public func position(after step: Int) -> Double {
    let stage = (starts.firstIndex { $0 > step } ?? starts.count) - 1
    let end = stage + 1 < starts.count ? starts[stage + 1] : steps
    return Double(stage) + Double(step + 1 - starts[stage]) / Double(end - starts[stage])
  }

  /// Positions that all runs can be drawn at: in each stage as many as the run that recorded most there.
  ///
  /// - Parameter runs: the positions that runs have values at, rising.
  /// - Returns: positions, rising.
  public static func grid(_ runs: [[Double]]) -> [Double] {
    var counts: [Int: Int] = [:]
    for run in runs {
      let own = Dictionary(grouping: run) { stage(of: $0) }.mapValues(\.count)
      counts.merge(own, uniquingKeysWith: max)
    }
    return counts.sorted { $0.key < $1.key }.flatMap { stage, count in
      (1...count).map { Double(stage) + Double($0) / Double(count) }
    }
  }

  /// Values at other positions: on the line between the two neighbours, those at the ends beyond them.
  ///
  /// - Parameters:
  ///   - values: one for each position.
  ///   - positions: rising.
  ///   - grid: where values are wanted, rising.
  /// - Returns: one value for each place of the grid; none where there are no values at all.
  public static func resample(
    _ values: [Double], at positions: [Double], to grid: [Double]
  ) -> [Double] {
    precondition(
      values.count == positions.count, "\(values.count) values at \(positions.count) positions")
    guard !values.isEmpty else { return [] }
    var next = 0
    return grid.map { place in
      while next < positions.count, positions[next] < place { next += 1 }
      if next == 0 { return values[0] }
      if next == positions.count { return values[next - 1] }
      if positions[next] == place { return values[next] }
      let share = (place - positions[next - 1]) / (positions[next] - positions[next - 1])
      return values[next - 1] + share * (values[next] - values[next - 1])
    }
  }

  /// The end of a stage belongs to it.
  private static func stage(of position: Double) -> Int {
    Int(position.rounded(.up)) - 1
  }
}
