// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords

/// Writes the folder of a run of Assay's without training.
struct InventedRun {
  var arm = "slow"
  var seed = 1
  var dataSeed: Int?
  var loss = 3.3
  var steps = 10
  var seconds = 1.5
  var status = RunOutcome.Status.finished
  var purpose: SeedPurpose?
  var evaluation = "1024 tokens"
  var details: [String: String] = [:]

  func write(to path: String) throws {
    var source = ConfigurationSource()
    try source.add(
      preset: "invented",
      text: """
        [optimizer]
        name = "\(arm)"
        [training]
        seed = \(seed)
        data_seed = \(dataSeed ?? seed)
        steps = \(steps)
        """)
    let reader = ConfigurationReader(source)
    _ = reader.section("optimizer").string("name", default: "", doc: "")
    for name in ["seed", "data_seed", "steps"] {
      _ = reader.section("training").integer(name, default: 0, in: 0...10_000, doc: "")
    }
    let configuration = try reader.finish()
    let trial = purpose.map {
      TrialRecord(
        study: "invented", identity: "main.\(arm)",
        point: TrialPoint(
          variant: "main", arm: arm, seed: TrialSeed($0, seed, data: dataSeed), knobs: [:]),
        revision: "abc123", version: "1")
    }
    let folder = try RunFolder.create(
      at: path, configurationText: configuration.tomlText, configurationJSON: configuration.json,
      machine: MachineRecord(
        operatingSystem: "Test 1", architecture: "test", processor: "Abacus", coreCount: 2,
        memoryBytes: 1, details: details),
      trial: trial, startTime: Date(timeIntervalSince1970: 1_700_000_000))
    try folder.write(
      FairnessContract([.data: "text", .evaluationTokens: evaluation, .model: "small"]) {
        SHA256.hexadecimal(of: $0)
      })
    let metrics = try folder.metricsWriter(keeping: .all)
    for step in [0, steps / 2, steps] {
      let left = Double(steps - step) / Double(steps)
      try metrics.append(step: step, [("validationLoss", .number(loss + left * (2 + loss / 10)))])
    }
    try metrics.synchronize()
    var outcome = RunOutcome(
      status: status, completedSteps: steps, startTime: Date(timeIntervalSince1970: 1_700_000_000))
    outcome.finalNumbers = ["validationLoss": loss, "trainingSeconds": seconds]
    if status == .finished || status == .diverged {
      try folder.seal(with: outcome, sha256: SHA256.hexadecimal(of:))
    } else {
      try folder.setOutcome(outcome)
    }
  }
}

extension Folder {
  /// Writes runs of one arm, a seed each, and gives their folder.
  func runs(
    _ name: String, _ losses: [Double], firstSeed: Int = 1, steps: Int = 10
  ) throws -> String {
    for (index, loss) in losses.enumerated() {
      try InventedRun(arm: name, seed: firstSeed + index, loss: loss, steps: steps)
        .write(to: "\(path)/\(name)/seed-\(firstSeed + index)")
    }
    return "\(path)/\(name)"
  }
}
