// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Optimizers
import TensorFiles
import TensorGraph
import Testing

@testable import Training

/// Plain averaging of gradients, with the average kept as bfloat16.
private struct NarrowMomentum: OptimizerMethod {
  static let card = OptimizerCard(
    name: "narrow-momentum", paper: "none: only here", equation: "m = 0.9 m + g; w = w - lr m",
    hyperparameters: [
      .init("learning_rate", defaultValue: 0.1, range: 0...1, source: "none", summary: "step size")
    ],
    state: StateSize("2 bytes a number") { parameter, _ in 2 * parameter.shape.count })

  init(_ options: MethodOptions) {}

  func update(
    _ parameter: Tensor, gradient: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let m = 0.9 * state.zeros("momentum", like: parameter, storedAs: .bfloat16) + gradient
    state["momentum"] = m
    return .step(scalars.learningRate * m)
  }
}

@Suite struct KeptTensorsTests {
  /// The runtime owns what the tensors point at.
  private func step(_ runtime: any Runtime) throws -> (step: TrainingStep, tensors: KeptTensors) {
    let configuration = try ModelConfiguration(
      vocabularySize: 11, width: 8, layers: 1, heads: 2, feedForwardWidth: 16, contextLength: 8)
    let model = configuration.makeModel()
    let definition = StepDefinition(
      model: model, optimizer: Optimizer(NarrowMomentum.self, parameters: model.parameters),
      sequences: 2, precision: .fp32)
    let step = try TrainingStep(definition, runtime: runtime)
    for index in step.batch.tokens.indices {
      step.batch.tokens[index] = Int32(index % 11)
      step.batch.targets[index] = Int32((index * 5 + 1) % 11)
    }
    return (step, KeptTensors(definition, runtime: runtime))
  }

  private func bytes(_ tensors: KeptTensors) throws -> [String: [UInt8]] {
    Dictionary(
      uniqueKeysWithValues: try tensors.entries.map { entry in
        (entry.label, Array(try #require(try tensors.bytes(entry.label, for: .reading))))
      })
  }

  @Test(
    "Narrow state is stored in its own type and read back bit for bit, and a run goes on from it",
    arguments: TestRuntime.allCases)
  func roundTrip(_ runtime: TestRuntime) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/tensors.safetensors"
    let settings = TrainingStep.Settings()
    let runtimes = [try runtime.make(), try runtime.make()]
    defer { withExtendedLifetime(runtimes) {} }
    let first = try step(runtimes[0])
    try first.tensors.initialize(seed: 1)
    for _ in 0..<2 { #expect(try first.step.run(settings).isUpdated) }
    try TensorFileWriter.write(try first.tensors.written(), to: path)
    let saved = try bytes(first.tensors)

    let file = try TensorFile(path: path)
    let label = "optimizer.momentum.blocks.0.mlp.in.weight"
    #expect(try file.entry(label).elementType == .bfloat16)
    #expect(saved[label]?.count == 16 * 8 * 2)
    #expect(saved[label]?.contains { $0 != 0 } == true)
    #expect(try file.entry("embedding.weight").elementType == .float32)

    let second = try step(runtimes[1])
    try second.tensors.load(file)
    #expect(try bytes(second.tensors) == saved)
    _ = try first.step.run(settings)
    _ = try second.step.run(settings)
    #expect(try bytes(second.tensors) == bytes(first.tensors))
    try second.tensors.initializeState()
    #expect(try bytes(second.tensors)[label]?.allSatisfy { $0 == 0 } == true)
  }

  @Test("A checkpoint whose state is stored in another type is refused, with both types")
  func otherType() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/tensors.safetensors"
    let runtime = try TestRuntime.cpu.make()
    defer { withExtendedLifetime(runtime) {} }
    let (_, tensors) = try step(runtime)
    try tensors.initialize(seed: 1)
    let wide = [UInt8](repeating: 0, count: 16 * 8 * 4)
    let label = "optimizer.momentum.blocks.0.mlp.in.weight"
    try wide.withUnsafeBytes { bytes in
      let written = try tensors.written().map {
        $0.name == label
          ? TensorFileWriter.Tensor(
            name: label, elementType: .float32, shape: $0.shape, bytes: bytes) : $0
      }
      try TensorFileWriter.write(written, to: path)
    }
    let error = try #require(throws: TrainingError.self) {
      try tensors.load(TensorFile(path: path))
    }
    #expect(error.code == .checkpoint)
    for text in [label, "F32", "BF16"] { #expect(error.message.contains(text)) }
  }
}
