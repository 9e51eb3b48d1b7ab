// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Training

/// Says which trials run together: those that may share their programs and stand at the same step.
final class TrialPacking {
  private let requests: any TrialRequests
  private var known: [TrialPoint: TrialSharing?] = [:]

  init(_ requests: any TrialRequests) { self.requests = requests }

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
    guard let sharing = try sharing(first) else { return [first] }
    let others = try open.filter { try $0 != first && self.sharing($0) == sharing }
    if others.isEmpty { return [first] }
    let place = try position(first)
    var pack = [first]
    for other in others where pack.count < sharing.runs {
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
    let shared = groups.reduce(0) { $0 + ($1.value + $1.key.runs - 1) / $1.key.runs }
    return (alone + shared, most.runs, most.device)
  }

  private func sharing(_ point: TrialPoint) throws -> TrialSharing? {
    if let sharing = known[point] { return sharing }
    let sharing = try requests.sharing(of: point)
    known[point] = .some(sharing)
    return sharing
  }
}
