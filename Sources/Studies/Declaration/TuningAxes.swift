// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Foundation
import Optimizers
import RunRecords

/// The axes of a study's tuning, with the grids that methods' cards suggest.
enum TuningAxes {
  /// The key of the first axis.
  static let learningRate = "optimizer.learning_rate"
  /// Points of an automatic bracket.
  private static let bracketPoints = 5
  /// How often an automatic grid may grow, for each arm.
  static let automaticExtensions = 4

  /// How often grids may grow.
  static func extensionLimit(_ tuning: StudyDraft.Tuning) -> Int {
    tuning.extensions ?? (tuning.rates.values.contains(.automatic) ? automaticExtensions : 0)
  }

  /// All axes, the learning rate first.
  ///
  /// - Parameters:
  ///   - tuning: what the study says.
  ///   - cards: the card of each arm's method, by arm and variant.
  /// - Returns: none when every arm keeps its learning rate and there are no other axes.
  static func axes(
    _ tuning: StudyDraft.Tuning, cards: [(name: ArmInVariant, card: OptimizerCard)]
  ) -> [StudyRecord.Axis] {
    let further = tuning.axes.map { axis in
      StudyRecord.Axis(
        name: axis.name, keys: axis.keys, grids: axis.keys.mapValues { _ in axis.values.values },
        isLogarithmic: axis.values.isLogarithmic, isAutomatic: false,
        extensionFactor: 10.squareRoot())
    }
    var keys: [String: [String]] = [:]
    var grids: [String: [KnobValue]] = [:]
    var upperBound = Double.infinity
    for (name, card) in cards {
      guard let rates = tuning.rates[name.arm], rates != .fixed,
        let declared = card.hyperparameters.first(where: { $0.name == "learning_rate" })
      else { continue }
      keys[name.arm] = [learningRate]
      upperBound = min(upperBound, declared.range.upperBound)
      let grid = grid(rates, declared)
      if let first = grids[name.arm], first != grid {
        grids["\(name.arm)/\(name.variant)"] = grid
      } else {
        grids[name.arm] = grid
      }
    }
    if keys.isEmpty { return further }
    let rate = StudyRecord.Axis(
      name: "learning rate", keys: keys, grids: grids, isLogarithmic: true,
      isAutomatic: extensionLimit(tuning) > 0, extensionFactor: 10.squareRoot(),
      upperBound: upperBound.isFinite ? upperBound : nil)
    return [rate] + further
  }

  /// How many trials choose the hyperparameters of each arm, in the words of contracts.
  ///
  /// A bound, for how far grids grow depends on losses. Arms that can be given as many trials as others are, so theirs are equal.
  ///
  /// - Throws: `ProtocolError` when the declaration contradicts itself.
  static func efforts(_ study: StudyRecord) throws -> [ArmInVariant: String] {
    var most: [ArmInVariant: Int] = [:]
    for entry in try StudyProtocol.estimate(study).entries where entry.phase < .reporting {
      most[ArmInVariant(arm: entry.arm, variant: entry.variant), default: 0] += entry.trials.most
    }
    return most.mapValues { $0 == 0 ? "none" : "at most \($0) trials" }
  }

  private static func grid(
    _ rates: StudyDraft.Rates, _ declared: OptimizerCard.Hyperparameter
  ) -> [KnobValue] {
    switch rates {
    case .fixed: return []
    case .values(let values): return values.values
    case .card where declared.search != nil:
      return (declared.search?.values ?? []).map { .number(KnobScale.rounded($0)) }
    case .automatic, .card:
      let center = declared.defaultValue
      return (0..<bracketPoints).map { index in
        KnobScale.rounded(center * pow(10, Double(index - bracketPoints / 2) / 2))
      }.filter(declared.accepts).map { .number($0) }
    }
  }
}
