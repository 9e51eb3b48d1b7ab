// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Training

@Suite("The memory of devices", .enabled(if: XLAUnderTest.isPresent))
struct XLAMemoryTests {
  @Test(
    "is known before a run starts", arguments: [1, 2],
    [["metrics.statistics_every": "5"], ["metrics.statistics_every": "0"]])
  func planned(devices: Int, changes: [String: String]) throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(
      folder.path + "/run",
      [
        "machine.device": "xla:" + (XLAUnderTest.plugin ?? ""), "machine.devices": "\(devices)",
        "training.batch_tokens": "32", "optimizer.name": "adamw",
      ].merging(changes) { $1 })
    let source = smallSource()
    let estimate = try RunEstimate(configuration, vocabularySize: source.vocabularySize)
    let planned = try DeviceMemory(
      configuration, devices: devices, memory: estimate.memory,
      vocabularySize: source.vocabularySize,
      evaluationTokens: min(
        configuration.evaluation.tokens == 0 ? .max : configuration.evaluation.tokens,
        source.validationTokens))
    #expect(planned.isCompiled && planned.weights > 0 && planned.state > planned.weights)
    var peak = 0
    _ = try TrainingRun.train(configuration, source: source) { event in
      if case .step(let report) = event { peak = report.peakBytes }
    }
    #expect(planned.total == peak)
  }
}
