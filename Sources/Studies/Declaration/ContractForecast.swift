// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Configurations
import RunRecords
import TextData
import Training

/// Finds, before anything runs, arms whose contracts will differ in a field that none of them declares.
///
/// What depends on weights and held-out tokens is only known afterwards; the contracts of the runs are checked again then.
struct ContractForecast {
  let record: StudyRecord
  let cells: [ArmInVariant: StudyCell]

  /// - Throws: `ConfigurationError` with every field in which arms differ, and the remedy.
  func check() throws {
    var problems: [ConfigurationProblem] = []
    for variant in record.variants {
      let found = try differences(variant.name)
      problems += found.filter { new in !problems.contains { $0.message == new.message } }
    }
    if !problems.isEmpty { throw ConfigurationError(problems) }
  }

  private func differences(_ variant: String) throws -> [ConfigurationProblem] {
    let arms = record.arms(in: variant)
    let forecasts = try arms.map { arm -> [FairnessContract.Field: String] in
      guard let cell = cells[ArmInVariant(arm: arm.name, variant: variant)] else { return [:] }
      let manifest = try? DatasetManifest.read(folder: cell.configuration.data.path)
      // Without data there is no vocabulary to know; all arms get the same.
      let size = cell.configuration.model.vocabularySize ?? manifest?.tokenizer.vocabularySize ?? 2
      return try cell.configuration.contractForecast(vocabularySize: size)
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
      return ConfigurationProblem(
        .contradiction, keys: ["arm.differs"],
        "arms cannot be compared, for they differ in \(field.rawValue) (\(values.joined(separator: "; "))); give all the same, or "
          + "write differs = [\"\(field.rawValue)\"] in \(others.map { "'\($0)'" }.joined(separator: ", "))"
      )
    }
  }
}
