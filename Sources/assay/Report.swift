// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Comparison
import Reports
import RunRecords

/// `assay report`.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes the report of a study, finished or not, from its records alone.",
    discussion: """
      One HTML file that opens offline, the same in Markdown with its images, and tables as CSV; the path of the page goes to \
      standard output. With --json or --markdown the analysis or the text goes there instead, and files are written only where \
      --output names a folder.
      """)

  @Argument(help: ArgumentHelp("The folder of a study.", valueName: "study"))
  var folder: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The folder to write to; by default 'report' in the study's.", valueName: "folder"))
  var output: String?

  @Flag(help: "Print the analysis as one JSON object.")
  var json = false

  @Flag(help: "Print the report as Markdown.")
  var markdown = false

  @Flag(
    help:
      "Report arms that ran under conditions they did not declare; the difference stands in the title."
  )
  var allowUnequal = false

  func validate() throws {
    if json, markdown {
      throw ValidationError("--json and --markdown exclude each other; give one of them")
    }
  }

  func run() throws {
    guard StudyFolder.isStudy(folder) else {
      throw CommandFailure(
        .failed,
        "\(folder) holds no study: it has no \(StudyFolder.FileName.record); name the folder of a study"
      )
    }
    let results = try StudyResults(folder: folder)
    let analysis = try StudyAnalysis(results, command: command, allowsUnequal: allowUnequal)
    let report = Report(analysis, scalars: ScalarComparison.all(of: analysis, results))
    if json { Console.write(report.json) }
    if markdown { Console.write(report.markdown) }
    let isPrinted = json || markdown
    guard
      let target = output
        ?? (isPrinted ? nil : StudyFolder(folder).file(StudyFolder.FileName.report))
    else { return }
    try report.write(to: target)
    let page = target + "/index.html"
    if isPrinted { return Console.say("wrote \(page)") }
    Console.say(report.terminalText)
    Console.data(page)
  }

  /// What makes the same report again.
  private var command: String {
    var words = ["assay", "report", folder]
    if let output { words += ["--output", output] }
    if allowUnequal { words.append("--allow-unequal") }
    return commandLine(words)
  }
}
