// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import RunRecords

extension ReportContents {
  /// What was equal, and what was not.
  func contract() -> ReportSection? {
    var blocks: [ReportBlock] = []
    for variant in variants {
      let contract = variant.contract
      guard !contract.conditions.isEmpty else { continue }
      blocks += heading(variant)
      var table = ReportTable(["<condition", "<equal", "<value", "<arms"])
      for condition in contract.conditions {
        let undeclared = condition.values.count { !$0.isDeclared }
        for value in condition.values {
          table.add([
            .init(Self.words(condition.field.rawValue)),
            condition.isEqual
              ? .init("equal")
              : value.isDeclared
                ? .init("declared difference", tone: .warning)
                : undeclared > 1 ? .init("differs", tone: .bad) : .init("as all others"),
            .init(value.value + (condition.dependsOnSeed ? " (first seed)" : "")),
            .init(condition.isEqual ? "all" : list(value.arms)),
          ])
        }
      }
      blocks.append(.table(table))
      let trials = Set(contract.tuningTrials)
      let effort =
        trials.count == 1
        ? trials.first == 0
          ? "No arm was tuned." : "Every arm was tuned with \(count(trials.first ?? 0, "trial"))."
        : "Tuning trials: "
          + list(zip(variant.arms, contract.tuningTrials).map { "\($0.name) \($1)" }) + "."
      let tuned =
        contract.tuningSeeds.isEmpty ? "" : " Tuning seeds: \(seeds(contract.tuningSeeds))."
      blocks.append(
        .paragraph(
          "\(effort)\(tuned) Reporting seeds: \(seeds(contract.reportingSeeds)); no seed does both."
        ))
    }
    return section("contract", "The contract", blocks)
  }

  /// What was declared before the first trial.
  func rules() -> ReportSection? {
    let rule = study.rule
    var items = [
      analysis.isDeclared
        ? "Declared \(ReportNumber.time(study.declaredAt)) at revision \(study.revision), before the first trial; "
          + "hash \(study.hash.prefix(12))."
        : "Nothing was declared before these runs: the rules below were chosen when the runs were there.",
      "Budget of a trial: \(budget(study.budget)).",
      "Level \(ReportNumber.significant(rule.level, 3)), two-sided, over the declared family in all variants together (Holm).",
      "Family: " + rule.family.map { $0.joined(separator: " against ") }.joined(separator: "; ")
        + ".",
      pairingWords(rule.pairing),
    ]
    for variant in variants {
      let value = variant.margin.value.map {
        "\u{00B1}" + ReportNumber.significant($0, 3) + " " + Self.lossUnit
      }
      items.append(
        "Margin\(hasVariants ? " in \(variant.name)" : ""): \(value ?? "not known yet") (\(variant.margin.explanation))."
      )
    }
    if let tuning = study.tuning {
      items.append(
        "Tuning: \(tuning.axes.map(\.name).joined(separator: ", then ")); seeds \(seeds(tuning.seeds)); at most "
          + "\(count(tuning.extensionLimit, "extension")) of a grid; \(tuning.refines ? "refined around the best" : "not refined")."
      )
    } else {
      items.append("No tuning: arms run as declared.")
    }
    if let targets = study.targets {
      let losses =
        targets.losses.map { ReportNumber.significant($0, 4) }
        + (targets.includesBaseline ? ["the median of \(study.baseline)"] : [])
      items.append(
        "Targets: \(losses.joined(separator: ", ")); lengths "
          + targets.ladder.map { ReportNumber.significant($0, 3) }.joined(separator: ", ")
          + " of a full run, \(count(targets.seedCount, "seed")).")
    }
    items.append(stoppingWords(study.stopping))
    var blocks: [ReportBlock] = [.list(items)]
    let arms = armTable().withoutEmptyColumns
    if !arms.rows.isEmpty { blocks.append(.table(arms)) }
    let space = spaceTable().withoutEmptyColumns
    if !space.rows.isEmpty { blocks.append(.table(space)) }
    return section("rules", analysis.isDeclared ? "Rules, declared beforehand" : "Rules", blocks)
  }

  private func budget(_ budget: StudyRecord.Budget) -> String {
    switch budget.unit {
    case .steps: "\(ReportNumber.short(budget.amount)) steps"
    case .tokens: "\(ReportNumber.short(budget.amount)) tokens"
    case .chargedTokens: "\(ReportNumber.short(budget.amount)) tokens of all gradient evaluations"
    case .flops: "\(ReportNumber.short(budget.amount)) floating-point operations"
    case .seconds: "\(ReportNumber.duration(budget.amount)) of training by calibration"
    }
  }

  private func pairingWords(_ pairing: StudyRecord.ComparisonRule.Pairing) -> String {
    switch pairing {
    case .calibrated:
      "Replicates are paired by seed where calibration says that the correlation is at least 0.5, else compared by Welch's t."
    case .never: "Replicates are never paired: Welch's t."
    case .always: "Replicates are always paired by seed."
    }
  }

  private func stoppingWords(_ stopping: StudyRecord.Stopping) -> String {
    var parts = [
      stopping.divergenceMargin.map {
        "a trial ends when three evaluations in a row after the warm-up lie \(ReportNumber.significant($0, 3)) above the loss at initialisation"
      } ?? "only numbers that are not finite end a trial"
    ]
    if stopping.races {
      parts.append("a learning rate may lose against the best of its own arm, never across arms")
    }
    parts.append(
      "\(ReportNumber.percent(stopping.auditShare)) of stopped trials are run again to the end")
    return "Stopping: " + parts.joined(separator: "; ") + "."
  }

  private func armTable() -> ReportTable {
    var table = ReportTable(
      caption: "The arms as declared.",
      ["<arm", "<method", "<keys", "<declared differences", "<variants", "steps"])
    for arm in study.arms {
      table.add([
        armCell(arm.name), .init(arm.method),
        .init(
          arm.changes.sorted { $0.key < $1.key }.map { "\(shortKey($0.key)) = \($0.value)" }.joined(
            separator: ", ")),
        .init(arm.differences.map(\.rawValue).joined(separator: ", ")),
        .init(hasVariants ? arm.variants.joined(separator: ", ") : ""),
        .init(range(arm.steps.values.map(Double.init), ReportNumber.short) ?? ""),
      ])
    }
    return table
  }

  /// The search space: part of every result.
  private func spaceTable() -> ReportTable {
    var table = ReportTable(
      caption: "The search space.", ["<axis", "<arm", "<keys", "<first grid", "<grows"])
    for axis in study.tuning?.axes ?? [] {
      for arm in study.arms where axis.keys[arm.name] != nil {
        let grids = axis.grids.filter { $0.key == arm.name || $0.key.hasPrefix(arm.name + "/") }
          .sorted { $0.key < $1.key }
        for grid in grids {
          let place = grid.key == arm.name ? "" : " (\(grid.key.dropFirst(arm.name.count + 1)))"
          table.add([
            .init(axis.name), armCell(arm.name),
            .init((axis.keys[arm.name] ?? []).joined(separator: ", ") + place),
            .init(grid.value.map { knob($0) }.joined(separator: ", ")),
            .init(axis.isAutomatic ? "while the best is on an edge" : "no"),
          ])
        }
      }
    }
    return table
  }

  /// What was stopped, why, and what the audit found.
  func stops() -> ReportSection? {
    guard !analysis.stops.isEmpty else { return nil }
    var table = ReportTable([
      "<trial", "<variant", "<arm", "<rule", "step", "last loss", "loss when run to the end",
      "what stopping cost",
    ])
    for stop in analysis.stops {
      table.add([
        .init(stop.trial), .init(hasVariants ? stop.variant : ""), armCell(stop.arm),
        .init(stop.reason),
        .init(stop.step.map(ReportNumber.count) ?? ""),
        .init(stop.loss.map { ReportNumber.fixed($0, 4) } ?? ""),
        .init(stop.auditedLoss.map { ReportNumber.fixed($0, 4) } ?? ""),
        stop.regret.map {
          $0 > 0 ? .init(ReportNumber.fixed($0, 4), tone: .warning) : .init("nothing")
        } ?? .init(""),
      ])
    }
    let audited = analysis.stops.filter { $0.auditedLoss != nil }.count
    let costly = analysis.stops.filter { ($0.regret ?? 0) > 0 }.count
    return section(
      "stops", "Stops and audits",
      [
        .paragraph(
          "\(count(analysis.stops.count, "trial")) stopped by a declared rule, \(audited) run again to the end to see what was lost; "
            + (audited == 0
              ? "none audited yet."
              : costly == 0 ? "no stop cost anything." : "\(costly) would have been an arm's best.")
        ),
        .table(table.withoutEmptyColumns),
      ])
  }

  /// Every trial, failures included.
  func trials() -> ReportSection? {
    guard !analysis.trials.isEmpty else { return nil }
    // What all trials have in common is said once.
    let revisions = Set(analysis.trials.map(\.revision))
    let machines = Set(analysis.trials.map(\.machine))
    let hashes = Set(analysis.trials.map(\.contractHash))
    var common: [String] = []
    if revisions.count == 1, let revision = revisions.first {
      common.append("revision \(revision)")
    }
    if machines.count == 1, let machine = machines.first { common.append("machine \(machine)") }
    var table = ReportTable([
      "<trial", "<variant", "<arm", "<purpose", "seed", "<knobs", "length", "<status", "loss",
      "steps", "time",
      "<revision", "<machine", "<contract", "<marks",
    ])
    for trial in analysis.trials {
      let point = trial.point
      let seed = point.map { point in
        point.seed.initial == point.seed.data
          ? "\(point.seed.initial)" : "\(point.seed.initial) / \(point.seed.data)"
      }
      let length = point.flatMap {
        $0.horizon == 1 ? nil : "\u{00D7}" + ReportNumber.significant($0.horizon, 3)
      }
      var status = ReportTable.Cell(statusWords(trial))
      if trial.isDiverged || trial.status == .failed || trial.status == nil {
        status.tone = .warning
      }
      var marks = trial.marks.map(\.rawValue)
      if trial.isAudit { marks.insert("audit", at: 0) }
      marks += trial.problems
      let cells: [ReportTable.Cell] = [
        .init(trial.identity), .init(hasVariants ? point?.variant ?? "" : ""),
        point.map { armCell($0.arm) } ?? .init("not readable", tone: .warning),
        .init(point?.seed.purpose.rawValue ?? ""), .init(seed ?? ""),
        .init(knobs(point?.knobs ?? [:])),
        .init(length ?? ""), status,
        .init(trial.loss.map { ReportNumber.fixed($0, 4) } ?? ReportNumber.none),
        .init(ReportNumber.count(trial.steps)),
        .init(trial.seconds.map(ReportNumber.duration) ?? ""),
        .init(revisions.count == 1 ? "" : trial.revision),
        .init(machines.count == 1 ? "" : trial.machine),
        .init(hashes.count == 1 ? "" : String((trial.contractHash ?? "").prefix(8))),
        .init(marks.joined(separator: ", "), tone: marks.isEmpty ? .plain : .warning),
      ]
      table.add(cells)
    }
    let facts = common.isEmpty ? "" : " All: \(common.joined(separator: "; "))."
    return section(
      "trials", "Every trial",
      [
        .paragraph("\(count(analysis.trials.count, "trial")), failures included.\(facts)"),
        .table(table.withoutEmptyColumns),
      ])
  }

  private func statusWords(_ trial: TrialAnalysis) -> String {
    guard let status = trial.status else { return "not readable" }
    let words = trial.isDiverged && status == .finished ? "finished, diverged" : status.rawValue
    return trial.reason.map { "\(words): \($0)" } ?? words
  }

  /// What a reader has to know about the records.
  func marks() -> ReportSection? {
    guard !analysis.marks.isEmpty else { return nil }
    var table = ReportTable(["<kind", "<what", "<trials"])
    for mark in analysis.marks {
      let trials =
        mark.trials.count > 12
        ? mark.trials.prefix(12).joined(separator: ", ") + " and \(mark.trials.count - 12) more"
        : mark.trials.joined(separator: ", ")
      table.add([.init(mark.kind.rawValue, tone: .warning), .init(mark.text), .init(trials)])
    }
    return section("marks", "Warnings and marks", [.table(table.withoutEmptyColumns)])
  }

  /// The commands that make it again.
  func reproduction() -> ReportSection? {
    var blocks: [ReportBlock] = [
      .paragraph("The report again, from the records alone:"), .code(analysis.command),
    ]
    if !study.command.isEmpty, study.command != analysis.command {
      blocks += [.paragraph("The study again:"), .code(study.command)]
    }
    return section("reproduction", "Make it again", blocks)
  }
}
