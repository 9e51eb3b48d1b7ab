// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
import RunRecords
import TensorFiles
import TensorGraph
import Testing

@testable import Training

/// A table that goes its own way in the midst of a run, from where the head has come to.
@Suite struct UntieTests {
  static let (head, table) = ("head.weight", "embedding.weight")
  /// Each with a group of its own; tokens beyond the data's eleven are never looked up.
  static let base = [
    "optimizer.rule":
      "[{name = 'head', roles = ['head'], every = 2}, {name = 'table', roles = ['embedding'], every = 2}]",
    "model.vocabulary_size": "16", "schedule.untie_at": "4",
  ]

  static func run(
    _ folder: TemporaryFolder, _ changes: [String: String] = [:], name: String = "run"
  ) throws -> TrainingRun {
    try StepVariantTests.run(folder, base.merging(changes) { $1 }, name: name)
  }

  /// Steps by the loop's own rules, without its records.
  static func take(_ run: TrainingRun, _ range: Range<Int>) throws -> [Double] {
    try range.map { index in
      let result = try StepVariantTests.take(run, index)
      if let untie = run.configuration.schedule.untie, untie.step == index + 1 {
        try run.steps.untie(run.tensors, untie.state)
      }
      return result.loss
    }
  }

  private func values(_ run: TrainingRun, _ label: String) throws -> [Float] {
    Array(try #require(try run.tensors.values(label, for: .reading)))
  }

  @Test("Before the split the table and its state rest, and lookups move the head")
  func rests() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(folder)
    let before = try StepVariantTests.bits(run)
    _ = try Self.take(run, 0..<3)
    let after = try StepVariantTests.bits(run)
    for (label, bits) in before where label.hasSuffix(Self.table) {
      #expect(after[label] == bits, "\(label)")
    }
    #expect(run.step.state.clock["table"].updates == 0)
    #expect(run.step.state.clock["table"].steps == 3)
    #expect(run.step.state.clock["head"].updates == 1)
    // The tied weight has the gradients of both uses: a table of its own from the start gives another head.
    let untied = try StepVariantTests.run(
      folder, Self.base.filter { $0.key != "schedule.untie_at" }, name: "untied")
    _ = try Self.take(untied, 0..<3)
    #expect(try values(untied, Self.head) != values(run, Self.head))
  }

  @Test(
    "At the split weights, moments and the count of updates are the head's, and no loss changes")
  func copies() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(folder)
    _ = try Self.take(run, 0..<4)
    for state in ["", "optimizer.first_moment.", "optimizer.second_moment."] {
      #expect(try values(run, state + Self.table) == values(run, state + Self.head), "\(state)")
    }
    #expect(run.step.state.clock["table"] == run.step.state.clock["head"])
    // Two runs with the same weights, one of which still looks up in the head.
    let late = try Self.run(
      folder, ["schedule.untie_at": "6", "training.steps": "8"], name: "late")
    let early = try Self.run(folder, ["training.steps": "8"], name: "early")
    _ = try Self.take(late, 0..<4)
    _ = try Self.take(early, 0..<4)
    let (a, b) = (try StepVariantTests.take(late, 4), try StepVariantTests.take(early, 4))
    #expect(a.loss.bitPattern == b.loss.bitPattern)
  }

  @Test("The first update after the split goes on from the head's moments")
  func firstUpdate() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(folder)
    _ = try Self.take(run, 0..<4)
    let moments = try values(run, "optimizer.first_moment." + Self.head)
    let weights = try values(run, Self.table)
    _ = try Self.take(run, 4..<6)
    let after = try values(run, "optimizer.first_moment." + Self.table)
    let moved = try values(run, Self.table)
    let width = 8
    for index in 11 * width..<16 * width {
      // A token that never comes has no gradient of its own any more: only the average decays.
      #expect(moments[index] != 0)
      #expect(abs(after[index] - 0.9 * moments[index]) <= 1e-6 * abs(moments[index]))
      #expect(moved[index] != weights[index])
    }
    #expect(try values(run, Self.head) != moved)
    #expect(run.step.state.clock["table"].updates == 3)
  }

  @Test("State may start anew, weights being copied all the same")
  func resets() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(folder, ["schedule.untie_state": "reset"])
    _ = try Self.take(run, 0..<4)
    #expect(try values(run, Self.table) == values(run, Self.head))
    #expect(try values(run, "optimizer.first_moment." + Self.table).allSatisfy { $0 == 0 })
    let clock = run.step.state.clock
    #expect(clock["table"].updates == 0 && clock["table"].memory.isEmpty)
    #expect(clock["table"].steps == clock["head"].steps)
  }

  @Test(
    "Export, evaluation and sampling of a checkpoint agree with the run, before the split and after it",
    arguments: [1, 3, 4, 6])
  func used(after steps: Int) throws {
    let folder = try TemporaryFolder()
    func configuration(_ changes: [String: String]) throws -> TrainingConfiguration {
      try smallConfiguration(
        folder.path,
        ["evaluation.every": "1", "checkpoint.every": "1", "checkpoint.keep": "9"]
          .merging(changes) { $1 })
    }
    let summary = try TrainingRun.train(
      configuration(Self.base), runtime: TestRuntime.cpu.provider, source: smallSource())
    let losses = try RunRecord(path: summary.folder).metrics().series("validationLoss")
    let loss = try #require(losses.first { $0.step == steps }?.value)
    let model = try TrainedModel(
      run: summary.folder, step: steps, runtime: TestRuntime.cpu.provider)
    #expect(model.definition.model.configuration.looksUpInHead == (steps < 4))
    let evaluated = try Evaluator(model.definition, source: smallSource(), runtime: model.runtime)
      .run(model.numbers, StopRequest())
    #expect(evaluated?.crossEntropy.bitPattern == loss.bitPattern)

    let file = folder.path + "/weights.safetensors"
    try model.export(to: file)
    let exported = try TensorFile(path: file)
    let (head, table) = (try exported.floats(Self.head), try exported.floats(Self.table))
    #expect((head == table) == (steps <= 4))
    let checkpoint = try TensorFile(
      path: summary.folder + "/checkpoints/step-0000000\(steps)/tensors.safetensors")
    #expect(try head == checkpoint.floats(Self.head))
    #expect(try (table == checkpoint.floats(Self.table)) == (steps >= 4))
    // A model with a table of its own from the start has the same loss with these weights.
    let stop = StopRequest()
    var first: Double?
    _ = try TrainingRun.train(
      configuration(
        Self.base.filter { $0.key != "schedule.untie_at" }.merging(
          ["run.folder": folder.path + "/untied"]) { $1 }),
      initialWeights: file, runtime: TestRuntime.cpu.provider, source: smallSource(), stop: stop
    ) { event in
      guard case .evaluation(let report) = event else { return }
      first = first ?? report.loss
      stop.request()
    }
    #expect(first?.bitPattern == loss.bitPattern)

    // And what is sampled from does not depend on which of the two tables is read.
    let logits = try [true, false].map { looksUpInHead in
      let variant = model.definition.model.configuration.variant(
        contextLength: 8, looksUpInHead: looksUpInHead)
      let definition = StepDefinition(
        model: variant.makeModel(), optimizer: model.definition.optimizer, sequences: 1,
        precision: .fp32)
      let program = try BoundProgram(
        definition.logitsProgram(sequences: 1, weights: .trained), model.runtime)
      program.set(model.numbers)
      let batch = StepBatch(tokens: 8, contextLength: 8, hasDocuments: false)
      for index in 0..<8 { batch.tokens[index] = Int32(index) }
      batch.copy(from: 0, count: 8, to: program.inputs)
      try program.executable.run()
      return Array(program.executable.output("logits").bindMemory(to: Float.self))
    }
    #expect((logits[0] == logits[1]) == (steps <= 4))
    let generation = try TextGeneration(model, temperature: 0, seed: 1)
    var sampled: [Int32] = []
    try generation.run(after: Array(0..<8), count: 1) { sampled.append($0) }
    let own = logits[steps < 4 ? 0 : 1].suffix(16)
    let likeliest = try #require(own.max().flatMap { own.firstIndex(of: $0) })
    #expect(sampled == [Int32(likeliest - own.startIndex)])
  }

  @Test("Both may be in one group, whose other parameters and whose clock go on")
  func oneGroup() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(folder, ["optimizer.rule": "[]", "schedule.untie_at": "0.5"])
    #expect(run.configuration.schedule.untie == UntieSettings(step: 3, state: .copy))
    let gain = try values(run, "final_norm.gain")
    _ = try Self.take(run, 0..<3)
    #expect(try values(run, Self.table) == values(run, Self.head))
    #expect(try values(run, "final_norm.gain") != gain)
    _ = try Self.take(run, 3..<4)
    #expect(try values(run, Self.table) != values(run, Self.head))
    #expect(run.step.state.clock["base"].updates == 4)
  }

  @Test("A run that is interrupted at the split ends with the same bits", arguments: [3, 4, 5])
  func resumed(after steps: Int) throws {
    let folder = try TemporaryFolder()
    func end(_ name: String, interrupted: Bool) throws -> (Data, UInt64?) {
      let configuration = try smallConfiguration(
        folder.path, Self.base.merging(["run.folder": folder.path + "/" + name]) { $1 })
      if interrupted {
        let stop = StopRequest()
        _ = try TrainingRun.train(
          configuration, runtime: TestRuntime.cpu.provider, source: smallSource(), stop: stop
        ) { event in
          if case .step(let report) = event, report.step == steps - 1 { stop.request() }
        }
      }
      let summary = try TrainingRun.train(
        configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
      #expect(summary.outcome == .finished)
      let file = try #require(summary.checkpoint) + "/tensors.safetensors"
      return (
        try Data(contentsOf: URL(fileURLWithPath: file)), summary.evaluation?.loss.bitPattern
      )
    }
    #expect(try end("whole", interrupted: false) == end("parts", interrupted: true))
  }

  @Test("What cannot be untied is refused before any work")
  func mistakes() throws {
    let folder = try TemporaryFolder()
    for (changes, part) in [
      (["model.tied": "true", "optimizer.rule": "[]"], "model.tied = false"),
      (["schedule.untie_at": "3"], "use a multiple of 2"),
      (["schedule.untie_at": "0"], "no step after the first"),
      (["schedule.untie_at": "6"], "no step after the first"),
      (["optimizer.rule": "[{roles = ['embedding'], train = false}]"], "must both be trained"),
      (["optimizer.rule": "[{roles = ['embedding'], method = 'sgd'}]"], "the same method"),
      (["optimizer.rule": "[{roles = ['embedding'], every = 2}]"], "the same method"),
      (["optimizer.rule": "[]", "schedule.untie_state": "reset"], "a rule of its own"),
      (
        ["optimizer.rule": "[{name = 'table', roles = ['embedding', 'mlp_in']}]"],
        "holds blocks.0.mlp.in.weight too"
      ),
    ] {
      let error = try #require(throws: ConfigurationError.self) {
        try smallConfiguration(folder.path, Self.base.merging(changes) { $1 })
      }
      #expect(error.message.contains(part), "\(changes): \(error)")
    }
    let alone = try #require(throws: ConfigurationError.self) {
      try smallConfiguration(folder.path, ["schedule.untie_state": "copy"])
    }
    #expect(alone.message.contains("nothing is untied"))
    let forgotten = try #require(throws: ConfigurationError.self) {
      try smallConfiguration(
        folder.path,
        [
          "model.architecture": "speedrun", "model.width": "16",
          "model.embedding": "tied-then-untied",
        ])
    }
    #expect(forgotten.message.contains("give schedule.untie_at"), "\(forgotten)")
  }

  @Test(
    "Gradients that were summed for the head are not the table's, should a skipped step have left some"
  )
  func summedGradients() throws {
    let folder = try TemporaryFolder()
    let run = try Self.run(folder)
    _ = try Self.take(run, 0..<3)
    let summed = "optimizer.summed_gradient."
    #expect(try values(run, summed + Self.head).contains { $0 != 0 })
    try run.configuration.schedule.untie?.state.untie(
      run.tensors, run.step, run.steps.definition.optimizer)
    #expect(try values(run, Self.table) == values(run, Self.head))
    #expect(try values(run, summed + Self.table).allSatisfy { $0 == 0 })
  }

  @Test("The contract says from which step, and with which state")
  func contract() throws {
    let folder = try TemporaryFolder()
    func model(_ changes: [String: String]) throws -> String? {
      try smallConfiguration(folder.path, Self.base.merging(changes) { $1 })
        .contractForecast(vocabularySize: 11)[.model]
    }
    let copied = try #require(try model([:]))
    #expect(
      copied.hasSuffix(
        "lookups in the head before step 4, then in a copy of it with a copy of its state"))
    #expect(try model(["schedule.untie_state": "reset"]) != copied)
    #expect(try model(["schedule.untie_at": "2"]) != copied)
  }
}
