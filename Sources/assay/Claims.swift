// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Comparison
import Reports
import RunRecords
import Statistics
import Studies

/// `assay claims`.
struct ClaimsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "claims",
    abstract: "Says what the records of a study make of the claims that it declared.",
    discussion: """
      A claim holds, fails, cannot be distinguished with so many replicates, or has no data yet. Rules and families were \
      declared before the first run; nothing is run here.
      """)

  @Argument(help: ArgumentHelp("A study file, or the folder of a study.", valueName: "study"))
  var target: String

  @OptionGroup var choice: StudyChoice

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "Print comma-separated values.")
  var csv = false

  func validate() throws {
    if json, csv { throw ValidationError("--json and --csv are two forms; choose one") }
  }

  func run() throws {
    let folder =
      StudyFolder.isStudy(target) ? target : try choice.declaration(target).folder
    guard StudyFolder.isStudy(folder) else {
      throw CommandFailure(
        .failed, "\(folder) holds no study yet; 'assay compare \(target)' runs it")
    }
    let results = try StudyResults(folder: folder)
    let analysis = try StudyAnalysis(results, command: "assay claims \(target)")
    if json { return try Console.json(["claims": analysis.claims]) }
    if csv { return Console.write(Report(analysis).csvFiles["claims.csv"] ?? Self.emptyTable) }
    if analysis.claims.isEmpty { return Console.say("the study declares no claims") }
    var table = Table([
      ("claim", .left), ("variant", .left), ("outcome", .left), ("left", .right), ("right", .right),
      ("difference", .right), ("p", .right), ("p (Holm)", .right),
    ])
    for claim in analysis.claims {
      table.add(
        claim.name, claim.variant, claim.outcome.words, Self.number(claim.left.value),
        Self.number(claim.right?.value), Self.number(claim.difference.value),
        Self.number(claim.pValue, 3), Self.number(claim.adjustedPValue, 3))
    }
    Console.data(table.text)
    Console.data("")
    for claim in analysis.claims { Console.data("\(claim.name): \(claim.text)") }
  }

  private static let emptyTable = "claim,variant,outcome\n"

  private static func number(_ value: Double?, _ digits: Int = 4) -> String {
    value.map { Numbers.fixed($0, digits) } ?? "-"
  }
}

extension ClaimResult.Outcome {
  /// As a person reads it.
  var words: String {
    switch self {
    case .holds: "holds"
    case .fails: "fails"
    case .notDistinguishable: "not distinguishable"
    case .noData: "no data"
    }
  }
}
