// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph
import Testing

@testable import Training

@Suite struct DistantRuntimeTests {
  /// What reads or writes kept tensors between steps, all of it.
  static let changes: [[String: String]] = [
    [
      "metrics.trajectories": "small", "metrics.statistics_every": "1",
      "metrics.effective_rates_every": "2", "optimizer.average_decay": "0.5",
      "training.batch_tokens": "32", "training.accumulation_steps": "2",
      "optimizer.skip_deviations": "0.5", "optimizer.skip_window": "4",
    ],
    ["optimizer.name": "soap", "metrics.trajectories": "none"],
    ["optimizer.name": "sophia-g", "training.accumulation_steps": "2"],
    UntieTests.base.merging(["metrics.statistics_every": "1"]) { $1 },
    [
      "model.architecture": "speedrun", "model.width": "16", "model.float8_head": "true",
      "model.head_deviation": "0.3", "machine.precision": "bf16", "metrics.statistics_every": "1",
    ],
  ]

  /// The first three steps, up to a checkpoint; the run is given up with its last reference.
  private func interrupt(
    _ configuration: TrainingConfiguration, _ provider: RuntimeProvider
  ) throws {
    let stop = StopRequest()
    let summary = try TrainingRun.train(
      configuration, runtime: provider, source: smallSource(), stop: stop
    ) { event in
      if case .step(let report) = event, report.step == 2 { stop.request() }
    }
    #expect(summary.outcome == .interrupted)
  }

  @Test(
    "A run whose tensors live elsewhere has the bits of one whose tensors are at hand",
    arguments: changes.indices)
  func sameBits(index: Int) throws {
    let folder = try TemporaryFolder()
    func run(_ name: String, _ provider: RuntimeProvider) throws -> TrainingRun {
      let configuration = try smallConfiguration(
        folder.path + "/" + name, Self.changes[index].merging(["checkpoint.every": "2"]) { $1 })
      try interrupt(configuration, provider)
      let second = try TrainingRun(configuration, runtime: provider, source: smallSource())
      #expect(try second.run().outcome == .finished)
      return second
    }
    let near = try run("near", TestRuntime.cpu.provider)
    let far = try run(
      "far", RuntimeProvider(prefersBFloat16: false) { _, _ in try DistantRuntime() })
    #expect(try StepVariantTests.bits(near) == StepVariantTests.bits(far))
    let losses = [near, far].map { $0.lastEvaluation?.loss.bitPattern }
    #expect(losses[0] != nil && losses[0] == losses[1])
    // Norms, rates and every value of small parameters among them.
    func record(_ run: TrainingRun, _ file: String) -> Data? {
      FileManager.default.contents(atPath: run.configuration.run.folder + "/" + file)
    }
    #expect(record(near, "metrics.jsonl")?.isEmpty == false)
    #expect(record(near, "metrics.jsonl") == record(far, "metrics.jsonl"))
    #expect(record(near, "trajectories.bin") == record(far, "trajectories.bin"))
  }
}
