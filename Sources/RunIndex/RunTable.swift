// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import RunRecords

/// The tables of the index, and the way of a run into and out of them.
///
/// Columns hold what lists and filters ask for most; `whole` holds all of a run as JSON, in which any key of the configuration can be
/// asked for.
enum RunTable {
  static let drop = "DROP TABLE IF EXISTS run; DROP TABLE IF EXISTS damaged"

  static let create = """
    CREATE TABLE run (
      path TEXT PRIMARY KEY NOT NULL, stamp TEXT NOT NULL, study TEXT, variant TEXT, arm TEXT, method TEXT, purpose TEXT,
      seed INTEGER, data_seed INTEGER, horizon REAL, audit INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT, loss REAL,
      initial_loss REAL, steps INTEGER NOT NULL, planned_steps INTEGER, tokens INTEGER, seconds REAL, contract TEXT,
      revision TEXT, machine TEXT NOT NULL, started TEXT NOT NULL, ended TEXT, sessions INTEGER NOT NULL,
      knobs TEXT NOT NULL, numbers TEXT NOT NULL, configuration TEXT NOT NULL, whole TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX run_study ON run (study, variant, arm);
    CREATE TABLE damaged (path TEXT PRIMARY KEY NOT NULL, stamp TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
    """

  /// Columns that a query may name, and whether they hold text.
  static let columns: [String: Bool] = [
    "path": true, "study": true, "variant": true, "arm": true, "method": true, "purpose": true,
    "seed": false, "data_seed": false, "horizon": false, "audit": false, "status": true,
    "reason": true, "loss": false, "initial_loss": false, "steps": false, "planned_steps": false,
    "tokens": false, "seconds": false, "contract": true, "revision": true, "machine": true,
    "started": true, "ended": true, "sessions": false,
  ]

  /// What was read of which run; a run that goes on is left out, for its process may have died since.
  static func stamps(_ db: Database) throws -> [String: String] {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT path, stamp FROM run WHERE status NOT IN ('running', 'killed')
        UNION ALL SELECT path, stamp FROM damaged
        """)
    return Dictionary(uniqueKeysWithValues: rows.map { ($0["path"], $0["stamp"]) })
  }

  static func paths(_ db: Database) throws -> [String] {
    try String.fetchAll(db, sql: "SELECT path FROM run UNION ALL SELECT path FROM damaged")
  }

  static func remove(_ path: String, _ db: Database) throws {
    try db.execute(sql: "DELETE FROM run WHERE path = ?", arguments: [path])
    try db.execute(sql: "DELETE FROM damaged WHERE path = ?", arguments: [path])
  }

  static func damaged(_ db: Database) throws -> [DamagedRun] {
    try Row.fetchAll(db, sql: "SELECT path, reason FROM damaged ORDER BY path").map {
      DamagedRun(path: $0["path"], reason: $0["reason"])
    }
  }

  static func put(_ damaged: DamagedRun, stamp: String, _ db: Database) throws {
    try remove(damaged.path, db)
    try db.execute(
      sql: "INSERT INTO damaged (path, stamp, reason) VALUES (?, ?, ?)",
      arguments: [damaged.path, stamp, damaged.reason])
  }

  static func put(_ run: IndexedRun, stamp: String, _ db: Database) throws {
    try remove(run.path, db)
    let values: [(String, (any DatabaseValueConvertible)?)] = [
      ("path", run.path), ("stamp", stamp), ("study", run.study), ("variant", run.variant),
      ("arm", run.arm), ("method", run.method), ("purpose", run.seedPurpose?.rawValue),
      ("seed", run.seed), ("data_seed", run.dataSeed), ("horizon", run.horizon),
      ("audit", run.isAudit), ("status", run.status), ("reason", run.reason), ("loss", run.loss),
      ("initial_loss", run.initialLoss), ("steps", run.steps), ("planned_steps", run.plannedSteps),
      ("tokens", run.tokens), ("seconds", run.seconds), ("contract", run.contract),
      ("revision", run.revision), ("machine", run.machine), ("started", time(run.startTime)),
      ("ended", run.endTime.map(time)), ("sessions", run.sessions), ("knobs", try json(run.knobs)),
      ("numbers", try json(run.numbers)), ("configuration", try json(run.configuration)),
      ("whole", try json(run)),
    ]
    let names = values.map(\.0).joined(separator: ", ")
    let places = values.map { _ in "?" }.joined(separator: ", ")
    try db.execute(
      sql: "INSERT INTO run (\(names)) VALUES (\(places))",
      arguments: StatementArguments(values.map(\.1)))
  }

  static func run(_ whole: String) throws -> IndexedRun {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(IndexedRun.self, from: Data(whole.utf8))
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private static func time(_ date: Date) -> String { date.ISO8601Format() }
}
