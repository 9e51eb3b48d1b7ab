// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import RunRecords

/// Reads what a study does with its arms: tuning, sweeps, targets, rule, stopping.
struct StudyPartsReader {
  let reader: ConfigurationReader
  /// Arms, variants and seeds are known.
  let draft: StudyDraft
  let knobs: KnobReader

  private var arms: [String] { draft.arms.map(\.name) }

  /// The variants that `variants` names: all of them unless given.
  static func variants(_ section: ConfigurationSection, among all: [String]) -> [String] {
    guard let names = section.optionalStrings("variants", doc: "the variants it runs in; all")
    else {
      return all
    }
    if names.isEmpty {
      section.refuse("variants", message: "it would run nowhere; name variants or remove the key")
    }
    for name in names where !all.contains(name) {
      section.refuse(
        "variants",
        message: "there is no variant '\(name)'"
          + (nearest(to: name, among: all).map { "; did you mean '\($0)'?" }
            ?? "; the variants are \(all.joined(separator: ", "))"))
    }
    return all.filter(names.contains)
  }

  // MARK: - Tuning

  func tuning() -> StudyDraft.Tuning? {
    let section = reader.section("tuning")
    let own = draft.arms.filter { reader.section("arm[\($0.table)]").hasLearningRate }
    guard reader.isSection("tuning") || !own.isEmpty else { return nil }
    let standard: StudyDraft.Rates =
      section.hasLearningRate ? knobs.rates(section, "learning_rate") ?? .automatic : .automatic
    var rates: [String: StudyDraft.Rates] = [:]
    for arm in draft.arms { rates[arm.name] = standard }
    let byName = section.section("learning_rates")
    for name in byName.givenNames {
      guard knobs.check([name], byName, name), let given = knobs.rates(byName, name) else {
        byName.ignore(name)
        continue
      }
      rates[name] = given
    }
    for arm in own {
      let path = "arm[\(arm.table)]"
      if byName.givenNames.contains(arm.name) {
        reader.contradiction(
          [path + ".learning_rate", "tuning.learning_rates.\(arm.name)"],
          message: "the arm's learning rates are given twice; remove one")
      }
      if let given = knobs.rates(reader.section(path), "learning_rate") { rates[arm.name] = given }
    }
    let axisNames = section.sectionsInOrder(of: "axis")
    let axes = axisNames.compactMap { axis($0, section.section("axis").section($0)) }
    return StudyDraft.Tuning(
      rates: rates, axes: axes,
      extensions: section.optionalInteger(
        "extensions", in: 0...20, doc: "how often a grid may grow; 4 for automatic ones, else 0"),
      refines: section.boolean(
        "refine", default: true, doc: "whether points between follow, with all tuning seeds"))
  }

  private func axis(_ name: String, _ section: ConfigurationSection) -> StudyDraft.Axis? {
    let keys = knobs.keys(section)
    let values = knobs.values(section, "values")
    guard let keys, let values else { return nil }
    return StudyDraft.Axis(name: name, line: section.line, keys: keys, values: values)
  }

  // MARK: - Sweeps

  func sweeps() -> [StudyDraft.Sweep] {
    let sweeps = reader.tables("sweep").compactMap(sweep)
    for (index, sweep) in sweeps.enumerated() {
      guard let first = sweeps[..<index].firstIndex(where: { $0.sweep.name == sweep.sweep.name })
      else { continue }
      reader.contradiction(
        ["sweep[\(first)].name", "sweep[\(index)].name"],
        message: "two sweeps are called '\(sweep.sweep.name)'; give each its own name")
    }
    return sweeps
  }

  private func sweep(_ section: ConfigurationSection) -> StudyDraft.Sweep? {
    let name = section.string("name", doc: "the sweep's name")
    let keys = knobs.keys(section)
    let hasFactors = section.isGiven("factors") || section.isSection("factors")
    if hasFactors, section.isGiven("values") || section.isSection("values") {
      section.contradiction(
        "factors", "values", message: "give values, or factors of the tuned value, not both")
      section.ignore("factors")
      section.ignore("values")
      return nil
    }
    let values = knobs.values(section, hasFactors ? "factors" : "values")
    let count = draft.reportingSeeds.count
    let seeds = section.integer(
      "seeds", default: min(5, count), in: 1...10_000, doc: "reporting seeds, from the first")
    if seeds > count {
      section.refuse("seeds", message: "there are \(count) reporting seeds; use at most so many")
    }
    let variants = Self.variants(section, among: draft.variants.map(\.name))
    let isLogarithmic = section.boolean(
      "logarithmic", default: hasFactors || values?.isLogarithmic == true,
      doc: "whether the axis is logarithmic")
    guard let keys, let values else { return nil }
    if let problem = problem(values, hasFactors: hasFactors, isLogarithmic: isLogarithmic) {
      section.refuse(hasFactors ? "factors" : "values", message: problem)
      return nil
    }
    let runs = draft.arms.contains { arm in
      keys[arm.name] != nil && arm.variants.contains(where: variants.contains)
    }
    if !runs, !variants.isEmpty {
      section.contradiction(
        "variants", message: "none of its arms runs in any of its variants; name others")
    }
    let numbers = values.values.compactMap(\.number)
    return StudyDraft.Sweep(
      sweep: StudyRecord.Sweep(
        name: name, keys: keys, values: hasFactors ? .factors(numbers) : .absolute(values.values),
        variants: variants, seedCount: min(seeds, count), isLogarithmic: isLogarithmic),
      line: section.line)
  }

  private func problem(
    _ values: StudyDraft.Values, hasFactors: Bool, isLogarithmic: Bool
  ) -> String? {
    let numbers = values.values.compactMap(\.number)
    if hasFactors, numbers.isEmpty || numbers[0] <= 0 { return "factors are numbers above 0" }
    if isLogarithmic, numbers.isEmpty || numbers[0] <= 0 {
      return "a logarithmic axis takes numbers above 0; write logarithmic = false"
    }
    return nil
  }

  // MARK: - Targets

  func targets() -> StudyRecord.Targets? {
    guard reader.isSection("target") else { return nil }
    let section = reader.section("target")
    let losses = section.numbers(
      "losses", default: [], in: .positive, doc: "losses to reach, in nats per token")
    let includesBaseline = section.boolean(
      "baseline", default: losses.isEmpty,
      doc: "whether the tuned baseline's median loss is a target")
    if losses.isEmpty, !includesBaseline {
      section.contradiction(
        "losses", "baseline", message: "there is no loss to reach; give losses or baseline = true")
    }
    let ladder = section.numbers(
      "ladder", default: [0.5, 0.6, 0.7, 0.8, 0.9, 1], in: .above(0, through: 1),
      doc: "lengths of runs as parts of a full one")
    if !ladder.contains(1) {
      section.refuse("ladder", message: "the full length is missing; add 1.0")
    }
    if Set(ladder).count < ladder.count {
      section.refuse("ladder", message: "a length stands there twice; remove one")
    }
    let count = draft.reportingSeeds.count
    let seeds = section.integer(
      "seeds", default: min(5, count), in: 1...10_000,
      doc: "reporting seeds that climb, from the first")
    if seeds > count {
      section.refuse("seeds", message: "there are \(count) reporting seeds; use at most so many")
    }
    return StudyRecord.Targets(
      losses: losses, includesBaseline: includesBaseline, ladder: ladder.sorted(),
      seedCount: min(seeds, count))
  }

  // MARK: - Rule and stopping

  func rule() -> StudyRecord.ComparisonRule {
    let section = reader.section("rule")
    let level = section.number(
      "level", default: 0.05, in: .above(0, below: 0.5), doc: "two-sided level of the family")
    return StudyRecord.ComparisonRule(
      level: level, margin: margin(section),
      pairing: section.choice("pairing", default: .calibrated, doc: "how replicates are matched"),
      family: family(section),
      exploresAllPairs: section.boolean(
        "explore", default: false, doc: "whether all pairs are looked at"))
  }

  private func margin(_ section: ConfigurationSection) -> StudyRecord.ComparisonRule.Margin {
    guard section.isSection("margin") else {
      return section.optionalNumber(
        "margin", in: .positive, doc: "nats within which arms are alike"
      )
      .map { .absolute($0) } ?? .deviations(2)
    }
    let table = section.section("margin")
    let deviations = table.optionalNumber(
      "deviations", in: .positive, doc: "standard deviations of the noise floor")
    let share = table.optionalNumber(
      "share", in: .above(0, through: 1), doc: "of the gap between two arms")
    let from = table.optionalString("from", doc: "the arm at one end of the gap")
    let to = table.optionalString("to", doc: "the arm at its other end")
    guard let share else {
      if from != nil || to != nil {
        table.contradiction(
          "from", "to", message: "a gap between arms needs the share of it that counts; give share")
      } else if deviations == nil, !table.isRefused("deviations"), !table.isRefused("share") {
        section.refuse(
          "margin",
          message:
            "give a number, { deviations = 2 } or { share = 0.15, from = \"arm\", to = \"arm\" }")
      }
      return .deviations(deviations ?? 2)
    }
    guard let from, let to else {
      table.contradiction("share", message: "a share of a gap needs the two arms; give from and to")
      return .deviations(2)
    }
    let areKnown = knobs.check([from], table, "from") && knobs.check([to], table, "to")
    if areKnown, from == to {
      table.contradiction(
        "from", "to", message: "there is no gap between an arm and itself; name two arms")
    }
    return .share(share, of: from, to: to, atLeast: deviations ?? 2)
  }

  private func family(_ section: ConfigurationSection) -> [[String]] {
    let others = arms.filter { $0 != draft.baseline }.map { [$0, draft.baseline] }
    guard let value = section.anyValue("family") else { return others }
    var pairs: [[String]] = []
    if case .array(let elements) = value {
      for case .array(let pair) in elements {
        pairs.append(pair.compactMap { if case .string(let name) = $0 { name } else { nil } })
      }
      if pairs.count < elements.count { pairs = [] }
    }
    guard !pairs.isEmpty, pairs.allSatisfy({ $0.count == 2 && $0[0] != $0[1] }) else {
      section.refuse(
        "family", message: "expected pairs of different arms, [[\"arm\", \"baseline\"], ...]")
      return others
    }
    for pair in pairs { _ = knobs.check(pair, section, "family") }
    if let twice = pairs.first(where: { pair in pairs.count { Set($0) == Set(pair) } > 1 }) {
      section.refuse(
        "family", message: "\(twice[0]) and \(twice[1]) stand there twice; remove one pair")
    }
    return pairs
  }

  func stopping(isTuned: Bool) -> StudyRecord.Stopping {
    let section = reader.section("stopping")
    let races = section.boolean(
      "race", default: false,
      doc: "whether a learning rate may lose against the best of its own arm")
    if races, !isTuned {
      section.contradiction(
        "race",
        message: "only tuning trials race, and nothing is tuned; write [tuning] or remove it")
    }
    return StudyRecord.Stopping(
      divergenceMargin: section.optionalNumber(
        "divergence_margin", in: .nonNegative,
        doc: "nats above the initial loss that certify a divergence, three evaluations in a row"),
      races: races,
      auditShare: section.number(
        "audit", default: 0.05, in: .within(0...1),
        doc: "share of stopped trials that is run again to the end"))
  }
}

extension ConfigurationSection {
  /// Whether `learning_rate` is given, in any form.
  fileprivate var hasLearningRate: Bool { isGiven("learning_rate") || isSection("learning_rate") }
}
