// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import RunRecords

/// A study's folder with its declaration in it, locked for whoever runs the trials.
///
/// The declaration is older than the first trial and never changes: a folder holds the trials of one declaration.
public struct FrozenStudy {
  /// The declaration as it was stored, by this session or the first.
  public let record: StudyRecord
  /// The folder.
  public let folder: StudyFolder
  /// Held as long as this value, or a child that inherited it, lives.
  public let lock: StudyLock

  /// Makes a study's folder, or opens the one that is there.
  ///
  /// - Parameters:
  ///   - record: the declaration.
  ///   - text: the declaration as it was given.
  ///   - path: the folder.
  ///   - note: is told when trials of an earlier session are waited for.
  /// - Throws: ``StudyRefusal`` when the folder holds another declaration, naming what differs; `RunRecordError` when
  ///   another process runs it, or the disk is full or read-only.
  public init(
    _ record: StudyRecord, text: String, at path: String, note: (String) -> Void = { _ in }
  ) throws {
    folder = StudyFolder(path)
    try Self.check(record, in: folder)
    do {
      try FileManager.default.createDirectory(
        atPath: folder.file(StudyFolder.FileName.trials), withIntermediateDirectories: true)
    } catch {
      throw RunRecordError(
        .notWritable, "\(path): the study's folder cannot be made: \(error.localizedDescription)")
    }
    lock = try StudyLock(folder: path) {
      note("trials of an earlier session are still being saved; waiting for them ...")
    }
    // Somebody may have declared it while we waited.
    try Self.check(record, in: folder)
    if StudyFolder.isStudy(path) {
      self.record = try folder.record()
    } else {
      try folder.write(declaration: text)
      try folder.write(record)
      self.record = record
    }
  }

  /// Refuses a declaration that is not the one in the folder.
  ///
  /// - Throws: ``StudyRefusal``, or `RunRecordError` when the stored one is damaged.
  public static func check(_ record: StudyRecord, in folder: StudyFolder) throws {
    guard StudyFolder.isStudy(folder.path) else { return }
    let stored = try folder.record()
    guard stored.hash != record.hash else { return }
    let differences = try differences(from: stored, to: record)
    let shown = differences.prefix(5).joined(separator: "; ")
    let more = differences.count > 5 ? "; and \(differences.count - 5) more" : ""
    throw StudyRefusal(
      "\(folder.path) holds the trials of another declaration of this study. Changed: "
        + (shown.isEmpty ? "what its configurations are made of" : shown + more)
        + ". Undo the change, or give the study another 'folder'")
  }

  /// What changed between two declarations, in words: key, old value, new value.
  static func differences(from old: StudyRecord, to new: StudyRecord) throws -> [String] {
    let (before, after) = (try leaves(old), try leaves(new))
    return Set(before.keys).union(after.keys).sorted().compactMap { key in
      let (first, second) = (before[key], after[key])
      return first == second
        ? nil : "\(key): \(first ?? "absent") before, \(second ?? "absent") now"
    }
  }

  /// Every value of a record by its path; arms and the like are named, not counted.
  private static func leaves(_ record: StudyRecord) throws -> [String: String] {
    let data = try JSONEncoder().encode(record)
    guard var object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      return [:]
    }
    for key in ["format", "declaredAt", "revision", "command", "hash"] { object[key] = nil }
    var result: [String: String] = [:]
    collect(object, "", into: &result)
    return result
  }

  private static func collect(_ value: Any, _ path: String, into result: inout [String: String]) {
    func below(_ name: String) -> String { path.isEmpty ? name : path + "." + name }
    switch value {
    case let object as [String: Any]:
      for (key, value) in object { collect(value, below(key), into: &result) }
    case let array as [[String: Any]]:
      for (index, value) in array.enumerated() {
        let name = value["name"] as? String ?? "\(index + 1)"
        collect(value, below(name), into: &result)
      }
    case let array as [Any]:
      result[path] = "[" + array.map { "\($0)" }.joined(separator: ", ") + "]"
    default: result[path] = "\(value)"
    }
  }
}
