// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Schedules

/// One table `[[schedule.stage]]`: a name and a range of steps.
struct StageRow {
  /// Where its keys stand.
  let section: ConfigurationSection
  /// The name.
  let name: String
  /// The first step.
  let start: Int
  /// The number of steps, at least 1.
  let length: Int
}

/// Reads the names and lengths of stages, which follow one another and fill the run.
struct StageReader {
  let section: ConfigurationSection
  let context: ScheduleContext

  /// The stages; none when there are none or something is wrong with them, which has then been reported.
  func read() -> [StageRow] {
    let tables = section.tables("stage")
    var rows: [StageRow] = []
    var start = 0
    var isSound = true
    for (index, table) in tables.enumerated() {
      let name = table.string("name", doc: "the stage's name, for pauses and tables")
      if name == SchedulePauseSettings.everyStage {
        table.refuse(
          "name", message: "in a pause the word stands for every stage; choose another name")
        isSound = false
      }
      if let twin = rows.firstIndex(where: { $0.name == name }) {
        section.contradiction(
          "stage[\(twin)].name", "stage[\(index)].name",
          message: "two stages have the same name; rename one")
        isSound = false
      }
      guard let end = end(table, name: name, start: start, isLast: index == tables.count - 1)
      else {
        section.ignore("stage")
        return []
      }
      rows.append(StageRow(section: table, name: name, start: start, length: end - start))
      start = end
    }
    if let last = rows.last, start < context.steps {
      let key = last.section.isGiven("until") ? "until" : "steps"
      section.reader.contradiction(
        ["\(last.section.path).\(key)", "training.steps"],
        message:
          "the stages end with step \(start) and the run goes on to \(context.steps); leave out how long "
          + "the last stage is, or add a stage")
      section.ignore("stage")
      return []
    }
    if !isSound { section.ignore("stage") }
    return isSound ? rows : []
  }

  /// The step at which a stage ends; nil when that is impossible, which has then been reported.
  private func end(
    _ table: ConfigurationSection, name: String, start: Int, isLast: Bool
  ) -> Int? {
    let steps = context.steps
    var end: Int
    var key = "steps"
    switch (table.isGiven("steps"), table.isGiven("until")) {
    case (true, true):
      table.contradiction(
        "steps", "until", message: "the length of the stage is given twice; remove one")
      return nil
    case (true, false):
      end =
        start
        + table.integer(
          "steps", default: 1, in: 1...1_000_000_000, doc: "length of the stage")
    case (false, true):
      key = "until"
      let position = table.number(
        "until", default: Double(steps),
        doc:
          "the first step after the stage; from the end of the run if negative, a part of it if between 0 and 1"
      )
      guard let step = context.step(at: position) else {
        table.refuse(
          "until",
          message:
            "it is no step; give a whole number, a negative one counted from the end of the run, or a "
            + "part of the run between 0 and 1")
        return nil
      }
      end = step
    case (false, false):
      guard isLast else {
        table.contradiction(
          "name", message: "only the last stage may last until the end; give its steps or until")
        return nil
      }
      key = "name"
      end = steps
    }
    guard end > start else {
      section.reader.contradiction(
        ["\(table.path).\(key)", "training.steps"],
        message:
          "stage '\(name)' begins with step \(start) and would end at \(end), before its first step; "
          + "let it end later or shorten the stages before it")
      return nil
    }
    guard end <= steps else {
      section.reader.contradiction(
        ["\(table.path).\(key)", "training.steps"],
        message:
          "stage '\(name)' would end at step \(end), after the run's \(steps) steps; shorten a stage or "
          + "lengthen the run")
      return nil
    }
    return end
  }
}

/// Reads what a scalar does in a stage: keeps a value, or goes from one to another.
struct StageCurveReader {
  /// The ways through a stage.
  enum Curve: String, CaseIterable {
    case constant
    case warmUp = "warm-up"
    case linear, cosine, sqrt, polynomial, rex
  }

  let row: StageRow
  /// The scalar; nil: the learning rate.
  let scalar: SchedulableScalar?

  /// The keys it reads, for stages that are not the learning rate's.
  static let keys = ["factor", "from", "to", "curve", "power"]

  private var constantKey: String { scalar == nil ? "factor" : "value" }

  /// The course of the stage.
  ///
  /// - Parameter previous: the value with which the stage before ends.
  /// - Returns: the curve; nil when it is impossible, which has then been reported.
  func read(from previous: Double?) -> ScheduleCurve? {
    let section = row.section
    let standard: Curve =
      section.isGiven("to") ? .linear : .constant
    let curve =
      section.isGiven("curve")
      ? section.choice("curve", default: standard, doc: "the way through the stage") : standard
    guard curve != .constant else {
      for key in ["from", "to", "power"] where section.isGiven(key) {
        section.contradiction(
          key,
          message:
            "a stage that keeps its value has none; give \(constantKey), or a curve that goes somewhere"
        )
        return nil
      }
      return number(constantKey, previous, "the value of the whole stage").map { .constant($0) }
    }
    for key in [constantKey] where section.isGiven(key) {
      section.contradiction(
        key, "curve", message: "a stage that goes somewhere has no single value; give from and to")
      return nil
    }
    if section.isGiven("power"), curve != .polynomial {
      section.contradiction(
        "power", "curve", message: "only a polynomial has a power; remove it")
    }
    let end = number("to", nil, "value at the end of the stage")
    if curve == .warmUp {
      if section.isGiven("from") {
        section.contradiction(
          "from", "curve",
          message:
            "a warm-up begins with its end divided by its steps; remove the key or use linear")
        return nil
      }
      return end.map { .warmUp(to: $0) }
    }
    let start = number(
      "from", previous, "value at the first step; that at the end of the stage before")
    guard let start, let end else { return nil }
    return .ramp(from: start, to: end, shape: shape(curve))
  }

  private func shape(_ curve: Curve) -> ScheduleShape {
    switch curve {
    case .cosine: return .cosine
    case .sqrt: return .squareRoot
    case .rex: return .rex
    case .polynomial:
      return .polynomial(
        power: row.section.number(
          "power", default: 2, in: .above(0, through: 100), doc: "power of what is left of the way")
      )
    case .constant, .warmUp, .linear: return .linear
    }
  }

  /// A value of the scalar; nil when it is refused.
  private func number(_ key: String, _ fallback: Double?, _ doc: String) -> Double? {
    let range = scalar?.range ?? .nonNegative
    let value =
      fallback.map { row.section.number(key, default: $0, in: range, doc: doc) }
      ?? row.section.number(key, in: range, doc: doc)
    if row.section.isGiven(key), let refusal = scalar?.refusal(of: value) {
      row.section.refuse(key, message: refusal)
      return nil
    }
    return value
  }
}
