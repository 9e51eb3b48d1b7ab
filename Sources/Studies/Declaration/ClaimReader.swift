// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import RunRecords
import Training

/// Reads claims and checks that the study will have what they are about.
struct ClaimReader {
  let reader: ConfigurationReader
  let draft: StudyDraft

  func read() -> [Claim] {
    let claims = reader.tables("claim").map(claim)
    for (index, claim) in claims.enumerated() {
      guard let first = claims[..<index].firstIndex(where: { $0.name == claim.name }) else {
        continue
      }
      reader.contradiction(
        ["claim[\(first)].name", "claim[\(index)].name"],
        message: "two claims are called '\(claim.name)'; give each its own name")
    }
    return claims
  }

  private func claim(_ section: ConfigurationSection) -> Claim {
    let name = section.string("name", doc: "the claim's name")
    let statement = section.string("statement", doc: "what is claimed, in words")
    if !section.isSection("left") {
      section.refuse(
        "left",
        message: "a claim is about a quantity; give left = { kind = \"loss\", arm = \"...\" }")
    }
    let left = quantity(section.section("left"), isGiven: section.isSection("left"))
    let right =
      section.isSection("right") ? quantity(section.section("right"), isGiven: true) : nil
    return Claim(
      name: name, statement: statement, left: left,
      relation: relation(section),
      right: right,
      value: section.number(
        "value", default: 0, doc: "what the left side or the difference is compared with"),
      family: section.string("family", default: name, doc: "claims that share a correction"))
  }

  private func relation(_ section: ConfigurationSection) -> Claim.Relation {
    let given = section.optionalChoice(
      "relation", of: Claim.Relation.self, doc: "how the sides relate")
    if given == nil, !section.isRefused("relation") {
      let all = Claim.Relation.allCases.map(\.rawValue).joined(separator: ", ")
      section.refuse("relation", message: "a claim needs a relation, one of \(all)")
    }
    return given ?? .below
  }

  // MARK: - Quantities

  private func quantity(_ section: ConfigurationSection, isGiven: Bool) -> Claim.Quantity {
    guard isGiven else { return Claim.Quantity(kind: .loss, arm: "") }
    let kind =
      section.optionalChoice("kind", of: Claim.Quantity.Kind.self, doc: "what is measured") ?? .loss
    let quantity = Claim.Quantity(
      kind: kind, arm: section.string("arm", doc: "the arm"),
      variant: section.optionalString("variant", doc: "the variant; every one"),
      sweep: section.optionalString("sweep", doc: "the sweep"),
      at: section.optionalNumber("at", doc: "a value of the sweep"),
      from: section.optionalNumber("from", doc: "first value of a range"),
      to: section.optionalNumber("to", doc: "last value of a range"),
      delta: section.optionalNumber(
        "delta", in: .positive, doc: "nats above the best that count as the basin"),
      other: section.optionalString("other", doc: "the arm that a distance is measured to"),
      metric: section.optionalString("metric", doc: "the name of a metric"),
      isNormalized: section.boolean(
        "normalized", default: false, doc: "whether losses are divided by initial loss - best"),
      factor: section.number("factor", default: 1, doc: "what the quantity is multiplied with"))
    check(quantity, section)
    return quantity
  }

  private func check(_ quantity: Claim.Quantity, _ section: ConfigurationSection) {
    let knobs = KnobReader(arms: draft.arms.map(\.name))
    guard !section.isRefused("arm"), knobs.check([quantity.arm], section, "arm") else { return }
    if let other = quantity.other { _ = knobs.check([other], section, "other") }
    checkVariant(quantity, section)
    let needsSweep: [Claim.Quantity.Kind] = [
      .best, .spread, .sensitivity, .leftSensitivity, .rightSensitivity, .basin, .distance,
    ]
    if let name = quantity.sweep {
      checkSweep(name, quantity, section)
    } else if needsSweep.contains(quantity.kind) {
      section.contradiction(
        "kind", message: "\(quantity.kind.rawValue) is measured over a sweep; give sweep = \"...\"")
    } else if quantity.at != nil {
      section.contradiction(
        "at", message: "a value belongs to a sweep; give sweep = \"...\" or remove it")
    }
    switch quantity.kind {
    case .distance where quantity.other == nil:
      section.contradiction(
        "kind", message: "a distance is measured to another arm; give other = \"...\"")
    case .metric where quantity.metric == nil:
      section.contradiction("kind", message: "a metric has a name; give metric = \"...\"")
    case .metric: checkMetric(quantity.metric ?? "", section)
    case .stepsToTarget where !reader.isSection("target"):
      section.contradiction("kind", message: "the study has no target to reach; write [target]")
    default: break
    }
    if let from = quantity.from, let to = quantity.to, from > to {
      section.contradiction("from", "to", message: "the range ends before it begins; exchange them")
    }
  }

  private func checkMetric(_ name: String, _ section: ConfigurationSection) {
    let known = RecordedNumbers.final + RecordedNumbers.effectiveRates
    if known.contains(name) { return }
    let near =
      nearest(to: name, among: known).map { "did you mean '\($0)'?" }
      ?? "there are \(RecordedNumbers.final.joined(separator: ", ")), and effectiveRate.ROLE.STATISTIC"
    section.refuse("metric", message: "no run records '\(name)'; \(near)")
  }

  private func checkVariant(_ quantity: Claim.Quantity, _ section: ConfigurationSection) {
    guard let name = quantity.variant else { return }
    let arm = draft.arms.first { $0.name == quantity.arm }
    let all = draft.variants.map(\.name)
    if !all.contains(name) {
      section.refuse(
        "variant",
        message: "there is no variant '\(name)'"
          + (nearest(to: name, among: all).map { "; did you mean '\($0)'?" }
            ?? "; the variants are \(all.joined(separator: ", "))"))
    } else if arm?.variants.contains(name) == false {
      section.refuse("variant", message: "arm '\(quantity.arm)' does not run in it; name another")
    }
  }

  private func checkSweep(
    _ name: String, _ quantity: Claim.Quantity, _ section: ConfigurationSection
  ) {
    let names = draft.sweeps.map(\.sweep.name)
    guard let sweep = draft.sweeps.first(where: { $0.sweep.name == name })?.sweep else {
      // A sweep that was refused has been complained about already.
      if reader.hasProblem(in: "sweep") { return }
      let known =
        names.isEmpty
        ? "; the study has no sweeps" : "; the sweeps are \(names.joined(separator: ", "))"
      section.refuse(
        "sweep",
        message: "there is no sweep '\(name)'"
          + (nearest(to: name, among: names).map { "; did you mean '\($0)'?" } ?? known))
      return
    }
    for arm in [quantity.arm, quantity.other].compactMap({ $0 }) where sweep.keys[arm] == nil {
      section.refuse("sweep", message: "arm '\(arm)' is not part of that sweep; name another")
    }
    if let variant = quantity.variant, !sweep.variants.contains(variant) {
      section.refuse("sweep", message: "it does not run in variant '\(variant)'; name another")
    }
    let isArea = [.sensitivity, .leftSensitivity, .rightSensitivity, .basin].contains(quantity.kind)
    if isArea, !sweep.isLogarithmic {
      section.refuse(
        "sweep",
        message:
          "\(quantity.kind.rawValue) is measured in decades, and the sweep is not logarithmic; set logarithmic = true there"
      )
    }
    if let at = quantity.at {
      let values: [Double] =
        switch sweep.values {
        case .absolute(let values): values.compactMap(\.number)
        case .factors(let factors): factors
        }
      if !values.contains(at) {
        section.refuse(
          "at",
          message:
            "it is none of the sweep's values, \(values.map { "\($0)" }.joined(separator: ", "))")
      }
    }
  }
}
