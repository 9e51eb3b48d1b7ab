// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Configurations
import Foundation
import RunRecords

/// Reads values of knobs, and which keys of which arms get them.
struct KnobReader {
  /// The names of all arms.
  let arms: [String]

  // MARK: - Values

  /// Values in one of three forms: `[1, 2]`, `{ log = [1e-4, 1e-1], points = 7 }`, `{ linear = [0, 1], points = 5 }`.
  ///
  /// - Parameters:
  ///   - section: where the key stands.
  ///   - name: the key.
  /// - Returns: ascending where they are numbers; nil when there is something wrong with them, which has then been reported.
  func values(_ section: ConfigurationSection, _ name: String) -> StudyDraft.Values? {
    if section.isSection(name) { return range(section.section(name)) }
    guard let value = section.anyValue(name) else {
      section.refuse(
        name, message: "values are missing; give a list or { log = [from, to], points = n }")
      return nil
    }
    guard case .array(let elements) = value, !elements.isEmpty else {
      section.refuse(
        name,
        message: "expected a list with at least one value, or { log = [from, to], points = n }")
      return nil
    }
    let values = elements.map(KnobValue.init)
    if values.contains(where: { $0.number?.isFinite == false }) {
      section.refuse(name, message: "a value is not finite; give finite numbers")
      return nil
    }
    if let twice = values.first(where: { value in values.count { $0 == value } > 1 }) {
      section.refuse(name, message: "\(twice) stands there twice; remove one")
      return nil
    }
    let numbers = values.compactMap(\.number)
    if numbers.count < values.count, !numbers.isEmpty {
      section.refuse(name, message: "numbers and other values are mixed; give one kind")
      return nil
    }
    let sorted = numbers.isEmpty ? values : numbers.sorted().map { .number($0) }
    return StudyDraft.Values(values: sorted, isLogarithmic: false)
  }

  private func range(_ section: ConfigurationSection) -> StudyDraft.Values? {
    let log = section.optionalNumbers("log", doc: "first and last value of a logarithmic grid")
    let linear = section.optionalNumbers("linear", doc: "first and last value of a linear grid")
    let points = section.integer("points", default: 5, in: 2...1000, doc: "values of the grid")
    guard let ends = log ?? linear, (log == nil) != (linear == nil) else {
      if !section.isRefused("log"), !section.isRefused("linear") {
        section.contradiction(
          "log", "linear", message: "give one of log = [from, to] and linear = [from, to]")
      }
      return nil
    }
    let key = log == nil ? "linear" : "log"
    guard ends.count == 2, ends[0] < ends[1] else {
      section.refuse(key, message: "expected two numbers, the smaller first")
      return nil
    }
    guard log == nil || ends[0] > 0 else {
      section.refuse(key, message: "a logarithmic grid begins above 0")
      return nil
    }
    let last = points - 1
    let values = (0...last).map { index -> Double in
      if index == 0 || index == last { return ends[index == 0 ? 0 : 1] }
      let share = Double(index) / Double(last)
      return KnobScale.rounded(
        log == nil
          ? ends[0] + share * (ends[1] - ends[0]) : ends[0] * pow(ends[1] / ends[0], share))
    }
    guard Set(values).count == values.count else {
      section.refuse(
        key, message: "\(points) points lie closer than four digits tell apart; use fewer")
      return nil
    }
    return StudyDraft.Values(values: values.map { .number($0) }, isLogarithmic: log != nil)
  }

  /// The learning rates of an arm; nil when there is something wrong with them.
  func rates(_ section: ConfigurationSection, _ name: String) -> StudyDraft.Rates? {
    if !section.isSection(name), case .string(let word) = section.anyValue(name) {
      switch word {
      case "auto": return .automatic
      case "card": return .card
      case "fixed": return .fixed
      default:
        let near = nearest(to: word, among: ["auto", "card", "fixed"])
        section.refuse(
          name,
          message: "expected auto, card, fixed, a list or { log = [from, to], points = n }"
            + (near.map { "; did you mean '\($0)'?" } ?? ""))
        return nil
      }
    }
    guard let values = values(section, name) else { return nil }
    guard values.values.allSatisfy({ ($0.number ?? 0) > 0 }) else {
      section.refuse(name, message: "learning rates are numbers above 0")
      return nil
    }
    return .values(values)
  }

  // MARK: - Keys

  /// Which keys get a value, by arm: `key` or `keys` for all arms, or for those in `arms`; or a table `arms` with keys for each.
  ///
  /// - Returns: nil when there is something wrong, which has then been reported.
  func keys(_ section: ConfigurationSection) -> [String: [String]]? {
    let single = section.optionalString("key", doc: "the configuration key that gets the values")
    let tied = section.optionalStrings("keys", doc: "keys that get the same value")
    if section.isSection("arms") {
      if single != nil || tied != nil {
        section.contradiction(
          "arms", single == nil ? "keys" : "key",
          message: "the keys are given twice, for all arms and for each; remove one")
        section.ignore("arms")
        return nil
      }
      return keysByArm(section.section("arms"))
    }
    let names = section.optionalStrings("arms", doc: "the arms it is for; all") ?? arms
    guard (single == nil) != (tied == nil) else {
      if !section.isRefused("key"), !section.isRefused("keys") {
        section.contradiction(
          "key", "keys",
          message:
            "give key = \"section.key\", keys = [...], or a table arms with keys for each arm")
      }
      return nil
    }
    guard check(names, section, "arms") else { return nil }
    guard !names.isEmpty else {
      section.refuse("arms", message: "no arm has it; name arms or remove it")
      return nil
    }
    let keys = single.map { [$0] } ?? tied ?? []
    guard check(keys: keys, section, single == nil ? "keys" : "key") else { return nil }
    return Dictionary(uniqueKeysWithValues: names.map { ($0, keys) })
  }

  private func keysByArm(_ section: ConfigurationSection) -> [String: [String]]? {
    var result: [String: [String]] = [:]
    var isSound = true
    for name in section.givenNames {
      let keys: [String]
      switch section.anyValue(name) {
      case .string(let key): keys = [key]
      case .array(let values):
        keys = values.compactMap { if case .string(let key) = $0 { key } else { nil } }
        if keys.count < values.count { fallthrough }
      default:
        section.refuse(name, message: "expected a key in quotes or a list of keys")
        isSound = false
        continue
      }
      let arm = unquoted(name)
      isSound = check([arm], section, name) && check(keys: keys, section, name) && isSound
      result[arm] = keys
    }
    if result.isEmpty, isSound {
      section.reader.refuse(section.path, message: "no arm has it; give ARM = \"section.key\"")
      return nil
    }
    return isSound ? result : nil
  }

  /// Whether all names are arms; otherwise that has been reported.
  func check(_ names: [String], _ section: ConfigurationSection, _ key: String) -> Bool {
    for name in names where !arms.contains(name) {
      section.refuse(
        key,
        message: "there is no arm '\(name)'"
          + (nearest(to: name, among: arms).map { "; did you mean '\($0)'?" }
            ?? "; the arms are \(arms.joined(separator: ", "))"))
      return false
    }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      section.refuse(key, message: "arm '\(twice)' is named twice; remove one")
      return false
    }
    return true
  }

  private func check(
    keys: [String], _ section: ConfigurationSection, _ name: String
  ) -> Bool {
    if keys.isEmpty || keys.contains(where: \.isEmpty) {
      section.refuse(name, message: "a key is missing; give \"section.key\"")
      return false
    }
    for key in keys
    where Self.protocolKeys.contains(where: { key == $0 || key.hasPrefix($0 + ".") }) {
      section.refuse(
        name,
        message:
          "\(key) belongs to the study's protocol or cannot change a loss; choose a key of the recipe"
      )
      return false
    }
    return true
  }

  /// What the protocol sets itself, or what cannot change numbers.
  static let protocolKeys = [
    "training.seed", "training.data_seed", "training.steps", "training.divergence_margin", "run",
    "checkpoint", "metrics", "machine",
  ]

  private func unquoted(_ name: String) -> String {
    name.hasPrefix("\"") && name.hasSuffix("\"") && name.count > 1
      ? String(name.dropFirst().dropLast()) : name
  }
}

extension KnobValue {
  /// The value of a knob from what stands in a text.
  init(_ value: ConfigurationValue) {
    switch value {
    case .integer(let integer): self = .number(Double(integer))
    case .number(let number): self = .number(number)
    case .string(let text): self = .text(text)
    case .boolean, .array: self = .text(value.description)
    }
  }

  /// As TOML that a key of any kind takes: whole numbers without a point.
  var toml: String {
    switch self {
    case .number(let number):
      if let whole = Int(exactly: number), abs(whole) < 1 << 53 { return "\(whole)" }
      return "\(number)"
    case .text(let text):
      let isPlain = text == "true" || text == "false" || text.hasPrefix("[")
      return isPlain ? text : ConfigurationValue.string(text).description
    }
  }
}
