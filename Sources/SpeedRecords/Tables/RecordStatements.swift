// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics

/// What an analysis says, in sentences: the same for text and Markdown.
struct RecordStatements {
  let analysis: RecordAnalysis

  init(_ analysis: RecordAnalysis) { self.analysis = analysis }

  /// Titles with their lines; sections without lines are left out.
  var sections: [(title: String, lines: [String])] {
    let rules = analysis.rules
    let target = rules.target.map { "below the target \(Self.short($0))" } ?? ""
    var sections = [
      (target, analysis.rows.flatMap { row in row.target.map { lines(row, $0) } ?? [] })
    ]
    if let rate = analysis.exchangeRate { sections.append(("what steps are worth", [line(rate)])) }
    for comparison in analysis.comparisons {
      sections.append(
        ("\(comparison.candidate) against \(comparison.baseline)", lines(comparison)))
    }
    sections.append(
      (
        "before you believe it",
        analysis.flags.map { flag in
          "[\(flag.code.rawValue)] " + (flag.set.map { $0 + ": " } ?? "") + flag.text
        }
      ))
    return sections.filter { !$0.1.isEmpty }.map { (title: $0.0, lines: $0.1) }
  }

  // MARK: - Target

  private func lines(_ row: RecordAnalysis.Row, _ test: TargetTest) -> [String] {
    var first = "\(row.name): n = \(test.count)"
    if let mean = row.loss?.mean { first += ", mean \(RecordTable.fixed(mean, 5))" }
    if let deviation = row.loss?.standardDeviation {
      first += ", sd \(RecordTable.fixed(deviation, 5))"
    }
    first += test.t.map { ", t = \(RecordTable.fixed($0, 3))" } ?? ", no t"
    first += ", one-sided p = \(RecordFlags.p(test.pValue))"
    if let range = test.pValueRange {
      first +=
        " (\(RecordFlags.p(range[0])) to \(RecordFlags.p(range[1])) within the printed digits)"
    }
    first += test.passes ? ": passes" : ": does not pass"
    first += " at \(Self.short(test.level))"
    var lines = [first]
    if let statistic = test.zStatistic {
      var text =
        "\(row.name): (target - mean) sqrt(n) = \(RecordTable.fixed(statistic, 4))"
      if let passes = test.passesZRule, let threshold = analysis.rules.threshold {
        text += passes ? ", reaches" : ", does not reach"
        text += " \(RecordTable.fixed(threshold, 4)) of the z rule"
      }
      lines.append(text)
    }
    if let power = test.power {
      var text =
        "\(row.name): were margin and deviation the true ones, \(test.count) runs would pass with "
        + "\(RecordFlags.percent(power))"
      if let runs = test.requiredRuns {
        text += "; \(RecordFlags.percent(analysis.rules.power)) need \(runs) runs"
        if let other = test.requiredRunsOfZRule { text += " (z rule: \(other))" }
      } else if let mean = row.loss?.mean, mean < test.target {
        text += "; \(RecordFlags.percent(analysis.rules.power)) need more than 10,000 runs"
      } else {
        text += "; the mean is not below the target, and no number of runs would help"
      }
      lines.append(text)
    }
    if let least = test.influence.min(by: { $0.pValue < $1.pValue }),
      let most = test.influence.max(by: { $0.pValue < $1.pValue })
    {
      lines.append(
        "\(row.name): p without one run goes from \(RecordFlags.p(least.pValue)) (without \(least.run), loss "
          + "\(Self.short(least.loss))) to \(RecordFlags.p(most.pValue)) (without \(most.run), loss \(Self.short(most.loss)))"
      )
    }
    return lines
  }

  // MARK: - Steps

  private func line(_ rate: ExchangeRate) -> String {
    var text = "\(RecordTable.fixed(rate.perHundredSteps, 5)) nats for 100 steps"
    if let interval = rate.interval { text += " \(Self.interval(interval, 5))" }
    return text + "; " + rate.origin
  }

  // MARK: - Differences

  private func lines(_ comparison: RecordComparison) -> [String] {
    var lines: [String] = []
    if let loss = comparison.loss, let estimate = loss.estimate {
      var text = "loss \(Self.signed(estimate, 5))"
      if let interval = loss.interval { text += " \(Self.interval(interval, 5))" }
      text += ", two-sided p = \(RecordFlags.p(loss.pValue))"
      if let freedom = loss.degreesOfFreedom {
        text += comparison.method == .paired ? " (paired t, df " : " (Welch t, df "
        text += RecordTable.fixed(freedom, 1) + ")"
      }
      lines.append(text)
    }
    if let pairing = comparison.pairing { lines.append(line(pairing, comparison)) }
    if let steps = comparison.stepDifference, steps != 0 {
      lines.append("\(abs(steps)) steps \(steps < 0 ? "fewer" : "more")")
    }
    if let gain = comparison.equalised { lines += self.lines(gain, comparison) }
    if let time = comparison.time, let estimate = time.estimate {
      var text = "time \(Self.signed(estimate, 4)) s"
      if let interval = time.interval { text += " \(Self.interval(interval, 4))" }
      text += ", two-sided p = \(RecordFlags.p(time.pValue))"
      if !comparison.isTimeOnOneMachine { text += "; not known to be from one machine" }
      lines.append(text)
    }
    if let power = comparison.power {
      var text =
        "were this the true difference, these runs would find it with \(RecordFlags.percent(power))"
      if let runs = comparison.requiredRuns {
        text += "; \(RecordFlags.percent(analysis.rules.power)) need \(runs) runs on each side"
      }
      lines.append(text)
    }
    if let least = comparison.influence.min(by: { $0.pValue < $1.pValue }),
      let most = comparison.influence.max(by: { $0.pValue < $1.pValue })
    {
      lines.append(
        "Welch's p without one run goes from \(RecordFlags.p(least.pValue)) (without \(least.run) of \(least.set)) to "
          + "\(RecordFlags.p(most.pValue)) (without \(most.run) of \(most.set))")
    }
    return lines
  }

  private func line(_ pairing: RecordComparison.Pairing, _ comparison: RecordComparison) -> String {
    let r = pairing.correlation.coefficient
    var text = "\(pairing.sharedSeeds) shared seeds, pair correlation "
    text += r.map { RecordTable.fixed($0, 2) } ?? "not known"
    if let interval = pairing.correlation.interval { text += " \(Self.interval(interval, 2))" }
    switch comparison.method {
    case .paired:
      text += "; unpaired, Welch's p would be \(RecordFlags.p(comparison.welch?.pValue ?? 1))"
    case .welch:
      text +=
        ": too few or too weak for pairs, so Welch's test stands first; paired p = "
        + RecordFlags.p(pairing.test.pValue)
    }
    return text
  }

  private func lines(
    _ gain: RecordComparison.EqualisedGain, _ comparison: RecordComparison
  ) -> [String] {
    var lines: [String] = []
    if let estimate = gain.gain {
      var text = "gain at equal length \(Self.signed(estimate, 5))"
      if let interval = gain.interval { text += " \(Self.interval(interval, 5))" }
      text += " nats, one-sided p = \(RecordFlags.p(gain.pValue))"
      lines.append(text)
    }
    if let statistic = gain.statistic, let passes = gain.passesPairwiseRule,
      let threshold = analysis.rules.threshold
    {
      lines.append(
        "pairwise rule: \(RecordTable.fixed(statistic, 4))\(passes ? " reaches" : " does not reach") "
          + RecordTable.fixed(threshold, 4))
    }
    if let steps = gain.steps {
      var text = "worth \(Self.signed(steps, 1)) steps"
      if let interval = gain.stepsInterval {
        text += " \(Self.interval(interval, 1))"
      } else {
        text += " (without an interval: the exchange rate cannot be told from 0)"
      }
      if let seconds = gain.seconds { text += ", \(Self.signed(seconds, 2)) s" }
      lines.append(text)
    }
    return lines
  }

  // MARK: - Numbers

  private static func short(_ number: Double) -> String { String(format: "%.6g", number) }

  private static func signed(_ number: Double, _ digits: Int) -> String {
    (number > 0 ? "+" : "") + RecordTable.fixed(number, digits)
  }

  private static func interval(_ interval: ConfidenceInterval, _ digits: Int) -> String {
    "[\(RecordTable.fixed(interval.lower, digits)), \(RecordTable.fixed(interval.upper, digits))]"
  }
}
