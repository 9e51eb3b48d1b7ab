// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import RunRecords
import Statistics

extension Report {
  /// The leaderboard as plain text in aligned columns, for a terminal: contract, rule, arms with verdicts, what could be seen.
  public var terminalText: String {
    ReportContents(analysis).terminalLines().joined(separator: "\n")
  }

  /// One line for each comparison of the declared family, for example
  /// `lion against adamw: undecided; about 14 seeds for each arm would decide it`.
  public var verdictLines: [String] { ReportContents(analysis).verdictLines() }
}

extension ReportContents {
  func terminalLines() -> [String] {
    var lines: [String] = []
    let completion = analysis.completion
    if !completion.isComplete { lines.append("incomplete  " + completionWords(completion)) }
    for variant in variants {
      if !lines.isEmpty, variants.count > 1 { lines.append("") }
      if hasVariants { lines.append(variant.name) }
      lines.append("contract    " + contractLine(variant))
      lines.append("rule        " + ruleLine(variant))
      lines += table(variant)
      let seen = variant.differences.filter(\.isInFamily).compactMap(\.power.detectableDifference)
      if let least = seen.max() {
        lines.append(
          "smallest difference that every comparison could have seen: \(ReportNumber.significant(least, 2))"
        )
      }
    }
    if !analysis.claims.isEmpty {
      lines += ["", "claims"]
      let width = analysis.claims.map(\.name.count).max() ?? 0
      lines += analysis.claims.map {
        "  " + padded($0.name, min(width, 32)) + "  " + padded(outcome($0.outcome), 19) + "  "
          + $0.text
      }
    }
    return lines.map(plain)
  }

  func verdictLines() -> [String] {
    variants.flatMap { variant in
      variant.differences.filter(\.isInFamily).map { item in
        let place = hasVariants ? " in \(variant.name)" : ""
        let number =
          item.test.estimate == nil ? "" : ", \(difference(item.test.estimate, item.test.interval))"
        return plain("\(item.arm) against \(item.other)\(place): \(item.verdict.text)\(number)")
      }
    }
  }

  private func contractLine(_ variant: VariantAnalysis) -> String {
    let conditions = variant.contract.conditions
    let equal = conditions.filter(\.isEqual).count
    let trials = Set(variant.contract.tuningTrials)
    // Where they differ, the differences say so.
    let effort = trials.count == 1 ? "; " + count(trials.first ?? 0, "tuning trial") + " each" : ""
    let same =
      conditions.isEmpty
      ? "nothing recorded yet"
      : equal == conditions.count
        ? "all \(equal) conditions equal" : "\(equal) of \(conditions.count) conditions equal"
    let different = variant.contract.declaredDifferences.map { "; \($0)" } ?? ""
    return same + different + effort
  }

  private func ruleLine(_ variant: VariantAnalysis) -> String {
    let margin = variant.margin.value.map { ReportNumber.significant($0, 2) } ?? "not known yet"
    // The correction spans all variants.
    let compared = analysis.variants.flatMap(\.differences).count(where: \.isInFamily)
    let declared =
      analysis.isDeclared
      ? "declared \(ReportNumber.time(study.declaredAt)) at \(study.revision)"
      : "not declared before the runs"
    return "\(declared); "
      + "Holm over \(count(compared, "comparison")); margin \(margin)"
  }

  private func table(_ variant: VariantAnalysis) -> [String] {
    let target = variant.targets.first
    var rows = [
      [
        "arm", "runs", "val loss (\(ReportNumber.percent(1 - study.rule.level)))",
        "vs \(study.baseline)",
        "lr", "speed-up to \(target?.loss.map { ReportNumber.significant($0, 4) } ?? "target")",
        "ms/step", "verdict",
      ]
    ]
    for row in variant.leaderboard {
      let arm = variant.arms.first { $0.name == row.arm }
      let comparison = toBaseline(row.arm, in: variant)
      let reached = target?.arms.first { $0.arm == row.arm }
      let all = row.loss.count + row.failed + row.missing
      var verdict =
        row.isBaseline ? "baseline" : comparison.map { word($0.verdict.word) } ?? ReportNumber.none
      if !failureWords(row).isEmpty { verdict += "; \(failureWords(row))" }
      if arm?.isUndertuned == true { verdict += "; undertuned" }
      rows.append([
        row.arm.count > 36 ? row.arm.prefix(33) + "..." : row.arm,
        "\(row.loss.count - row.diverged)/\(all)", loss(row.loss),
        row.isBaseline
          ? "baseline" : difference(comparison?.test.estimate, comparison?.test.interval),
        arm?.knobs.first { $0.isTuned }.map { knob($0.value) } ?? "",
        reached.map { speedUp($0) } ?? "",
        row.cost.millisecondsPerStep.map { ReportNumber.significant($0, 3) } ?? "", verdict,
      ])
    }
    // Columns in which nobody says anything are left out.
    let kept = rows[0].indices.filter { column in
      rows.dropFirst().contains { !$0[column].isEmpty && $0[column] != ReportNumber.none }
    }
    let widths = kept.map { column in rows.map { plain($0[column]).count }.max() ?? 0 }
    return rows.map { row in
      var line = zip(kept, widths).map { padded(plain(row[$0]), $1) }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// Steps to the target, as a factor where there is a baseline to divide by.
  private func speedUp(_ arm: ArmTarget) -> String {
    guard let factor = arm.speedUpInSteps else {
      guard arm.arm == study.baseline else { return ReportNumber.none }
      return "1x"
        + (arm.steps.value == nil ? "" : ", \(censored(arm.steps, ReportNumber.short)) steps")
    }
    return censored(factor, ReportNumber.factor)
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// Characters that every terminal has, and none that move its cursor.
  private func plain(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\u{2212}", "\u{2013}": result += "-"
      case "\u{00B1}": result += "+/-"
      case "\u{00D7}": result += "x"
      case "\u{2265}": result += ">="
      case "\u{2264}": result += "<="
      case "\u{221E}": result += "inf"
      default:
        result += scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "?" : String(scalar)
      }
    }
    return result
  }
}
