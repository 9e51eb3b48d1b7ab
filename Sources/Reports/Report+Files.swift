// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A report that cannot be written: which file, why, and what to do.
public struct ReportError: Error, Equatable, CustomStringConvertible {
  /// What happened, with the path, and the remedy.
  public let message: String

  /// Creates an error with its full message.
  public init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}

extension Report {
  /// Everything, by paths relative to the report's folder: `index.html`, `report.md`, `figures/*.svg`, `*.csv`, `analysis.json`.
  public var files: [String: String] {
    var result = ["report.md": markdown, "analysis.json": json, "index.html": html]
    for (name, text) in figures { result["figures/" + name] = text }
    for (name, text) in csvFiles { result[name] = text }
    return result
  }

  /// Writes everything into a folder, which is made where it is missing.
  ///
  /// Each file is written as a whole or not at all, `index.html` last: a report that can be opened is complete. Images of an earlier
  /// report that this one no longer has are removed; nothing else in the folder is touched.
  ///
  /// - Parameter folder: the path of the folder.
  /// - Throws: ``ReportError`` when a file cannot be written.
  public func write(to folder: String) throws(ReportError) {
    let files = files
    let stale = Self.figures(inReportAt: folder).subtracting(files.keys)
    let root = URL(fileURLWithPath: folder, isDirectory: true)
    do {
      try FileManager.default.createDirectory(
        at: root.appendingPathComponent("figures"), withIntermediateDirectories: true)
      for (name, text) in files.sorted(by: { $0.key < $1.key }) where name != "index.html" {
        try Data(text.utf8).write(to: root.appendingPathComponent(name), options: .atomic)
      }
      try Data((files["index.html"] ?? "").utf8).write(
        to: root.appendingPathComponent("index.html"), options: .atomic)
    } catch {
      throw ReportError(
        "cannot write the report to \(folder): \(error.localizedDescription); choose another --output, or free space"
      )
    }
    for name in stale { try? FileManager.default.removeItem(at: root.appendingPathComponent(name)) }
  }

  /// The images that an earlier report in the folder refers to: those it may have left behind.
  private static func figures(inReportAt folder: String) -> Set<String> {
    guard let text = try? String(contentsOfFile: folder + "/report.md", encoding: .utf8) else {
      return []
    }
    return Set(
      text.matches(of: /\]\((figures\/[a-z0-9-]+\.svg)\)/).map { String($0.output.1) })
  }
}
