// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Schedules

/// Reads the courses of scalars other than the learning rate: `[schedule.NAME]`, and `NAME` in the tables of stages.
struct ScalarReader {
  let section: ConfigurationSection
  let context: ScheduleContext
  /// The stages of the run.
  let rows: [StageRow]

  /// Names that mean something else in the section.
  static let reserved: Set<String> = ["stage", "pause"]

  /// What a scalar cannot be called, because a key of the section is called so.
  private var scalars: [SchedulableScalar] {
    context.scalars.filter { !Self.keys.contains($0.name) }
  }

  /// The keys of the section itself.
  private static let keys: Set<String> = [
    "kind", "allow_decay", "warmup_steps", "warmup_fraction", "cooldown", "cooldown_steps",
    "cooldown_fraction", "cooldown_until", "initial_fraction", "final_fraction", "power",
    "timescale_steps", "stage", "pause", "untie_at", "untie_state",
  ]

  /// The scheduled scalars; impossible ones are left out and have been reported.
  func read() -> [ScheduledScalar] {
    refuseUnknownNames()
    var result: [ScheduledScalar] = []
    for scalar in scalars {
      let fromStages = course(of: scalar)
      if let fromStages { result.append(fromStages) }
      guard section.givenNames.contains(scalar.name) else { continue }
      let tables = section.tables(scalar.name, orOne: true)
      for table in tables {
        guard let scheduled = course(of: scalar, in: table) else { continue }
        if let twin = result.first(where: { $0.name == scalar.name && $0.group == scheduled.group })
        {
          section.reader.contradiction(
            ["\(table.path).kind"],
            message:
              "\(twin) has two schedules\(fromStages == nil ? "" : ", one of them in the stages"); "
              + "remove one, or limit one to a group")
          continue
        }
        result.append(scheduled)
      }
    }
    return result
  }

  private func refuseUnknownNames() {
    let names = scalars.map(\.name)
    for (name, reason) in context.withoutEffect.sorted(by: { $0.key < $1.key }) {
      for place in [section] + rows.map(\.section) {
        place.refuseWithoutEffect([name], switchedBy: "model.predictions", message: reason)
      }
    }
    for name in section.givenSections
    where !names.contains(name) && !Self.reserved.contains(name)
      && context.withoutEffect[name] == nil
    {
      let remedy =
        nearest(to: name, among: names).map { "did you mean '\($0)'?" }
        ?? "the scalars are \(names.joined(separator: ", "))"
      section.refuse(name, message: "no scalar of this run has that name; \(remedy)")
    }
  }

  // MARK: - Tables

  /// The course of a scalar in its own table.
  private func course(
    of scalar: SchedulableScalar, in table: ConfigurationSection
  ) -> ScheduledScalar? {
    guard isPossible(scalar, in: table) else {
      table.ignore()
      return nil
    }
    let group =
      table.isGiven("group") ? table.string("group", doc: "the group of parameters; all") : nil
    let kind = table.choice(
      "kind", default: scalar.unit == nil ? ScheduleSettings.Kind.linear : .stages,
      doc: "the course after warm-up")
    let rows =
      kind == .stages ? StageReader(section: table, context: context).read() : []
    if kind != .stages, table.givenNames.contains("stage") {
      table.contradiction(
        "kind",
        message: "the tables [[\(table.path).stage]] have no effect; choose kind = \"stages\"")
      table.ignore("stage")
    }
    let schedule = CourseReader(
      section: table, context: context, scalar: scalar, group: group, rows: rows
    ).read(kind)
    if scalar.unit != nil, kind != .constant, !schedule.isPiecewiseConstant {
      table.contradiction(
        "kind",
        message:
          "\(scalar.name) changes in jumps only; use kind = \"stages\" with a value for each stage")
      return nil
    }
    return ScheduledScalar(name: scalar.name, group: group, schedule: schedule)
  }

  /// Whether a scalar can be scheduled for the group that a table names; reports it when not.
  private func isPossible(_ scalar: SchedulableScalar, in table: ConfigurationSection) -> Bool {
    guard table.isGiven("group") else {
      guard scalar.name == ScheduledScalar.learningRate else { return true }
      table.contradiction(
        "group",
        message: "the learning rate of all groups is [schedule] itself; name a group here")
      return false
    }
    guard let groups = scalar.groups else {
      table.refuse(
        "group", message: "\(scalar.name) belongs to the run and not to a group; remove the key")
      return false
    }
    let group = table.string("group", doc: "the group of parameters; all")
    guard context.check(group: group, in: table) else { return false }
    guard context.groups == nil || groups[group] != nil else {
      table.refuse(
        "group",
        message: scalar.name == SchedulableScalar.gradientClip
          ? "the group has no gradient_clip of its own; give one in its rule"
          : "the group's method has no \(scalar.name); remove the schedule or choose another group")
      return false
    }
    return true
  }

  // MARK: - Stages of the run

  /// The course of a scalar whose values stand in the stages of the run; nil when they do not, or are impossible.
  private func course(of scalar: SchedulableScalar) -> ScheduledScalar? {
    let given = rows.filter { $0.section.givenNames.contains(scalar.name) }
    guard let first = given.first, scalar.name != ScheduledScalar.learningRate else { return nil }
    var stages: [ScheduleStage] = []
    var isSound = true
    var last: Double?
    for row in rows {
      guard row.section.givenNames.contains(scalar.name) else {
        section.reader.contradiction(
          ["\(row.section.path).name", "\(first.section.path).\(scalar.name)"],
          message:
            "stage '\(row.name)' does not say its \(scalar.name) and another stage does; give it in every stage"
        )
        isSound = false
        continue
      }
      guard let curve = curve(of: scalar, in: row, from: last) else {
        isSound = false
        continue
      }
      last = curve.factor(at: row.length, of: row.length)
      let isLast = row.section.path == rows.last?.section.path
      var isEndless = false
      if case .constant = curve { isEndless = isLast }
      stages.append(
        ScheduleStage(name: row.name, steps: isEndless ? nil : row.length, curve: curve))
    }
    guard isSound, let schedule = try? Schedule(stages: stages) else { return nil }
    return ScheduledScalar(name: scalar.name, schedule: schedule)
  }
}

extension ScalarReader {
  /// What a scalar does in a stage of the run: one value, or with a table `{ from = ..., to = ... }` a way from one to another.
  ///
  /// - Returns: nil when it is impossible, which has then been reported.
  private func curve(
    of scalar: SchedulableScalar, in row: StageRow, from previous: Double?
  ) -> ScheduleCurve? {
    guard row.section.isGiven(scalar.name) else {
      let table = row.section.section(scalar.name)
      let inner = StageRow(
        section: table, name: row.name, start: row.start, length: row.length)
      let curve = StageCurveReader(row: inner, scalar: scalar).read(from: previous)
      guard scalar.unit != nil, let curve else { return curve }
      if case .constant = curve { return curve }
      row.section.refuse(
        scalar.name, message: "\(scalar.name) changes in jumps only; give one value for the stage")
      return nil
    }
    let value = row.section.number(
      scalar.name, in: scalar.range, doc: "value of \(scalar.name) in the stage")
    if let refusal = scalar.refusal(of: value) {
      row.section.refuse(scalar.name, message: refusal)
      return nil
    }
    return .constant(value)
  }
}

extension ScheduleContext {
  /// Whether a group exists, as far as the groups are known; reports it when it does not.
  @discardableResult
  func check(group: String, in table: ConfigurationSection) -> Bool {
    guard let groups, !groups.contains(group) else { return true }
    let remedy =
      nearest(to: group, among: groups).map { "did you mean '\($0)'?" }
      ?? "the groups that are trained are \(groups.joined(separator: ", "))"
    table.refuse("group", message: "there is no such group of trained parameters; \(remedy)")
    return false
  }
}
