// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import SpeedRecords

/// `assay records pack`.
struct RecordsPackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract:
      "Bundles runs, their configuration, seeds, logs, environment and statistics into one folder.",
    discussion: """
      The folder has the manifest record.json with a hash of every file, the rules, the number of runs that was fixed beforehand \
      and every statistic; the runs' own records without checkpoints; and the table as text. 'assay records verify' checks it, \
      'assay records replicate' runs it again.
      """)

  @OptionGroup var sets: RecordSetOptions
  @OptionGroup var rules: RecordRuleOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The folder of the pack; nothing may be there.", valueName: "folder"))
  var output: String

  @Option(help: ArgumentHelp("The name of the record; the folder's.", valueName: "name"))
  var name: String?

  func run() throws {
    let request = try sets.request(rules)
    let writer = PackWriter(
      name: name ?? URL(fileURLWithPath: output).lastPathComponent,
      program: Assay.configuration.version, revision: CodeRevision.current(), step: sets.atStep)
    let pack = try writer.write(
      to: output, baseline: request.baseline, candidates: request.candidates, request.rules)
    Console.say(RecordTable(pack.manifest.analysis).text)
    Console.say("\npacked \(pack.manifest.files.count) files")
    Console.data(output)
  }
}

/// `assay records verify`.
struct RecordsVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks a pack: every hash, and every number from the logs again.",
    discussion: """
      Says exactly which file or number is not as it was packed, and then ends with 1. Hashes find what was changed without care; \
      who forges logs, numbers and hashes alike is found by 'assay records replicate'.
      """)

  @Argument(help: ArgumentHelp("The folder of a pack.", valueName: "pack"))
  var path: String

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let result = PackVerification(try RecordPack(reading: path))
    if json { try Console.json(result) }
    for problem in result.problems { Console.say("\(problem)") }
    guard result.problems.isEmpty else {
      let count = result.problems.count
      throw CommandFailure(
        .failed,
        "\(path) is not as it was packed: \(count) problem\(count == 1 ? "" : "s"); take the pack from where it came again"
      )
    }
    Console.say(
      "\(result.name): \(result.fileCount) files have their hashes, and every number follows from its \(result.runCount) runs"
    )
  }
}
