// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// An SQLite index of the runs in a folder.
///
/// Everything in it comes from the folders, so it can be thrown away and made again at any time. It lies as `index.sqlite` in the folder
/// that was searched, or in memory where that cannot be written. Every change is one transaction: whoever reads sees the old index or
/// the new one, and a process that is killed leaves the old one.
public final class RunIndex {
  /// The name of the file.
  public static let fileName = "index.sqlite"
  /// Changes with the tables; an index of another version is made again.
  static let version = 1

  /// What an update did.
  public struct Change: Codable, Equatable, Sendable {
    /// Runs that are in the index now.
    public var runs = 0
    /// Runs that were read: new ones, and those that changed.
    public var read = 0
    /// Runs that have disappeared.
    public var removed = 0
    /// Folders that were left out.
    public var damaged: [DamagedRun] = []
  }

  /// The folder that was searched.
  public let folder: String
  /// Whether the index lies in memory, because the folder cannot be written.
  public private(set) var isInMemory = false
  var database: DatabaseQueue

  /// Opens the index of a folder, which may have none yet; nothing is read from the folders.
  ///
  /// A file that is no index, or one of another version, is replaced with the next ``update()``.
  ///
  /// - Parameter folder: The folder that holds runs, studies, or both.
  /// - Throws: ``RunIndexError`` when there is no such folder, or a healthy index cannot be opened.
  public init(folder: String) throws(RunIndexError) {
    self.folder = folder
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue
    else {
      throw RunIndexError(
        .noFolder, "there is no folder '\(folder)'; name one that holds runs or studies")
    }
    let path = folder + "/" + Self.fileName
    do {
      if let opened = try Self.open(path) {
        database = opened
      } else {
        database = try DatabaseQueue()
        isInMemory = true
        try Self.prepare(database)
      }
    } catch {
      throw Self.failure(error, path)
    }
  }

  /// The database at a path; nil when nothing can be written there.
  private static func open(_ path: String) throws -> DatabaseQueue? {
    do {
      return try opened(path)
    } catch let error as DatabaseError {
      switch error.resultCode {
      case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM: return nil
      case .SQLITE_NOTADB, .SQLITE_CORRUPT:
        // Not an index, or what a broken disk left of one: nothing in it is needed.
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink(path + suffix) }
        return try opened(path)
      default: throw error
      }
    }
  }

  private static func opened(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    // Another process that writes needs moments.
    configuration.busyMode = .timeout(10)
    let database = try DatabaseQueue(path: path, configuration: configuration)
    try prepare(database)
    return database
  }

  /// Makes the tables, unless they are there in this version.
  private static func prepare(_ database: DatabaseQueue) throws {
    try database.write { db in
      let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
      if found == version { return }
      try db.execute(sql: RunTable.drop)
      try db.execute(sql: RunTable.create)
      try db.execute(sql: "PRAGMA user_version = \(version)")
    }
  }

  /// Reads every run anew.
  ///
  /// - Returns: What was found.
  /// - Throws: ``RunIndexError``; the old index is kept.
  @discardableResult
  public func rebuild() throws(RunIndexError) -> Change { try bringUpToDate(readsAll: true) }

  /// Reads the runs whose `outcome.json` has changed, and forgets those that are gone.
  ///
  /// - Returns: What was found.
  /// - Throws: ``RunIndexError``; the old index is kept.
  @discardableResult
  public func update() throws(RunIndexError) -> Change { try bringUpToDate(readsAll: false) }

  private func bringUpToDate(readsAll: Bool) throws(RunIndexError) -> Change {
    let scan = try FolderScan(folder)
    do {
      let known =
        readsAll ? [:] : try database.read { try RunTable.stamps($0) }
      var change = Change()
      change.damaged = scan.unreadable
      var fresh: [(FolderScan.Entry, IndexedRun)] = []
      var damaged: [(FolderScan.Entry, DamagedRun)] = []
      for entry in scan.entries {
        if known[entry.path] == entry.stamp { continue }
        change.read += 1
        let place = entry.path == "." ? folder : folder + "/" + entry.path
        do {
          fresh.append((entry, try IndexedRun(folder: place, path: entry.path)))
        } catch {
          damaged.append((entry, DamagedRun(path: entry.path, reason: "\(error)")))
        }
      }
      let present = Set(scan.entries.map(\.path))
      let all = try database.write { db in
        if readsAll { try db.execute(sql: "DELETE FROM run; DELETE FROM damaged") }
        let old = try RunTable.paths(db)
        for path in old where !present.contains(path) { try RunTable.remove(path, db) }
        change.removed = old.count { !present.contains($0) }
        for (entry, run) in fresh { try RunTable.put(run, stamp: entry.stamp, db) }
        for (entry, run) in damaged { try RunTable.put(run, stamp: entry.stamp, db) }
        change.runs = try Int.fetchOne(db, sql: "SELECT count(*) FROM run") ?? 0
        return try RunTable.damaged(db)
      }
      change.damaged += all
      return change
    } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY && !isInMemory {
      // An index that somebody else made, where this process may not write.
      do {
        database = try DatabaseQueue()
        try Self.prepare(database)
      } catch {
        throw Self.failure(error, folder + "/" + Self.fileName)
      }
      isInMemory = true
      return try bringUpToDate(readsAll: true)
    } catch {
      throw Self.failure(error, folder + "/" + Self.fileName)
    }
  }

  /// The runs that a query asks for.
  ///
  /// - Throws: ``RunIndexError`` for names that no run has.
  public func runs(_ query: RunQuery = RunQuery()) throws(RunIndexError) -> [IndexedRun] {
    do {
      return try database.read { try query.fetch($0) }
    } catch let error as RunIndexError {
      throw error
    } catch {
      throw Self.failure(error, folder + "/" + Self.fileName)
    }
  }

  /// The folders that were left out, sorted by path.
  ///
  /// - Throws: ``RunIndexError`` when the index cannot be read.
  public func damaged() throws(RunIndexError) -> [DamagedRun] {
    do {
      return try database.read { try RunTable.damaged($0) }
    } catch {
      throw Self.failure(error, folder + "/" + Self.fileName)
    }
  }

  private static func failure(_ error: any Error, _ path: String) -> RunIndexError {
    if let error = error as? RunIndexError { return error }
    if let error = error as? DatabaseError, error.resultCode == .SQLITE_BUSY {
      return RunIndexError(
        .database, "'\(path)' is being written by another process; try again when it is done")
    }
    return RunIndexError(
      .database,
      "'\(path)' cannot be used: \(error); remove it, and 'assay index' makes it again from the folders"
    )
  }
}
