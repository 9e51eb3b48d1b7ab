// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import RunRecords
import TextData
import Training

/// Finds, before anything runs, arms whose contracts will differ in a field that none of them declares.
///
/// What depends on weights and on the held-out tokens themselves is only known afterwards; the contracts of the runs are checked again then.
struct ContractForecast {
  let fileName: String
  let record: StudyRecord
  let cells: [ArmInVariant: StudyCell]
  let tuning: [ArmInVariant: String]

  /// A field in which arms differ without saying so.
  private struct Difference: Equatable {
    let field: FairnessContract.Field
    let message: String
  }

  /// - Throws: `ComparisonError` with every field in which arms differ, and the remedy.
  func check() throws {
    var found: [Difference] = []
    for variant in record.variants {
      found += try differences(variant.name).filter { !found.contains($0) }
    }
    found += try tunedConditions()
    if found.isEmpty { return }
    throw ComparisonError(
      .unequalContracts, fields: found.map(\.field),
      found.map { "\(fileName): \($0.message)" }.joined(separator: "\n"))
  }

  /// Conditions that tuning may set otherwise for one arm than for another: found only when everything has been paid for.
  private func tunedConditions() throws -> [Difference] {
    var found: [Difference] = []
    for axis in record.tuning?.axes ?? [] {
      for arm in record.arms {
        guard let keys = axis.keys[arm.name], !axis.isFree(arm: arm.name),
          let variant = arm.variants.first,
          let cell = cells[ArmInVariant(arm: arm.name, variant: variant)]
        else { continue }
        let grid = axis.grid(arm: arm.name, variant: variant)
        let forecasts = try grid.map { value in
          let knobs = cell.defaults.merging(keys.map { ($0, value) }) { _, new in new }
          return try forecast(
            cell.configuration(
              with: TrialRequest.Layer(
                label: "study \(fileName), trial",
                text: cell.protocolText(knobs: knobs, steps: cell.steps))))
        }
        for field in FairnessContract.Field.allCases where !arm.differences.contains(field) {
          guard Set(forecasts.map { $0[field] ?? "" }).count > 1,
            !found.contains(where: { $0.field == field })
          else { continue }
          found.append(
            Difference(
              field: field,
              message:
                "tuning \(keys.joined(separator: ", ")) may give '\(arm.name)' another \(field.rawValue) than other arms; tune "
                + "something else, or write differs = [\"\(field.rawValue)\"] in every arm that is tuned on it"
            ))
        }
      }
    }
    return found
  }

  private func forecast(
    _ configuration: TrainingConfiguration
  ) throws -> [FairnessContract.Field: String] {
    let data = try? DatasetDescription(folder: configuration.data.path)
    // Without data there is no vocabulary to know; all arms get the same.
    let size = configuration.model.vocabularySize ?? data?.vocabularySize ?? 2
    return try configuration.contractForecast(
      vocabularySize: size, validationTokens: data?.validationTokens)
  }

  private func differences(_ variant: String) throws -> [Difference] {
    let arms = record.arms(in: variant)
    let forecasts = try arms.map { arm -> [FairnessContract.Field: String] in
      let name = ArmInVariant(arm: arm.name, variant: variant)
      guard let cell = cells[name] else { return [:] }
      var forecast = try forecast(cell.configuration)
      forecast[.tuning] = tuning[name] ?? "none"
      return forecast
    }
    return FairnessContract.Field.allCases.compactMap { field in
      var groups: [(value: String, arms: [String])] = []
      for (arm, forecast) in zip(arms, forecasts) where !arm.differences.contains(field) {
        let value = forecast[field] ?? ""
        if let index = groups.firstIndex(where: { $0.value == value }) {
          groups[index].arms.append(arm.name)
        } else {
          groups.append((value, [arm.name]))
        }
      }
      guard groups.count > 1 else { return nil }
      let most = groups.max { $0.arms.count < $1.arms.count }?.arms ?? []
      let others = groups.flatMap(\.arms).filter { !most.contains($0) }
      let values = groups.map { "\($0.arms.joined(separator: ", ")): \($0.value)" }
      let message =
        "arms cannot be compared, for they differ in \(field.rawValue) (\(values.joined(separator: "; "))); give all the same, or "
        + "write differs = [\"\(field.rawValue)\"] in \(others.map { "'\($0)'" }.joined(separator: ", "))"
      return Difference(field: field, message: message)
    }
  }
}
