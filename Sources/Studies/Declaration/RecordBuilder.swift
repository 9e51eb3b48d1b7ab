// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Configurations
import Foundation
import RunRecords
import TextData
import Training

/// Puts a study's record together from what was read and checked.
struct RecordBuilder {
  let draft: StudyDraft
  let cells: [ArmInVariant: StudyCell]
  let axes: [StudyRecord.Axis]

  /// The record, sealed with a hash of everything that defines the study: itself, and the configurations of its arms.
  func record(revision: String, command: String) throws -> StudyRecord {
    var record = StudyRecord(
      name: draft.name, question: draft.question, variants: draft.variants.map(variant),
      arms: draft.arms.map(arm), baseline: draft.baseline, tuning: tuning,
      sweeps: draft.sweeps.map(\.sweep), reportingSeeds: draft.reportingSeeds, budget: budget,
      targets: draft.targets, rule: draft.rule, stopping: draft.stopping, claims: draft.claims,
      declaredAt: Date(timeIntervalSince1970: 0), revision: "", command: "", hash: "")
    record.hash = try hash(of: record)
    // Whole seconds are what is stored.
    record.declaredAt = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down))
    record.revision = revision
    record.command = command
    return record
  }

  private func hash(of record: StudyRecord) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let text = String(decoding: try encoder.encode(record), as: UTF8.self)
    let identities = cells.map { "\($0.key): \($0.value.configuration.identity)" }.sorted()
    return SHA256.hexadecimal(of: ([text] + identities).joined(separator: "\n"))
  }

  private func cellsOf(arm: String) -> [StudyCell] {
    draft.variants.compactMap { cells[ArmInVariant(arm: arm, variant: $0.name)] }
  }

  private func variant(_ variant: StudyDraft.Variant) -> StudyRecord.Variant {
    let cell = draft.arms.lazy.compactMap {
      cells[ArmInVariant(arm: $0.name, variant: variant.name)]
    }.first
    let data = cell.flatMap { try? DatasetDescription(folder: $0.configuration.data.path) }
    return StudyRecord.Variant(
      name: variant.name, changes: changes(variant.layer),
      entropyFloor: data?.synthetic?.entropyRate)
  }

  private func changes(_ layer: ConfigurationLayer) -> [String: String] {
    Dictionary(layer.entries.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
  }

  private func arm(_ arm: StudyDraft.Arm) -> StudyRecord.Arm {
    let cells = cellsOf(arm: arm.name)
    var defaults: [String: KnobValue] = [:]
    for cell in cells {
      for (key, value) in cell.defaults {
        let isCommon = cells.allSatisfy { $0.defaults[key] == value }
        defaults[isCommon ? key : "\(cell.name.variant)/\(key)"] = value
      }
    }
    let steps = Dictionary(uniqueKeysWithValues: cells.map { ($0.name.variant, $0.steps) })
    var differences = arm.differences
    // A budget that is not counted in steps or tokens declares that arms train on different numbers of them.
    let isUnequal = steps.contains { variant, steps in
      self.cells[ArmInVariant(arm: draft.baseline, variant: variant)].map { $0.steps != steps }
        ?? false
    }
    let unit = budget.unit
    if isUnequal, unit != .steps, unit != .tokens {
      // The schedule is the same as a function of the run's length, but not to the last digit of every step.
      for field in [FairnessContract.Field.trainingTokens, .schedule]
      where !differences.contains(field) { differences.append(field) }
    }
    return StudyRecord.Arm(
      name: arm.name, method: cells.first?.configuration.optimizer.name ?? "",
      changes: changes(arm.layer), differences: differences, variants: arm.variants, steps: steps,
      defaults: defaults)
  }

  private var budget: StudyRecord.Budget {
    if let budget = draft.budget { return budget }
    let steps = cellsOf(arm: draft.baseline).first?.steps ?? 0
    return StudyRecord.Budget(unit: .steps, amount: Double(steps))
  }

  private var tuning: StudyRecord.Tuning? {
    guard let tuning = draft.tuning, !axes.isEmpty else { return nil }
    return StudyRecord.Tuning(
      seeds: draft.tuningSeeds, axes: axes, extensionLimit: TuningAxes.extensionLimit(tuning),
      refines: tuning.refines)
  }
}
