// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A table as comma-separated values (RFC 4180), with all digits of its numbers.
struct CSVFile {
  private var lines: [String]
  private let columnCount: Int

  /// Starts a file with the names of its columns.
  init(_ columns: [String]) {
    lines = [columns.map(Self.field).joined(separator: ",")]
    columnCount = columns.count
  }

  /// A value of a field.
  enum Value {
    case text(String)
    case number(Double?)
    case count(Int?)
    case flag(Bool?)

    var text: String {
      switch self {
      case .text(let text): CSVFile.field(text)
      // The shortest text that gives the same number again; nan, inf and -inf are those that most readers know.
      case .number(let number): number.map { "\($0)" } ?? ""
      case .count(let count): count.map(String.init) ?? ""
      case .flag(let flag): flag.map { $0 ? "true" : "false" } ?? ""
      }
    }
  }

  /// Adds a line.
  mutating func add(_ values: [Value]) {
    precondition(values.count == columnCount, "\(values.count) values in \(columnCount) columns")
    lines.append(values.map(\.text).joined(separator: ","))
  }

  /// Whether there is nothing but the names of columns.
  var isEmpty: Bool { lines.count == 1 }

  /// The file.
  var text: String { lines.joined(separator: "\r\n") + "\r\n" }

  private static func field(_ text: String) -> String {
    // A text that begins like a formula is one for spreadsheets: an apostrophe keeps it a text.
    var text = text
    if let first = text.first, "=+-@\t\r".contains(first), Double(text) == nil { text = "'" + text }
    guard text.contains(where: { ",\"\n\r\r\n".contains($0) }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
