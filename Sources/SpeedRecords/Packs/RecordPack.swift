// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords

/// A folder that holds everything a claimed record rests on.
///
///     record.json          the manifest, with a hash of everything else
///     runs/SET/...         logs, and the records of Assay's runs (no checkpoints)
///     table.txt, table.md  the record as text
///     replications/        runs that were made again; not part of what is hashed
public struct RecordPack: Sendable {
  /// The names of files and folders.
  public enum FileName {
    /// The manifest.
    public static let manifest = "record.json"
    /// The runs.
    public static let runs = "runs"
    /// The record as plain text.
    public static let text = "table.txt"
    /// The record as Markdown.
    public static let markdown = "table.md"
    /// Runs that were made again.
    public static let replications = "replications"
  }

  /// The folder.
  public let path: String
  /// The manifest.
  public let manifest: PackManifest

  /// Whether a folder holds a pack.
  ///
  /// - Parameter path: A folder.
  /// - Returns: Whether it has a manifest.
  public static func isPack(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/" + FileName.manifest)
  }

  /// Reads a pack's manifest; nothing is checked but its form and that there are plain files only.
  ///
  /// - Parameter path: The folder.
  /// - Throws: ``SpeedRecordError`` with code `damaged-pack` when it cannot be read, names files outside the pack or numbers that
  ///   cannot be, or has links below it.
  public init(reading path: String) throws(SpeedRecordError) {
    let file = path + "/" + FileName.manifest
    do {
      guard let manifest = try RecordFile.read(PackManifest.self, at: file) else {
        throw SpeedRecordError(
          .damagedPack, "\(path) is no pack (no \(FileName.manifest)); check the path")
      }
      self.init(path: path, manifest: manifest)
    } catch let error as SpeedRecordError {
      throw error
    } catch {
      throw SpeedRecordError(.damagedPack, "\(error)")
    }
    if let problem = manifest.problem {
      throw SpeedRecordError(.damagedPack, "\(file) \(problem); do not use it")
    }
    try Self.requirePlainFiles(path)
  }

  init(path: String, manifest: PackManifest) {
    self.path = path
    self.manifest = manifest
  }

  /// The path of a file of the pack.
  public func file(_ name: String) -> String { path + "/" + name }

  /// The sets that are compared, read from the pack's files.
  ///
  /// - Parameter step: The step whose validation counts; nil: the pack's.
  /// - Returns: The sets, the baseline first.
  /// - Throws: ``SpeedRecordError`` as the readers throw it.
  public func sets(at step: Int? = nil) throws(SpeedRecordError) -> [RunSet] {
    try manifest.sets.map(at: step ?? manifest.step, in: path, checksSeals: true)
  }

  /// A path below the folder, as the manifest has it.
  func pathInside(_ full: String) -> String {
    full.hasPrefix(path + "/") ? String(full.dropFirst(path.count + 1)) : full
  }

  /// A set with paths inside the pack, so that it is the same wherever the pack lies.
  private func withPathsInside(_ set: RunSet) -> RunSet {
    var set = set
    for at in set.runs.indices { set.runs[at].path = set.runs[at].path.map(pathInside) }
    return set
  }

  /// The rules with their exchange rate.
  ///
  /// - Throws: ``SpeedRecordError`` as the readers throw it; `damaged-pack` when a set of the rate is not there.
  public func rules() throws(SpeedRecordError) -> RecordRules { try rules(checksSeals: true) }

  private func rules(checksSeals: Bool) throws(SpeedRecordError) -> RecordRules {
    var rules = manifest.rules
    switch manifest.exchange {
    case .none: rules.exchange = .none
    case .given(let rate, let origin):
      rules.exchange = .given(perHundredSteps: rate, origin: origin)
    case .measured(let first, let second):
      let all = try (manifest.sets + manifest.exchangeSets).map(
        at: manifest.step, in: path, checksSeals: checksSeals)
      guard let a = all.first(where: { $0.name == first }),
        let b = all.first(where: { $0.name == second })
      else {
        throw SpeedRecordError(
          .damagedPack,
          "\(file(FileName.manifest)): the exchange rate's sets '\(first)' and '\(second)' are not in the pack"
        )
      }
      rules.exchange = .measured(shorter: a, longer: b)
    }
    return rules
  }

  /// The analysis, computed again from the pack's files, whatever the seals of runs say: a verification says that of itself.
  ///
  /// - Throws: ``SpeedRecordError``.
  public func analysis() throws(SpeedRecordError) -> RecordAnalysis {
    let all = try manifest.sets.map(at: manifest.step, in: path, checksSeals: false)
      .map(withPathsInside)
    var rules = try rules(checksSeals: false)
    if case .measured(let first, let second) = rules.exchange {
      rules.exchange = .measured(
        shorter: withPathsInside(first), longer: withPathsInside(second))
    }
    guard let baseline = manifest.baseline else {
      return try RecordAnalysis(baseline: nil, candidates: all, rules)
    }
    guard let first = all.first, first.name == baseline else {
      throw SpeedRecordError(
        .damagedPack, "\(file(FileName.manifest)): the first set is not the baseline '\(baseline)'")
    }
    return try RecordAnalysis(baseline: first, candidates: Array(all.dropFirst()), rules)
  }
}

extension [PackManifest.Part] {
  /// The sets of these parts, read from the files below a folder.
  func map(
    at step: Int?, in folder: String, checksSeals: Bool
  ) throws(SpeedRecordError) -> [RunSet] {
    var sets: [RunSet] = []
    for part in self {
      sets.append(try part.set(at: step, in: folder, checksSeals: checksSeals))
    }
    return sets
  }
}

extension PackManifest.Part {
  /// The set, read from the files below a folder.
  func set(
    at step: Int?, in folder: String, checksSeals: Bool
  ) throws(SpeedRecordError) -> RunSet {
    if let printed {
      var set = RunSet(name: name, printed: printed, steps: printedSteps)
      set.registration = registration
      return set
    }
    var runs: [RecordedRun] = []
    for source in sources {
      if let number = source.number {
        runs.append(number)
        continue
      }
      guard let path = source.path else { continue }
      let full = folder + "/" + path
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: full, isDirectory: &isFolder)
      var read =
        isFolder.boolValue
        ? [try RecordedRun(assay: full, at: step, checksSeal: checksSeals)]
        : try RecordedRun.all(of: SpeedrunLog(reading: full), at: step)
      for at in read.indices {
        // What a log says of itself names the log where it was.
        read[at].registration = registration
        if source.isTunedOn { read[at].isTunedOn = true }
      }
      runs += read
    }
    return RunSet(name: name, runs: runs, registration: registration)
  }
}
