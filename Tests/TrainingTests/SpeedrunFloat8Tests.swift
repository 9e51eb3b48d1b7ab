// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import LanguageModels
import TensorFiles
import Testing

@testable import TensorGraph
@testable import Training

/// The float8 head against PyTorch's (`Scripts/fixtures/speedrun_parts/fp8.py`), and where it is not used.
@Suite struct SpeedrunFloat8Tests {
  @Test(
    "Rounding to float8 is PyTorch's, saturating",
    arguments: [("e4m3", Elementwise.Function.roundToE4M3), ("e5m2", .roundToE5M2)])
  func rounding(_ format: String, _ function: Elementwise.Function) throws {
    let file = try Float8Fixture().file
    let values = try file.doubles("rounding.values").map { Float($0) }
    let graph = Graph()
    let x = graph.input("x", [values.count], .float32)
    let rounded = graph.apply(Elementwise(function: function), [x])[0]
    let executable = try TestRuntime.cpu.make().compile(
      Program(graph: graph, outputs: [("rounded", rounded)]))
    let memory = try #require(executable.hostBuffer("x")).bindMemory(to: Float.self)
    _ = memory.update(fromContentsOf: values)
    try executable.run()
    let found = executable.output("rounded").bindMemory(to: Float.self)
    let truth = try file.doubles("rounding." + format).map { Float($0) }
    #expect(values.count > 20)
    for (index, value) in values.enumerated() {
      #expect(
        found[index] == truth[index] || (found[index].isNaN && truth[index].isNaN), "\(value)")
    }
  }

  /// Sums of some hundred terms in single precision.
  private static let tolerance = 1e-5
  /// How far gradients may move when exponentials are bfloat16.
  ///
  /// These are up to 2^-9 of themselves away, half of that in the mean. A border of e5m2 lies between the two numbers for one in 128 to
  /// 256 of them, which moves it by an eighth to a quarter: sqrt(1/170) / 5 = 1.5 % of the norm.
  private static let tolerance16 = 0.03

  @Test(
    "The float8 head has PyTorch's operands, loss and gradients",
    arguments: [Precision.fp32, .bf16]
  )
  func head(precision: Precision) throws {
    let fixture = try Float8Fixture()
    let found = try fixture.pass(precision)
    // Numbers of float8 are numbers of bfloat16 too: the products are the same.
    let numbers = fixture.description.head
    #expect(abs(found.loss / numbers.loss - 1) <= Self.tolerance)
    #expect(abs(found.crossEntropy / numbers.cross_entropy - 1) <= Self.tolerance)
    #expect(try found.x8.map(Double.init) == fixture.file.doubles("head.x8"))
    #expect(try found.weight8.map(Double.init) == fixture.file.doubles("head.w8"))
    let tolerance = precision == .fp32 ? Self.tolerance : Self.tolerance16
    for (gradient, name) in [(found.dx, "head.dx"), (found.dweight, "head.dw")] {
      let truth = try fixture.file.doubles(name)
      let error = relativeError(gradient, truth)
      #expect(error <= tolerance, "\(name): \(error)")
      #expect(precision == .fp32 || error > 1e-4, "\(name): nothing was rounded")
      if precision == .bf16 { continue }
      // Rows of tokens that are nobody's target are small, and as exact.
      let width = fixture.width
      for row in 0..<truth.count / width {
        let range = row * width..<(row + 1) * width
        let error = relativeError(Array(gradient[range]), Array(truth[range]))
        #expect(error <= Self.tolerance, "row \(row) of \(name): \(error)")
      }
    }
  }

  @Test("As many operands of the head saturate as PyTorch counts")
  func saturation() throws {
    let fixture = try Float8Fixture()
    let scales = SpeedrunOptions.Float8Scales()
    let truth = fixture.description.head.saturated
    for (name, scale, count) in [
      ("head.x", scales.hidden, truth.x), ("head.weight", scales.weight, truth.weight),
    ] {
      let values = try fixture.file.doubles(name).map { Float($0) }
      let share = values.withUnsafeBufferPointer {
        MagnitudeSummary.share(of: $0, above: scale * 448)
      }
      #expect(count > 0 && (share * Double(values.count)).rounded() == Double(count), "\(name)")
    }
    // Gradients by logits exist only inside of the head, which had to saturate them to come out right.
    #expect(truth.gradient > 0)
  }

  @Test(
    "Evaluation does not see a float8 head: equal weights have the same bits, and another training loss"
  )
  func evaluation() throws {
    let folder = try TemporaryFolder()
    var losses: [(training: Double, evaluated: Double, weights: [String: Data])] = []
    for float8 in ["true", "false"] {
      let run = try StepVariantTests.run(
        folder,
        [
          "model.architecture": "speedrun", "model.width": "16", "model.float8_head": float8,
          "model.head_deviation": "0.3", "machine.precision": "bf16",
        ], name: float8)
      let weights = try StepVariantTests.bits(run)
      #expect(run.steps.definition.precision == .bf16)
      let found = try #require(
        try run.evaluators.run(
          run.configuration.evaluationNumbers(after: 0), after: 0, StopRequest()))
      #expect(found.tokens > 0)
      losses.append((try StepVariantTests.take(run, 0).loss, found.crossEntropy, weights))
    }
    #expect(losses[0].weights == losses[1].weights)
    #expect(losses[0].evaluated.bitPattern == losses[1].evaluated.bitPattern)
    let difference = abs(losses[0].training / losses[1].training - 1)
    // e4m3 has three bits of fraction: a few hundredths in every product, some of which cancel.
    #expect(difference > 1e-5 && difference < 0.05, "\(difference)")
  }
}

/// Operands of the head, and what PyTorch made of them.
private struct Float8Fixture {
  struct Description: Decodable {
    struct Saturated: Decodable { let x, weight, gradient: Int }
    struct Head: Decodable {
      let loss, cross_entropy, loss_scale, soft_cap: Double
      let prediction_weights: [Double]
      let saturated: Saturated
    }
    let head: Head
  }

  struct Pass {
    let loss, crossEntropy: Double
    let x8, weight8, dx, dweight: [Float]
  }

  let file: TensorFile
  let description: Description
  let width: Int

  init() throws {
    let folder = SpeedrunFixture.folder
    file = try TensorFile(path: folder.appendingPathComponent("fp8.safetensors").path)
    description = try JSONDecoder().decode(
      Description.self, from: Data(contentsOf: folder.appendingPathComponent("fp8.json")))
    width = try #require(file["head.x"]).shape[1]
  }

  /// The decoder's own head on the fixture's hidden states.
  func pass(_ precision: Precision) throws -> Pass {
    let shape = try #require(file["head.weight"]).shape
    let tokens = try #require(file["head.x"]).shape[0]
    var options = SpeedrunOptions(layers: 1)
    options.float8 = .init()
    options.predictions = 3
    let decoder = SpeedrunDecoder(
      try ModelConfiguration(
        architecture: .speedrun, vocabularySize: shape[0], width: width, layers: 1, heads: 3,
        headWidth: 8, contextLength: tokens, speedrun: options))
    #expect(decoder.headForm.softCap.map(Double.init) == description.head.soft_cap)
    let graph = Graph()
    let inputs = ModelInputs(decoder.configuration, sequences: 1, in: graph)
    let weights = ModelWeights(decoder.parameters, in: graph)
    let x = graph.parameter("x", [tokens, width])
    let (loss, sum) = decoder.trainingLoss(
      of: x, inputs, scale: graph.scalar("scale"), weights)
    let weight = decoder.head(weights)
    let gradients = try TensorGraph.gradients(of: loss, withRespectTo: [x, weight])
    let scales = SpeedrunOptions.Float8Scales()
    var program = try Program(
      graph: graph,
      outputs: [
        ("loss", loss), ("sum", sum), ("dx", gradients[0].cast(to: .float32)),
        ("dw", gradients[1]), ("x8", roundedToE4M3(x * (1 / scales.hidden))),
        ("w8", roundedToE4M3(weight * (1 / scales.weight))),
      ]
    ).sharingCrossEntropy()
    if precision == .bf16 { program = try program.withBFloat16Products() }
    let runtime = try TestRuntime.cpu.make()
    let executable = try runtime.compile(program)
    for (name, tensor) in [("x", "head.x"), ("head.weight", "head.weight")] {
      let memory = try #require(try runtime.kept(name, for: .writing)).bindMemory(to: Float.self)
      try file.read(tensor, into: memory)
    }
    let targets = try #require(executable.hostBuffer("targets")).bindMemory(to: Int32.self)
    for (index, target) in try file.integers("head.targets").enumerated() {
      targets[index] = Int32(target)
    }
    executable.set("scale", Float(description.head.loss_scale))
    for place in 1...2 {
      executable.set(
        "prediction_weight_\(place + 1)", Float(description.head.prediction_weights[place]))
    }
    try executable.run()
    func output(_ name: String) -> [Float] {
      Array(executable.output(name).bindMemory(to: Float.self))
    }
    return Pass(
      loss: Double(executable.scalar("loss")), crossEntropy: Double(executable.scalar("sum")),
      x8: output("x8"), weight8: output("w8"), dx: output("dx"), dweight: output("dw"))
  }
}
