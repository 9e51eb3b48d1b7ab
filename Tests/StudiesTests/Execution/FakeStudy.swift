// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Configurations
import Foundation
import RunRecords
import Training

@testable import Studies

/// A study whose trials are a shell script: it writes the records of a trial without training anything.
final class FakeStudy {
  let folder: String
  var record: StudyRecord

  /// Two arms, `a` and `b`, without tuning, on so many seeds.
  init(seeds: Int = 3, arms: [String] = ["a", "b"]) throws {
    folder = FileManager.default.temporaryDirectory.path + "/assay-study-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    record = StudyRecord(
      name: "fake", question: "", variants: [StudyRecord.Variant(name: "main", changes: [:])],
      arms: arms.map { name in
        StudyRecord.Arm(
          name: name, method: "any", changes: [:], differences: [], variants: ["main"],
          steps: ["main": 40], defaults: ["optimizer.learning_rate": .number(0.01)])
      }, baseline: arms[0], tuning: nil, sweeps: [], reportingSeeds: Array(1...seeds),
      budget: StudyRecord.Budget(unit: .steps, amount: 40), targets: nil,
      rule: StudyRecord.ComparisonRule(
        level: 0.05, margin: .absolute(0.01), pairing: .never, family: [], exploresAllPairs: false),
      stopping: StudyRecord.Stopping(divergenceMargin: nil, races: false, auditShare: 0.05),
      claims: [], declaredAt: Date(timeIntervalSince1970: 1_000_000), revision: "r",
      command: "assay compare fake.toml", hash: "first")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// The study's folder.
  var study: String { folder + "/study" }

  /// What every script begins with: the request taken apart, and how to leave records.
  static let preamble = """
    input=$(cat)
    run=${input#*\\"folder\\":\\"}; run=${run%%\\"*}
    trial=${input#*\\"trial\\":}; trial=${trial%\\}*}
    arm=${trial#*\\"arm\\":\\"}; arm=${arm%%\\"*}
    # record STATUS
    record() {
      mkdir -p $run
      printf '%s\\n' "$trial" > $run/trial.json
      printf '{"step":0,"validationLoss":5.5}\\n{"step":40,"validationLoss":3.5}\\n' > $run/metrics.jsonl
      printf '{"format":1,"status":"%s","completedSteps":40,"finalNumbers":{"validationLoss":3.5},' $1 > $run/part
      printf '"startTime":"2026-01-01T00:00:00Z","sessionCount":1}\\n' >> $run/part
      mv $run/part $run/outcome.json
    }
    # finish STATUS
    finish() {
      record $1
      echo '{"event":"ended","completedSteps":40,"status":"'$1'"}'
    }

    """

  /// Opens the study, whose trials run a script after the preamble.
  func open(
    _ script: String, slots: Int = 2, seed: Int = 0, sharing: Int = 1,
    observer: @escaping (StudyEvent) -> Void = { _ in },
    plan: (([TrialResult]) throws -> TrialAgenda)? = nil
  ) throws -> StudyRun {
    let frozen = try FrozenStudy(record, text: "name = \"fake\"\n", at: study)
    var options = StudyRun.Options(slots: slots, threads: 1)
    options.program = TrialProcess.Program(
      executable: "/bin/sh", arguments: ["-c", Self.preamble + script])
    return try StudyRun(
      frozen.record, in: frozen.folder, lock: frozen.lock,
      requests: FakeRequests(salt: seed, sharing: sharing),
      plan: plan, clock: TrialClock(), options: options, observer: observer)
  }
}

/// Names trials by their seeds and values, and by a number that stands for everything else in a configuration.
struct FakeRequests: TrialRequests {
  var salt = 0
  /// Trials of an arm that share a program, whatever their seeds.
  var sharing = 1

  func sharing(of point: TrialPoint) throws -> TrialSharing? {
    guard sharing > 1 else { return nil }
    var source = ConfigurationSource()
    try source.add(
      layer: "fake",
      text: """
        data.path = "none"
        data.order = "documents"
        machine.device = "xla:cpu"
        machine.batch_runs = \(sharing)
        training.seed = \(point.seed.initial)
        training.data_seed = \(point.seed.data)
        evaluation.every = \(point.arm == "a" ? 1 : 2)
        """)
    return TrialSharing(try TrainingConfiguration(source))
  }

  func identity(of point: TrialPoint) -> String {
    let knobs = point.knobs.sorted { $0.key < $1.key }.map { "\($0.value)" }.joined(separator: "-")
    return "\(point.variant).\(point.arm).\(point.seed.initial)-\(point.seed.data)-\(knobs)-\(salt)"
  }

  func request(
    _ point: TrialPoint, isAudit: Bool, limits: [TrialLimit], study: StudyFolder, threads: Int
  ) -> TrialRequest {
    let identity = identity(of: point) + (isAudit ? ".audit" : "")
    return TrialRequest(
      layers: [], folder: study.trial(identity),
      trial: TrialRecord(
        study: "fake", identity: identity, point: point, isAudit: isAudit, revision: "r",
        version: "1"), threads: threads, limits: limits)
  }
}
