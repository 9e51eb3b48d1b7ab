// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords

/// Whether a pack is what was packed, and whether its numbers follow from its runs.
///
/// Hashes show what was changed by accident or without care. Whoever changes a log, every number and every hash alike leaves only what
/// somebody else's copy, or a replication, can show.
public struct PackVerification: Codable, Equatable, Sendable {
  /// Something that is not as it was packed.
  public struct Problem: Codable, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of problem.
    public enum Kind: String, Codable, CaseIterable, Sendable {
      /// The manifest's own hash is wrong: a number or text in it was changed.
      case manifest
      /// A file is not there.
      case missing
      /// A file has other bytes.
      case changed
      /// A file is there that was not packed.
      case added
      /// The runs cannot be read any more, or are refused.
      case unreadable
      /// A number does not follow from the runs.
      case number
      /// The seal of a run does not fit its records: it was edited before it was packed.
      case seal
    }

    /// The kind.
    public let kind: Kind
    /// The file, or the number's place in the manifest.
    public let place: String
    /// What is the matter.
    public let text: String

    /// In one line.
    public var description: String { "[\(kind.rawValue)] \(text)" }
  }

  /// The pack's name.
  public let name: String
  /// Files whose hashes were looked at.
  public let fileCount: Int
  /// Runs that the numbers were computed from.
  public let runCount: Int
  /// What is not as it was packed; empty: everything is.
  public private(set) var problems: [Problem] = []

  /// Checks a pack.
  ///
  /// - Parameter pack: A pack, as read.
  public init(_ pack: RecordPack) {
    let manifest = pack.manifest
    name = manifest.name
    fileCount = manifest.files.count
    runCount = manifest.analysis.sets.reduce(0) { $0 + $1.count }
    if (try? manifest.ownHash()) != manifest.hash {
      add(
        .manifest, RecordPack.FileName.manifest,
        "\(RecordPack.FileName.manifest) was edited: its content does not have the hash that it states"
      )
    }
    checkFiles(pack)
    checkSeals(pack)
    checkNumbers(pack)
  }

  private mutating func add(_ kind: Problem.Kind, _ place: String, _ text: String) {
    problems.append(Problem(kind: kind, place: place, text: text))
  }

  private mutating func checkFiles(_ pack: RecordPack) {
    let known = Set(pack.manifest.files.map(\.path))
    for file in pack.manifest.files {
      guard let data = FileManager.default.contents(atPath: pack.file(file.path)) else {
        add(.missing, file.path, "\(file.path) is missing")
        continue
      }
      guard SHA256.hexadecimal(of: [UInt8](data)) != file.sha256 else { continue }
      let sizes =
        data.count == file.bytes
        ? "\(file.bytes) bytes, as many as before" : "\(data.count) bytes instead of \(file.bytes)"
      add(.changed, file.path, "\(file.path) was changed (\(sizes))")
    }
    for name in RecordPack.names(in: pack.path) where !known.contains(name) {
      add(.added, name, "\(name) was added")
    }
  }

  private mutating func checkSeals(_ pack: RecordPack) {
    for part in pack.manifest.sets + pack.manifest.exchangeSets {
      for path in part.sources.compactMap(\.path) where RunFolder.isRun(pack.file(path)) {
        let seal = path + "/" + RunFolder.FileName.seal
        do {
          let edited = try RunSeal.editedFiles(
            of: pack.file(path), sha256: SHA256.hexadecimal(of:))
          for name in edited ?? [] {
            add(.seal, "\(path)/\(name)", "\(path)/\(name) is not what the run's own seal says")
          }
          if edited == nil, (try? RunOutcome(folder: pack.file(path)))?.hasSeal ?? true {
            add(.seal, seal, "\(seal) is missing, and every run that has ended has one")
          }
        } catch {
          add(.seal, seal, "\(path): the seal cannot be compared: \(error)")
        }
      }
    }
  }

  private mutating func checkNumbers(_ pack: RecordPack) {
    let computed: RecordAnalysis
    do {
      computed = try pack.analysis()
    } catch {
      add(.unreadable, FileNames.runs, "the numbers cannot be computed again: \(error.message)")
      return
    }
    do {
      for text in try PackJSON.differences(pack.manifest.analysis, computed) {
        let place = "analysis." + text.prefix { $0 != " " }
        add(.number, place, "analysis." + text)
      }
    } catch {
      add(.manifest, RecordPack.FileName.manifest, "the numbers cannot be compared: \(error)")
    }
    // The tables were made from the analysis; their hashes say whether they were changed, this says whether they ever fitted.
    let table = RecordTable(computed)
    for (file, text) in [
      (RecordPack.FileName.text, table.text), (RecordPack.FileName.markdown, table.markdown),
    ] {
      guard let data = FileManager.default.contents(atPath: pack.file(file)) else { continue }
      let stored = String(decoding: data, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
      let fresh = (text + "\n").split(separator: "\n", omittingEmptySubsequences: false)
      guard stored != fresh else { continue }
      let at = zip(stored, fresh).enumerated().first { $1.0 != $1.1 }?.offset
      let line = at ?? min(stored.count, fresh.count)
      add(
        .number, file,
        "\(file):\(line + 1) says '\(line < stored.count ? stored[line] : "")', and the runs give "
          + "'\(line < fresh.count ? fresh[line] : "")'")
    }
  }

  private typealias FileNames = RecordPack.FileName
}
