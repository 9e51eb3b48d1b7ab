// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import Foundation
public import RunRecords

/// Bundles configuration, seeds, logs, environment and statistics of sets of runs into one folder.
public struct PackWriter: Sendable {
  /// The name of the record.
  public var name: String
  /// The program and its version.
  public var program: String
  /// The revision of its code.
  public var revision: String
  /// This machine.
  public var machine: MachineRecord
  /// The step whose validation counts; nil: the last.
  public var step: Int?

  /// Describes who packs.
  ///
  /// - Parameters:
  ///   - name: The name of the record.
  ///   - program: The program and its version.
  ///   - revision: The revision of its code.
  ///   - machine: This machine.
  ///   - step: The step whose validation counts; nil: the last.
  public init(
    name: String, program: String, revision: String, machine: MachineRecord = .current(),
    step: Int? = nil
  ) {
    self.name = name
    self.program = program
    self.revision = revision
    self.machine = machine
    self.step = step
  }

  /// Packs.
  ///
  /// The folder appears as a whole or not at all.
  ///
  /// - Parameters:
  ///   - path: Where nothing is.
  ///   - baseline: What the others are compared with; nil: every set stands for itself.
  ///   - candidates: The other sets, or all of them.
  ///   - rules: By which rules.
  ///   - date: When.
  /// - Returns: The pack.
  /// - Throws: ``SpeedRecordError``: what an analysis throws, `not-writable` when something is in the place or the disk is full.
  @discardableResult
  public func write(
    to path: String, baseline: RunSet?, candidates: [RunSet], _ rules: RecordRules,
    date: Date = Date()
  ) throws(SpeedRecordError) -> RecordPack {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard !FileManager.default.fileExists(atPath: path) else {
      throw SpeedRecordError(.notWritable, "\(path): is there already; choose another folder")
    }
    // What would be refused is refused before anything is copied.
    _ = try RecordAnalysis(baseline: baseline, candidates: candidates, rules)
    for set in (baseline.map { [$0] } ?? []) + candidates + rules.exchange.sets {
      if let problem = PackManifest.problem(ofName: set.name) {
        throw SpeedRecordError(.malformed, "this \(problem); name it otherwise: NAME=SOURCE")
      }
    }
    // Hidden, and of this process alone.
    let last = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let partial: String =
      path[..<last] + ".\(path[last...]).partial-\(ProcessInfo.processInfo.processIdentifier)"
    try? FileManager.default.removeItem(atPath: partial)
    do {
      let pack = try fill(partial, baseline, candidates, rules, date)
      try FileManager.default.moveItem(atPath: partial, toPath: path)
      return RecordPack(path: path, manifest: pack.manifest)
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      if let error = error as? SpeedRecordError { throw error }
      throw SpeedRecordError(.notWritable, "\(path): cannot be written: \(error)")
    }
  }

  private func fill(
    _ folder: String, _ baseline: RunSet?, _ candidates: [RunSet], _ rules: RecordRules,
    _ date: Date
  ) throws -> RecordPack {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let sets = (baseline.map { [$0] } ?? []) + candidates
    var taken: Set<String> = []
    let parts = try sets.map { try copy($0, to: folder, rules, &taken) }
    var exchangeParts: [PackManifest.Part] = []
    var exchange = PackManifest.Exchange.none
    switch rules.exchange {
    case .none: break
    case .given(let rate, let origin): exchange = .given(perHundredSteps: rate, origin: origin)
    case .measured(let first, let second):
      exchange = .measured(first.name, second.name)
      for set in [first, second] where !sets.contains(where: { $0.name == set.name }) {
        exchangeParts.append(try copy(set, to: folder, rules, &taken))
      }
    }
    var plainRules = rules
    plainRules.exchange = .none
    let empty = try RecordAnalysis(baseline: nil, candidates: [], RecordRules())
    var manifest = PackManifest(
      name: name, createdAt: Date(timeIntervalSince1970: date.timeIntervalSince1970.rounded(.down)),
      program: program, revision: revision, machine: machine, baseline: baseline?.name, sets: parts,
      exchangeSets: exchangeParts, exchange: exchange, rules: plainRules, step: step, files: [],
      analysis: empty)
    // From here on everything comes from the copies, as it will when somebody verifies.
    manifest.analysis = try RecordPack(path: folder, manifest: manifest).analysis()
    for at in manifest.sets.indices {
      manifest.sets[at].seeds = manifest.analysis.sets[at].runs.compactMap(\.seed)
    }
    let table = RecordTable(manifest.analysis)
    try Data((table.text + "\n").utf8).write(
      to: URL(fileURLWithPath: folder + "/" + RecordPack.FileName.text))
    try Data((table.markdown + "\n").utf8).write(
      to: URL(fileURLWithPath: folder + "/" + RecordPack.FileName.markdown))
    manifest.files = try RecordPack.files(in: folder)
    manifest.hash = try manifest.ownHash()
    try RecordFile.write(manifest, to: folder + "/" + RecordPack.FileName.manifest)
    return RecordPack(path: folder, manifest: manifest)
  }

  // MARK: - Copies

  private func copy(
    _ set: RunSet, to folder: String, _ rules: RecordRules, _ taken: inout Set<String>
  ) throws -> PackManifest.Part {
    var part = PackManifest.Part(
      name: set.name, sources: [], printed: set.printed, printedSteps: set.printedSteps,
      registration: set.registration, seeds: [])
    if let planned = rules.plannedRuns[set.name] {
      var registration = part.registration ?? Registration(runs: planned, origin: "")
      if registration.runs != planned || registration.origin.isEmpty {
        registration.runs = planned
        registration.origin = "a statement when it was packed"
      }
      part.registration = registration
    }
    var copied: Set<String> = []
    for run in set.runs {
      guard let path = run.path else {
        part.sources.append(PackManifest.Source(number: run, isTunedOn: run.isTunedOn))
        continue
      }
      // Several runs of one log are one file.
      let source = run.origin == .log ? Self.withoutIndex(path) : path
      guard copied.insert(source).inserted else { continue }
      let target = Self.free(
        "\(RecordPack.FileName.runs)/\(Self.plain(set.name))/"
          + URL(fileURLWithPath: source).lastPathComponent, &taken)
      try Self.copy(source, to: folder + "/" + target, isRun: run.origin == .assay)
      part.sources.append(PackManifest.Source(path: target, isTunedOn: run.isTunedOn))
    }
    return part
  }

  private static func withoutIndex(_ path: String) -> String {
    guard !FileManager.default.fileExists(atPath: path), let hash = path.lastIndex(of: "#") else {
      return path
    }
    return String(path[..<hash])
  }

  /// A name that any file system takes.
  private static func plain(_ name: String) -> String {
    let text = String(name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" })
    return text.hasPrefix(".") ? "_" + text.dropFirst() : text
  }

  private static func free(_ path: String, _ taken: inout Set<String>) -> String {
    var candidate = path
    var number = 1
    while !taken.insert(candidate).inserted {
      number += 1
      let url = URL(fileURLWithPath: path)
      let suffix = url.pathExtension.isEmpty ? "" : "." + url.pathExtension
      candidate = String(path.dropLast(suffix.count)) + "-\(number)" + suffix
    }
    return candidate
  }

  private static func copy(_ source: String, to target: String, isRun: Bool) throws {
    let manager = FileManager.default
    let parent = URL(fileURLWithPath: target).deletingLastPathComponent().path
    try manager.createDirectory(atPath: parent, withIntermediateDirectories: true)
    // What a link points to, for a pack has to hold everything itself.
    func resolved(_ path: String) -> String {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }
    guard isRun else { return try manager.copyItem(atPath: resolved(source), toPath: target) }
    try manager.createDirectory(atPath: target, withIntermediateDirectories: true)
    // Records lie beside each other; checkpoints are in a folder of their own and can be made again.
    for name in try manager.contentsOfDirectory(atPath: source).sorted() {
      var isFolder: ObjCBool = false
      _ = manager.fileExists(atPath: source + "/" + name, isDirectory: &isFolder)
      if isFolder.boolValue || name == "lock" || name.hasSuffix(".partial") { continue }
      try manager.copyItem(atPath: resolved(source + "/" + name), toPath: target + "/" + name)
    }
  }
}

extension RecordPack {
  /// Every file below a folder but the manifest and replications, with its hash, sorted by path.
  static func files(in folder: String) throws -> [PackManifest.File] {
    try names(in: folder).map { name in
      let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
      return PackManifest.File(
        path: name, bytes: data.count, sha256: SHA256.hexadecimal(of: [UInt8](data)))
    }
  }

  static func names(in folder: String) -> [String] {
    var names: [String] = []
    let list = FileManager.default.enumerator(atPath: folder)
    while let name = list?.nextObject() as? String {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isFolder)
      if isFolder.boolValue || name == FileName.manifest
        || name.hasPrefix(FileName.replications + "/")
      {
        continue
      }
      names.append(name)
    }
    return names.sorted()
  }
}
