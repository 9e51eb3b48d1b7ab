// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
import TensorFiles
import TensorGraph
import Testing

@testable import Training

/// Several compiled steps over the same weights, state and clock.
@Suite struct StepVariantTests {
  static func run(
    _ folder: TemporaryFolder, _ changes: [String: String], name: String = "run"
  ) throws -> TrainingRun {
    try TrainingRun(
      smallConfiguration(
        folder.path, changes.merging(["run.folder": folder.path + "/" + name]) { $1 }),
      runtime: TestRuntime.cpu.provider, source: smallSource())
  }

  /// Weights and state by label.
  static func bits(_ run: TrainingRun) throws -> [String: Data] {
    Dictionary(uniqueKeysWithValues: try run.tensors.written().map { ($0.name, Data($0.bytes)) })
  }

  static func take(_ run: TrainingRun, _ index: Int) throws -> TrainingStep.Result {
    let step = run.steps.prepared(at: index)
    try run.source.fill(step.batch)
    return try step.run(run.settings(at: index))
  }

  // MARK: - Lengths of sequences

  static let lengths =
    "[{name = 'short', steps = 3, context_length = 4}, {name = 'long', context_length = 8}]"

  @Test("Sequences get longer in the midst of a run, over the same weights, state and clock")
  func lengths() throws {
    let folder = try TemporaryFolder()
    let changing = try Self.run(folder, ["schedule.stage": Self.lengths])
    let short = try Self.run(
      folder, ["model.context_length": "4", "evaluation.context_length": "8"], name: "short")
    for index in 0..<6 {
      let result = try Self.take(changing, index)
      let batch = changing.steps.prepared(at: index).batch
      #expect(batch.contextLength == (index < 3 ? 4 : 8) && batch.count == 16)
      #expect(result.isUpdated && result.countedTargets == 16)
      if index < 3 {
        let same = try Self.take(short, index)
        #expect(result.loss.bitPattern == same.loss.bitPattern, "step \(index)")
        #expect(try Self.bits(changing) == Self.bits(short), "step \(index)")
      }
    }
    #expect(changing.step.state.clock["base"].updates == 6)
    #expect(changing.source.position == "18", "3 x 4 sequences and 3 x 2")
  }

  @Test(
    "After its sequences grew, a step of the speedrun's decoder is that of a run of this length from the same weights and state"
  )
  func speedrunLengths() throws {
    let folder = try TemporaryFolder()
    func run(_ name: String, _ short: Int, _ long: Int) throws -> TrainingRun {
      let stages =
        "[{name = 'short', steps = 3, context_length = \(short), attention_window = 3, "
        + "attention_window_short = 2}, {name = 'long', context_length = \(long), attention_window = 6, "
        + "attention_window_short = 4}]"
      return try Self.run(
        folder,
        [
          "model.architecture": "speedrun", "model.width": "16", "model.layers": "3",
          "data.document_mask": "true", "schedule.stage": stages,
        ], name: name)
    }
    let changing = try run("changing", 4, 8)
    // Gates, lambdas, tables and projections that begin with zeros would hide what they gate.
    for parameter in changing.steps.definition.model.parameters {
      let values = try #require(
        try changing.tensors.values(parameter.name, for: .readingAndWriting))
      for index in values.indices { values[index] += 0.1 * sin(Float(7 * index + 1)) }
    }
    for index in 0..<3 { #expect(try Self.take(changing, index).isUpdated) }
    let others = try [run("long", 8, 8), run("short", 4, 4)]
    for other in others {
      for (name, bytes) in try Self.bits(changing) {
        try #require(try other.tensors.bytes(name, for: .writing)).copyBytes(from: bytes)
      }
      other.step.state = changing.step.state
    }
    for index in 3..<5 {
      let step = changing.steps.prepared(at: index)
      try changing.source.fill(step.batch)
      let found = try step.run(changing.settings(at: index))
      let expected = try others.map { other in
        let own = other.steps.prepared(at: index)
        _ = own.batch.tokens.update(fromContentsOf: step.batch.tokens)
        _ = own.batch.targets.update(fromContentsOf: step.batch.targets)
        let documents = try #require(step.batch.documents)
        _ = try #require(own.batch.documents).update(fromContentsOf: documents)
        #expect(own.batch.contextLength == (other === others[0] ? 8 : 4))
        return try own.run(other.settings(at: index))
      }
      #expect(found.loss.bitPattern == expected[0].loss.bitPattern, "step \(index)")
      #expect(try Self.bits(changing) == Self.bits(others[0]), "step \(index)")
      #expect(changing.step.state == others[0].step.state)
      // The same tokens in shorter sequences are another step.
      #expect(abs(found.loss - expected[1].loss) > 1e-4)
    }
  }

  @Test("A run that is interrupted where the length changes ends with the same bits")
  func resumed() throws {
    let folder = try TemporaryFolder()
    func weights(_ name: String, interrupted: Bool) throws -> Data {
      let configuration = try smallConfiguration(
        folder.path,
        ["schedule.stage": Self.lengths, "run.folder": folder.path + "/" + name])
      if interrupted {
        let stop = StopRequest()
        _ = try TrainingRun.train(
          configuration, runtime: TestRuntime.cpu.provider, source: smallSource(), stop: stop
        ) { event in
          if case .step(let report) = event, report.step == 2 { stop.request() }
        }
      }
      let summary = try TrainingRun.train(
        configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
      #expect(summary.outcome == .finished && summary.progress.tokens == 96)
      let file = try #require(summary.checkpoint) + "/tensors.safetensors"
      return try Data(contentsOf: URL(fileURLWithPath: file))
    }
    #expect(try weights("whole", interrupted: false) == weights("parts", interrupted: true))
  }

  @Test("A length that is scheduled to stay changes no bit")
  func constant() throws {
    let folder = try TemporaryFolder()
    let plain = try Self.run(folder, [:], name: "plain")
    let scheduled = try Self.run(
      folder, ["schedule.context_length": "{stage = [{name = 'a', value = 8}]}"])
    for index in 0..<2 {
      _ = try Self.take(plain, index)
      _ = try Self.take(scheduled, index)
    }
    #expect(try Self.bits(plain) == Self.bits(scheduled))
  }

  @Test(
    "Batches that are no whole number of sequences, and scalars that no program reads, are refused")
  func mistakes() throws {
    let folder = try TemporaryFolder()
    let lengths = "{stage = [{name = 'a', steps = 2, value = 8}, {name = 'b', value = 5}]}"
    let error = try #require(throws: ConfigurationError.self) {
      try smallConfiguration(folder.path, ["schedule.context_length": lengths])
    }
    #expect(error.message.contains("at step 2 a batch has 16 tokens"), "\(error)")
    let unread = try #require(throws: ConfigurationError.self) {
      try Self.run(
        folder,
        ["schedule.attention_window_short": "{stage = [{name = 'a', value = 2}]}"])
    }
    #expect(unread.message.contains("no scalar of this run"), "\(unread)")
    let idle = try #require(throws: ConfigurationError.self) {
      try Self.run(folder, ["evaluation.final.attention_window": "4"])
    }
    #expect(idle.message.contains("evaluation.final.attention_window"), "\(idle)")
  }

  // MARK: - Evaluation

  @Test("The last evaluation reads other numbers, and only the last")
  func finalEvaluation() throws {
    let folder = try TemporaryFolder()
    func losses(_ name: String, _ changes: [String: String]) throws -> [Double] {
      let window = "{stage = [{name = 'a', value = 2}]}"
      var losses: [Double] = []
      try TrainingRun.train(
        smallConfiguration(
          folder.path,
          changes.merging([
            "schedule.attention_window": window, "run.folder": folder.path + "/" + name,
          ]) { $1 }),
        runtime: TestRuntime.cpu.provider, source: smallSource()
      ) { event in
        if case .evaluation(let report) = event { losses.append(report.loss) }
      }
      return losses
    }
    let plain = try losses("plain", [:])
    let wider = try losses("wider", ["evaluation.final.attention_window": "8"])
    #expect(plain.count == 3 && wider.count == 3)
    #expect(plain.dropLast() == wider.dropLast())
    #expect(plain.last != wider.last)
    #expect(try losses("same", ["evaluation.final.attention_window": "2"]) == plain)
    // Held-out sequences have a length of their own.
    #expect(try losses("short", ["evaluation.context_length": "4"]) != plain)
  }

  // MARK: - The divisor of the loss

  @Test("Gradients of a summed loss grow with the batch; the loss that is reported stays a mean")
  func lossDivisor() throws {
    let folder = try TemporaryFolder()
    let sgd = [
      "optimizer.name": "sgd", "optimizer.gradient_clip": "0", "optimizer.momentum": "0",
      "schedule.kind": "constant", "schedule.warmup_steps": "0", "optimizer.weight_decay": "0",
    ]
    func run(_ name: String, _ changes: [String: String]) throws -> TrainingRun {
      try Self.run(folder, sgd.merging(changes) { $1 }, name: name)
    }
    let mean = try run("mean", [:])
    let sum = try run("sum", ["training.loss_divisor": "8.0"])
    let parts = try run(
      "parts", ["training.loss_divisor": "8.0", "training.accumulation_steps": "2"])
    let names = mean.steps.definition.model.parameters.map(\.name)
    func weights(_ run: TrainingRun) throws -> [[Float]] {
      try names.map { try #require(try run.tensors.values($0, for: .reading).map(Array.init)) }
    }
    let before = try weights(mean)
    #expect(parts.step.accumulationSteps == 2 && sum.step.accumulationSteps == 1)
    let a = try Self.take(mean, 0)
    let after = try weights(mean)
    for run in [sum, parts] {
      let b = try Self.take(run, 0)
      #expect(b.countedTargets == 16)
      #expect(abs(a.loss - b.loss) <= 1e-6 * a.loss)
      // 16 targets: the sum over them divided by 8 is twice their mean, in however many parts it is taken.
      #expect(abs(b.gradientNorm / a.gradientNorm - 2) <= 1e-5)
      for (name, (old, (x, y))) in zip(names, zip(before, zip(after, try weights(run)))) {
        let largest = zip(x, old).map { abs($0 - $1) }.max() ?? 0
        #expect(largest > 0, "\(name)")
        // Weights below 1 are rounded after each update, to 6e-8; sums in another order differ by some of theirs.
        for index in old.indices {
          let (once, twice) = (x[index] - old[index], y[index] - old[index])
          #expect(abs(twice - 2 * once) <= 1e-5 * largest + 3 * 0x1p-24, "\(name)")
        }
      }
    }
    // Later steps too: nothing of a step's parts stays for the next.
    for index in 1..<3 {
      for run in [sum, parts] { _ = try Self.take(run, index) }
    }
    for (name, (x, y)) in zip(names, zip(try weights(sum), try weights(parts))) {
      #expect(zip(x, y).allSatisfy { abs($0 - $1) <= 1e-6 }, "\(name)")
    }
  }
}
