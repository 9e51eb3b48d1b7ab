// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Help, and the errors of the command line itself.
@Suite(.timeLimit(.minutes(20))) struct HelpTests {
  @Test func helpDocumentsEveryExitCode() throws {
    let result = try Command.run("--help")
    #expect(result.code == 0)
    #expect(result.errors.isEmpty)
    for line in [
      "   0  done", "   1  the run failed", "   2  refused", "   3  diverged", "   4  interrupted",
      "  64  the command line or the configuration is wrong",
    ] {
      #expect(result.output.contains("\n" + line), "\(result)")
    }
  }

  @Test func theDocumentOfCommandsHasTheSameExitCodes() throws {
    let help = try Command.run("--help").output
    let page = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Docs/commands.md"), encoding: .utf8)
    let codes = help.split(separator: "\n").filter { line in
      line.hasPrefix("  ") && Int(line.prefix(4).trimmingCharacters(in: .whitespaces)) != nil
    }
    #expect(codes.count == 6, "\(help)")
    for line in codes {
      let text = line.trimmingCharacters(in: .whitespaces)
      let code = text.prefix { $0 != " " }
      let meaning = text.dropFirst(code.count).trimmingCharacters(in: .whitespaces)
      #expect(page.contains("| \(code) | \(meaning) |"), "Docs/commands.md misses '\(text)'")
    }
  }

  @Test(arguments: [
    "compare", "calibrate", "claims", "train", "plan", "sample", "export", "data", "trace", "show",
    "list", "doctor", "bench",
    "runs", "index", "dashboard", "records", "scalars",
  ])
  func everyVerbIsInTheHelpAndHasItsOwn(verb: String) throws {
    let help = try Command.run("--help")
    // A comma comes before another name of the same verb.
    #expect([" ", ", "].contains { help.output.contains("\n  \(verb)\($0)") }, "\(help)")
    let own = try Command.run(verb, "--help")
    #expect(own.code == 0)
    #expect(own.output.contains("USAGE: assay \(verb)"), "\(own)")
    #expect(own.output.contains("OVERVIEW: "), "\(own)")
  }

  @Test(arguments: [
    (["trian"], "did you mean 'train'?"),
    (["list", "optimizerz"], "did you mean 'optimizers'?"),
    (["list", "models", "--jsn"], "Did you mean '--json'?"),
    (["train"], "Missing expected argument '<config>'"),
    (["train", "a.toml", "b.toml"], "Unexpected argument 'b.toml'"),
    (["train", "quickstrat"], "did you mean 'quickstart'?"),
    (["train", "missing.toml"], "there is no such configuration file"),
  ])
  func mistakesOfTheCommandLineAreOneLineAndCode64(arguments: [String], text: String) throws {
    let result = try Command.run(arguments, in: Self.package)
    #expect(result.code == 64, "\(result)")
    #expect(result.errors.hasPrefix("error: "), "\(result)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
    #expect(result.errors.lowercased().contains(text.lowercased()), "\(result)")
    #expect(result.output.isEmpty, "\(result)")
  }

  @Test func listsAreDataOnStandardOutput() throws {
    for noun in ["optimizers", "models", "presets"] {
      let table = try Command.run(["list", noun], in: Self.package)
      #expect(table.code == 0 && !table.output.isEmpty && table.errors.isEmpty, "\(table)")
      let json = try Command.run(["list", noun, "--json"], in: Self.package)
      let entries = try json.json()[noun] as? [[String: Any]] ?? []
      #expect(!entries.isEmpty, "\(json)")
      for entry in entries {
        let name = try #require(entry["name"] as? String)
        #expect(table.output.contains(name), "\(name) is missing: \(table)")
      }
    }
  }

  static var package: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }
}
