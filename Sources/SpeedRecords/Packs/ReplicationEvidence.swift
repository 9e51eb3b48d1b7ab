// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords

/// What runs that were made again say: alone, and together with the packed ones.
public struct ReplicationEvidence: Codable, Equatable, Sendable {
  /// Whether a run with a packed seed has the packed bits.
  public struct Check: Codable, Equatable, Sendable {
    /// The seed.
    public let seed: RunSeed
    /// Whether its metrics are the same to the last byte.
    public let isIdentical: Bool
    /// The packed loss.
    public let packedLoss: Double?
    /// The loss now.
    public let loss: Double?
  }

  /// The set.
  public let set: String
  /// Which seeds.
  public let seeds: Replication.Seeds
  /// Runs that the plan has.
  public let plannedRuns: Int
  /// Runs that have ended.
  public let finishedRuns: Int
  /// Seeds of the pack: whether their bits came out again.
  public let checks: [Check]
  /// The new runs alone, against the pack's baseline where there is one: evidence that nobody has looked at before.
  public let replication: RecordAnalysis?
  /// All runs together.
  public let combined: RecordAnalysis?

  /// Takes stock of a replication.
  ///
  /// - Parameter replication: Its runs may be unfinished.
  /// - Throws: ``SpeedRecordError``.
  public init(_ replication: Replication) throws(SpeedRecordError) {
    let plan = replication.plan
    set = plan.set
    seeds = plan.seeds
    plannedRuns = plan.runs.count
    var runs: [RecordedRun] = []
    for seed in plan.runs {
      let folder = replication.folder(of: seed)
      guard RunFolder.isRun(folder), let outcome = try? RunOutcome(folder: folder),
        outcome.status == .finished || outcome.status == .diverged
      else { continue }
      runs.append(try RecordedRun(assay: folder, at: replication.pack.manifest.step))
    }
    finishedRuns = runs.count
    let original = replication.original
    checks =
      plan.seeds == .new
      ? []
      : runs.compactMap { run in
        guard let seed = run.seed, let twin = original.runs.first(where: { $0.seed == seed })
        else { return nil }
        return Check(
          seed: seed, isIdentical: run.checksum == twin.checksum, packedLoss: twin.loss,
          loss: run.loss)
      }
    guard plan.seeds == .new, !runs.isEmpty else {
      (self.replication, combined) = (nil, nil)
      return
    }
    var rules = try replication.pack.rules()
    let grew = plan.requests.count > 1
    let fresh = RunSet(
      name: plan.set + ", replicated", runs: runs,
      // A plan that grew was not fixed before its first run.
      registration: grew
        ? nil : Registration(runs: plan.runs.count, origin: "the plan of the replication"))
    let all = RunSet(
      name: plan.set + ", all runs", runs: original.runs + runs,
      registration: original.registration?.runs.flatMap { count in
        grew
          ? nil
          : Registration(
            runs: count + plan.runs.count, origin: "the pack and the plan of the replication")
      })
    rules.plannedRuns = [:]
    let packed = try replication.pack.sets()
    let baseline = replication.pack.manifest.baseline.flatMap { name in
      name == plan.set ? nil : packed.first { $0.name == name }
    }
    self.replication = try RecordAnalysis(baseline: baseline, candidates: [fresh], rules)
    combined = try RecordAnalysis(baseline: baseline, candidates: [all], rules)
  }

  /// In sentences and tables.
  public var text: String {
    var parts = ["\(finishedRuns) of \(plannedRuns) planned runs of '\(set)' have ended"]
    for check in checks {
      parts.append(
        check.isIdentical
          ? "seed \(check.seed): the same bits, loss \(check.loss ?? .nan)"
          : "seed \(check.seed): OTHER BITS: loss \(check.loss ?? .nan), packed \(check.packedLoss ?? .nan)"
      )
    }
    if !checks.isEmpty {
      parts.append(
        isConfirmed
          ? "confirmed: every planned run has ended with the packed bits"
          : "NOT CONFIRMED: not every planned run has ended with the packed bits")
    }
    if let replication {
      parts.append("\nthe replication alone\n\n" + RecordTable(replication).text)
    }
    if let combined { parts.append("\nall runs together\n\n" + RecordTable(combined).text) }
    return parts.joined(separator: "\n")
  }

  /// Whether every planned run has ended, and every one of them gave the packed bits again; new seeds have none to give, and are judged by
  /// the analysis.
  public var isConfirmed: Bool {
    seeds == .same && checks.count == plannedRuns && checks.allSatisfy(\.isIdentical)
  }
}
