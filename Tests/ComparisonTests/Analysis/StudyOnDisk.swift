// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords
import Testing

@testable import Comparison

/// A study's folder with records that nobody trained for; deleted with the value that owns it.
final class StudyOnDisk {
  /// What the records of a trial say besides its result.
  struct Details {
    var contract: [FairnessContract.Field: String]? = [:]
    var processor = "test processor"
    /// Where a second session went on; nil: there was none.
    var laterProcessor: String?
    var revision = "abc"
    var numbers: [String: Double] = [:]
    var statistics: [(step: Int, name: String, value: Double)] = []
    var isSealed = true
  }

  let path: String
  let study: StudyRecord

  init(_ study: StudyRecord) throws {
    path = NSTemporaryDirectory() + "assay-study-" + UUID().uuidString
    self.study = study
    try FileManager.default.createDirectory(
      atPath: path + "/trials", withIntermediateDirectories: true)
    try write(study, "study.json")
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ value: some Encodable, _ name: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.dateEncodingStrategy = .iso8601
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try encoder.encode(value).write(to: URL(fileURLWithPath: path + "/" + name))
  }

  /// The folder of a trial, relative to the study's.
  static func folder(_ point: TrialPoint, isAudit: Bool = false) -> String {
    let knobs = point.knobs.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let seed = "\(point.seed.purpose.rawValue.prefix(1))\(point.seed.initial)-\(point.seed.data)"
    let name = [point.variant, point.arm, seed, "\(point.horizon)"] + knobs
    return "trials/" + name.joined(separator: ".").replacingOccurrences(of: "/", with: "_")
      + (isAudit ? ".audit" : "")
  }

  /// Writes the folder of a trial.
  @discardableResult
  func add(_ result: TrialResult, _ details: Details = Details()) throws -> String {
    let name = Self.folder(result.point, isAudit: result.isAudit)
    let folder = path + "/" + name
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try write(
      TrialRecord(
        study: study.name, identity: String(name.dropFirst("trials/".count)), point: result.point,
        isAudit: result.isAudit, revision: details.revision, version: "1"), name + "/trial.json")
    let numbers = result.finalNumbers.merging(details.numbers) { _, new in new }
    try write(
      RunOutcome(
        status: result.status, reason: result.reason, completedSteps: result.steps,
        finalNumbers: numbers, startTime: Date(timeIntervalSince1970: 0)), name + "/outcome.json")
    func machine(_ processor: String) -> MachineRecord {
      MachineRecord(
        operatingSystem: "test", architecture: "x86_64", processor: processor, coreCount: 2,
        memoryBytes: 1)
    }
    try write(machine(details.processor), name + "/machine.json")
    if let later = details.laterProcessor {
      let start = Date(timeIntervalSince1970: 0)
      try write(
        [
          SessionRecord(startTime: start, firstStep: 0, machine: machine(details.processor)),
          SessionRecord(startTime: start, firstStep: 7, machine: machine(later)),
        ], name + "/sessions.json")
    }
    if let changes = details.contract {
      var values = Dictionary(
        uniqueKeysWithValues: FairnessContract.Field.allCases.map { ($0, "\($0.rawValue) as ever") }
      )
      values[.initialWeights] = "weights of seed \(result.point.seed.initial)"
      values[.tokenOrder] = "tokens of seed \(result.point.seed.data)"
      values.merge(changes) { _, new in new }
      try write(
        FairnessContract(values, sha256: SHA256.hexadecimal(of:)), name + "/contract.json")
    }
    var lines = result.evaluations.map { evaluation in
      let loss = evaluation.loss.isFinite ? "\(evaluation.loss)" : "\"nan\""
      return
        "{\"step\":\(evaluation.step),\"tokens\":\(evaluation.step * 8),\"validationLoss\":\(loss)}"
    }
    lines.append("{\"step\":0,\"loss\":5.5}")
    lines += details.statistics.map { "{\"step\":\($0.step),\"\($0.name)\":\($0.value)}" }
    try Data((lines.joined(separator: "\n") + "\n").utf8)
      .write(to: URL(fileURLWithPath: folder + "/metrics.jsonl"))
    if details.isSealed { try seal(name) }
    return name
  }

  private struct Seal: Encodable {
    let format = 1
    let files: [String: String]
  }

  func seal(_ name: String) throws {
    var files: [String: String] = [:]
    for file in RunSeal.fileNames {
      guard let data = FileManager.default.contents(atPath: "\(path)/\(name)/\(file)") else {
        continue
      }
      files[file] = SHA256.hexadecimal(of: [UInt8](data))
    }
    try write(Seal(files: files), name + "/seal.json")
  }

  /// Writes the trials of full runs at the default values: for each arm a loss for each seed.
  func add(_ losses: [String: [Double]], variant: String = "main", _ details: Details = Details())
    throws
  {
    for (arm, values) in losses {
      let knobs = study.arm(named: arm)?.defaults(in: variant) ?? [:]
      for (seed, loss) in zip(study.reportingSeeds, values) {
        let point = TrialPoint(
          variant: variant, arm: arm, seed: TrialSeed(.reporting, seed), knobs: knobs)
        try add(finished(point, loss), details)
      }
    }
  }

  func results(checksSeals: Bool = true) throws -> StudyResults {
    try StudyResults(folder: path, checksSeals: checksSeals)
  }

  func analysis(allowsUnequal: Bool = false) throws -> StudyAnalysis {
    try StudyAnalysis(
      results(), command: "test", madeAt: Date(timeIntervalSince1970: 0),
      allowsUnequal: allowsUnequal)
  }
}

/// The loss before the first step of every trial here.
let initialLoss = 6.0

/// A trial that ran to its end; a loss that is not finite is one that the last evaluation gave.
func finished(_ point: TrialPoint, _ loss: Double, initial: Double = initialLoss) -> TrialResult {
  TrialResult(
    point: point, identity: "", status: .finished, steps: Int(100 * point.horizon),
    finalNumbers: ["validationLoss": loss],
    evaluations: [
      .init(step: 0, loss: initial), .init(step: 50, loss: (initial + loss) / 2),
      .init(step: 100, loss: loss),
    ])
}

/// A trial that ended in another way.
func ended(
  _ point: TrialPoint, _ status: RunOutcome.Status, reason: String? = nil,
  evaluations: [Double] = [initialLoss]
) -> TrialResult {
  TrialResult(
    point: point, identity: "", status: status, reason: reason, steps: 10,
    evaluations: evaluations.enumerated().map { .init(step: $0 * 5, loss: $1) })
}

/// A study of arms that run as declared.
func measuredStudy(
  arms: [String], variants: [String] = ["main"], seeds: Int = 5, sweeps: [StudyRecord.Sweep] = [],
  targets: StudyRecord.Targets? = nil, margin: StudyRecord.ComparisonRule.Margin = .absolute(0.01),
  pairing: StudyRecord.ComparisonRule.Pairing = .calibrated, family: [[String]]? = nil,
  differences: [String: [FairnessContract.Field]] = [:], explores: Bool = false,
  claims: [Claim] = [], entropyFloor: Double? = nil, defaults: [String: KnobValue] = [:]
) -> StudyRecord {
  StudyRecord(
    name: "measured", question: "Which?",
    variants: variants.map { .init(name: $0, changes: [:], entropyFloor: entropyFloor) },
    arms: arms.map { name in
      StudyRecord.Arm(
        name: name, method: name, changes: [:], differences: differences[name] ?? [],
        variants: variants,
        steps: Dictionary(uniqueKeysWithValues: variants.map { ($0, 100) }), defaults: defaults)
    },
    baseline: arms[0], tuning: nil, sweeps: sweeps, reportingSeeds: Array(1...max(seeds, 1)),
    budget: .init(unit: .steps, amount: 100), targets: targets,
    rule: .init(
      level: 0.05, margin: margin, pairing: pairing,
      family: family ?? arms.dropFirst().map { [$0, arms[0]] }, exploresAllPairs: explores),
    stopping: .init(divergenceMargin: nil, races: false, auditShare: 0), claims: claims,
    declaredAt: Date(timeIntervalSince1970: 0), revision: "abc", command: "assay compare measured",
    hash: "0123456789abcdef")
}

/// A sweep of one key for all arms.
func sweepOf(
  _ name: String, _ key: String, _ values: StudyRecord.Sweep.Values, arms: [String],
  seeds: Int = 5, isLogarithmic: Bool = true
) -> StudyRecord.Sweep {
  StudyRecord.Sweep(
    name: name, keys: Dictionary(uniqueKeysWithValues: arms.map { ($0, [key]) }), values: values,
    variants: ["main"], seedCount: seeds, isLogarithmic: isLogarithmic)
}

extension StudyAnalysis {
  func row(_ arm: String, in variant: Int = 0) throws -> LeaderboardRow {
    try #require(variants[variant].leaderboard.first { $0.arm == arm })
  }
  func arm(_ name: String, in variant: Int = 0) throws -> ArmAnalysis {
    try #require(variants[variant].arms.first { $0.name == name })
  }
  func difference(_ arm: String, _ other: String, in variant: Int = 0) throws -> DifferenceAnalysis
  {
    try #require(variants[variant].differences.first { $0.arm == arm && $0.other == other })
  }
  func trial(_ folder: String) throws -> TrialAnalysis {
    try #require(trials.first { $0.folder == folder })
  }
}
