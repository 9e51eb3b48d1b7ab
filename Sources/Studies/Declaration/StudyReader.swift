// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import RunRecords

/// Reads a study file into a ``StudyDraft``; what is wrong with it is collected in the reader.
struct StudyReader {
  let reader: ConfigurationReader
  /// The file's name without its ending: what the study is called unless it says so.
  let fileName: String

  func read() -> StudyDraft {
    var draft = StudyDraft()
    draft.name = reader.string("name", default: fileName, doc: "the study's name")
    draft.question = reader.string("question", default: "", doc: "what it asks")
    draft.base = reader.string("base", doc: "a preset, or a configuration beside the study's file")
    draft.folder = reader.string(
      "folder", default: "studies/\(draft.name)", doc: "where its trials lie")
    draft.common = reader.section("common").layer(except: [])
    draft.budget = budget(reader.section("budget"))
    draft.variants = variants(draft.budget)
    draft.arms = arms(variants: draft.variants.map(\.name))
    let names = draft.arms.map(\.name)
    draft.baseline = baseline(names)
    readSeeds(into: &draft)
    let parts = StudyPartsReader(
      reader: reader, draft: draft, knobs: KnobReader(arms: names))
    draft.tuning = parts.tuning()
    checkSeeds(&draft)
    draft.sweeps = parts.sweeps()
    draft.targets = parts.targets()
    draft.rule = parts.rule()
    draft.stopping = parts.stopping(isTuned: draft.tuning != nil)
    draft.claims = ClaimReader(reader: reader, draft: draft).read()
    return draft
  }

  // MARK: - Names

  /// Whether a name can be part of a folder's; otherwise that has been reported.
  private func check(_ name: String, _ section: ConfigurationSection) -> Bool {
    let isPlain =
      name.first.map { $0.isLetter || $0.isNumber } ?? false
      && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.+".contains($0)) }
    if !isPlain {
      section.refuse(
        "name",
        message:
          "the name becomes part of a folder's: begin with a letter or digit and use letters, digits, '-', '_', '+' and '.' only"
      )
    }
    return isPlain
  }

  /// The tables of an array without those that have the name of an earlier one, which are reported.
  private func withoutTwins<Table>(
    _ tables: [Table], _ name: KeyPath<Table, String>, _ list: String
  ) -> [Table] {
    let names = tables.map { $0[keyPath: name] }
    return tables.indices.filter { index in
      guard let first = names[..<index].firstIndex(of: names[index]) else { return true }
      reader.contradiction(
        ["\(list)[\(first)].name", "\(list)[\(index)].name"],
        message: "two \(list)s are called '\(names[index])'; give each its own name")
      return false
    }.map { tables[$0] }
  }

  // MARK: - Variants and arms

  private func variants(_ budget: StudyRecord.Budget?) -> [StudyDraft.Variant] {
    let tables = reader.tables("variant")
    if tables.isEmpty {
      return [StudyDraft.Variant(name: "main", layer: ConfigurationSource().layer(), amount: nil)]
    }
    let variants = tables.map { table -> StudyDraft.Variant in
      let name = table.string("name", doc: "the variant's name")
      if !table.isRefused("name") { _ = check(name, table) }
      var amount: Double?
      if table.isSection("budget"), let own = self.budget(table.section("budget")) {
        amount = own.amount
        if own.unit != budget?.unit {
          table.refuse(
            "budget",
            message: budget.map {
              "the study's budget is in \(Self.key(of: $0.unit)); give the same unit"
            }
              ?? "the study has no [budget] that it replaces; give one")
        }
      }
      return StudyDraft.Variant(
        name: name, layer: configuration(table, besides: ["name", "budget"]), amount: amount)
    }
    return withoutTwins(variants, \.name, "variant")
  }

  /// The keys of a configuration among those of a table; every one of them is in a section.
  private func configuration(
    _ table: ConfigurationSection, besides own: [String]
  ) -> ConfigurationLayer {
    let strangers = table.givenNames.filter { !own.contains($0) && !table.isSection($0) }
    for name in strangers {
      table.refuse(
        name,
        message: "there is no such key"
          + (nearest(to: name, among: own).map { "; did you mean '\($0)'?" } ?? "")
          + " Known here: \(own.joined(separator: ", ")), and keys of a configuration such as optimizer.name"
      )
    }
    return table.layer(except: own + strangers)
  }

  private func arms(variants: [String]) -> [StudyDraft.Arm] {
    let tables = reader.tables("arm")
    if tables.isEmpty, !reader.isRefused("arm") {
      reader.contradiction(
        "arm",
        message: "the study has no arms; write [[arm]] with optimizer.name = \"...\" for each")
    }
    let arms = tables.enumerated().map { index, table -> StudyDraft.Arm in
      let layer = configuration(table, besides: ["name", "differs", "variants", "learning_rate"])
      var name = table.string(
        "name", default: layer.text(of: "optimizer.name") ?? "", doc: "the arm's name")
      if name.isEmpty {
        table.contradiction(
          "name", message: "an arm without optimizer.name needs a name; give name = \"...\"")
        name = "arm"
      } else {
        _ = check(name, table)
      }
      return StudyDraft.Arm(
        name: name, table: index, layer: layer, differences: differences(table),
        variants: chosenVariants(table, variants))
    }
    return withoutTwins(arms, \.name, "arm")
  }

  private func differences(_ table: ConfigurationSection) -> [FairnessContract.Field] {
    let names = table.strings(
      "differs", default: [], doc: "contract fields in which the arm is meant to differ")
    let all = FairnessContract.Field.allCases.map(\.rawValue)
    return names.compactMap { name in
      if let field = FairnessContract.Field(rawValue: name) { return field }
      table.refuse(
        "differs",
        message: "'\(name)' is no field of the contract"
          + (nearest(to: name, among: all).map { "; did you mean '\($0)'?" } ?? "")
          + " The fields are \(all.joined(separator: ", "))")
      return nil
    }
  }

  private func chosenVariants(_ table: ConfigurationSection, _ all: [String]) -> [String] {
    StudyPartsReader.variants(table, among: all)
  }

  private func baseline(_ arms: [String]) -> String {
    guard let first = arms.first else {
      return reader.string("baseline", default: "", doc: "the arm to compare with")
    }
    let name = reader.string(
      "baseline", default: first, doc: "the arm that the others are compared with; the first")
    if !arms.contains(name) {
      reader.refuse(
        "baseline",
        message: "there is no arm '\(name)'"
          + (nearest(to: name, among: arms).map { "; did you mean '\($0)'?" }
            ?? "; the arms are \(arms.joined(separator: ", "))"))
    }
    return name
  }

  // MARK: - Budget

  static func key(of unit: StudyRecord.Budget.Unit) -> String {
    unit.rawValue.split(separator: "-").joined(separator: "_")
  }

  private func budget(_ section: ConfigurationSection) -> StudyRecord.Budget? {
    let units = StudyRecord.Budget.Unit.allCases
    var found: [StudyRecord.Budget] = []
    for unit in units {
      let key = Self.key(of: unit)
      guard
        let amount = section.optionalNumber(key, in: .positive, doc: "what a full trial may spend")
      else { continue }
      if unit == .steps || unit == .tokens || unit == .chargedTokens, amount != amount.rounded() {
        section.refuse(key, message: "expected a whole number")
      }
      found.append(StudyRecord.Budget(unit: unit, amount: amount))
    }
    if found.count > 1 {
      section.contradiction(
        found.map { Self.key(of: $0.unit) }, message: "a budget has one unit; remove the others")
    }
    return found.first
  }

  // MARK: - Seeds

  private func readSeeds(into draft: inout StudyDraft) {
    let section = reader.section("seeds")
    draft.reportingSeeds = seeds(section, "reporting", first: 1) ?? [1, 2, 3, 4, 5]
    draft.tuningSeeds = seeds(section, "tuning", first: 1001) ?? []
  }

  /// Seeds in one of two forms: a list, or how many, counted up from the first.
  private func seeds(_ section: ConfigurationSection, _ name: String, first: Int) -> [Int]? {
    switch section.anyValue(name) {
    case nil: return nil
    case .integer(let count) where (1...10_000).contains(count):
      return Array(first..<(first + count))
    case .array(let values):
      let numbers = values.compactMap { value -> Int? in
        if case .integer(let number) = value, number >= 0 { number } else { nil }
      }
      if numbers.count == values.count, !numbers.isEmpty { return numbers }
      fallthrough
    default:
      section.refuse(name, message: "expected how many seeds, or a list of numbers from 0")
      return [first]
    }
  }

  /// Tuning without seeds gets one; no number may serve twice.
  private func checkSeeds(_ draft: inout StudyDraft) {
    let section = reader.section("seeds")
    if draft.tuning != nil, draft.tuningSeeds.isEmpty { draft.tuningSeeds = [1001] }
    if draft.tuning == nil, !draft.tuningSeeds.isEmpty {
      section.contradiction(
        "tuning",
        message: "nothing is tuned, so nothing needs tuning seeds; write [tuning] or remove them")
      draft.tuningSeeds = []
    }
    for (name, seeds) in [("tuning", draft.tuningSeeds), ("reporting", draft.reportingSeeds)] {
      if let twice = seeds.first(where: { seed in seeds.count { $0 == seed } > 1 }) {
        section.refuse(name, message: "seed \(twice) stands there twice; replace one")
      }
    }
    let both = draft.tuningSeeds.filter(draft.reportingSeeds.contains)
    if !both.isEmpty {
      section.contradiction(
        "tuning", "reporting",
        message:
          "seed \(both[0]) would report what it chose itself; use other numbers for one of them")
    }
    if let axis = draft.tuning?.axes.first, draft.tuningSeeds.count < 2 {
      section.contradiction(
        "tuning",
        message:
          "axis '\(axis.name)' is judged by a test over tuning seeds, which needs two at least; give tuning = 3"
      )
    }
  }
}

extension ConfigurationLayer {
  /// The text that a key is set to, without quotes; nil when it is not set.
  func text(of key: String) -> String? {
    self[key].map { $0.hasPrefix("\"") && $0.count > 1 ? String($0.dropFirst().dropLast()) : $0 }
  }
}
