// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics

/// Finds what a reader has to know before believing a record.
struct RecordFlags {
  let rules: RecordRules
  private(set) var flags: [RecordFlag] = []
  /// What was simulated, by its words: sets of one analysis ask the same.
  private var rates: [String: Double] = [:]

  /// Runs up to which false positives are simulated: numbers of runs come from files too.
  private static let mostLooks = 1_000

  init(_ rules: RecordRules) { self.rules = rules }

  private mutating func add(_ code: RecordFlag.Code, _ set: String?, _ text: String) {
    flags.append(RecordFlag(code, set, text))
  }

  private mutating func rate(_ question: String, _ simulate: () -> Double) -> Double {
    if let known = rates[question] { return known }
    let rate = simulate()
    rates[question] = rate
    return rate
  }

  // MARK: - One set

  mutating func look(at set: RunSet, _ test: TargetTest?) {
    numbers(set)
    count(set, test)
    steps(set)
    let tuned = set.runs.filter(\.isTunedOn)
    if !tuned.isEmpty { tunedOn(set, tuned, test) }
    let recipes = Set(set.runs.compactMap(\.recipe))
    if recipes.count > 1 {
      add(
        .recipesDiffer, set.name,
        "its runs are of \(recipes.count) recipes (configuration or source text differ in more than seeds): "
          + "they are no replicates of one thing")
    }
    for (index, run) in set.runs.enumerated() {
      for other in set.runs[..<index] where run.origin == .log {
        let equal = DuplicateCheck.equalValidations(run, other)
        if equal > 1 {
          add(
            .similarRuns, set.name,
            "\(other.label) and \(run.label) have equal losses at all \(equal) validations: perhaps one run twice"
          )
        }
      }
    }
    if let test { influence(set, test) }
    registered(set)
  }

  private mutating func numbers(_ set: RunSet) {
    let diverged = set.runs.filter { $0.loss.map { !$0.isFinite } ?? false }
    if !diverged.isEmpty {
      add(
        .diverged, set.name,
        "\(Self.list(diverged)) diverged: there is no mean, and nothing can be claimed; a run that is left out is a run "
          + "that was chosen")
    }
    let silent = set.runs.filter { $0.loss == nil }
    if !silent.isEmpty, silent.count < set.runs.count {
      add(.numbersMissing, set.name, "\(silent.count) of \(set.count) runs have no loss")
    }
    let timeless = set.runs.filter { $0.seconds == nil }
    if !timeless.isEmpty, timeless.count < set.runs.count {
      add(.numbersMissing, set.name, "\(timeless.count) of \(set.count) runs have no time")
    }
    if let loss = set.printed?.loss {
      add(
        .roundedNumbers, set.name,
        "only count, mean and deviation are known, with \(loss.meanDecimals) and \(loss.deviationDecimals) digits: p is "
          + "known within the range that this rounding allows, single runs cannot be looked at, and nobody can see "
          + "whether a seed counts twice")
    }
    let machines = Set(set.runs.filter { $0.seconds != nil }.map { $0.machine ?? "" })
    if machines.count > 1 {
      add(
        .otherMachine, set.name,
        "its times are from \(machines.count) machines or sets of software: the mean time is of no machine"
      )
    }
  }

  private mutating func count(_ set: RunSet, _ test: TargetTest?) {
    let planned = rules.plannedRuns[set.name] ?? set.registration?.runs
    let n = set.count
    guard let planned else {
      guard n >= 2, test != nil else { return }
      let looks = 3...min(max(20, n), Self.mostLooks)
      let level = rules.level
      let rate = rate("looks \(looks)") {
        OptionalStopping.falsePositives(counts: looks, level: level)
      }
      var text =
        "that there would be \(n) runs was not fixed beforehand, as far as is known; whoever stops as soon as p < "
        + "\(Self.short(rules.level)) between 3 and \(looks.upperBound) runs has about \(Self.percent(rate)) false positives "
        + "instead of \(Self.percent(rules.level))"
      if let threshold = rules.threshold, let deviation = rules.deviation {
        let z = self.rate("z \(looks)") {
          OptionalStopping.falsePositives(counts: looks, threshold: threshold / deviation)
        }
        text += " (the z rule \(Self.percent(z)))"
      }
      add(
        .runsNotFixed, set.name,
        text + "; fix the number with --planned, or in a line '# preregistered: runs=N'")
      return
    }
    if n < planned {
      let missing = planned - n
      var text = "\(planned) runs were fixed and \(n) are here"
      if n >= 2, planned <= Self.mostLooks {
        let rate = OptionalStopping.falsePositives(
          dropping: missing, of: planned, level: rules.level)
        text +=
          "; if those with the highest losses were left out, a claim at \(Self.short(rules.level)) has "
          + "\(Self.percent(rate)) false positives instead of \(Self.percent(rules.level))"
      }
      add(.runsMissing, set.name, text + "; show all runs")
    } else if n > planned {
      var text = "\(planned) runs were fixed and \(n) are here; "
      text += "adding runs until p < \(Self.short(rules.level)) has "
      if n <= Self.mostLooks {
        let rate = OptionalStopping.falsePositives(
          counts: max(planned, 2)...n, level: rules.level)
        text +=
          "up to \(Self.percent(rate)) false positives instead of \(Self.percent(rules.level))"
      } else {
        text += "more false positives than \(Self.percent(rules.level))"
      }
      add(.runsAdded, set.name, text)
    }
  }

  private mutating func steps(_ set: RunSet) {
    let done = Set(set.runs.compactMap(\.steps))
    guard done.count > 1, let least = done.min(), let most = done.max() else { return }
    let planned = Set(set.runs.compactMap(\.plannedSteps))
    if planned.count == 1 {
      add(
        .stoppedPerRun, set.name,
        "its runs were planned alike and ended at different steps (\(least) to \(most)): each was stopped by itself, which "
          + "selects on the outcome; compare all at one step with --at-step")
    } else {
      add(
        .stepsDiffer, set.name,
        "its runs have different lengths (\(least) to \(most) steps): they are no replicates of one recipe"
      )
    }
  }

  private mutating func tunedOn(_ set: RunSet, _ tuned: [RecordedRun], _ test: TargetTest?) {
    let seeds = tuned.map { $0.seed.map { "\($0)" } ?? $0.name }.joined(separator: ", ")
    var text = "hyperparameters were chosen on seed \(seeds): its loss is too low by that choice"
    let rest = set.runs.filter { !$0.isTunedOn }.compactMap(\.loss)
    if let test, rest.count >= 2 {
      let p = Tests.oneSample(rest, target: test.target, alternative: .below).pValue
      text += "; without it p = \(Self.p(p)) over \(rest.count) runs"
    }
    add(.tunedOnSeed, set.name, text)
  }

  private mutating func influence(_ set: RunSet, _ test: TargetTest) {
    let turned = test.influence.filter { ($0.pValue < test.level) != test.passes }
    guard !turned.isEmpty else { return }
    let names = turned.map { "\($0.run) (loss \($0.loss), p = \(Self.p($0.pValue)))" }
      .joined(separator: ", ")
    add(
      .restsOnOneRun, set.name,
      "p = \(Self.p(test.pValue)) \(test.passes ? "passes" : "does not pass"), and without one of these runs it would be the "
        + "other way round: \(names)")
  }

  private mutating func registered(_ set: RunSet) {
    guard let registration = set.registration else { return }
    if let target = registration.target, let asked = rules.target, target != asked {
      add(
        .otherRule, set.name,
        "\(registration.origin) fixed the target \(target), and \(asked) is asked for now")
    }
    if let level = registration.level, rules.target != nil, level != rules.level {
      add(
        .otherRule, set.name,
        "\(registration.origin) fixed the level \(level), and \(rules.level) is asked for now")
    }
  }

  // MARK: - Two sets

  mutating func look(
    at comparison: RecordComparison, _ baseline: RunSet, _ candidate: RunSet,
    _ rate: ExchangeRate?
  ) {
    if comparison.time != nil, !comparison.isTimeOnOneMachine {
      let machines = Set((baseline.runs + candidate.runs).compactMap(\.machine)).sorted()
      add(
        .otherMachine, candidate.name,
        machines.isEmpty
          ? "nobody knows on which machines these times and those of \(baseline.name) were measured: the difference of times "
            + "means something only if it was one"
          : "times of \(baseline.name) and \(candidate.name) are from different machines or software "
            + "(\(machines.joined(separator: " | "))): their difference is not a speed-up")
    }
    if let steps = comparison.stepDifference, steps != 0, rate == nil {
      add(
        .stepsDiffer, candidate.name,
        "it has \(abs(steps)) steps \(steps < 0 ? "fewer" : "more") than \(baseline.name), and nobody said what a step is worth: "
          + "losses of different lengths are not compared as methods; measure a rate with --exchange"
      )
    }
    if let rate, Set(rate.sets) == [baseline.name, candidate.name] {
      add(
        .weakExchangeRate, candidate.name,
        "the exchange rate was measured on these two sets, so at equal length they are equal by construction: measure it on one "
          + "recipe at two lengths")
    }
    for run in candidate.runs {
      guard let seed = run.seed, let twin = baseline.runs.first(where: { $0.seed == seed }) else {
        continue
      }
      if DuplicateCheck.equalValidations(run, twin) > 0 {
        add(
          .changeIsInert, candidate.name,
          "seed \(seed) has the same losses under \(baseline.name) to the last digit: the change does nothing"
        )
      }
    }
    for influence in comparison.influence {
      guard let test = comparison.welch, comparison.method == .welch else { break }
      let level = 1 - rules.confidence
      if test.pValue < level, influence.pValue >= level {
        add(
          .restsOnOneRun, candidate.name,
          "the difference from \(baseline.name) (p = \(Self.p(test.pValue))) rests on \(influence.run) of \(influence.set): "
            + "without it p = \(Self.p(influence.pValue))")
      }
    }
  }

  mutating func look(at rate: ExchangeRate, _ sets: [RunSet]) {
    guard !rate.sets.isEmpty else { return }
    if rate.perHundredSteps <= 0 || (rate.interval.map { $0.contains(0) } ?? true) {
      add(
        .weakExchangeRate, nil,
        "the exchange rate \(Self.short(rate.perHundredSteps)) for 100 steps cannot be told from 0 "
          + "(p = \(Self.p(rate.pValue ?? 1))): steps cannot be reckoned as losses with it; measure it on more runs or lengths "
          + "further apart")
    }
    let own = sets.filter { rate.sets.contains($0.name) }
    let recipes = Set(own.flatMap { $0.runs.compactMap(\.recipe) })
    if recipes.count > 1 {
      add(
        .weakExchangeRate, nil,
        "the exchange rate's sets \(rate.sets.joined(separator: " and ")) differ in more than their recorded length: it holds only "
          + "if the length is all that differs in effect")
    }
  }

  // MARK: - Words

  private static func list(_ runs: [RecordedRun]) -> String {
    runs.map(\.name).joined(separator: ", ")
  }

  private static func short(_ number: Double) -> String { String(format: "%.4g", number) }

  static func p(_ value: Double) -> String {
    value >= 0.0001 || value == 0 ? String(format: "%.4f", value) : String(format: "%.1e", value)
  }

  static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
}
