// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import LanguageModels
import TensorFiles
import TensorGraph
import Testing
import Training

/// The speedrun's decoder against PyTorch, written from the record's description by `Scripts/fixtures/speedrun.py`.
@Suite struct SpeedrunFixtureTests {
  @Test(
    "Logits, loss and every gradient agree with PyTorch, with every part on and each one off",
    arguments: SpeedrunFixture.cases.map(\.name))
  func gradients(name: String) throws {
    let fixture = try SpeedrunFixture(name)
    let pass = try fixture.pass(TestRuntime.cpu.make(), precision: .fp32)
    let tolerance = 1e-5
    #expect(abs(pass.loss / fixture.description.loss - 1) < tolerance)
    #expect(abs(pass.crossEntropy / fixture.description.cross_entropy - 1) < tolerance)
    // The fixture's logits are those of training, in float8 where the head is; evaluation's are not.
    if fixture.description.options["fp8_head"] != true {
      #expect(try fixture.error(pass.logits, "logits_sketch", row: 0) < tolerance)
    }
    #expect(Set(pass.gradients.keys) == Set(fixture.description.parameters))
    for (row, parameter) in fixture.description.parameters.enumerated() {
      let gradient = try #require(pass.gradients[parameter])
      #expect(try fixture.error(gradient, "gradient_sketch", row: row) < tolerance, "\(parameter)")
    }
  }

  @Test("Element by element, with every part on")
  func elements() throws {
    let fixture = try SpeedrunFixture("base")
    let pass = try fixture.pass(TestRuntime.cpu.make(), precision: .fp32)
    #expect(try relativeError(pass.logits, fixture.file.doubles("base/logits")) < 1e-5)
    for parameter in fixture.description.parameters {
      let found = try #require(pass.gradients[parameter])
      let truth = try fixture.file.doubles("base/gradient." + parameter)
      #expect(relativeError(found, truth) < 1e-5, "\(parameter)")
    }
  }

  @Test(
    "bf16 is as near to fp32 as PyTorch's own bf16 is, also with a float8 head",
    arguments: ["base", "fp8-head"])
  func bf16(name: String) throws {
    let fixture = try SpeedrunFixture(name)
    let pass = try fixture.pass(TestRuntime.cpu.make(), precision: .bf16)
    let theirs = try fixture.file.doubles(
      name == "base" ? "bf16.gradient_error" : "bf16.\(name).gradient_error")
    var squares = 0.0
    for (row, parameter) in fixture.description.parameters.enumerated() {
      let found = try #require(pass.gradients[parameter])
      let error =
        name == "base"
        ? try relativeError(found, fixture.file.doubles("base/gradient." + parameter))
        : try fixture.error(found, "gradient_sketch", row: row)
      squares += error * error
      #expect(error > 1e-6, "\(parameter): nothing was rounded")
    }
    let all = theirs.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(squares.squareRoot() < 1.25 * all, "ours \(squares.squareRoot()), theirs \(all)")
    #expect(abs(pass.loss / fixture.description.loss - 1) < 4e-3)
  }
}

/// The loss at the start.
@Suite struct SpeedrunNumberTests {
  @Test("At the published size the first training loss is 10.8354 but for the targets' own logits")
  func firstLoss() throws {
    let count = 32
    var options = SpeedrunOptions(layers: 11)
    options.float8 = .init()
    // A target's logit has a deviation of 0.14, too much for a few tokens. The weight of the squared log-sum-exp tells that apart.
    let model = try ModelConfiguration(
      architecture: .speedrun, vocabularySize: 50_304, width: 768, layers: 11, heads: 6,
      headWidth: 128, contextLength: count, zLoss: 1, speedrun: options
    ).makeModel()
    let graph = Graph()
    let inputs = ModelInputs(model.configuration, sequences: 1, in: graph)
    let (loss, sum) = model.trainingLoss(
      inputs, scale: graph.constant(1 / Float(count)), ModelWeights(model.parameters, in: graph))
    let runtime = try TestRuntime.cpu.make()
    let executable = try runtime.compile(
      Program(graph: graph, outputs: [("loss", loss), ("sum", sum)]))
    // Blocks and value tables keep the zeros that memory begins with: those whose projections begin with zeros add nothing.
    for parameter in model.parameters
    where !parameter.name.hasPrefix("blocks") && parameter.role != .valueEmbedding {
      let memory = try #require(try runtime.kept(parameter.name, for: .writing)).bindMemory(
        to: Float.self)
      if parameter.role == .head {
        Self.fill(parameter, memory)
      } else {
        parameter.initialize(memory, seed: 0)
      }
    }
    let tokens = try #require(executable.hostBuffer("tokens")).bindMemory(to: Int32.self)
    let targets = try #require(executable.hostBuffer("targets")).bindMemory(to: Int32.self)
    for index in 0..<count {
      tokens[index] = Int32(1500 * index + 7)
      targets[index] = Int32(1300 * index + 11)
    }
    try executable.run()
    let crossEntropy = Double(executable.scalar("sum")) / Double(count)
    let logSumExp = (Double(executable.scalar("loss")) - crossEntropy).squareRoot()
    // ln V + C 0.005^2 / 2, and e^(C 0.005) / V for the token's own logit, which the record's figure leaves out. A mean of V
    // exponentials of variance e^(C 0.005^2) - 1 for each of the tokens has a deviation of 1.1e-4.
    let variance = 768 * 0.005 * 0.005
    let deviation = ((exp(variance) - 1) / (50_304 * Double(count))).squareRoot()
    #expect(abs(logSumExp - (10.8354 + 0.0009)) < 4.5 * deviation, "\(logSumExp)")
    // The loss itself: the mean of as many logits of targets beside it.
    let deviationOfTargets = (variance / Double(count)).squareRoot()
    #expect(abs(crossEntropy - logSumExp) < 4.5 * deviationOfTargets, "\(crossEntropy)")
  }

  /// First weights of a head of the published size: 38 million, which a debug build takes many seconds to draw.
  ///
  /// An eighth of the rows is drawn; the others are these again, turned by some channels. A row and a turned one have the same
  /// distribution, and their products with a hidden state are as good as independent: they correlate by what the state does with
  /// itself turned, about 1 / sqrt(C).
  private static func fill(_ head: Parameter, _ memory: UnsafeMutableBufferPointer<Float>) {
    let (width, rows) = (head.shape[1], head.shape.rows / 8)
    let drawn = UnsafeMutableBufferPointer(rebasing: memory[..<(rows * width)])
    Parameter(
      name: head.name, role: head.role, layer: nil, shape: [rows, width],
      initialization: head.initialization
    ).initialize(drawn, seed: 0)
    guard let first = drawn.baseAddress else { return }
    for row in rows..<head.shape.rows {
      let (source, turn) = (first + row % rows * width, 96 * (row / rows))
      (first + row * width).update(from: source + turn, count: width - turn)
      (first + (row + 1) * width - turn).update(from: source, count: turn)
    }
  }
}

/// One pass of the small speedrun decoder, and what PyTorch found.
struct SpeedrunFixture {
  struct Case: Decodable {
    struct Changes: Decodable {
      var frequencies: [Float]?
      var scale: Double?
      var window, window_short: Int?
    }

    var name: String
    var options: [String: Bool]
    var settings: Changes
    var prediction_weights: [Double]
    var one_document: Bool
    var parameters: [String]
    var loss, cross_entropy: Double
  }

  private struct Description: Decodable {
    struct Base: Decodable {
      var settings: Case.Changes
    }

    var shape: [String: Int]
    var sequences: Int
    var loss_scale: Double
    var base: Base
    var cases: [Case]
  }

  struct Pass {
    var loss = 0.0
    var crossEntropy = 0.0
    var logits: [Float] = []
    var gradients: [String: [Float]] = [:]
  }

  static let folder = ModelFixture.folder.deletingLastPathComponent()
    .appendingPathComponent("speedrun")
  private static let all: Description? = try? JSONDecoder().decode(
    Description.self, from: Data(contentsOf: folder.appendingPathComponent("options.json")))
  static let cases: [Case] = all?.cases ?? []

  let description: Case
  let file: TensorFile
  let weights: TensorFile
  let model: any LanguageModel
  private let base: Description

  init(_ name: String) throws {
    let base = try #require(Self.all)
    let description = try #require(base.cases.first { $0.name == name })
    self.base = base
    self.description = description
    file = try TensorFile(path: Self.folder.appendingPathComponent("options.safetensors").path)
    weights = try TensorFile(path: Self.folder.appendingPathComponent("weights.safetensors").path)
    func isOn(_ option: String) -> Bool { description.options[option] ?? true }
    func size(_ key: String) -> Int { base.shape[key] ?? 0 }
    var options = SpeedrunOptions(layers: size("layers"))
    options.embedding = description.options["untied"] == true ? .untied : .tied
    if !isOn("value_embeddings") { options.valueEmbeddings = [] }
    options.hasResidualLambdas = isOn("residual_lambdas")
    options.hasFirstStateLambdas = isOn("x0_lambdas")
    options.hasAttentionLambdas = isOn("attention_lambdas")
    options.hasSmearGate = isOn("smear_gate")
    options.hasHeadGates = isOn("attention_gates")
    options.shiftsKeys = isOn("key_shift")
    options.rotation = isOn("half_truncated_rotary") ? .halfTruncated : .full
    if !isOn("skip") { options.skip = nil }
    if !isOn("backout") { options.backoutLayer = nil }
    if !isOn("layer_without_attention") { options.attentionFreeLayers = [] }
    if !isOn("relu_squared") { options.activation = .gelu }
    if !isOn("soft_cap") { options.softCap = nil }
    if description.options["fp8_head"] == true { options.float8 = .init() }
    options.predictions = 3
    let hasWindows = isOn("sliding_windows")
    model = try ModelConfiguration(
      architecture: .speedrun, vocabularySize: size("vocabulary_size"), width: size("width"),
      layers: size("layers"), heads: size("heads"), headWidth: size("head_width"),
      feedForwardWidth: size("feed_forward_width"), contextLength: size("context_length"),
      masksDocuments: true, attentionWindow: hasWindows ? size("context_length") : nil,
      schedulesAttentionWindow: hasWindows,
      shortAttentionWindow: hasWindows ? size("context_length") : nil,
      schedulesShortAttentionWindow: hasWindows, speedrun: options
    ).makeModel()
  }

  /// Forward and backward.
  func pass(_ runtime: any Runtime, precision: Precision) throws -> Pass {
    let graph = Graph()
    let inputs = ModelInputs(model.configuration, sequences: base.sequences, in: graph)
    let values = ModelWeights(model.parameters, in: graph)
    let (loss, sum) = model.trainingLoss(inputs, scale: graph.scalar("scale"), values)
    let gradients = try TensorGraph.gradients(
      of: loss, withRespectTo: model.parameters.map { values[$0.name] })
    let logits = model.logits(inputs, values).cast(to: .float32)
    var program = try Program(
      graph: graph,
      outputs: [("loss", loss), ("sum", sum), ("logits", logits)]
        + zip(model.parameters, gradients).map { ($0.name, $1) }
    ).sharingCrossEntropy()
    if precision == .bf16 { program = try program.withBFloat16Products() }
    let executable = try runtime.compile(program)
    for parameter in model.parameters {
      let memory = try #require(try runtime.kept(parameter.name, for: .writing)).bindMemory(
        to: Float.self)
      try weights.read("initial." + parameter.name, into: memory)
    }
    try fill(executable)
    try executable.run()
    var pass = Pass()
    pass.loss = Double(executable.scalar("loss"))
    pass.crossEntropy =
      Double(executable.scalar("sum"))
      / Double(base.sequences * model.configuration.contextLength)
    // 30 sigmoid(l / 7.5) is 15 tanh(l / 15) + 15.
    let offset = model.headForm.softCap ?? 0
    pass.logits = executable.output("logits").bindMemory(to: Float.self).map { $0 + offset }
    for parameter in model.parameters {
      pass.gradients[parameter.name] = Array(
        executable.output(parameter.name).bindMemory(to: Float.self))
    }
    return pass
  }

  private func fill(_ executable: any Executable) throws {
    for name in ["tokens", "targets", "documents"] {
      let memory = executable.hostBuffer(name)?.bindMemory(to: Int32.self)
      for (index, value) in try file.integers("batch." + name).enumerated() {
        memory?[index] = name == "documents" && description.one_document ? 0 : Int32(value)
      }
    }
    let (changed, usual) = (description.settings, base.base.settings)
    let frequencies = try #require(changed.frequencies ?? usual.frequencies)
    let memory = executable.hostBuffer("rotary_frequencies")?.bindMemory(to: Float.self)
    for (index, value) in frequencies.enumerated() { memory?[index] = value }
    executable.set("attention_scale", Float(changed.scale ?? usual.scale ?? 0))
    executable.set("attention_window", Float(1 + (changed.window ?? usual.window ?? 0)))
    executable.set(
      "attention_window_short", Float(1 + (changed.window_short ?? usual.window_short ?? 0)))
    executable.set("prediction_weight_2", Float(description.prediction_weights[1]))
    executable.set("prediction_weight_3", Float(description.prediction_weights[2]))
    executable.set("scale", Float(base.loss_scale))
  }

  /// ||found - truth|| / ||truth|| as estimated by the fixture's random sums of the truth.
  func error(_ found: [Float], _ sketch: String, row: Int) throws -> Double {
    let truth = try file.doubles("\(description.name)/\(sketch)")
    return Self.error(
      found, sketch: Array(truth[row * 9..<(row + 1) * 9]), probes: try weights.doubles("probes"))
  }

  /// The same for one tensor: its norm and eight sums, and the signs that the sums were made with.
  static func error(_ found: [Float], sketch truth: [Double], probes: [Double]) -> Double {
    let columns = probes.count / 8
    let norm = truth[0]
    var squares = 0.0
    for probe in 0..<8 {
      var sum = 0.0
      for (index, value) in found.enumerated() {
        sum += Double(value) * probes[probe * columns + index]
      }
      let difference = sum - truth[1 + probe]
      squares += difference * difference
    }
    return norm > 0 ? (squares / 8).squareRoot() / norm : squares.squareRoot()
  }
}
