// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords

/// The run folders below a folder, found without reading them.
struct FolderScan {
  /// A run folder, and what changes when its outcome is written.
  struct Entry: Equatable {
    /// Relative to the folder that was searched.
    let path: String
    /// The time of the last change of `outcome.json` in nanoseconds, its size and its inode: every write replaces the file.
    let stamp: String
  }

  /// Sorted by path.
  private(set) var entries: [Entry] = []
  /// Folders that could not be listed.
  private(set) var unreadable: [DamagedRun] = []

  /// Searches; hidden folders and symbolic links are left out, and nothing is sought inside a run.
  ///
  /// - Throws: ``RunIndexError`` `noFolder`.
  init(_ folder: String) throws(RunIndexError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue
    else {
      throw RunIndexError(
        .noFolder, "there is no folder '\(folder)'; name one that holds runs or studies")
    }
    visit(folder, ".")
    entries.sort { $0.path < $1.path }
  }

  private mutating func visit(_ folder: String, _ path: String) {
    if let stamp = Self.stamp(folder) {
      entries.append(Entry(path: path, stamp: stamp))
      return
    }
    guard let handle = opendir(folder) else {
      unreadable.append(
        DamagedRun(path: path, reason: "cannot be listed: \(String(cString: strerror(errno)))"))
      return
    }
    var names: [String] = []
    while let entry = readdir(handle) {
      let type = Int32(entry.pointee.d_type)
      // Some file systems do not say what an entry is.
      guard type == Int32(DT_DIR) || type == Int32(DT_UNKNOWN) else { continue }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    closedir(handle)
    for name in names {
      let child = folder + "/" + name
      var status = stat()
      guard lstat(child, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
      visit(child, path == "." ? name : path + "/" + name)
    }
  }

  /// The stamp of a run folder; nil when the folder is none.
  static func stamp(_ folder: String) -> String? {
    var status = stat()
    guard stat(folder + "/" + RunFolder.FileName.outcome, &status) == 0 else { return nil }
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    return "\(time.tv_sec).\(time.tv_nsec):\(status.st_size):\(status.st_ino)"
  }
}
