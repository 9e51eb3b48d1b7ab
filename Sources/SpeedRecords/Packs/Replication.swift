// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords

/// Runs of a packed set that are made again: with new seeds, as new evidence, or with the same ones, to see whether the bits are the same.
///
///     replications/SET/new/plan.json       which seeds, fixed before the first run
///     replications/SET/new/seed-7/         one run folder for each
///     replications/SET/same/...            the same for seeds of the pack
///
/// The plan is written before the first run and the seeds follow from the pack, so that nobody chooses among runs; the same command goes
/// on after an interruption.
public struct Replication: Sendable {
  /// Which seeds are run.
  public enum Seeds: String, Codable, CaseIterable, Sendable {
    /// Those after the largest that the pack has.
    case new
    /// Those of the pack.
    case same
  }

  /// The file `plan.json`.
  public struct Plan: Codable, Equatable, Sendable {
    /// The version of the form.
    public private(set) var format = 1
    /// The set that is replicated.
    public let set: String
    /// Which seeds.
    public let seeds: Seeds
    /// How many runs were asked for at each start, in order; more than one number: the plan grew after runs were there.
    public var requests: [Int]
    /// The seeds, in order.
    public var runs: [RunSeed]
    /// The hash of the pack's manifest.
    public let pack: String
  }

  /// The pack.
  public let pack: RecordPack
  /// The plan.
  public let plan: Plan
  /// The folder of plan and runs.
  public let folder: String
  /// The set as it was packed.
  public let original: RunSet
  /// The folder, inside the pack, of the run whose configuration is used.
  public let template: String

  /// Plans a replication, or goes on with one.
  ///
  /// - Parameters:
  ///   - pack: The pack, verified.
  ///   - name: The set's name; nil: the only candidate, or the only set.
  ///   - seeds: New ones, or those of the pack.
  ///   - count: Runs in all; a number above that of an earlier plan makes the plan longer, which is noted.
  /// - Throws: ``SpeedRecordError``: `malformed` when there is no such set, or fewer seeds are there than asked for; `incomparable` when
  ///   the set has no runs of Assay's; `damaged-pack` when the plan is of another pack; `not-writable`.
  public init(
    _ pack: RecordPack, set name: String?, seeds: Seeds, count: Int
  ) throws(SpeedRecordError) {
    let sets = try pack.sets()
    let part = try Self.part(pack.manifest, name)
    guard let original = sets.first(where: { $0.name == part.name }) else {
      throw SpeedRecordError(.damagedPack, "\(pack.path): the set '\(part.name)' is not there")
    }
    guard let template = original.runs.first(where: { $0.origin == .assay })?.path else {
      throw SpeedRecordError(
        .incomparable,
        "'\(part.name)' of \(pack.path) has logs of another program, or numbers: there is no configuration that could be run again"
      )
    }
    self.pack = pack
    self.original = original
    self.template = pack.pathInside(template)
    folder = pack.file("\(RecordPack.FileName.replications)/\(part.name)/\(seeds.rawValue)")
    let file = folder + "/plan.json"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      var plan =
        try RecordFile.read(Plan.self, at: file)
        ?? Plan(
          set: part.name, seeds: seeds, requests: [], runs: [], pack: pack.manifest.hash)
      guard plan.pack == pack.manifest.hash else {
        throw SpeedRecordError(
          .damagedPack,
          "\(file) is of another pack than \(pack.path) is now; move it away to begin anew")
      }
      if count > plan.runs.count {
        plan.runs = try Self.seeds(seeds, count: count, original, all: sets)
        plan.requests.append(count)
        try RecordFile.write(plan, to: file)
      }
      self.plan = plan
    } catch let error as SpeedRecordError {
      throw error
    } catch {
      throw SpeedRecordError(.notWritable, "\(file): \(error)")
    }
  }

  private static func part(
    _ manifest: PackManifest, _ name: String?
  ) throws(SpeedRecordError) -> PackManifest.Part {
    let candidates = manifest.sets.filter { $0.name != manifest.baseline }
    let names = manifest.sets.map(\.name).joined(separator: ", ")
    if let name {
      guard let part = manifest.sets.first(where: { $0.name == name }) else {
        throw SpeedRecordError(.malformed, "the pack has no set '\(name)'; it has \(names)")
      }
      return part
    }
    guard candidates.count == 1 else {
      throw SpeedRecordError(
        .malformed, "the pack has several sets; choose one of \(names) with --set")
    }
    return candidates[0]
  }

  private static func seeds(
    _ seeds: Seeds, count: Int, _ original: RunSet, all: [RunSet]
  ) throws(SpeedRecordError) -> [RunSeed] {
    let own = original.runs.compactMap(\.seed)
    switch seeds {
    case .same:
      guard count <= own.count else {
        throw SpeedRecordError(
          .malformed,
          "'\(original.name)' has \(own.count) seeds, and \(count) are asked for; give at most \(own.count)"
        )
      }
      return Array(own.prefix(count))
    case .new:
      let used = all.flatMap { $0.runs.compactMap(\.seed) }
      let last = used.map { max($0.initial, $0.data) }.max() ?? -1
      guard last < Int.max - count, RunSet.countRange.contains(count) else {
        throw SpeedRecordError(
          .malformed,
          "there are no \(count) seeds after \(last), the largest of the pack; give fewer")
      }
      // Where one order of data serves all runs, as in the speedrun, it serves the new ones too.
      let orders = Set(own.map(\.data))
      let order = orders.count == 1 && own.contains { $0.initial != $0.data } ? orders.first : nil
      return (1...max(count, 1)).map { RunSeed(last + $0, data: order) }
    }
  }

  // MARK: - Running

  /// The folder of a seed's run.
  ///
  /// - Parameter seed: One of the plan's.
  /// - Returns: Its path, whether it is there or not.
  public func folder(of seed: RunSeed) -> String {
    folder + "/seed-" + "\(seed)".replacingOccurrences(of: "/", with: "-")
  }

  /// The packed configuration as TOML: every key with its value.
  ///
  /// - Throws: ``SpeedRecordError`` with code `damaged-pack`.
  public func configurationText() throws(SpeedRecordError) -> String {
    let file = pack.file(template + "/" + RunFolder.FileName.configurationText)
    guard let data = FileManager.default.contents(atPath: file) else {
      throw SpeedRecordError(.damagedPack, "\(file): cannot be read; verify the pack")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// Conditions in which a run that was made again differs from the packed ones, beside those that its seed decides.
  ///
  /// - Parameter seed: One of the plan's, whose run has begun.
  /// - Returns: Fields with both values; empty where the conditions are the same.
  /// - Throws: ``SpeedRecordError`` when one of the contracts cannot be read.
  public func differences(of seed: RunSeed) throws(SpeedRecordError) -> [String] {
    let (mine, packed): (FairnessContract?, FairnessContract?)
    do {
      mine = try RunRecord(path: folder(of: seed)).contract
      packed = try RunRecord(path: pack.file(template)).contract
    } catch {
      throw SpeedRecordError(.unreadable, "\(folder(of: seed)): \(error)")
    }
    guard let mine, let packed else { return [] }
    return mine.differences(from: packed)
      .filter { $0 != .initialWeights && $0 != .tokenOrder && $0 != .tuning }
      .map { "\($0.rawValue): \(mine.values[$0] ?? "") instead of \(packed.values[$0] ?? "")" }
  }
}
