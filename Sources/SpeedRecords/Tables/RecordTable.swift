// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics

/// A record as text: the table in the layout that pull requests of the speedrun use, then rules, differences and doubts.
public struct RecordTable: Sendable {
  /// What is shown.
  public let analysis: RecordAnalysis

  /// Takes an analysis.
  public init(_ analysis: RecordAnalysis) { self.analysis = analysis }

  // MARK: - The table

  /// The rows alone, to the letter as in the pull requests: differences from the first row, one-sided p against the target.
  public var table: String {
    let width = max(analysis.rows.map(\.name.count).max() ?? 0, 33) + 2
    func cell(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(width - text.count, 1)) + text
    }
    var title = String(repeating: " ", count: width) + "Runs"
    for (name, size) in Self.columns { title += cell(name, size) }
    var lines = [title]
    for row in analysis.rows {
      var line = row.name + String(repeating: " ", count: width - row.name.count)
      line += String(repeating: " ", count: max(4 - "\(row.count)".count, 0)) + "\(row.count)"
      for ((_, size), text) in zip(Self.columns, Self.cells(row)) { line += cell(text, size) }
      lines.append(line)
    }
    return lines.joined(separator: "\n")
  }

  /// The runs of each set as lists, as the pull requests have them below the table.
  public var runLists: String {
    analysis.sets.filter { !$0.runs.isEmpty }.map { set in
      var lines = ["\(set.name):"]
      let losses = set.runs.compactMap { run in
        run.loss.map { LogNumber($0, decimals: run.lossDecimals ?? 5).description }
      }
      if !losses.isEmpty { lines.append("  losses = [\(losses.joined(separator: ", "))]") }
      let times = set.secondsValues.map { String(format: "%.4f", $0) }
      if !times.isEmpty { lines.append("  times  = [\(times.joined(separator: ", "))]") }
      let seeds = set.runs.compactMap { $0.seed?.description }
      if !seeds.isEmpty { lines.append("  seeds  = [\(seeds.joined(separator: ", "))]") }
      return (lines + ["  (n = \(set.count))"]).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  private static let columns = [
    ("Time \u{3BC}", 9), ("Time \u{3C3}", 8), ("Time +/-", 10), ("Loss \u{3BC}", 8),
    ("Loss \u{3C3}", 8), ("Loss +/-", 10), ("p", 9),
  ]

  private static func cells(_ row: RecordAnalysis.Row) -> [String] {
    [
      row.seconds?.mean, row.seconds?.standardDeviation, row.secondsDifference, row.loss?.mean,
      row.loss?.standardDeviation, row.lossDifference, row.target?.pValue,
    ].map { number in number.map { fixed($0, 4) } ?? "-" }
  }

  // MARK: - All of it

  /// Table, runs, rules, differences and doubts as plain text.
  public var text: String {
    var parts = [table]
    if !runLists.isEmpty { parts.append(runLists) }
    let statements = RecordStatements(analysis)
    for (title, lines) in statements.sections {
      parts.append(([title] + lines.map { "  " + $0 }).joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  /// The same as Markdown.
  public var markdown: String {
    var lines = [
      "| set | runs | steps | time \u{3BC} | time \u{3C3} | time +/- | loss \u{3BC} | loss \u{3C3} | loss +/- | p |",
      "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in analysis.rows {
      let cells =
        [Self.escaped(row.name), "\(row.count)", row.steps.map { "\($0)" } ?? "-"]
        + Self.cells(row)
      lines.append("| " + cells.joined(separator: " | ") + " |")
    }
    var parts = [lines.joined(separator: "\n")]
    if !runLists.isEmpty { parts.append("```\n" + runLists + "\n```") }
    for (title, lines) in RecordStatements(analysis).sections {
      parts.append(
        "**\(title)**\n\n" + lines.map { "- " + Self.escaped($0) }.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  /// The rows with all digits, as RFC 4180 has it.
  public var csv: String {
    var lines = [
      "set,runs,steps,time_mean,time_sd,time_difference,loss_mean,loss_sd,loss_difference,target,t,p,z_statistic,passes_z_rule,"
        + "welch_p,welch_lower,welch_upper,paired_p,pair_correlation,gain,gain_p,gain_in_steps,pairwise_statistic"
    ]
    for row in analysis.rows {
      let comparison = analysis.comparisons.first { $0.candidate == row.name }
      func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
      var cells = [Self.quoted(row.name), "\(row.count)", row.steps.map { "\($0)" } ?? ""]
      cells += [row.seconds?.mean, row.seconds?.standardDeviation, row.secondsDifference].map(
        number)
      cells += [row.loss?.mean, row.loss?.standardDeviation, row.lossDifference].map(number)
      cells += [row.target?.target, row.target?.t, row.target?.pValue, row.target?.zStatistic]
        .map(number)
      cells.append(row.target?.passesZRule.map { $0 ? "yes" : "no" } ?? "")
      cells += [
        comparison?.welch?.pValue, comparison?.welch?.interval?.lower,
        comparison?.welch?.interval?.upper, comparison?.pairing?.test.pValue,
        comparison?.pairing?.correlation.coefficient, comparison?.equalised?.gain,
        comparison?.equalised?.pValue, comparison?.equalised?.steps,
        comparison?.equalised?.statistic,
      ].map(number)
      lines.append(cells.joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A number with so many digits after the point; decimal ties go away from 0.
  ///
  /// The deviation of numbers with four digits may be 0.00125 exactly, and its double a little less: printed by its bits it would be
  /// 0.0012, and differ from a table that was made in another precision.
  ///
  /// - Parameters:
  ///   - number: Any number.
  ///   - digits: Digits after the point.
  /// - Returns: The text; `nan` and `inf` as they are.
  public static func fixed(_ number: Double, _ digits: Int) -> String {
    number.isFinite ? String(format: "%.\(digits)f", number * (1 + 1e-12)) : "\(number)"
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "|", with: "\\|")
  }

  private static func quoted(_ text: String) -> String {
    guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
    return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}
