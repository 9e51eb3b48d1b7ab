// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Configurations
import Foundation
import Optimizers
import RunRecords
import TextData
import Training

/// Checks the configurations of all arms of a study before anything runs, and finds the steps of their trials.
struct StudyCheck {
  /// What it found.
  struct Result {
    var cells: [ArmInVariant: StudyCell] = [:]
    var axes: [StudyRecord.Axis] = []
    var problems: [ConfigurationProblem] = []
  }

  let draft: StudyDraft
  /// Nil: the base itself is missing, which has been reported.
  let base: (label: String, text: String)?
  let fileName: String
  let surroundings: StudyDeclaration.Surroundings

  /// Problems with the cells in which they occur.
  private struct Found {
    var order: [ConfigurationProblem] = []
    var cells: [String: [ArmInVariant]] = [:]

    mutating func add(_ error: any Error, _ name: ArmInVariant) {
      let problems =
        (error as? ConfigurationError)?.problems
        ?? [ConfigurationProblem(.contradiction, "\(error)")]
      for problem in problems {
        if cells[problem.message] == nil { order.append(problem) }
        cells[problem.message, default: []].append(name)
      }
    }
  }

  /// Keys of `[optimizer]` that surround every method and so pass from the base to an arm with a method of its own.
  private static let surroundingKeys = ["gradient_clip", "skip_deviations", "skip_window"]

  func run() -> Result {
    var result = Result()
    guard let base, !draft.arms.isEmpty else { return result }
    var found = Found()
    var plain: [(name: ArmInVariant, cell: StudyCell)] = []
    for variant in draft.variants {
      for arm in draft.arms where arm.variants.contains(variant.name) {
        let name = ArmInVariant(arm: arm.name, variant: variant.name)
        do {
          plain.append((name, try cell(name, variant, arm, base)))
        } catch { found.add(error, name) }
      }
    }
    if let tuning = draft.tuning {
      result.axes = TuningAxes.axes(
        tuning, cards: plain.map { ($0.name, $0.cell.configuration.optimizer.card) })
    }
    for (name, cell) in plain {
      let defaults = defaults(cell, result.axes)
      let complete = StudyCell(
        name: name, layers: cell.layers, source: cell.source, budget: cell.budget,
        stepsPerSecond: cell.stepsPerSecond, configuration: cell.configuration, defaults: defaults)
      result.cells[name] = complete
      for error in knobProblems(complete, result.axes) + ladderProblems(complete) {
        found.add(error, name)
      }
    }
    for error in targetProblems(result.cells) { found.add(error.error, error.name) }
    result.problems = found.order.map { problem in
      ConfigurationProblem(
        problem.code, keys: problem.keys,
        prefix(found.cells[problem.message] ?? []) + problem.message)
    }
    return result
  }

  /// Which arms and variants a problem is about; nothing when it is about all.
  private func prefix(_ cells: [ArmInVariant]) -> String {
    let cells = Set(cells)
    let all = draft.arms.flatMap { arm in
      arm.variants.map { ArmInVariant(arm: arm.name, variant: $0) }
    }
    if all.allSatisfy(cells.contains) { return "" }
    let arms = draft.arms.filter { arm in cells.contains { $0.arm == arm.name } }
    let isWhole = arms.allSatisfy { arm in
      arm.variants.allSatisfy { cells.contains(ArmInVariant(arm: arm.name, variant: $0)) }
    }
    let names = arms.map { "'\($0.name)'" }.joined(separator: ", ")
    let place = arms.count == 1 ? "arm \(names)" : "arms \(names)"
    if isWhole { return place + ": " }
    let isVariant = all.allSatisfy { cell in
      cells.contains(cell) || !cells.contains { $0.variant == cell.variant }
    }
    let variants = draft.variants.map(\.name).filter { name in cells.contains { $0.variant == name }
    }
    let places = variants.map { "'\($0)'" }.joined(separator: ", ")
    if isVariant { return (variants.count == 1 ? "variant " : "variants ") + places + ": " }
    return place + " in " + places + ": "
  }

  // MARK: - Configurations

  /// What trials do unless somebody says otherwise: a killed one loses some seconds, and a thousand that ended fill no disk.
  private static let trialDefaults = "checkpoint.seconds = 20\ncheckpoint.final = \"none\"\n"

  private func cell(
    _ name: ArmInVariant, _ variant: StudyDraft.Variant, _ arm: StudyDraft.Arm,
    _ base: (label: String, text: String)
  ) throws -> StudyCell {
    var layers = [
      TrialRequest.Layer(label: "study defaults", text: Self.trialDefaults),
      TrialRequest.Layer(label: base.label, text: try baseText(base, variant, arm)),
    ]
    for (part, layer) in [
      ("common", draft.common), ("variant \(variant.name)", variant.layer),
      ("arm \(arm.name)", arm.layer),
    ] where !layer.entries.isEmpty {
      for key in ["training.seed", "training.data_seed", "training.divergence_margin"]
      where layer[key] != nil {
        let place = key.hasSuffix("seed") ? "[seeds]" : "[stopping]"
        throw ConfigurationError(
          .contradiction, keys: [key],
          "\(fileName), \(part): \(key) = \(layer[key] ?? "") belongs to the study as a whole; remove it and write \(place)"
        )
      }
      if draft.budget != nil, let steps = layer["training.steps"] {
        throw ConfigurationError(
          .contradiction, keys: ["training.steps", "budget"],
          "\(fileName), \(part): training.steps = \(steps) contradicts the study's [budget]; remove one of them, or give a "
            + "variant its own budget.steps")
      }
      layers.append(TrialRequest.Layer(label: "study \(fileName), \(part)", text: layer.text))
    }
    var source = ConfigurationSource()
    for layer in layers { try source.add(layer: layer.label, text: layer.text) }
    var budget = draft.budget
    if let amount = variant.amount { budget?.amount = amount }
    var stepsPerSecond: Double?
    var configuration: TrainingConfiguration
    if let budget {
      if budget.unit == .steps {
        configuration = try read(source, steps: Int(budget.amount))
      } else {
        configuration = try readOfAnyLength(source)
        if budget.unit == .seconds {
          stepsPerSecond = try surroundings.stepsPerSecond?(
            name, configuration, budget.amount)
        }
        let steps = try StepBudget(
          unit: budget.unit, amount: budget.amount, stepsPerSecond: stepsPerSecond
        ).steps(configuration)
        configuration = try read(source, steps: steps)
      }
    } else {
      configuration = try read(source, steps: nil)
    }
    if configuration.training.divergenceMargin != nil {
      throw ConfigurationError(
        .contradiction, keys: ["training.divergence_margin"],
        "\(base.label): training.divergence_margin would stop trials by a rule that the study does not declare; remove it and "
          + "write [stopping]")
    }
    return StudyCell(
      name: name, layers: layers, source: source, budget: budget, stepsPerSecond: stepsPerSecond,
      configuration: configuration, defaults: [:])
  }

  /// The base; without what it says about a method when the study names one of its own.
  private func baseText(
    _ base: (label: String, text: String), _ variant: StudyDraft.Variant, _ arm: StudyDraft.Arm
  ) throws -> String {
    let namesMethod = [draft.common, variant.layer, arm.layer].contains {
      $0["optimizer.name"] != nil
    }
    guard namesMethod else { return base.text }
    var source = ConfigurationSource()
    try source.add(layer: base.label, text: base.text)
    return source.layer { key in
      let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
      return parts[0] != "optimizer" || parts.count < 2 || Self.surroundingKeys.contains(parts[1])
    }.text
  }

  private func read(
    _ source: ConfigurationSource, _ more: TrialRequest.Layer? = nil, steps: Int?
  ) throws -> TrainingConfiguration {
    var source = source
    if let steps {
      try source.add(layer: "study \(fileName), budget", text: "training.steps = \(steps)\n")
    }
    if let more { try source.add(layer: more.label, text: more.text) }
    return try TrainingConfiguration(source)
  }

  /// A configuration whose number of steps is not known yet: its own, or so many that every schedule fits.
  private func readOfAnyLength(_ source: ConfigurationSource) throws -> TrainingConfiguration {
    if let configuration = try? read(source, steps: nil) { return configuration }
    return try read(source, steps: 1_000_000)
  }

  // MARK: - Knobs

  private func defaults(
    _ cell: StudyCell, _ axes: [StudyRecord.Axis]
  ) -> [String: KnobValue] {
    let keys =
      axes.flatMap { $0.keys[cell.name.arm] ?? [] }
      + draft.sweeps.flatMap { $0.sweep.keys[cell.name.arm] ?? [] }
    var result: [String: KnobValue] = [:]
    for key in keys { result[key] = cell.configuration.resolved[key]?.value.map(KnobValue.init) }
    return result
  }

  /// Every value of every axis and sweep is tried on the arm's configuration.
  private func knobProblems(_ cell: StudyCell, _ axes: [StudyRecord.Axis]) -> [any Error] {
    let lines = Dictionary(
      (draft.tuning?.axes ?? []).map { ($0.name, $0.line) }, uniquingKeysWith: { first, _ in first }
    )
    var errors: [any Error] = []
    for axis in axes {
      let grid = axis.grid(arm: cell.name.arm, variant: cell.name.variant)
      errors += problems(
        cell, axis.keys[cell.name.arm] ?? [], grid, part: "axis \(axis.name)",
        line: lines[axis.name] ?? nil)
    }
    for (sweep, line) in draft.sweeps.map({ ($0.sweep, $0.line) })
    where sweep.variants.contains(cell.name.variant) {
      guard let keys = sweep.keys[cell.name.arm] else { continue }
      let part = "sweep \(sweep.name)"
      switch sweep.values {
      case .absolute(let values):
        errors += problems(cell, keys, values, part: part, line: line)
      case .factors(let factors):
        let centers = keys.map { cell.defaults[$0]?.number }
        guard let center = centers.first ?? nil, center != 0, !centers.contains(nil) else {
          // A key that the arm does not take says so when it is set.
          let errorsOfKey = problems(cell, keys, [.number(1)], part: part, line: line)
          errors +=
            errorsOfKey.isEmpty
            ? [
              ConfigurationError(
                .contradiction, keys: keys,
                "\(fileName), \(part): \(keys.joined(separator: ", ")) has no number other than 0 that factors could multiply; "
                  + "give values")
            ] : errorsOfKey
          continue
        }
        let values = factors.map { KnobValue.number(KnobScale.rounded($0 * center)) }
        errors += problems(cell, keys, values, part: part, line: line)
      }
    }
    return errors
  }

  /// What is wrong with the first value that does not fit.
  private func problems(
    _ cell: StudyCell, _ keys: [String], _ values: [KnobValue], part: String, line: Int?
  ) -> [any Error] {
    // The keys on the line of the axis or sweep, so that messages name it.
    let blank = String(repeating: "\n", count: max(0, (line ?? 1) - 1))
    // A learning rate is accepted between two that are.
    let isRate = keys == [TuningAxes.learningRate] && values.count > 2
    for value in isRate ? [values[0], values[values.count - 1]] : values {
      let text = blank + keys.map { "\($0) = \(value.toml)" }.joined(separator: "\n") + "\n"
      do {
        let layer = TrialRequest.Layer(label: "study \(fileName), \(part)", text: text)
        _ = try read(cell.source, layer, steps: cell.steps)
        let knobs = cell.defaults.merging(keys.map { ($0, value) }) { _, new in new }
        _ = try cell.steps(with: knobs, fileName: fileName)
      } catch {
        return [error]
      }
    }
    return []
  }

  // MARK: - Ladder and targets

  /// Lengths in steps would stay when a rung shortens the run.
  private func ladderProblems(_ cell: StudyCell) -> [any Error] {
    guard let targets = draft.targets, targets.ladder.contains(where: { $0 != 1 }) else {
      return []
    }
    let steps = targets.ladder.map { max(1, Int((Double(cell.steps) * $0).rounded())) }
    let isOwn = Set(targets.ladder).count == targets.ladder.count
    if isOwn, let twin = steps.indices.first(where: { steps[..<$0].contains(steps[$0]) }) {
      return [
        ConfigurationError(
          .contradiction, keys: ["target.ladder", "budget"],
          "target.ladder: of \(cell.steps) steps two lengths make \(steps[twin]), and one run cannot be two; give more steps, or a "
            + "ladder that lies wider")
      ]
    }
    return cell.configuration.resolved.entries.compactMap { entry in
      guard entry.key.hasPrefix("schedule."), entry.value != nil, entry.origin != .default else {
        return nil
      }
      let isLength = entry.key.hasSuffix("_steps") || entry.key.hasSuffix("].steps")
      guard isLength else { return nil }
      let leaf = entry.key.split(separator: ".").last.map(String.init) ?? entry.key
      let remedy =
        ["warmup_steps", "cooldown_steps"].contains(leaf)
        ? "give \(leaf.dropLast("steps".count))fraction" : "give lengths as parts of the run"
      return ConfigurationError(
        .contradiction, keys: [entry.key, "target.ladder"],
        "\(entry.key) = \(entry.value?.description ?? "") (\(entry.origin)) stays the same on every rung of target.ladder, "
          + "so that shorter runs are not the same recipe; \(remedy)")
    }
  }

  /// Targets that no run can reach, or that every run has reached before its first step; data that are not there.
  private func targetProblems(
    _ cells: [ArmInVariant: StudyCell]
  ) -> [(error: any Error, name: ArmInVariant)] {
    var errors: [(error: any Error, name: ArmInVariant)] = []
    var descriptions: [String: DatasetDescription] = [:]
    for (name, cell) in cells.sorted(by: { "\($0.key)" < "\($1.key)" }) {
      let path = cell.configuration.data.path
      if descriptions[path] == nil {
        do {
          descriptions[path] = try DatasetDescription(folder: path)
        } catch {
          if surroundings.requiresData {
            errors.append(
              (ConfigurationError(.unreadableFile, keys: ["data.path"], "\(error)"), name))
          }
        }
      }
      for loss in draft.targets?.losses ?? [] {
        if let problem = unreachable(loss, cell, descriptions[path]) {
          errors.append((problem, name))
        }
      }
    }
    return errors
  }

  private func unreachable(
    _ loss: Double, _ cell: StudyCell, _ data: DatasetDescription?
  ) -> ConfigurationError? {
    if let floor = data?.synthetic?.entropyRate, loss <= floor {
      return ConfigurationError(
        .outOfRange, keys: ["target.losses"],
        "target.losses: \(loss) is not above \(floor), the entropy of the text in \(cell.configuration.data.path), which no "
          + "model can go below; give a higher loss")
    }
    guard
      let vocabulary = cell.configuration.model.vocabularySize ?? data?.vocabularySize
    else { return nil }
    let initial = log(Double(vocabulary))
    guard loss >= initial else { return nil }
    return ConfigurationError(
      .outOfRange, keys: ["target.losses"],
      "target.losses: \(loss) is reached before the first step, where all \(vocabulary) tokens are equally likely and the "
        + "loss is \(KnobScale.rounded(initial)); give a lower loss")
  }
}
