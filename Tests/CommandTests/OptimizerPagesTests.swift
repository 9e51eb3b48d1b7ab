// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `Docs/optimizers` is what the command prints.
@Suite(.timeLimit(.minutes(20))) struct OptimizerPagesTests {
  private static let folder = HelpTests.package.appendingPathComponent("Docs/optimizers")

  private func committed(_ name: String) throws -> String {
    try String(
      contentsOf: Self.folder.appendingPathComponent(name + ".md"), encoding: .utf8)
  }

  private func names() throws -> [String] {
    let list = try Command.run("list", "optimizers", "--json").json()
    return (list["optimizers"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
  }

  @Test func everyPageAndTheIndexAreUpToDate() throws {
    let names = try names()
    #expect(names.count > 20)
    let index = try Command.run("list", "optimizers", "--markdown")
    #expect(
      index.output == (try committed("README")),
      "Docs/optimizers/README.md is old: run Scripts/make-docs.sh")
    for name in names {
      let page = try Command.run("show", "optimizer", name, "--markdown")
      #expect(page.code == 0 && page.errors.isEmpty, "\(page)")
      #expect(
        page.output == (try committed(name)),
        "Docs/optimizers/\(name).md is old: run Scripts/make-docs.sh")
      #expect(index.output.contains("| [\(name)](\(name).md) |"))
    }
  }

  @Test func tablesHaveAsManyCellsInEveryRow() throws {
    for name in try names() + ["README"] {
      var cells: Int?
      for line in try committed(name).components(separatedBy: "\n") {
        guard line.hasPrefix("|") else {
          cells = nil
          continue
        }
        let count = line.replacing("\\|", with: "").count { $0 == "|" }
        #expect(cells == nil || cells == count, "\(name): \(line)")
        cells = count
      }
    }
  }

  @Test func linksLeadToPages() throws {
    let link = /\]\((?<target>[^)]+)\)/
    for name in try names() + ["README", "policies"] {
      for match in try committed(name).matches(of: link) {
        let target = String(match.output.target.prefix { $0 != "#" })
        if target.hasPrefix("https://") || target.isEmpty { continue }
        let path = Self.folder.appendingPathComponent(target).path
        #expect(FileManager.default.fileExists(atPath: path), "\(name): \(target)")
      }
    }
  }
}
