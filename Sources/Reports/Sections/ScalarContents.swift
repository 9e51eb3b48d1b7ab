// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison
import RunRecords
import Statistics

/// A comparison of small parameters as blocks of a page.
struct ScalarContents {
  let comparison: ScalarComparison
  let look: (String) -> ChartLook
  /// What stands at the end of the names of files, so that they differ.
  var suffix = ""

  /// Values of a table that is not too long to be read.
  static let shownRows = 40

  /// Everything there is to show, headings between.
  func blocks() -> [ReportBlock] {
    var blocks: [ReportBlock] = summary().map { .paragraph($0) }
    if !comparison.notes.isEmpty { blocks.append(.list(comparison.notes)) }
    blocks += departures()
    blocks += roughness()
    blocks += scalarFigures()
    blocks += jumps()
    blocks += float8()
    blocks += norms()
    blocks += numbers()
    return blocks
  }

  private var arms: [String] { comparison.arms.map(\.name) }
  private var others: [String] { arms.filter { $0 != comparison.baseline } }

  var positionTitle: String { comparison.alignment == .step ? "Step" : "Stage" }

  /// What is compared, in words.
  func summary() -> [String] {
    let runs = comparison.arms.map { arm in
      "\(arm.name) (\(arm.folders.count) \(arm.folders.count == 1 ? "run" : "runs"))"
    }
    var text =
      "\(comparison.scalars.count) scalars of \(runs.joined(separator: ", ")), "
      + (comparison.alignment == .step
        ? "step by step."
        : "placed over each other by stage: 1.5 is the middle of the second stage.")
    if arms.count > 1, let baseline = comparison.baseline {
      text += " The baseline is \(baseline)."
    }
    return comparison.scalars.isEmpty ? [] : [text]
  }

  // MARK: - Tables

  private func departures() -> [ReportBlock] {
    guard let rule = comparison.rule, !others.isEmpty else { return [] }
    let counts = others.map { arm in
      let count = comparison.departures.count { $0.arm == arm }
      return "\(arm) in \(count)"
    }
    let words =
      "Of \(rule.scalars) scalars, what seeds explain is left by: \(counts.joined(separator: ", ")). A scalar has left where its mean over an arm's "
      + "runs differs from the baseline's, at \(rule.persistence) recorded steps in a row on the same side, by more than Student's t allows when all steps and "
      + "all scalars of the arm are looked at; in arms that are equal anything leaves with a probability of at most "
      + "\(ReportNumber.percent(rule.level)), however values hang together. With few runs only large differences can be told from chance."
    if comparison.departures.isEmpty { return [.heading("Departures"), .paragraph(words)] }
    var table = ReportTable(
      caption: comparison.departures.count > Self.shownRows
        ? "The first \(Self.shownRows) of \(comparison.departures.count)." : "",
      [
        "<Scalar", "<Arm", "\(positionTitle) of departure", "<Side", "Deviations", "Steps outside",
        "<At the end",
      ])
    for item in comparison.departures.prefix(Self.shownRows) {
      table.add([
        ReportTable.Cell(item.scalar), ReportTable.Cell(item.arm, look: look(item.arm)),
        ReportTable.Cell(position(item.position)),
        ReportTable.Cell(item.departure.isAbove ? "above" : "below"),
        ReportTable.Cell(
          item.departure.deviations.map { ReportNumber.significant($0, 2) } ?? ReportNumber.none),
        ReportTable.Cell(ReportNumber.count(item.departure.total)),
        ReportTable.Cell(item.departure.isAtEnd ? "outside" : "back"),
      ])
    }
    return [.heading("Departures"), .paragraph(words), .table(table)]
  }

  private func position(_ position: Double) -> String {
    comparison.alignment == .step
      ? ReportNumber.count(Int(position)) : ReportNumber.fixed(position, 2)
  }

  private func roughness() -> [ReportBlock] {
    var parameters: [String] = []
    for row in comparison.roughness where !parameters.contains(row.parameter) {
      parameters.append(row.parameter)
    }
    if parameters.isEmpty { return [] }
    var table = ReportTable(
      caption:
        "Root mean square of second differences from update to update, all values of a parameter together, mean over runs; "
        + "in brackets over the baseline's. A straight line has 0.",
      ["<Parameter"] + arms)
    for parameter in parameters {
      let cells = arms.map { arm -> String in
        let row = comparison.roughness.first { $0.parameter == parameter && $0.arm == arm }
        guard let row, let value = row.updates.value else { return ReportNumber.none }
        let ratio = arm == comparison.baseline ? nil : row.ratio
        return ReportNumber.significant(value, 3)
          + (ratio.map { " (\(ReportNumber.factor($0)))" } ?? "")
      }
      table.add([parameter] + cells)
    }
    return [.heading("Roughness"), .table(table)]
  }

  private func jumps() -> [ReportBlock] {
    /// Differences that far out are seldom: 3 robust deviations.
    let unusual = 3.0
    struct Key: Hashable {
      var scalar: String
      var transition: String
    }
    var rows: [Key: [ScalarComparison.JumpRow]] = [:]
    var order: [Key] = []
    for row in comparison.jumps {
      let key = Key(scalar: row.scalar, transition: row.transition)
      if rows[key] == nil { order.append(key) }
      rows[key, default: []].append(row)
    }
    if order.isEmpty { return [] }
    func size(_ key: Key) -> Double {
      (rows[key] ?? []).compactMap { $0.unusual.map { abs($0) } }.max() ?? 0
    }
    let shown = order.filter { size($0) >= unusual }.sorted { size($0) > size($1) }
    let words =
      "How far a scalar moves where one stage follows another: the median of 5 recorded values from the transition on, less that of the 5 before it; "
      + "in brackets, in deviations of all such differences of the same run elsewhere. Listed are those beyond \(Int(unusual)) deviations in some arm: "
      + "\(shown.count) of \(order.count)."
    if shown.isEmpty { return [.heading("Jumps at transitions"), .paragraph(words)] }
    var table = ReportTable(
      caption: shown.count > Self.shownRows ? "The \(Self.shownRows) most unusual." : "",
      ["<Scalar", "<Transition"] + arms)
    for key in shown.prefix(Self.shownRows) {
      let cells = arms.map { arm -> String in
        guard let row = rows[key]?.first(where: { $0.arm == arm }) else { return ReportNumber.none }
        let sign = row.size > 0 ? "+" : ""
        return sign + ReportNumber.significant(row.size, 2)
          + (row.unusual.map { " (\(ReportNumber.fixed($0, 1)))" } ?? "")
      }
      table.add([key.scalar, key.transition] + cells)
    }
    return [.heading("Jumps at transitions"), .paragraph(words), .table(table)]
  }
}
