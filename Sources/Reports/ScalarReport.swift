// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
public import Comparison
import Foundation

/// The small parameters of runs that need be no study, as one HTML file that needs nothing else, and as tables.
public struct ScalarReport: Sendable {
  /// What it shows.
  public let comparison: ScalarComparison
  /// The command that makes it again.
  public let command: String

  /// Prepares a page.
  ///
  /// - Parameters:
  ///   - comparison: what to show.
  ///   - command: the command that makes it again.
  public init(_ comparison: ScalarComparison, command: String) {
    self.comparison = comparison
    self.command = command
  }

  /// The page, light or dark as the reader's screen is.
  public var html: String {
    let names = comparison.arms.map(\.name)
    let contents = ScalarContents(comparison: comparison) { arm in
      ChartLook(names.firstIndex(of: arm) ?? names.count)
    }
    let title =
      comparison.baseline.map { baseline in
        let others = names.filter { $0 != baseline }
        return others.isEmpty ? "Scalars of \(baseline)" : "Scalars against \(baseline)"
      } ?? "Scalars of \(names.joined(separator: ", "))"
    let document = ReportDocument(
      title: title, lead: [],
      sections: [
        ReportSection(name: "scalars", title: "Scalars", blocks: contents.blocks()),
        ReportSection(
          name: "runs", title: "Runs",
          blocks: [
            .list(comparison.arms.map { "\($0.name): \($0.folders.joined(separator: ", "))" }),
            .code(command),
          ]),
      ])
    return HTMLPage(document: document, data: "{}", lookCount: max(8, names.count)).text
  }

  /// The tables by the names of their files, with all digits: courses, roughness, jumps, departures, norms and
  /// quantiles of larger parameters, what steps were made with, the 8-bit head.
  public var csvFiles: [String: String] {
    let tables = ScalarTables(comparisons: [("", comparison)])
    var files = tables.files
    files["scalars.csv"] = tables.courses
    files["scalars-numbers.csv"] = tables.numbers
    return files
  }

  /// Writes the page.
  ///
  /// - Parameter path: the file.
  /// - Throws: ``ReportError`` when it cannot be written.
  public func write(to path: String) throws(ReportError) { try Self.write(html, to: path) }

  /// Writes the tables.
  ///
  /// - Parameter folder: where to; made where it is missing.
  /// - Throws: ``ReportError`` when a file cannot be written.
  public func writeTables(to folder: String) throws(ReportError) {
    for (name, text) in csvFiles.sorted(by: { $0.key < $1.key }) {
      try Self.write(text, to: folder + "/" + name)
    }
  }

  private static func write(_ text: String, to path: String) throws(ReportError) {
    let file = URL(fileURLWithPath: path)
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file, options: .atomic)
    } catch {
      throw ReportError(
        "cannot write \(path): \(error.localizedDescription); choose another place, or free space")
    }
  }
}
