// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation
import RunRecords

extension StudyAnalysis {
  /// Analyses a study, finished or not.
  ///
  /// - Parameters:
  ///   - results: the study with its trials.
  ///   - command: the command that makes the analysis again.
  ///   - madeAt: when it is made.
  ///   - allowsUnequal: whether arms may differ in conditions that they did not declare; the difference then stands in the title.
  /// - Throws: ``ComparisonError`` when runs must not be compared, ``ProtocolError`` when the declaration contradicts itself.
  public init(
    _ results: StudyResults, command: String, madeAt: Date = Date(), allowsUnequal: Bool = false
  ) throws {
    let study = results.study
    let plan = try StudyPlan(study)
    let progress = try StudyProtocol.next(study, results.results)
    let measured = study.variants.map { variant in
      VariantMeasurement(
        variant, plan: plan, trials: results.trials, tuned: progress.tuned,
        calibration: results.calibration)
    }
    let groups = measured.map(\.contractGroups)
    let checks = groups.map { ContractCheck($0.reporting + $0.others) }
    if !allowsUnequal { try ContractCheck(groups.flatMap { $0.reporting + $0.others }).require() }
    let differences = measured.map(\.comparisons).adjusted(
      exploresAllPairs: study.rule.exploresAllPairs)
    self.study = study
    isDeclared = results.isDeclared
    folder = results.folder
    self.madeAt = madeAt
    self.command = command
    variants = measured.indices.map { index in
      VariantAnalysis(
        measured[index], check: checks[index], groups: groups[index].reporting,
        differences: differences[index])
    }
    calibration = results.calibration
    contrasts = study.arms.filter { $0.name != study.baseline }.compactMap { arm in
      VariantContrast(arm.name, baseline: study.baseline, measured, level: study.rule.level)
    }
    claims = ClaimEvaluation(measured).results
    let fleet = Fleet(results.trials)
    trials = results.trials.map { TrialAnalysis($0, study: study, fleet: fleet) }
    stops = StopAnalysis.all(results.trials, study: study, plan: plan)
    completion = StudyCompletion(results, progress)
    title = Self.title(study.name, variants)
    marks = []
    marks = StudyMark.all(of: self, problems: results.problems + results.trials.flatMap(\.problems))
    marks += measured.compactMap { StudyMark(calibration: results.calibration, of: $0) }
  }

  private static func title(_ name: String, _ variants: [VariantAnalysis]) -> String {
    let differences = variants.compactMap { variant in
      variant.contract.declaredDifferences.map {
        variants.count > 1 ? "\(variant.name): \($0)" : $0
      }
    }
    let distinct = Set(variants.map(\.contract.declaredDifferences))
    if distinct.count == 1, let same = distinct.first?.flatMap({ $0 }) {
      return "\(name) (\(same))"
    }
    return differences.isEmpty ? name : "\(name) (\(differences.joined(separator: "; ")))"
  }

  /// The analysis as JSON, sorted by keys; numbers that are not known are left out.
  ///
  /// - Returns: UTF-8 text with a newline at its end.
  /// - Throws: an encoding error, which no analysis gives.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Reads what ``json()`` gave.
  ///
  /// - Parameter json: the text.
  /// - Throws: a decoding error.
  public init(json: Data) throws {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    self = try decoder.decode(StudyAnalysis.self, from: json)
  }
}

extension StudyCompletion {
  init(_ loaded: StudyResults, _ progress: StudyProgress) {
    let results = loaded.results
    done = results.count(where: \.hasEnded)
    failed = results.count { $0.status == .failed }
    unfinished = results.count { [.running, .interrupted].contains($0.status) }
    missing = loaded.isDeclared ? progress.needed.count + progress.audits.count : 0
    total = loaded.isDeclared ? progress.expectedTotal : TrialCount(results.count)
    phases = loaded.isDeclared ? progress.phases : progress.phases.mapValues { _ in .done }
    isComplete = missing == 0
  }
}
