// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords

/// A study's folder whose trials nobody trained, removed with this value.
final class InventedStudy {
  let path: String
  private(set) var record: StudyRecord
  fileprivate var running:
    [String: (folder: RunFolder, metrics: MetricsWriter, timings: MetricsWriter)] =
      [:]

  init(arms: [String] = ["base", "other"], name: String = "which is best", tuned: Bool = false)
    throws
  {
    path = NSTemporaryDirectory() + "/assay-dashboard-" + UUID().uuidString
    record = Self.study(arms: arms, name: name, tuned: tuned)
    try FileManager.default.createDirectory(
      atPath: path + "/trials", withIntermediateDirectories: true)
    try StudyFolder(path).write(record)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  static let rate = "optimizer.learning_rate"

  private static func study(arms: [String], name: String, tuned: Bool) -> StudyRecord {
    let grid: [KnobValue] = [.number(0.001), .number(0.01), .number(0.1)]
    let axis = StudyRecord.Axis(
      name: "learning rate", keys: Dictionary(uniqueKeysWithValues: arms.map { ($0, [rate]) }),
      grids: Dictionary(uniqueKeysWithValues: arms.map { ($0, grid) }), isLogarithmic: true,
      isAutomatic: false, extensionFactor: 10)
    return StudyRecord(
      name: name, question: "Which of these is best?",
      variants: [StudyRecord.Variant(name: "main", changes: [:], entropyFloor: 2.0)],
      arms: arms.map {
        StudyRecord.Arm(
          name: $0, method: $0, changes: [:], differences: [], variants: ["main"],
          steps: ["main": 100], defaults: tuned ? [:] : [rate: .number(0.01)])
      }, baseline: arms[0],
      tuning: tuned
        ? StudyRecord.Tuning(seeds: [101], axes: [axis], extensionLimit: 0, refines: false) : nil,
      sweeps: [], reportingSeeds: [1, 2, 3],
      budget: StudyRecord.Budget(unit: .steps, amount: 100), targets: nil,
      rule: StudyRecord.ComparisonRule(
        level: 0.05, margin: .absolute(0.01), pairing: .never,
        family: arms.dropFirst().map { [$0, arms[0]] }, exploresAllPairs: false),
      stopping: StudyRecord.Stopping(divergenceMargin: nil, races: false, auditShare: 0),
      claims: [], declaredAt: Date(timeIntervalSince1970: 1_700_000_000), revision: "abc",
      command: "assay compare invented.toml", hash: "0123")
  }

  func point(_ arm: String, _ purpose: SeedPurpose, seed: Int, rate: Double = 0.01) -> TrialPoint {
    TrialPoint(
      variant: "main", arm: arm, seed: TrialSeed(purpose, seed),
      knobs: [Self.rate: .number(rate)])
  }

  private static func identity(_ point: TrialPoint) -> String {
    "\(point.variant).\(point.arm.filter(\.isLetter)).\(point.seed.purpose.rawValue)\(point.seed.initial)-\(Words.of(point))"
  }

  private enum Words {
    static func of(_ point: TrialPoint) -> String {
      point.knobs.values.map(\.description).joined(separator: "-")
    }
  }

  /// A trial that somebody writes, until it ends.
  @discardableResult
  func begin(_ point: TrialPoint) throws -> String {
    let identity = Self.identity(point)
    let folder = try RunFolder.create(
      at: StudyFolder(path).trial(identity), configurationText: "",
      configurationJSON: Data("{}".utf8),
      trial: TrialRecord(
        study: record.name, identity: identity, point: point, revision: "abc", version: "1"))
    let contract = FairnessContract([.model: "small"]) { "\($0.count)" }
    try folder.write(JSONEncoder().encode(contract), to: RunFolder.FileName.contract)
    running[identity] = (
      folder, try folder.metricsWriter(keeping: .bytes(0)),
      try folder.timingsWriter(keeping: .bytes(0))
    )
    try running[identity]?.metrics.append(step: 0, [("validationLoss", .number(6))])
    return identity
  }

  /// Steps of a running trial.
  func step(_ identity: String, _ steps: Range<Int>, milliseconds: Float = 100) throws {
    for step in steps {
      try running[identity]?.metrics.append(
        step: step, [("loss", .single(6 - Float(step) * 0.02)), ("tokens", .integer(step * 64))])
      try running[identity]?.timings.append(
        step: step,
        [
          ("tokensPerSecond", .single(1234)),
          ("forwardBackwardMilliseconds", .single(milliseconds)),
          ("optimizerMilliseconds", .single(0)),
        ])
    }
  }

  /// Ends a running trial.
  func end(_ identity: String, loss: Double, status: RunOutcome.Status = .finished) throws {
    guard let trial = running.removeValue(forKey: identity) else { return }
    try trial.metrics.append(step: 50, [("validationLoss", .number((6 + loss) / 2))])
    try trial.metrics.append(step: 100, [("validationLoss", .number(loss))])
    var outcome = try trial.folder.outcome()
    outcome.status = status
    outcome.completedSteps = 100
    outcome.endTime = Date()
    outcome.finalNumbers = [
      "validationLoss": loss, "initialLoss": 6, "trainingSeconds": 12, "tokens": 6400,
      "forwardBackwardMilliseconds": 100, "optimizerMilliseconds": 1, "optimizerStateBytes": 4096,
    ]
    try trial.folder.setOutcome(outcome)
  }

  /// A whole trial.
  func add(_ point: TrialPoint, loss: Double, status: RunOutcome.Status = .finished) throws {
    let identity = try begin(point)
    try step(identity, 0..<3)
    try end(identity, loss: loss, status: status)
  }
}

extension InventedStudy {
  /// Leaves a running trial as a killed process does.
  func kill(_ identity: String) { running[identity] = nil }

  /// Cuts a running trial's metrics back to a step.
  func cut(_ identity: String, toStep step: Int) throws {
    guard let trial = running[identity] else { return }
    running[identity] = nil
    running[identity] = (
      trial.folder, try trial.folder.metricsWriter(keeping: .stepsBelow(step)),
      try trial.folder.timingsWriter(keeping: .stepsBelow(step))
    )
  }
}
