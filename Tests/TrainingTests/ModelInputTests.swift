// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import LanguageModels
import RandomStreams
import TensorGraph
import Testing
import Training

/// What a model reads beside tokens: uniforms for labels of its own, and numbers that are scheduled.
@Suite struct ModelInputTests {
  private static let sequences = 2
  private static let context = 16
  private static var rows: Int { sequences * context }

  private func configuration(
    _ architecture: ModelConfiguration.Architecture, window: Int? = nil, zLoss: Float = 0.01,
    isScheduled: Bool = false
  ) throws -> ModelConfiguration {
    try ModelConfiguration(
      architecture: architecture, vocabularySize: 37, width: 16, layers: 2, heads: 2,
      feedForwardWidth: 16, contextLength: Self.context, zLoss: zLoss, attentionWindow: window,
      schedulesAttentionWindow: isScheduled, schedulesZLoss: isScheduled)
  }

  /// A loss and its gradients by every parameter.
  private func program(
    _ configuration: ModelConfiguration,
    _ loss: (any LanguageModel, ModelInputs, ModelWeights, Graph) -> (loss: Tensor, other: Tensor)
  ) throws -> Program {
    let graph = Graph()
    let model = configuration.makeModel()
    let inputs = ModelInputs(configuration, sequences: Self.sequences, in: graph)
    let weights = ModelWeights(model.parameters, in: graph)
    let found = loss(model, inputs, weights, graph)
    let gradients = try gradients(
      of: found.loss, withRespectTo: model.parameters.map { weights[$0.name] })
    let named = zip(model.parameters, gradients).map { ("gradient " + $0.name, $1) }
    return try Program(
      graph: graph, outputs: [("loss", found.loss), ("other", found.other)] + named
    ).sharingCrossEntropy()
  }

  private func sampled(_ configuration: ModelConfiguration) throws -> Program {
    try program(configuration) { model, inputs, weights, graph in
      let uniforms = graph.input("uniforms", [Self.rows], .float32)
      let (loss, _) = model.sampledLoss(
        inputs, uniforms: uniforms, scale: graph.scalar("scale"), weights)
      return (loss, model.sampledLabels(inputs, uniforms: uniforms, weights))
    }
  }

  private func plain(_ configuration: ModelConfiguration) throws -> Program {
    try program(configuration) { model, inputs, weights, graph in
      let (loss, sum) = model.loss(inputs, scale: graph.scalar("scale"), weights)
      return (loss, sum)
    }
  }

  /// Runs a program on seeded weights and tokens; returns the bits of its outputs.
  private func run(
    _ program: Program, _ configuration: ModelConfiguration, targets: [Int32], seed: UInt64 = 1,
    _ scalars: [String: Float] = [:], on runtime: any Runtime = ReferenceRuntime()
  ) throws -> [String: [UInt8]] {
    let executable = try runtime.compile(program)
    for parameter in configuration.makeModel().parameters {
      let memory = try #require(try runtime.kept(parameter.name, for: .writing))
      parameter.initialize(memory.bindMemory(to: Float.self), seed: 5)
      // Weights large enough that labels differ from row to row.
      for index in 0..<parameter.shape.count where parameter.shape.rank == 2 {
        memory.bindMemory(to: Float.self)[index] *= 20
      }
    }
    let tokens = (0..<Int32(Self.rows)).map { $0 * 7 % 37 }
    tokens.withUnsafeBytes { executable.hostBuffer("tokens")?.copyMemory(from: $0) }
    targets.withUnsafeBytes { executable.hostBuffer("targets")?.copyMemory(from: $0) }
    if let uniforms = executable.hostBuffer("uniforms") {
      RandomStream(seed: seed, name: "uniforms").fillUniform(
        into: uniforms.bindMemory(to: Float.self), lower: 0, upper: 1)
    }
    executable.set("scale", 1 / Float(targets.filter { $0 >= 0 }.count))
    let frequencies = executable.hostBuffer("rotary_frequencies")?.bindMemory(to: Float.self)
    for index in 0..<(frequencies?.count ?? 0) { frequencies?[index] = 1 / Float(1 + 3 * index) }
    executable.set("attention_scale", 0.3)
    for (label, number) in scalars { executable.set(label, number) }
    try executable.run()
    return Dictionary(
      uniqueKeysWithValues: program.outputs.map { ($0.label, Array(executable.output($0.label))) })
  }

  private func labels(_ outputs: [String: [UInt8]]) -> [Int32] {
    (outputs["other"] ?? []).withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
  }

  private static let targets = (0..<Int32(rows)).map { $0 % 5 == 0 ? -1 - $0 : $0 }

  @Test(
    "The loss under drawn labels is the loss with those labels as targets, and so are its gradients",
    arguments: ModelConfiguration.Architecture.allCases, TestRuntime.allCases)
  func sampledLoss(
    _ architecture: ModelConfiguration.Architecture, _ runtime: TestRuntime
  ) throws {
    // With a z-loss in the model, which the drawn labels must not see.
    let configuration = try configuration(architecture)
    let drawn = try run(
      sampled(configuration), configuration, targets: Self.targets, on: runtime.make())
    let labels = labels(drawn)
    for (label, target) in zip(labels, Self.targets) {
      #expect(target < 0 ? label == target : (0..<37).contains(label))
    }
    #expect(Set(labels.filter { $0 >= 0 }).count > 8)

    let plainConfiguration = try self.configuration(architecture, zLoss: 0)
    var given = try run(
      plain(plainConfiguration), plainConfiguration, targets: labels, on: runtime.make())
    given["other"] = drawn["other"]
    #expect(given == drawn)

    let again = try run(
      sampled(configuration), configuration, targets: Self.targets, seed: 2, on: runtime.make())
    #expect(self.labels(again) != labels)
  }

  @Test("The hidden state is computed once for drawing and for the loss")
  func once() throws {
    let program = try sampled(configuration(.decoder))
    let live = program.liveNodes()
    let nodes = program.graph.nodes.indices.filter { live[$0] }.map { program.graph.nodes[$0] }
    #expect(nodes.filter { $0.operation is Attention }.count == 2)
    #expect(nodes.filter { $0.operation is LinearSample }.count == 1)
    #expect(nodes.filter { $0.operation is LinearCrossEntropyGradient }.count == 1)
  }

  @Test(
    "Scheduled numbers give the bits of fixed ones, and leaves only where they are scheduled",
    arguments: ModelConfiguration.Architecture.allCases, TestRuntime.allCases)
  func scheduled(
    _ architecture: ModelConfiguration.Architecture, _ runtime: TestRuntime
  ) throws {
    let reading = try configuration(architecture, isScheduled: true)
    let scalars = { (program: Program) in
      // What one architecture always reads is not scheduled.
      program.leaves.filter { $0.kind == .scalar && $0.label != "attention_scale" }
        .map(\.label).sorted()
    }
    #expect(try scalars(plain(reading)) == ["attention_window", "scale", "z_loss"])
    for (window, zLoss) in [(3, Float(0)), (7, 0.02), (16, 1e-4)] {
      let fixed = try configuration(architecture, window: window, zLoss: zLoss)
      #expect(try scalars(plain(fixed)) == ["scale"])
      let expected = try run(plain(fixed), fixed, targets: Self.targets, on: runtime.make())
      let found = try run(
        plain(reading), reading, targets: Self.targets,
        ["attention_window": Float(window), "z_loss": zLoss], on: runtime.make())
      #expect(found == expected, "window \(window), z-loss \(zLoss)")
    }
  }
}
