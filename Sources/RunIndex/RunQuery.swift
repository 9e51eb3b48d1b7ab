// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import GRDB

/// Which runs to list, and in which order.
///
/// A name is a column (`status`, `loss`, `arm`, ...), a key of the configuration (`optimizer.learning_rate`; anything with a dot) or a
/// number of the outcome (`peakBytes`).
public struct RunQuery: Equatable, Sendable {
  /// A name, how it compares, and a value.
  public struct Condition: Equatable, Sendable {
    /// Ways to compare.
    public enum Comparison: String, CaseIterable, Sendable {
      /// Not equal.
      case different = "!="
      /// At most.
      case atMost = "<="
      /// At least.
      case atLeast = ">="
      /// Equal.
      case equal = "="
      /// Below.
      case below = "<"
      /// Above.
      case above = ">"
    }
    /// A column, key or number.
    public var name: String
    /// How it compares.
    public var comparison: Comparison
    /// The value as written.
    public var value: String

    /// Makes a condition.
    public init(_ name: String, _ comparison: Comparison, _ value: String) {
      self.name = name
      self.comparison = comparison
      self.value = value
    }

    /// Reads a condition such as `optimizer.learning_rate>=0.01`.
    ///
    /// - Throws: ``RunIndexError`` `query` when it compares nothing.
    public init(parsing text: String) throws(RunIndexError) {
      let sign = text.firstIndex { "=<>!".contains($0) }
      guard let sign, sign != text.startIndex,
        let comparison = Comparison.allCases.first(where: { text[sign...].hasPrefix($0.rawValue) })
      else {
        throw RunIndexError(
          .query,
          "'\(text)' is not a condition; write a name, one of = != < <= > >=, and a value, such as model.width=256 or loss<3.2"
        )
      }
      self.init(
        text[..<sign].trimmed, comparison,
        text[sign...].dropFirst(comparison.rawValue.count).trimmed)
    }
  }

  /// All of them have to hold.
  public var conditions: [Condition] = []
  /// What to sort by, downwards with a minus sign before it.
  ///
  /// Runs without it come last.
  public var sort: String = "path"
  /// The most runs to list; nil: all.
  public var limit: Int?

  /// All runs, by their paths.
  public init() {}

  // MARK: - As SQL

  func fetch(_ db: Database) throws -> [IndexedRun] {
    var arguments: [(any DatabaseValueConvertible)?] = []
    var sql = "SELECT whole FROM run"
    if try Int.fetchOne(db, sql: "SELECT count(*) FROM run") == 0 { return [] }
    for (position, condition) in conditions.enumerated() {
      let term = try Term(condition.name, db)
      sql += position == 0 ? " WHERE " : " AND "
      // A run that lacks the name differs from every value.
      let sign = condition.comparison == .different ? "IS NOT" : condition.comparison.rawValue
      sql += "\(term.sql) \(sign) ?"
      arguments += term.arguments + [term.value(condition.value)]
    }
    let isDown = sort.hasPrefix("-")
    let term = try Term(isDown ? String(sort.dropFirst()) : sort, db)
    sql += " ORDER BY \(term.sql) IS NULL, \(term.sql) \(isDown ? "DESC" : "ASC"), path"
    arguments += term.arguments + term.arguments
    if let limit {
      sql += " LIMIT ?"
      arguments.append(limit)
    }
    return try String.fetchAll(db, sql: sql, arguments: StatementArguments(arguments)).map(
      RunTable.run)
  }

  /// A name as an expression.
  private struct Term {
    let sql: String
    let arguments: [(any DatabaseValueConvertible)?]
    let isText: Bool

    init(_ name: String, _ db: Database) throws {
      if let isText = RunTable.columns[name] {
        (sql, arguments, self.isText) = (name, [], isText)
        return
      }
      let column = name.contains(".") ? "configuration" : "numbers"
      let known = try String.fetchAll(
        db, sql: "SELECT DISTINCT key FROM run, json_each(run.\(column))")
      guard known.contains(name) else {
        let candidates =
          name.contains(".") ? known : known + RunTable.columns.keys.sorted()
        let near = nearest(to: name, among: candidates).map { " Did you mean '\($0)'?" } ?? ""
        throw RunIndexError(
          .query,
          "no run has '\(name)'; a name is one of \(RunTable.columns.keys.sorted().joined(separator: ", ")), a key of the "
            + "configuration such as optimizer.name, or a number of the outcome.\(near)")
      }
      sql = "json_extract(\(column), ?)"
      arguments = ["$.\"\(name)\""]
      isText = false
    }

    /// A value as SQLite compares it: JSON's true and false are 1 and 0 there.
    func value(_ text: String) -> any DatabaseValueConvertible {
      if isText { return text }
      if let integer = Int(text) { return integer }
      if let number = Double(text), number.isFinite { return number }
      switch text {
      case "true": return 1
      case "false": return 0
      default: return text
      }
    }
  }
}

extension Substring {
  /// Without spaces around it.
  fileprivate var trimmed: String {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
