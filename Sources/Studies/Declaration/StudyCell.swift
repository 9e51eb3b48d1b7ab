// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Configurations
import RunRecords
import Training

/// An arm in one variant: what its configurations are made of, and how long its trials are.
struct StudyCell: Sendable {
  let name: ArmInVariant
  /// The base, what is common, the variant's keys, the arm's keys.
  let layers: [TrialRequest.Layer]
  /// The layers, read once: trials of a cell differ in what the protocol adds.
  let source: ConfigurationSource
  /// Nil: the configuration's own steps.
  let budget: StudyRecord.Budget?
  let stepsPerSecond: Double?
  /// The configuration with the arm's own values and the steps of a full trial.
  let configuration: TrainingConfiguration
  /// The values of swept and tuned keys where nothing else is chosen.
  let defaults: [String: KnobValue]

  /// The steps of a full trial with the arm's own values.
  var steps: Int { configuration.training.steps }

  /// The steps of a full trial with other values, which may change what a step costs.
  func steps(with knobs: [String: KnobValue], fileName: String) throws -> Int {
    guard let budget, budget.unit != .steps else { return steps }
    let changed = knobs.filter { $0.value != defaults[$0.key] && $0.key != TuningAxes.learningRate }
    if changed.isEmpty { return steps }
    let configuration = try configuration(
      with: TrialRequest.Layer(
        label: "study \(fileName), trial", text: protocolText(knobs: knobs, steps: steps)))
    return try StepBudget(
      unit: budget.unit, amount: budget.amount, stepsPerSecond: stepsPerSecond
    ).steps(configuration)
  }

  /// The configuration with one more layer on top.
  func configuration(with layer: TrialRequest.Layer) throws -> TrainingConfiguration {
    var source = source
    try source.add(layer: layer.label, text: layer.text)
    return try TrainingConfiguration(source)
  }

  /// What the protocol sets, as TOML.
  func protocolText(
    knobs: [String: KnobValue], seed: TrialSeed? = nil, steps: Int?, divergenceMargin: Double? = nil
  ) -> String {
    var lines = knobs.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value.toml)" }
    if let seed {
      lines.append("training.seed = \(seed.initial)")
      lines.append("training.data_seed = \(seed.data)")
    }
    if let steps { lines.append("training.steps = \(steps)") }
    if let divergenceMargin { lines.append("training.divergence_margin = \(divergenceMargin)") }
    return lines.joined(separator: "\n") + "\n"
  }
}
