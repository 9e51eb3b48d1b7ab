// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import RunRecords
import Statistics

extension ReportContents {
  /// Statements with pass rules, and what the records say about them.
  func claims() -> ReportSection? {
    guard !analysis.claims.isEmpty else { return nil }
    var table = ReportTable([
      "<claim", "<statement", "<outcome", "left", "right", "difference", "threshold", "p",
      "p, corrected",
      "p of the opposite, corrected", "<family", "<in words",
    ])
    for result in analysis.claims {
      let tone: ReportTable.Tone =
        switch result.outcome {
        case .holds: .good
        case .fails: .bad
        case .notDistinguishable, .noData: .open
        }
      table.add([
        .init(result.name), .init(result.claim.statement),
        .init(outcome(result.outcome), tone: tone),
        .init(bracketed(result.left)), .init(bracketed(result.right)),
        .init(difference(result.difference.value, result.difference.interval)),
        .init(result.threshold.map { ReportNumber.significant($0, 3) } ?? ""),
        .init(result.pValue.map(ReportNumber.probability) ?? ""),
        .init(result.adjustedPValue.map(ReportNumber.probability) ?? ""),
        .init(result.adjustedOppositePValue.map(ReportNumber.probability) ?? ""),
        .init(result.claim.family),
        .init(result.text),
      ])
    }
    return section(
      "claims", "Claims",
      [
        .paragraph(
          "Each claim and its pass rule were declared before the first trial. Holm's correction runs over the claims of a family. "
            + "Not distinguishable means that neither the claim nor its opposite can be shown with so many seeds."
        ),
        .table(table.withoutEmptyColumns),
      ])
  }

  func outcome(_ outcome: ClaimResult.Outcome) -> String {
    switch outcome {
    case .holds: "holds"
    case .fails: "fails"
    case .notDistinguishable: "not distinguishable"
    case .noData: "no data"
    }
  }

  /// Every pair with its tests.
  func pairs() -> ReportSection? {
    var blocks: [ReportBlock] = []
    for variant in variants where !variant.differences.isEmpty {
      blocks += heading(variant)
      var table = ReportTable([
        "<arm", "<against", "<family", "n", "difference", "<verdict", "p", "p, corrected",
        "<correction", "exact p",
        "p of equivalence", "corrected", "<test", "<pairing", "second opinion", "<in words",
      ])
      for item in variant.differences {
        let test = item.test
        table.add([
          armCell(item.arm), .init(item.other), .init(item.isInFamily ? "yes" : "no"),
          .init(test.counts.map(String.init).joined(separator: " / ")),
          .init(difference(test.estimate, test.interval)), cell(item.verdict),
          .init(ReportNumber.probability(test.pValue)),
          .init(ReportNumber.probability(item.adjustedPValue)), .init(words(item.adjustment)),
          .init(
            item.permutation.map {
              ReportNumber.probability($0.pValue)
                + ($0.smallestPossible > study.rule.level
                  ? " (least possible \(ReportNumber.probability($0.smallestPossible)))" : "")
            } ?? ""),
          .init(item.equivalence.map { ReportNumber.probability($0.pValue) } ?? ""),
          .init(item.adjustedEquivalencePValue.map(ReportNumber.probability) ?? ""),
          .init(method(test)), .init(item.pairing),
          .init(
            item.secondOpinion.map {
              brackets($0, ReportNumber.decimals(for: $0.width / 2), isSigned: true)
            } ?? ""), .init(item.verdict.text),
        ])
      }
      blocks.append(.table(table.withoutEmptyColumns))
    }
    if !blocks.isEmpty {
      blocks.insert(
        .paragraph(
          "Mean final loss of the arm minus that of what it stands against, in \(Self.lossUnit): negative is better. "
            + "Intervals are those of single comparisons; corrected p-values are what verdicts look at. The second opinion, where "
            + "losses are skewed, is the interval of a studentised bootstrap."
        ), at: 0)
      blocks += contrasts()
    }
    return section("pairs", "Pairs and tests", blocks)
  }

  /// Differences over variants, and between them.
  private func contrasts() -> [ReportBlock] {
    var table = ReportTable([
      "<arm", "mean difference", "p", "difference between variants", "p",
    ])
    for item in analysis.contrasts {
      table.add([
        armCell(item.arm), .init(difference(item.mean.estimate, item.mean.interval)),
        .init(ReportNumber.probability(item.mean.pValue)),
        .init(item.interaction.map { difference($0.estimate, $0.interval) } ?? ""),
        .init(item.interaction.map { ReportNumber.probability($0.pValue) } ?? ""),
      ])
    }
    guard !table.rows.isEmpty else { return [] }
    return [
      .heading("Across variants"),
      .paragraph(
        "The difference to \(study.baseline) as a mean over variants, and by how much it is another in the last of two variants than in "
          + "the first. Not corrected for their number: no verdict stands on them."),
      .table(table.withoutEmptyColumns),
    ]
  }

  private func words(_ adjustment: Adjustment) -> String {
    switch adjustment {
    case .family: "Holm, family"
    case .exploration: "Benjamini-Hochberg, exploration"
    case .allPairs: "Holm, all pairs"
    }
  }

  private func method(_ test: DifferenceTest) -> String {
    let name =
      switch test.method {
      case .welch: "Welch's t"
      case .paired: "Student's t on pairs"
      case .contrast: "t of a contrast"
      }
    return name + (test.degreesOfFreedom.map { ", df \(ReportNumber.significant($0, 3))" } ?? "")
  }

  /// The noise floor, and what the study could have seen.
  func noise() -> ReportSection? {
    var blocks: [ReportBlock] = []
    var lines: [String] = []
    for variant in variants {
      let noise = variant.noise
      guard let deviation = noise.deviation else { continue }
      let source =
        switch noise.source {
        case .calibration: "measured by calibration, on seeds of its own"
        case .residuals: "pooled from the study's own replicates; there was no calibration"
        case .unknown: "of unknown source"
        }
      let interval =
        noise.interval.map {
          " (\(ReportNumber.percent($0.level)) interval \(ReportNumber.significant($0.lower, 2)) to "
            + "\(ReportNumber.significant($0.upper, 2)))"
        } ?? ""
      lines.append(
        (hasVariants ? "\(variant.name): " : "")
          + "a final loss moves from seed to seed by a standard deviation of \(ReportNumber.significant(deviation, 2)) "
          + "\(Self.lossUnit)\(interval), \(noise.degreesOfFreedom) degrees of freedom, \(source).")
    }
    if !lines.isEmpty { blocks.append(.list(lines)) }
    let power = powerTable().withoutEmptyColumns
    if !power.rows.isEmpty { blocks.append(.table(power)) }
    blocks += calibrationBlocks()
    let correlations = correlationTable().withoutEmptyColumns
    if !correlations.rows.isEmpty { blocks.append(.table(correlations)) }
    return section("noise", "Noise floor and power", blocks)
  }

  private func powerTable() -> ReportTable {
    var table = ReportTable(
      caption:
        "What each comparison could have seen, and how many seeds an arm other differences would need.",
      [
        "<variant", "<arm", "<against", "chance", "smallest difference seen", "in deviations",
        "seeds for half of it", "seeds for the observed difference", "seeds to show equivalence",
      ])
    for variant in variants {
      for item in variant.differences where item.isInFamily {
        let power = item.power
        table.add([
          .init(hasVariants ? variant.name : ""), armCell(item.arm), .init(item.other),
          .init(ReportNumber.percent(power.power)),
          .init(power.detectableDifference.map { ReportNumber.significant($0, 2) } ?? ""),
          .init(power.detectableDeviations.map { ReportNumber.significant($0, 3) } ?? ""),
          .init(power.countForHalf.map(ReportNumber.count) ?? ""),
          .init(power.countForObserved.map(ReportNumber.count) ?? ""),
          .init(power.countForEquivalence.map(ReportNumber.count) ?? ""),
        ])
      }
    }
    return table
  }

  private func calibrationBlocks() -> [ReportBlock] {
    guard let calibration = analysis.calibration else { return [] }
    var table = ReportTable(
      caption:
        "Calibration of \(calibration.name), \(ReportNumber.time(calibration.measuredAt)), revision "
        + "\(calibration.revision), seeds \(seeds(calibration.seeds)).",
      ["<variant", "<arm", "<varied", "n", "mean loss", "standard deviation", "failures"])
    for spread in calibration.spreads {
      let varied =
        switch spread.varied {
        case .both: "weights and data order"
        case .initial: "weights"
        case .data: "data order"
        }
      let interval =
        spread.interval.map {
          " [\(ReportNumber.significant($0.lower, 2)), \(ReportNumber.significant($0.upper, 2))]"
        } ?? ""
      table.add([
        .init(spread.variant), armCell(spread.arm), .init(varied), .init("\(spread.losses.count)"),
        .init(spread.mean.map { ReportNumber.fixed($0, 4) } ?? ""),
        .init(spread.deviation.map { ReportNumber.significant($0, 2) + interval } ?? ""),
        .init("\(spread.failures)"),
      ])
    }
    return table.rows.isEmpty ? [] : [.table(table)]
  }

  private func correlationTable() -> ReportTable {
    var table = ReportTable(
      caption: "How losses of two arms move together over shared seeds.",
      ["<variant", "<arm", "<other", "correlation", "pairs", "<from"])
    func add(_ variant: String, _ item: ArmCorrelation, _ source: String) {
      let interval = item.interval.map { " " + brackets($0, 2) } ?? ""
      table.add([
        .init(hasVariants ? variant : ""), armCell(item.arm), .init(item.other),
        .init(item.value.map { ReportNumber.fixed($0, 2) + interval } ?? ReportNumber.none),
        .init("\(item.count)"), .init(source),
      ])
    }
    for pair in analysis.calibration?.pairs ?? [] {
      add(pair.variant, pair.correlation, "calibration")
    }
    // Of the study itself only those of the family: with many arms all pairs would hide them.
    for variant in variants where variant.noise.source != .calibration {
      let family = variant.differences.filter(\.isInFamily).map { Set([$0.arm, $0.other]) }
      for item in variant.noise.correlations where family.contains(Set([item.arm, item.other])) {
        add(variant.name, item, "this study, for information")
      }
    }
    return table
  }
}
