// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison
import Foundation
import RunRecords
import Statistics

/// Turns an analysis into blocks: each section is an extension in a file of its own.
///
/// Nothing is computed here that decides anything: numbers are chosen, rounded, and put into words, tables and drawings.
struct ReportContents {
  let analysis: StudyAnalysis
  /// The small parameters of its runs, by variant.
  let scalars: [(variant: String, scalars: ScalarComparison)]
  /// The look of every arm, the same in all charts and tables.
  private let looks: [String: ChartLook]

  init(
    _ analysis: StudyAnalysis, scalars: [(variant: String, scalars: ScalarComparison)] = []
  ) {
    self.analysis = analysis
    self.scalars = scalars
    var looks: [String: ChartLook] = [:]
    for arm in analysis.study.arms where looks[arm.name] == nil {
      looks[arm.name] = ChartLook(looks.count)
    }
    // Arms of damaged records, which the declaration does not know.
    for arm in analysis.variants.flatMap(\.arms) where looks[arm.name] == nil {
      looks[arm.name] = ChartLook(looks.count)
    }
    self.looks = looks
  }

  /// How many looks are in use.
  var lookCount: Int { max(looks.count, 8) }

  func look(_ arm: String) -> ChartLook { looks[arm] ?? ChartLook(looks.count) }

  var study: StudyRecord { analysis.study }
  var variants: [VariantAnalysis] { analysis.variants }
  /// Whether variants need to be told apart.
  var hasVariants: Bool { variants.count > 1 || variants.first.map { $0.name != "main" } ?? false }

  /// The whole report, sections without data left out.
  func document() -> ReportDocument {
    let sections = [
      answer(), leaderboard(), tuning(), sweeps(), sensitivity(), lossCurves(), targets(),
      telemetry(), scalarSection(), budgetCurves(), cost(), claims(), pairs(), noise(), contract(),
      rules(), stops(),
      trials(), marks(), reproduction(),
    ]
    return ReportDocument(
      title: analysis.title, lead: lead(), sections: sections.compactMap { $0 })
  }

  /// A section, or nothing where there is nothing to show.
  func section(_ name: String, _ title: String, _ blocks: [ReportBlock]) -> ReportSection? {
    blocks.isEmpty ? nil : ReportSection(name: name, title: title, blocks: blocks)
  }

  /// A text with a capital at its beginning.
  static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

  /// A name for a file or an anchor.
  static func fileName(_ parts: String...) -> String {
    let text = parts.joined(separator: "-").lowercased()
    var result = ""
    for character in text {
      let isPlain = character.isASCII && (character.isLetter || character.isNumber)
      if isPlain {
        result.append(character)
      } else if !result.hasSuffix("-"), !result.isEmpty {
        result.append("-")
      }
    }
    while result.hasSuffix("-") { result.removeLast() }
    return result.isEmpty ? "figure" : String(result.prefix(60))
  }
}

// MARK: - Small parameters

extension ReportContents {
  /// The scalars of every variant that recorded any.
  func scalarSection() -> ReportSection? {
    let blocks = scalars.flatMap { variant, comparison -> [ReportBlock] in
      let contents = ScalarContents(
        comparison: comparison, look: look, suffix: hasVariants ? variant : "")
      let own = contents.blocks()
      return own.isEmpty ? [] : (hasVariants ? [.heading(variant)] : []) + own
    }
    return section("scalars", "Scalars", blocks)
  }
}

// MARK: - Numbers of the study in words

extension ReportContents {
  static let lossUnit = "nats per token"

  /// Digits of a loss: as many as its uncertainty deserves, and two at least, for a loss is a number of a few nats.
  static func lossDecimals(_ uncertainty: Double) -> Int {
    max(2, ReportNumber.decimals(for: uncertainty))
  }

  /// A loss with its interval: `1.487 +/- 0.006`.
  func loss(_ estimate: Estimate?) -> String {
    guard let estimate, let value = estimate.value else { return ReportNumber.none }
    guard let interval = estimate.interval, interval.isBounded, interval.width > 0 else {
      return ReportNumber.fixed(value, 4)
    }
    let half = interval.width / 2
    let decimals = Self.lossDecimals(half)
    return "\(ReportNumber.fixed(value, decimals)) \u{00B1} \(ReportNumber.fixed(half, decimals))"
  }

  /// An estimate with its interval in brackets, for intervals that are not even about it.
  func bracketed(_ estimate: Estimate?) -> String {
    guard let estimate, let value = estimate.value else { return ReportNumber.none }
    // Narrower than rounding is no interval.
    guard let interval = estimate.interval, interval.isBounded, interval.width > 1e-9 * abs(value)
    else { return ReportNumber.significant(value, 3) }
    let decimals = ReportNumber.decimals(for: interval.width / 2)
    return ReportNumber.fixed(value, decimals) + " " + brackets(interval, decimals)
  }

  func brackets(_ interval: ConfidenceInterval, _ decimals: Int, isSigned: Bool = false) -> String {
    let write = isSigned ? ReportNumber.signed : ReportNumber.fixed
    return "[\(write(interval.lower, decimals)), \(write(interval.upper, decimals))]"
  }

  /// A difference with its interval, always with signs: `-0.031 [-0.039, -0.023]`.
  func difference(_ estimate: Double?, _ interval: ConfidenceInterval?) -> String {
    guard let estimate else { return ReportNumber.none }
    guard let interval, interval.isBounded else { return ReportNumber.signed(estimate, 4) }
    let decimals = Self.lossDecimals(interval.width / 2)
    return ReportNumber.signed(estimate, decimals) + " "
      + brackets(interval, decimals, isSigned: true)
  }

  /// A number that may be a bound, with its interval: `1.34x [1.21, 1.47]`, `at least 1.6x`.
  func censored(
    _ estimate: CensoredEstimate?, _ write: (Double) -> String = { ReportNumber.significant($0, 3) }
  ) -> String {
    guard let estimate, let value = estimate.value else { return ReportNumber.none }
    var result =
      switch estimate.bound {
      case .exact: write(value)
      case .atLeast: "\u{2265} " + write(value)
      case .atMost: "\u{2264} " + write(value)
      }
    if let interval = estimate.interval {
      result += " [\(write(interval.lower)), \(write(interval.upper))]"
    }
    return result
  }

  /// The value of a knob.
  func knob(_ value: KnobValue?) -> String {
    switch value {
    case .number(let number): ReportNumber.knob(number)
    case .text(let text): text
    case nil: ReportNumber.none
    }
  }

  /// Several knobs: `optimizer.beta1 0.9, optimizer.learning_rate 0.003`.
  func knobs(_ values: [String: KnobValue]) -> String {
    values.sorted { $0.key < $1.key }.map { "\(shortKey($0.key)) \(knob($0.value))" }
      .joined(separator: ", ")
  }

  /// A key without the section that most have in common.
  func shortKey(_ key: String) -> String {
    key.hasPrefix("optimizer.") ? String(key.dropFirst("optimizer.".count)) : key
  }

  /// A count with its noun: `1 seed`, `5 seeds`.
  func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
    "\(ReportNumber.count(number)) \(number == 1 ? one : many ?? one + "s")"
  }

  /// `a`, `a and b`, `a, b and c`.
  func list(_ items: [String]) -> String {
    items.count < 2
      ? items.first ?? ""
      : items.dropLast().joined(separator: ", ") + " and " + (items.last ?? "")
  }

  /// A list that stays readable: the first few of many.
  func some(_ items: [String]) -> String {
    items.count <= 8 ? list(items) : list(Array(items.prefix(6)) + ["\(items.count - 6) others"])
  }

  /// Seeds, shortened where they follow each other: `1-5, 9`.
  func seeds(_ seeds: [Int]) -> String {
    var parts: [(first: Int, last: Int)] = []
    for seed in seeds {
      if let last = parts.last, seed == last.last + 1 {
        parts[parts.count - 1].last = seed
      } else {
        parts.append((seed, seed))
      }
    }
    return parts.map { part in
      part.first == part.last
        ? "\(part.first)"
        : part.last == part.first + 1
          ? "\(part.first), \(part.last)" : "\(part.first)\u{2013}\(part.last)"
    }.joined(separator: ", ")
  }

  /// A range of numbers in one unit: `0.07M`, `0.07M to 1.2M`.
  func range(_ values: [Double], _ write: (Double) -> String) -> String? {
    guard let least = values.min(), let most = values.max() else { return nil }
    let (low, high) = (write(least), write(most))
    return low == high ? low : "\(low) to \(high)"
  }

  /// `lion`, with its colour and marker before it.
  func armCell(_ arm: String) -> ReportTable.Cell { ReportTable.Cell(arm, look: look(arm)) }

  /// The verdict's words, with a tone.
  func cell(_ verdict: Verdict) -> ReportTable.Cell {
    let tone: ReportTable.Tone =
      switch verdict.word {
      case .better, .slightlyBetter: .good
      case .worse, .slightlyWorse: .bad
      case .equivalent, .tie: .alike
      case .undecided, .unknown: .open
      }
    return ReportTable.Cell(word(verdict.word), tone: tone)
  }

  func word(_ word: Verdict.Word) -> String {
    switch word {
    case .better: "better"
    case .worse: "worse"
    case .equivalent: "equivalent within margin"
    case .slightlyBetter: "better, by less than the margin"
    case .slightlyWorse: "worse, by less than the margin"
    case .undecided: "undecided"
    case .tie: "tie"
    case .unknown: "not known"
    }
  }

  /// How a variant is headed where there are several.
  func heading(_ variant: VariantAnalysis) -> [ReportBlock] {
    hasVariants ? [.heading(variant.name)] : []
  }

  /// The variant's name at the end of a name of a file.
  func suffix(_ variant: VariantAnalysis) -> String { hasVariants ? "-" + variant.name : "" }

  /// The difference of an arm to the baseline.
  func toBaseline(_ arm: String, in variant: VariantAnalysis) -> DifferenceAnalysis? {
    variant.differences.first { $0.arm == arm && $0.other == study.baseline }
  }
}
