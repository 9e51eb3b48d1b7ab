// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import RunIndex

/// `assay index`.
struct IndexCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index", abstract: "Makes the index of the runs in a folder anew.",
    discussion: """
      The index is the file index.sqlite in the folder. Everything in it comes from the folders of the runs: it can be removed, and \
      made again, at any time. The old one stays in force until the new one is complete. 'assay runs' keeps it up to date.
      """)

  @Argument(help: "The folder that holds runs, studies, or both.")
  var folder = "."

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let index = try RunIndex(folder: folder)
    let change = try index.rebuild()
    if index.isInMemory {
      throw CommandFailure(
        .failed,
        "\(folder)/\(RunIndex.fileName) cannot be written; 'assay runs' works without it")
    }
    if json { return try Console.json(change) }
    IndexCommand.report(change.damaged)
    Console.say("\(Numbers.grouped(change.runs)) runs are in \(folder)/\(RunIndex.fileName)")
  }

  /// Names what was left out.
  static func report(_ damaged: [DamagedRun]) {
    for run in damaged { Console.say("left out: \(run.path): \(run.reason)") }
  }
}
