// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The built `assay`, run as its user runs it.
enum Command {
  /// How a process ended, and what it wrote.
  struct Result: CustomStringConvertible {
    let arguments: [String]
    /// The exit code; the signal's number, negative, when a signal ended it.
    let code: Int32
    let output: String
    let errors: String

    /// Everything, for a failing expectation.
    var description: String {
      "\(arguments.joined(separator: " ")) -> \(code)\n\(output)\n\(errors)"
    }

    /// Standard output as JSON.
    func json() throws -> [String: Any] {
      try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
    }
  }

  /// A failure to find or start an executable.
  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  /// The executable lies beside the test bundle.
  static func executable() throws -> String {
    var folders = [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()]
    #if canImport(Darwin)
      folders += Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    #endif
    for folder in folders.compactMap(\.self) {
      let candidate = folder.appendingPathComponent("assay").path
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    }
    throw Missing(description: "no assay beside \(folders.compactMap { $0?.path })")
  }

  /// Runs `assay` to the end.
  static func run(_ arguments: String..., in folder: URL? = nil) throws -> Result {
    try run(arguments, in: folder)
  }

  /// Runs `assay` to the end.
  static func run(_ arguments: [String], in folder: URL? = nil) throws -> Result {
    try Running([executable()] + arguments, in: folder).wait()
  }
}
