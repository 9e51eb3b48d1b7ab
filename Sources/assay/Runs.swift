// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import RunIndex
import RunRecords

/// `assay runs`.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "Lists and filters the runs in a folder.",
    discussion: """
      Reads what has changed since the last time into index.sqlite in that folder, or into memory where the folder cannot be written. \
      Names in --where and --sort are columns (path, study, variant, arm, method, purpose, seed, data_seed, horizon, audit, status, \
      reason, loss, initial_loss, steps, planned_steps, tokens, seconds, contract, revision, machine, started, ended, sessions), keys \
      of the configuration, or numbers of the outcome such as peakBytes.
      """)

  @Argument(help: "The folder that holds runs, studies, or both.")
  var folder = "."

  @Option(help: ArgumentHelp("Only runs of this study.", valueName: "name"))
  var study: String?

  @Option(help: ArgumentHelp("Only runs of this variant.", valueName: "name"))
  var variant: String?

  @Option(help: ArgumentHelp("Only runs of this arm.", valueName: "name"))
  var arm: String?

  @Option(
    help: ArgumentHelp(
      "Only runs that are running, finished, interrupted, diverged, stopped, failed or killed.",
      valueName: "status"))
  var status: String?

  @Option(
    name: .customLong("where"), parsing: .singleValue,
    help: ArgumentHelp(
      "A condition, such as 'optimizer.learning_rate>=0.01'; may be repeated, and all have to hold.",
      valueName: "condition"))
  var conditions: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The name to sort by, with - before it downwards.", valueName: "name"))
  var sort = "path"

  @Option(help: ArgumentHelp("At most so many runs.", valueName: "count"))
  var limit: Int?

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "Print comma-separated values with a title line.")
  var csv = false

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit is \(limit); give 0 or more") }
    if json, csv { throw ValidationError("--json and --csv exclude each other; give one of them") }
    if let status, !IndexedRun.statuses.contains(status) {
      throw ValidationError(
        "--status is '\(status)'; give one of \(IndexedRun.statuses.joined(separator: ", "))")
    }
  }

  func run() throws {
    var query = RunQuery()
    for (name, value) in [
      ("study", study), ("variant", variant), ("arm", arm), ("status", status),
    ] {
      if let value { query.conditions.append(.init(name, .equal, value)) }
    }
    query.conditions += try conditions.map { try RunQuery.Condition(parsing: $0) }
    query.sort = sort
    query.limit = limit
    let index = try RunIndex(folder: folder)
    let change = try index.update()
    let runs = try index.runs(query)
    if json { return try Console.json(Listing(runs: runs, damaged: change.damaged)) }
    IndexCommand.report(change.damaged)
    if csv { return Console.data(Self.csv(runs)) }
    if runs.isEmpty {
      return Console.say(
        change.runs == 0 ? "there are no runs in \(folder)" : "no run is like that")
    }
    Console.data(Self.table(runs))
  }

  /// What `--json` prints.
  private struct Listing: Encodable {
    let schema = 1
    let runs: [IndexedRun]
    let damaged: [DamagedRun]
  }

  // MARK: - Forms

  private static func table(_ runs: [IndexedRun]) -> String {
    let hasStudies = runs.contains { $0.study != nil }
    var titles: [(title: String, alignment: Table.Alignment)] = [("path", .left)]
    if hasStudies { titles += [("study", .left), ("arm", .left)] }
    titles += [("method", .left), ("seed", .right), ("status", .left)]
    titles += [("steps", .right), ("loss", .right), ("time", .right)]
    var table = Table(titles)
    for run in runs {
      var cells = [run.path]
      if hasStudies { cells += [run.study ?? "-", run.arm ?? "-"] }
      cells += [run.method ?? "-", run.seed.map { "\($0)" } ?? "-", run.status]
      let planned = run.plannedSteps.map { $0 == run.steps ? "" : " of " + Numbers.grouped($0) }
      cells.append(Numbers.grouped(run.steps) + (planned ?? ""))
      cells.append(run.loss.map { Numbers.fixed($0, 4) } ?? "-")
      cells.append(run.seconds.map { Numbers.duration($0) } ?? "-")
      table.add(cells)
    }
    return table.text
  }

  private static let columns =
    "path,study,variant,arm,method,purpose,seed,data_seed,horizon,audit,knobs,status,reason,loss,initial_loss,steps,"
    + "planned_steps,tokens,seconds,contract,revision,machine,started,ended,sessions"

  private static func csv(_ runs: [IndexedRun]) -> String {
    ([columns] + runs.map { line($0).map { cell($0 ?? "") }.joined(separator: ",") })
      .joined(separator: "\n")
  }

  /// The cells of ``columns``.
  private static func line(_ run: IndexedRun) -> [String?] {
    func text(_ number: Double?) -> String? { number.map { "\($0)" } }
    func text(_ number: Int?) -> String? { number.map { "\($0)" } }
    let knobs = run.knobs.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var cells: [String?] = [run.path, run.study, run.variant, run.arm, run.method]
    cells += [run.seedPurpose?.rawValue, text(run.seed), text(run.dataSeed), text(run.horizon)]
    cells += [run.isAudit ? "1" : "0", knobs.joined(separator: " "), run.status, run.reason]
    cells += [text(run.loss), text(run.initialLoss), text(run.steps), text(run.plannedSteps)]
    cells += [text(run.tokens), text(run.seconds), run.contract, run.revision, run.machine]
    cells += [run.startTime.ISO8601Format(), run.endTime?.ISO8601Format(), text(run.sessions)]
    return cells
  }

  /// A cell as RFC 4180 has it.
  private static func cell(_ text: String) -> String {
    guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
    return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}
