// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A folder that appears under its name only when it is whole.
///
/// Files are written into a hidden folder beside it, which ``commit()`` renames. One that is dropped
/// without a commit is removed.
final class StagingFolder {
  let output: String
  /// Where files are written.
  let path: String
  private let replacesExisting: Bool
  private var isCommitted = false

  /// Makes the hidden folder, after checking that the name is free or may be taken.
  ///
  /// - Parameters:
  ///   - output: The name in the end; its parents are made.
  ///   - replacing: Whether a data set of that name may be replaced. Anything else never is.
  /// - Throws: ``DataError`` `outputExists`, or when the place cannot be written.
  init(output: String, replacing: Bool) throws(DataError) {
    var name = output
    while name.count > 1, name.hasSuffix("/") { name.removeLast() }
    guard !name.isEmpty, name != "/", name != ".", name != ".." else {
      throw DataError(.invalidOption, "'\(output)' cannot be the folder of a data set.")
    }
    self.output = name
    let (parent, last) = Self.split(name)
    let hidden = ".\(last).partial-\(getpid())"
    path = parent.isEmpty ? hidden : parent + "/" + hidden
    replacesExisting = try Self.check(name, replacing: replacing)
    try Self.makeFolders(parent)
    try? FileManager.default.removeItem(atPath: path)
    guard mkdir(path, 0o755) == 0 else { throw SystemCall.writeError(output) }
  }

  deinit {
    if !isCommitted { try? FileManager.default.removeItem(atPath: path) }
  }

  /// Whether a data set stands there that will be replaced.
  private static func check(_ name: String, replacing: Bool) throws(DataError) -> Bool {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) else { return false }
    let content = try? FileManager.default.contentsOfDirectory(atPath: name)
    guard isFolder.boolValue, let content else {
      throw DataError(.outputExists, "'\(name)' exists and is not a folder. Choose another output.")
    }
    if content.isEmpty { return false }
    guard content.contains(DatasetManifest.fileName) || LLMCFolder.isOnlyOne(name) else {
      throw DataError(
        .outputExists,
        "the folder '\(name)' exists and holds other things than a data set. Choose another output."
      )
    }
    guard replacing else {
      throw DataError(
        .outputExists,
        "'\(name)' already holds a data set. Choose another output, or ask to replace it.")
    }
    return true
  }

  /// The folder that a path lies in, empty for the working directory, and its last name.
  ///
  /// Foundation's own way (6.3, Linux) traps for a path of one letter.
  static func split(_ path: String) -> (parent: String, last: String) {
    guard let slash = path.lastIndex(of: "/") else { return ("", path) }
    let last = String(path[path.index(after: slash)...])
    return (slash == path.startIndex ? "/" : String(path[..<slash]), last)
  }

  private static func makeFolders(_ parent: String) throws(DataError) {
    guard !parent.isEmpty, !FileManager.default.fileExists(atPath: parent) else { return }
    try makeFolders(split(parent).parent)
    guard mkdir(parent, 0o755) == 0 || errno == EEXIST else { throw SystemCall.writeError(parent) }
  }

  /// Gives the folder its name.
  func commit() throws(DataError) {
    AtomicFile.synchronizeFolder(of: path + "/.")
    let old = path + ".replaced"
    if replacesExisting {
      try? FileManager.default.removeItem(atPath: old)
      guard rename(output, old) == 0 else { throw SystemCall.writeError(output) }
    }
    guard rename(path, output) == 0 else {
      let number = errno
      if replacesExisting { rename(old, output) }
      throw SystemCall.writeError(output, number)
    }
    isCommitted = true
    AtomicFile.synchronizeFolder(of: output)
    if replacesExisting { try? FileManager.default.removeItem(atPath: old) }
  }
}
