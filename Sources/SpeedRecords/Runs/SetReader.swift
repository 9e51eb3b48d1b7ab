// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords

/// Turns what a user names into sets of runs.
///
/// A set is named by `NAME=SOURCE` or by SOURCE alone. A source is the folder of a run, of a study (`FOLDER#ARM` for one of its
/// arms), of logs, a log, a CSV file, a pack, or numbers. Several sources with one name are one set.
public struct SetReader {
  /// The step whose validation counts, in logs and in Assay's runs; nil: the last.
  public var step: Int?
  /// Files that were passed over because they are no logs.
  public private(set) var skipped: [String] = []

  /// Makes a reader.
  ///
  /// - Parameter step: The step whose validation counts, common to all runs; nil: the last.
  public init(step: Int? = nil) { self.step = step }

  /// Reads sets.
  ///
  /// - Parameters:
  ///   - arguments: Names and sources.
  ///   - joins: Whether sources without a name are one set.
  /// - Returns: The sets in the order of their first sources.
  /// - Throws: ``SpeedRecordError`` with the place and the remedy; of several damaged logs all are named.
  public mutating func sets(
    _ arguments: [String], joiningUnnamed joins: Bool = true
  ) throws(SpeedRecordError) -> [RunSet] {
    var sets: [RunSet] = []
    var unnamed: String?
    for argument in arguments {
      let (name, source) = Self.parts(argument)
      var read = try self.source(source, name: name)
      if let name, read.count == 1 { read[0].name = name }
      if name == nil, joins, read.count == 1 {
        if let first = unnamed { read[0].name = first } else { unnamed = read[0].name }
      }
      for set in read {
        guard let at = sets.firstIndex(where: { $0.name == set.name }) else {
          sets.append(set)
          continue
        }
        guard set.printed == nil, sets[at].printed == nil else {
          throw SpeedRecordError(
            .malformed,
            "'\(set.name)' is given twice, and a table's row cannot be joined with anything; choose another name"
          )
        }
        sets[at].runs += set.runs
        if sets[at].registration == nil { sets[at].registration = set.registration }
      }
    }
    return sets
  }

  /// `NAME=SOURCE`, where the name has no slash, comma or colon.
  static func parts(_ argument: String) -> (name: String?, source: String) {
    guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
      return (nil, argument)
    }
    let name = argument[..<equals]
    guard !name.contains(where: { "/,:@#".contains($0) }) else { return (nil, argument) }
    return (String(name), String(argument[argument.index(after: equals)...]))
  }

  private mutating func source(
    _ source: String, name: String?
  ) throws(SpeedRecordError) -> [RunSet] {
    guard !source.isEmpty else {
      throw SpeedRecordError(
        .malformed, "'\(name ?? "")=' has no source; give a folder, a file or numbers")
    }
    var isFolder: ObjCBool = false
    var path = source
    var arm: String?
    if !FileManager.default.fileExists(atPath: path) {
      if let numbers = try NumberList.set(source, name: name ?? "numbers") { return [numbers] }
      if let hash = path.lastIndex(of: "#") {
        arm = String(path[path.index(after: hash)...])
        path = String(path[..<hash])
      }
    }
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw SpeedRecordError(
        .unreadable, "'\(source)' is neither a file, a folder nor a list of numbers; check the path"
      )
    }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    let label = name ?? URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    var sets: [RunSet]
    if !isFolder.boolValue {
      if path.hasSuffix(".csv") {
        sets = try NumberTable.sets(path, name: label)
      } else {
        // A log's own name is a random identifier; its folder says what it is.
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().lastPathComponent
        sets = [
          RunSet(
            name: name ?? parent,
            runs: try RecordedRun.all(of: SpeedrunLog(reading: path), at: step))
        ]
      }
    } else if RecordPack.isPack(path) {
      sets = try RecordPack(reading: path).sets(at: step)
    } else if StudyFolder.isStudy(path) {
      sets = try study(path)
    } else {
      sets = [RunSet(name: label, runs: try runs(in: path))]
    }
    if let arm {
      let known = sets.map(\.name)
      sets.removeAll { $0.name != arm }
      guard !sets.isEmpty else {
        throw SpeedRecordError(
          .malformed, "\(path) has no set '\(arm)'; it has \(known.joined(separator: ", "))")
      }
      if name == nil { sets[0].name = arm }
    }
    return sets
  }

  // MARK: - Folders

  /// The reporting trials of a study, a set for each arm; their number was declared.
  private func study(_ path: String) throws(SpeedRecordError) -> [RunSet] {
    let folder = StudyFolder(path)
    var sets: [RunSet] = []
    var tuning: Set<RunSeed> = []
    let record: StudyRecord
    do {
      record = try folder.record()
      for trial in folder.trials() {
        let point = try TrialRecord(folder: trial).point
        let seed = RunSeed(point.seed.initial, data: point.seed.data)
        if point.seed.purpose == .tuning { tuning.insert(seed) }
        guard point.seed.purpose == .reporting, point.horizon == 1 else { continue }
        let name = record.variants.count > 1 ? "\(point.variant).\(point.arm)" : point.arm
        let run = try RecordedRun(assay: trial, at: step)
        if let at = sets.firstIndex(where: { $0.name == name }) {
          sets[at].runs.append(run)
        } else {
          sets.append(
            RunSet(
              name: name, runs: [run],
              registration: Registration(
                runs: record.reportingSeeds.count, origin: "the declaration of \(record.name)")))
        }
      }
    } catch let error as SpeedRecordError {
      throw error
    } catch {
      throw SpeedRecordError(.unreadable, "\(path): cannot be read as a study: \(error)")
    }
    guard !sets.isEmpty else {
      throw SpeedRecordError(
        .unfinishedRun, "\(path): no reporting trial has ended yet; go on with the study")
    }
    for at in sets.indices {
      for run in sets[at].runs.indices where sets[at].runs[run].seed.map(tuning.contains) ?? false {
        sets[at].runs[run].isTunedOn = true
      }
    }
    return sets
  }

  /// The runs below a folder: Assay's own where there are any, else logs.
  private mutating func runs(in path: String) throws(SpeedRecordError) -> [RecordedRun] {
    let folders = RunFolder.find(under: path)
    if !folders.isEmpty {
      var runs: [RecordedRun] = []
      for folder in folders { runs.append(try RecordedRun(assay: folder, at: step)) }
      return runs
    }
    return try logs(in: path)
  }

  private mutating func logs(in path: String) throws(SpeedRecordError) -> [RecordedRun] {
    var files: [String] = []
    let list = FileManager.default.enumerator(atPath: path)
    while let name = list?.nextObject() as? String {
      if ["txt", "log"].contains((name as NSString).pathExtension) { files.append(name) }
    }
    var runs: [RecordedRun] = []
    var problems: [SpeedRecordError] = []
    for file in files.sorted() {
      do throws(SpeedRecordError) {
        runs += try RecordedRun.all(of: SpeedrunLog(reading: path + "/" + file), at: step)
      } catch {
        // A text without separators and without any measurement is another file, not a damaged log.
        if error.message.contains(": is no log of the speedrun") {
          skipped.append(path + "/" + file)
        } else {
          problems.append(error)
        }
      }
    }
    if problems.count == 1 { throw problems[0] }
    if let first = problems.first {
      let shown = problems.prefix(10).map { "\n  - " + $0.message }.joined()
      let rest = problems.count > 10 ? "\n  and \(problems.count - 10) more" : ""
      throw SpeedRecordError(
        first.code, "\(problems.count) of \(files.count) logs cannot be used:" + shown + rest)
    }
    guard !runs.isEmpty else {
      throw SpeedRecordError(
        .unreadable, "\(path): holds neither runs nor logs (.txt, .log); check the path")
    }
    return runs
  }
}
