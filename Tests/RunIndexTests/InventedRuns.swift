// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords

/// Run folders without training, in a folder that is removed with this value.
final class InventedRuns {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/assay-index-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A run that somebody is writing, until it is closed.
  final class Begun {
    fileprivate var folder: RunFolder?

    init(_ folder: RunFolder) { self.folder = folder }

    func close() { folder = nil }
  }

  static func configuration(arm: String, seed: Int, rate: Double) throws -> ResolvedConfiguration {
    var source = ConfigurationSource()
    try source.add(
      preset: "invented",
      text: """
        [optimizer]
        name = "\(arm)"
        learning_rate = \(rate)
        [training]
        seed = \(seed)
        data_seed = \(seed)
        steps = 10
        [model]
        tied = true
        """)
    let reader = ConfigurationReader(source)
    let optimizer = reader.section("optimizer")
    _ = optimizer.string("name", default: "", doc: "")
    _ = optimizer.number("learning_rate", default: 0, in: .nonNegative, doc: "")
    let training = reader.section("training")
    for name in ["seed", "data_seed", "steps"] {
      _ = training.integer(name, default: 0, in: 0...1000, doc: "")
    }
    _ = reader.section("model").boolean("tied", default: false, doc: "")
    return try reader.finish()
  }

  func trial(_ arm: String, seed: TrialSeed, knobs: [String: KnobValue]) -> TrialRecord {
    TrialRecord(
      study: "a study", identity: "main.\(arm)",
      point: TrialPoint(variant: "main", arm: arm, seed: seed, knobs: knobs), revision: "abc123",
      version: "1")
  }

  @discardableResult
  func begin(
    _ name: String, arm: String, seed: Int, rate: Double, trial: TrialRecord? = nil
  ) throws -> Begun {
    let configuration = try Self.configuration(arm: arm, seed: seed, rate: rate)
    let folder = try RunFolder.create(
      at: path + "/" + name, configurationText: "", configurationJSON: configuration.json,
      trial: trial, startTime: Date(timeIntervalSince1970: 1_700_000_000))
    if trial != nil {
      let contract = FairnessContract([.model: "small"]) { _ in String(repeating: "0", count: 64) }
      try folder.write(JSONEncoder().encode(contract), to: RunFolder.FileName.contract)
    }
    return Begun(folder)
  }

  func add(
    _ name: String, arm: String, seed: Int, rate: Double, status: RunOutcome.Status = .finished,
    loss: Double, trial: TrialRecord? = nil
  ) throws {
    try begin(name, arm: arm, seed: seed, rate: rate, trial: trial).close()
    try finish(name, status: status, loss: loss)
  }

  func finish(_ name: String, status: RunOutcome.Status = .finished, loss: Double) throws {
    var outcome = RunOutcome(
      status: status, completedSteps: 10, startTime: Date(timeIntervalSince1970: 1_700_000_000),
      endTime: Date(timeIntervalSince1970: 1_700_000_060))
    outcome.finalNumbers = [
      "validationLoss": loss, "tokens": 640, "trainingSeconds": 1.5, "peakBytes": 1000,
    ]
    try RunFolder.open(at: path + "/" + name).setOutcome(outcome)
  }
}
