// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords
import Testing

@testable import Training

/// What a float8 head does to its operands, as a run records it.
@Suite struct Float8StatisticsTests {
  private static func run(
    _ folder: TemporaryFolder, _ changes: [String: String] = [:]
  ) throws -> [Float8Record] {
    let speedrun = [
      "model.architecture": "speedrun", "model.width": "16", "model.heads": "2",
      "model.float8_head": "true", "model.predictions": "2", "data.document_mask": "true",
      "schedule.prediction_weight_2": "{from = 0.5, to = 0.0}", "metrics.statistics_every": "2",
      "training.steps": "5", "run.folder": folder.path + "/run",
    ]
    let configuration = try smallConfiguration(folder.path, speedrun.merging(changes) { $1 })
    _ = try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    return try Float8Record.read(run: folder.path + "/run")
  }

  @Test("Sizes and saturation of all three operands are recorded when weights are measured")
  func recorded() throws {
    let records = try Self.run(TemporaryFolder())
    #expect(records.map(\.step) == [0, 2, 4])
    for record in records {
      #expect(Set(record.tensors.keys) == Set(Float8Record.Tensor.allCases))
      let x = try #require(record.tensors[.x])
      // Rows have root mean square 1, so the largest of 16 numbers is at most 4.
      #expect(x.quantiles[4] <= 4.001 && x.quantiles[4] > 1)
      #expect(x.saturated == 0 && x.limit == 448)
      #expect(abs(x.scale - 100.0 / 448) < 1e-6)
      let gradient = try #require(record.tensors[.gradient])
      #expect(gradient.limit == 57_344 && gradient.quantiles[4] > 0)
      #expect(gradient.quantiles == gradient.quantiles.sorted())
    }
    // At the start probabilities are even over 11 tokens: the largest gradient is that of a target, 1.5 (1 - 1/11) / 16 targets,
    // unless a row has one token for both.
    let first = try #require(records[0].tensors[.gradient]).quantiles[4]
    #expect(abs(first - 1.5 / 11 / 16 * 10) < 0.06, "\(first)")
  }

  @Test("Scales that are too small saturate, and the share says how much")
  func saturation() throws {
    let records = try Self.run(
      TemporaryFolder(), ["model.float8_hidden_scale": "0.002", "model.head_deviation": "0.02"])
    let x = try #require(records.first?.tensors[.x])
    // Beyond 448 x 0.002 = 0.896: of a normal number 37 %.
    #expect(x.saturated > 0.15 && x.saturated < 0.6, "\(x.saturated)")
    #expect(records.first?.tensors[.weight]?.saturated == 0)
  }

  @Test("Other heads record nothing")
  func plain() throws {
    #expect(try Self.run(TemporaryFolder(), ["model.float8_head": "false"]).isEmpty)
  }
}
