// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords

/// Compares contracts of runs that are to be compared: the same variant, purpose, seed and place in the study.
struct ContractCheck {
  /// Runs that only their arms may distinguish.
  struct Group {
    let variant: String
    let seed: TrialSeed
    /// Which runs, in words, for example `sweep momentum at 0.9`; empty for the full runs at the tuned values.
    let place: String
    /// One run for each arm, in the order of the declaration; arms without a run are left out.
    let runs: [(arm: StudyRecord.Arm, trial: LoadedTrial)]
  }

  /// A field in which arms differ that did not declare it.
  struct Violation {
    let group: Group
    let field: FairnessContract.Field
    /// Values with the arms that have them, the most frequent first.
    let values: [(value: String, arms: [String])]
  }

  let violations: [Violation]
  /// Runs that ended without a contract.
  let missing: [LoadedTrial]

  init(_ groups: [Group]) {
    var violations: [Violation] = []
    var missing: [LoadedTrial] = []
    for group in groups {
      missing += group.runs.compactMap { $0.trial.contract == nil ? $0.trial : nil }
      for field in FairnessContract.Field.allCases {
        let bound = group.runs.filter {
          !$0.arm.differences.contains(field) && $0.trial.contract != nil
        }
        let values = Self.values(
          bound.map { ($0.arm.name, $0.trial.contract?.values[field] ?? "") })
        if values.count > 1 {
          violations.append(Violation(group: group, field: field, values: values))
        }
      }
    }
    self.violations = violations
    var seen: Set<String> = []
    self.missing = missing.filter { seen.insert($0.folder).inserted }
  }

  /// Distinct values with their arms, the most frequent first.
  static func values(_ pairs: [(arm: String, value: String)]) -> [(value: String, arms: [String])] {
    var result: [(value: String, arms: [String])] = []
    for (arm, value) in pairs {
      if let index = result.firstIndex(where: { $0.value == value }) {
        result[index].arms.append(arm)
      } else {
        result.append((value, [arm]))
      }
    }
    return result.enumerated()
      .sorted { (-$0.element.arms.count, $0.offset) < (-$1.element.arms.count, $1.offset) }
      .map(\.element)
  }

  /// Refuses what must not be compared.
  ///
  /// - Throws: ``ComparisonError`` with every field, the arms, their values and the remedy.
  func require() throws(ComparisonError) {
    if let first = missing.first {
      let more = missing.count > 1 ? " and \(missing.count - 1) others" : ""
      throw ComparisonError(
        .missingContract,
        "\(first.folder)\(more): there is no \(RunFolder.FileName.contract), so nothing shows that the runs were made under "
          + "equal conditions; the runs are older than contracts or were edited. Move these folders away and run them again"
      )
    }
    guard !violations.isEmpty else { return }
    var seen: Set<FairnessContract.Field> = []
    let byField = violations.filter { seen.insert($0.field).inserted }
    let fields = byField.map(\.field)
    let lines = byField.map { violation -> String in
      let place = violation.group.place.isEmpty ? "" : ", \(violation.group.place)"
      let texts = Self.shortened(violation.values.map(\.value))
      let values = zip(violation.values, texts).map { value, text in
        "\(value.arms.joined(separator: ", ")): \(text)"
      }
      return
        "  \(violation.field.rawValue) (variant \(violation.group.variant), seed \(violation.group.seed.initial)\(place)): "
        + values.joined(separator: "; ")
    }
    let names = fields.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    throw ComparisonError(
      .unequalContracts, fields: fields,
      "these runs cannot be compared: arms differ in \(fields.map(\.rawValue).joined(separator: ", "))\n"
        + lines.joined(separator: "\n")
        + "\nGive all arms the same, or declare the difference in the arm that has it: differs = [\(names)]"
    )
  }

  /// Different texts, long ones from the word on in which they begin to differ.
  static func shortened(_ values: [String]) -> [String] {
    let most = 120
    guard let first = values.first, values.contains(where: { $0.count > most }) else {
      return values.map { $0.isEmpty ? "(nothing)" : $0 }
    }
    let common = values.dropFirst().reduce(first.count) { common, value in
      min(common, zip(first, value).prefix { $0 == $1 }.count)
    }
    let beginning = first.prefix(common)
    let words =
      beginning.lastIndex(where: { " ,{".contains($0) }).map { beginning[...$0].count } ?? 0
    // A short beginning tells what the rest is about.
    let left = words > most / 2 ? words : 0
    return values.map { value in
      if value.isEmpty { return "(nothing)" }
      let rest = value.dropFirst(left)
      return (left > 0 ? "..." : "") + (rest.count > most ? rest.prefix(most - 3) + "..." : rest)
    }
  }
}

extension ContractAnalysis {
  /// The contract of a variant.
  ///
  /// - Parameters:
  ///   - check: of all groups of the variant.
  ///   - groups: of the full runs at tuned values, one for each seed; the first that has all arms is shown.
  ///   - arms: the arms of the variant.
  ///   - tuningTrials: of each arm.
  ///   - study: the declaration.
  init(
    _ check: ContractCheck, groups: [ContractCheck.Group], arms: [StudyRecord.Arm],
    tuningTrials: [Int], study: StudyRecord
  ) {
    let shown = groups.max { $0.runs.count < $1.runs.count }
    let violated = Set(check.violations.map(\.field))
    conditions = FairnessContract.Field.allCases.map { field in
      let pairs = (shown?.runs ?? []).compactMap { run in
        run.trial.contract.map { (run.arm.name, $0.values[field] ?? "") }
      }
      let all = ContractCheck.values(pairs)
      let bySeed = Set(
        groups.compactMap { group in
          group.runs.first { $0.arm.name == shown?.runs.first?.arm.name }?.trial.contract?.values[
            field]
        })
      return Condition(
        field: field, isEqual: all.count < 2 && !violated.contains(field),
        dependsOnSeed: bySeed.count > 1,
        values: all.map { value in
          Value(
            arms: value.arms, value: value.value,
            isDeclared: arms.contains {
              value.arms.contains($0.name) && $0.differences.contains(field)
            })
        })
    }
    self.tuningTrials = tuningTrials
    tuningSeeds = study.tuning?.seeds ?? []
    reportingSeeds = study.reportingSeeds
    var phrases = conditions.compactMap { condition -> String? in
      guard !condition.isEqual else { return nil }
      let declaring = arms.filter { $0.differences.contains(condition.field) }.map(\.name)
      let differing = condition.values.dropFirst().flatMap(\.arms)
      let named = declaring.isEmpty ? differing : declaring
      let how = violated.contains(condition.field) ? "not declared" : "declared"
      return "\(condition.field.rawValue) differs for \(named.joined(separator: ", ")) (\(how))"
    }
    if Set(tuningTrials).count > 1 {
      let efforts = zip(arms, tuningTrials).map { "\($0.name) \($1)" }
      phrases.append("tuning trials differ: \(efforts.joined(separator: ", "))")
    }
    declaredDifferences = phrases.isEmpty ? nil : phrases.joined(separator: "; ")
  }
}
