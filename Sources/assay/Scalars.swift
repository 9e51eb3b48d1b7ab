// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Comparison
import Reports
import RunRecords
import Statistics

/// `assay scalars`.
struct ScalarsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scalars",
    abstract: "Lays the small parameters of runs over each other: lambdas, gates, gains.",
    discussion: """
      Runs that differ in nothing but seeds are one arm. The table says how rough each parameter's course is, and where an arm \
      leaves what the seeds of the baseline explain; --output writes a page with every course, jumps at transitions, norms of \
      larger parameters and what an 8-bit head did. What runs record is decided by metrics.trajectories.
      """)

  /// As ``ScalarComparison/Alignment``.
  enum Alignment: String, CaseIterable, ExpressibleByArgument {
    case step, stage

    var kind: ScalarComparison.Alignment { self == .step ? .step : .stage }
  }

  @Argument(
    help: ArgumentHelp("Folders of runs, or folders that hold runs.", valueName: "run"))
  var folders: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Runs that the others are compared with, of one arm; without it the first arm of at least two runs.",
      valueName: "run"))
  var baseline: [String] = []

  @Option(
    help: ArgumentHelp(
      "What lies over each other: the same 'step', or the same share of the same 'stage'.",
      valueName: "step|stage"))
  var align = Alignment.step

  @Option(help: ArgumentHelp("The chance of a false departure.", valueName: "p"))
  var level = 0.05

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The page to write.", valueName: "file.html"))
  var output: String?

  @Option(help: ArgumentHelp("The folder to write tables to.", valueName: "folder"))
  var csv: String?

  @Flag(help: "Print everything as one JSON object.")
  var json = false

  func validate() throws {
    if folders.isEmpty, baseline.isEmpty {
      throw ValidationError("there are no runs; name the folders of some")
    }
    guard level > 0, level < 1 else {
      throw ValidationError("--level is \(level); give a probability between 0 and 1")
    }
  }

  func run() throws {
    var arms = try ScalarComparison.Arm.grouped(Self.runs(folders))
    var name = arms.first { $0.folders.count > 1 }?.name
    if !baseline.isEmpty {
      let given = try Self.runs(baseline)
      let own = try ScalarComparison.Arm.grouped(given)
      guard own.count == 1 else {
        throw CommandFailure(
          .refused,
          "the runs of --baseline differ in more than seeds: \(own.map { $0.folders[0] }.joined(separator: " and ")); "
            + "give those of one arm")
      }
      let all = try ScalarComparison.Arm.grouped(given + Self.runs(folders))
      arms = all
      name = all.first?.name
    }
    let comparison = try ScalarComparison(
      arms: arms, baseline: name, alignment: align.kind, level: level)
    guard !comparison.isEmpty else {
      throw CommandFailure(
        .failed,
        "\((baseline + folders).joined(separator: ", ")): nothing is recorded of small parameters; train with "
          + "metrics.trajectories = \"scalars\", or \"small\" for the gains of norms")
    }
    let report = ScalarReport(comparison, command: commandLine(words))
    if let csv { try report.writeTables(to: csv) }
    if let output { try report.write(to: output) }
    if json { return try Console.json(comparison) }
    Console.data(text(comparison))
    if let output { Console.data("\n" + output) }
  }

  /// Runs, and those below folders that are none.
  private static func runs(_ folders: [String]) throws -> [String] {
    try folders.flatMap { folder in
      let found = RunFolder.find(under: folder)
      if found.isEmpty {
        throw CommandFailure(.failed, "\(folder) holds no run; check the path")
      }
      return found
    }
  }

  private var words: [String] {
    var words = ["assay", "scalars"] + folders
    if !baseline.isEmpty { words += ["--baseline"] + baseline }
    if align != .step { words += ["--align", align.rawValue] }
    if level != 0.05 { words += ["--level", "\(level)"] }
    if let output { words += ["--output", output] }
    return words
  }

  // MARK: - Text

  private func text(_ comparison: ScalarComparison) -> String {
    let arms = comparison.arms.map(\.name)
    var lines = comparison.arms.map { arm in
      "\(arm.name == comparison.baseline ? "baseline  " : "arm       ")\(arm.name), \(arm.folders.count) "
        + (arm.folders.count == 1 ? "run" : "runs")
    }
    var roughness = Table(
      [("roughness from update to update", .left)] + arms.map { ($0, .right) })
    var parameters: [String] = []
    for row in comparison.roughness where !parameters.contains(row.parameter) {
      parameters.append(row.parameter)
    }
    for parameter in parameters {
      roughness.add(
        [parameter]
          + arms.map { arm in
            let row = comparison.roughness.first { $0.parameter == parameter && $0.arm == arm }
            guard let row, let value = row.updates.value else { return "-" }
            let ratio = row.ratio.map { " (x\(Numbers.fixed($0, 2)))" } ?? ""
            return Numbers.scientific(value) + (arm == comparison.baseline ? "" : ratio)
          })
    }
    if !parameters.isEmpty { lines += ["", roughness.text] }
    if let rule = comparison.rule {
      lines += ["", departures(comparison, rule)]
    }
    lines += comparison.notes.isEmpty ? [] : [""] + comparison.notes
    return lines.joined(separator: "\n")
  }

  private func departures(_ comparison: ScalarComparison, _ rule: DepartureRule) -> String {
    if comparison.departures.isEmpty {
      return "no scalar leaves what seeds explain (\(rule.scalars) scalars, level \(rule.level))"
    }
    var table = Table([
      ("departure", .left), ("arm", .left), (align.rawValue, .right), ("side", .left),
      ("deviations", .right), ("steps outside", .right), ("at the end", .left),
    ])
    for item in comparison.departures.prefix(30) {
      table.add(
        item.scalar, item.arm,
        align == .step ? "\(Int(item.position))" : Numbers.fixed(item.position, 2),
        item.departure.isAbove ? "above" : "below",
        item.departure.deviations.map { Numbers.fixed($0, 1) } ?? "-",
        "\(item.departure.total)", item.departure.isAtEnd ? "outside" : "back")
    }
    let rest = comparison.departures.count - 30
    return table.text + (rest > 0 ? "\n... and \(rest) more; --csv has all" : "")
  }
}
