// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import Optimizers
import TensorFiles
import TensorGraph
import Testing

@testable import Training

/// What a schedule says is what a run does.
@Suite struct ScheduledRunTests {
  static let rules = #"[{name = "top", roles = ["head"], gradient_clip = 3.0}]"#

  static func run(
    _ folder: TemporaryFolder, _ changes: [String: String]
  ) throws -> TrainingRun {
    let changes = changes.merging(["optimizer.rule": rules]) { given, _ in given }
    return try TrainingRun(
      smallConfiguration(folder.path, changes), runtime: TestRuntime.cpu.provider,
      source: smallSource())
  }

  @Test("Every number of a step comes from the schedule, group by group")
  func numbers() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(
      folder,
      [
        "schedule.kind": "constant", "schedule.warmup_steps": "4",
        "schedule.weight_decay": "{from = 0.3, to = 0.0}",
        "schedule.beta1": "[{group = 'top', from = 0.5, to = 0.8}]",
        "schedule.learning_rate": "{group = 'top', kind = 'constant', from = 0.25}",
        "schedule.gradient_clip": "[{from = 2.0, to = 1.0}, {group = 'top', kind = 'constant'}]",
        "schedule.pause": "{group = 'base', after = 'warm-up', steps = 1}",
      ])
    func numbers(_ group: String, _ step: Int) throws -> [String: Double] {
      try #require(run.settings(at: step).conditions.hyperparameters[group])
    }
    // Two operations on numbers of the size of 1.
    let rounding = 4e-16
    for step in 0..<6 {
      let (base, top) = (try numbers("base", step), try numbers("top", step))
      let conditions = run.settings(at: step).conditions
      let share = Double(step) / 6
      #expect(base["learning_rate"] == 0.01 * min(1, Double(step + 1) / 4))
      #expect(top["learning_rate"] == 0.25)
      for group in [base, top] {
        #expect(abs((group["weight_decay"] ?? 0) - 0.3 * (1 - share)) <= rounding)
      }
      #expect(base["beta1"] == nil, "its own")
      #expect(abs((top["beta1"] ?? 0) - (0.5 + 0.3 * share)) <= rounding)
      #expect(abs(conditions.gradientClip - (2 - share)) <= rounding)
      #expect(conditions.groupClips == ["top": 3])
      #expect(conditions.paused == (step == 4 ? ["base"] : []))
    }
  }

  @Test("A paused group keeps weights and buffers to the bit while the others go on")
  func pause() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(
      folder,
      [
        "schedule.stage": "[{name = 'a', steps = 2}, {name = 'b', steps = 2}, {name = 'c'}]",
        "schedule.pause": "{group = 'top', after = 'a', steps = 2}",
      ])
    func bits(_ isTop: Bool) throws -> [String: Data] {
      // Buffers carry the name of their parameter.
      let kept = try run.tensors.written().filter { $0.name.contains("head.weight") == isTop }
      return Dictionary(uniqueKeysWithValues: kept.map { ($0.name, Data($0.bytes)) })
    }
    #expect(try bits(true).count >= 3, "weights and two moments")
    for step in 0..<6 {
      let (top, rest) = (try bits(true), try bits(false))
      try run.source.fill(run.step.batch)
      #expect(try run.step.run(run.settings(at: step)).isUpdated)
      #expect(try (bits(true) == top) == (step == 2 || step == 3), "step \(step)")
      #expect(try bits(false) != rest, "step \(step)")
    }
    #expect(run.step.state.clock["top"].updates == 4)
    #expect(run.step.state.clock["base"].updates == 6)
  }

  @Test("A group that gets zeros goes on with what its averages hold, and counts its updates")
  func zeroGradients() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(
      folder,
      [
        "schedule.stage": "[{name = 'a', steps = 2}, {name = 'b', steps = 2}, {name = 'c'}]",
        "schedule.pause":
          "{group = 'top', after = 'a', steps = 2, mode = 'zero-gradients'}",
      ])
    func values(_ label: String) throws -> [Float] {
      Array(try #require(try run.tensors.values(label, for: .reading)))
    }
    let moment = "optimizer.first_moment.head.weight"
    for step in 0..<6 {
      let (before, old) = (try values(moment), try values("head.weight"))
      try run.source.fill(run.step.batch)
      #expect(try run.step.run(run.settings(at: step)).isUpdated)
      let decays = zip(try values(moment), before).allSatisfy {
        abs($0 - 0.9 * $1) <= 1e-6 * abs($1)
      }
      #expect(decays == (step == 2 || step == 3), "step \(step)")
      #expect(try values("head.weight") != old, "step \(step)")
    }
    #expect(run.step.state.clock["top"].updates == 6)
  }

  @Test("Batches grow by micro-batches of one size, and every token is counted and trained on once")
  func batches() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(
      folder,
      [
        "schedule.batch_tokens":
          "{stage = [{name = 'a', steps = 2, value = 16}, {name = 'b', value = 48}]}"
      ])
    #expect(run.step.definition.tokens == 16)
    #expect(run.step.accumulationSteps == 3)
    #expect(run.configuration.totalTokens == 2 * 16 + 4 * 48)
    let summary = try run.run()
    #expect(summary.progress.tokens == 2 * 16 + 4 * 48)
    #expect(summary.progress.gradientEvaluations == 6)
    #expect(run.source.position == "28", "sequences of 8 tokens")
  }

  @Test(
    "A window that is scheduled to be as large as it always was changes no bit; a small one does")
  func window() throws {
    func weights(_ changes: [String: String]) throws -> Data {
      let folder = try TemporaryFolder()
      let summary = try Self.run(folder, changes).run()
      let file = try #require(summary.checkpoint) + "/tensors.safetensors"
      return try Data(contentsOf: URL(fileURLWithPath: file))
    }
    let plain = try weights([:])
    #expect(
      try weights(["schedule.attention_window": "{stage = [{name = 'a', value = 8}]}"]) == plain)
    #expect(
      try weights([
        "schedule.attention_window":
          "{stage = [{name = 'a', steps = 3, value = 2}, {name = 'b', value = 8}]}"
      ]) != plain)
    #expect(try weights(["schedule.z_loss": "{kind = 'constant', from = 1e-4}"]) == plain)
    #expect(try weights(["schedule.z_loss": "{from = 1e-4, to = 0.1}"]) != plain)
  }
}
