// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import RunRecords
import Training

/// Says which trials run together: those that may share their programs and stand at the same step.
final class TrialPacking {
  private let requests: any TrialRequests
  private let mostRuns: Int
  private var known: [TrialPoint: TrialSharing] = [:]
  /// Arms whose trials share with none: what decides that, the device and the number of runs, is the same for all trials of an arm.
  private var alone: Set<ArmInVariant> = []

  /// - Parameters:
  ///   - requests: says what trials have in common.
  ///   - mostRuns: trials that share programs; nil: as many as their configurations allow.
  init(_ requests: any TrialRequests, mostRuns: Int? = nil) {
    self.requests = requests
    self.mostRuns = mostRuns ?? .max
  }

  /// A trial and those that run with it.
  ///
  /// - Parameters:
  ///   - first: a trial.
  ///   - open: trials that may start now, in running order.
  ///   - position: how far a trial has come.
  /// - Returns: the trial, and as many others as may share its programs.
  /// - Throws: `ConfigurationError` when a trial's values do not fit its configuration.
  func pack(
    _ first: TrialPoint, among open: [TrialPoint], position: (TrialPoint) throws -> TrialPosition
  ) throws -> [TrialPoint] {
    guard mostRuns > 1, let sharing = try sharing(first) else { return [first] }
    let others = try open.filter { try $0 != first && self.sharing($0) == sharing }
    if others.isEmpty { return [first] }
    let place = try position(first)
    var pack = [first]
    for other in others where pack.count < min(sharing.runs, mostRuns) {
      if try position(other) == place { pack.append(other) }
    }
    return pack
  }

  /// How many programs it takes to run trials from their beginning, and the most runs of one; nil where none may share any.
  ///
  /// - Throws: `ConfigurationError` when a trial's values do not fit its configuration.
  func programs(_ points: [TrialPoint]) throws -> (count: Int, runs: Int, device: String)? {
    var groups: [TrialSharing: Int] = [:]
    var alone = 0
    for point in points {
      if let sharing = try sharing(point) { groups[sharing, default: 0] += 1 } else { alone += 1 }
    }
    guard let most = groups.keys.max(by: { $0.runs < $1.runs }) else { return nil }
    let shared = groups.reduce(0) { sum, group in
      let runs = min(group.key.runs, mostRuns)
      return sum + (group.value + runs - 1) / runs
    }
    return (alone + shared, min(most.runs, mostRuns), most.device)
  }

  private func sharing(_ point: TrialPoint) throws -> TrialSharing? {
    let cell = ArmInVariant(arm: point.arm, variant: point.variant)
    if alone.contains(cell) { return nil }
    if let sharing = known[point] { return sharing }
    let sharing = try requests.sharing(of: point)
    if sharing == nil { alone.insert(cell) }
    known[point] = sharing
    return sharing
  }
}
