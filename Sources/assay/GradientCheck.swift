// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import LanguageModels
import TensorGraph

/// Whether the runtime of this machine differentiates correctly, seen three ways on small models of awkward sizes:
/// its fp32, its bf16, and finite differences, each against the reference runtime in double precision.
struct GradientCheck: Encodable {
  /// The architecture that was checked.
  let model: String
  /// ||a - b|| / ||b|| over all gradients, fp32 against the reference.
  let fp32: Double
  /// The same for bf16 products.
  let bf16: Double
  /// The largest |a - b| / max(|b|, the root mean square of all gradients), five-point differences against the reference.
  let finiteDifferences: Double

  /// Sums of some hundred terms in fp32 lose about sqrt(100) 2^-24; ten times that is room enough.
  static let fp32Tolerance = 1e-5
  /// bf16 keeps 8 bits: 2^-9 for each rounding, and a gradient passes some tens of them.
  static let bf16Tolerance = 0.05
  /// Five-point differences with step h are off by about h^4 times the fifth derivative; with h = 2^-10 less than 1e-6.
  static let differencesTolerance = 1e-6

  /// Whether every error is within its tolerance; NaN is not.
  var isPassed: Bool {
    fp32 <= Self.fp32Tolerance && bf16 <= Self.bf16Tolerance
      && finiteDifferences <= Self.differencesTolerance
  }

  /// Checks every architecture.
  ///
  /// - Throws: what building, tracing or compiling throws.
  static func all() throws -> [GradientCheck] {
    try ModelConfiguration.Architecture.allCases.map { try GradientCheck($0) }
  }

  /// Checks one architecture.
  ///
  /// - Throws: what building, tracing or compiling throws.
  init(_ architecture: ModelConfiguration.Architecture) throws {
    let heads = architecture == .speedrun ? 3 : 4
    var parts = SpeedrunOptions(layers: 2)
    // The kink of the other function has no five-point difference.
    parts.activation = .gelu
    // Rows of its first weights are so short that a step of the differences would turn them.
    parts.headDeviation = 0.5
    let model = try ModelConfiguration(
      architecture: architecture, vocabularySize: 61, width: 24, layers: 2, heads: heads,
      keyValueHeads: architecture == .llama ? 2 : heads, feedForwardWidth: 37, contextLength: 13,
      speedrun: parts
    ).makeModel()
    let subject = Subject(model, sequences: 3)
    let program = try subject.program()
    let reference = ReferenceRuntime()
    let truth = try reference.prepare(program)
    try subject.fill(reference, truth)
    try truth.run()
    let gradients = model.parameters.map { truth.output64("gradient." + $0.name) }

    self.model = architecture.rawValue
    fp32 = try Self.error(of: program, subject, against: gradients)
    bf16 = try Self.error(of: program.withBFloat16Products(), subject, against: gradients)
    finiteDifferences = try Self.differences(subject, reference, truth, against: gradients)
  }

  private static func error(
    of program: Program, _ subject: Subject, against truth: [[Double]]
  ) throws -> Double {
    let runtime = try CPURuntime()
    let executable = try runtime.compile(program)
    try subject.fill(runtime, executable)
    try executable.run()
    var (difference, size) = (0.0, 0.0)
    for (parameter, expected) in zip(subject.model.parameters, truth) {
      let memory = executable.output("gradient." + parameter.name)
      for (index, value) in expected.enumerated() {
        let found = Double(memory.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
        difference += (found - value) * (found - value)
        size += value * value
      }
    }
    return (difference / size).squareRoot()
  }

  /// The first, the middle and the last number of every parameter, one after the other.
  private static func differences(
    _ subject: Subject, _ runtime: ReferenceRuntime, _ executable: ReferenceExecutable,
    against truth: [[Double]]
  ) throws -> Double {
    let all = truth.joined()
    let typical = (all.reduce(0) { $0 + $1 * $1 } / Double(all.count)).squareRoot()
    let step = 0x1p-10
    var worst = 0.0
    for (parameter, gradient) in zip(subject.model.parameters, truth) {
      guard let values = runtime.kept64(parameter.name) else { return .nan }
      for index in Set([0, values.count / 2, values.count - 1]) {
        func loss(_ shift: Double) throws -> Double {
          var shifted = values
          shifted[index] += shift
          runtime.setKept64(parameter.name, shifted)
          try executable.run()
          return executable.output64("loss")[0]
        }
        let slope =
          try (8 * (loss(step) - loss(-step)) - (loss(2 * step) - loss(-2 * step))) / (12 * step)
        let error = abs(slope - gradient[index]) / max(abs(gradient[index]), typical)
        worst = error.isNaN ? error : max(worst, error)
      }
      runtime.setKept64(parameter.name, values)
    }
    return worst
  }
}

/// A model with a batch of tokens that follow a fixed rule, and its loss and gradients as a program.
struct Subject {
  let model: any LanguageModel
  let sequences: Int

  init(_ model: any LanguageModel, sequences: Int) {
    (self.model, self.sequences) = (model, sequences)
  }

  /// Outputs `loss` and `gradient.PARAMETER`.
  func program() throws(GraphError) -> Program {
    let graph = Graph()
    let inputs = ModelInputs(model.configuration, sequences: sequences, in: graph)
    let weights = ModelWeights(model.parameters, in: graph)
    let (loss, _) = model.loss(inputs, scale: graph.scalar("loss_scale"), weights)
    let found = try gradients(
      of: loss, withRespectTo: model.parameters.map { weights[$0.name] })
    return try Program(
      graph: graph,
      outputs: [("loss", loss)]
        + zip(model.parameters, found).map { ("gradient." + $0.name, $1) }
    ).sharingCrossEntropy()
  }

  /// Initial weights, tokens, and the scale of a mean.
  func fill(_ runtime: any Runtime, _ executable: any Executable) throws {
    for parameter in model.parameters {
      guard let memory = try runtime.kept(parameter.name, for: .writing) else { continue }
      parameter.drawn.initialize(memory.bindMemory(to: Float.self), seed: 1)
    }
    let frequencies = executable.hostBuffer("rotary_frequencies")?.bindMemory(to: Float.self)
    for index in 0..<(frequencies?.count ?? 0) { frequencies?[index] = 1 / Float(1 + 3 * index) }
    executable.set("attention_scale", 0.3)
    let (count, vocabulary) = (
      sequences * model.configuration.contextLength, model.configuration.vocabularySize
    )
    for (label, shift) in [("tokens", 0), ("targets", 1)] {
      guard let memory = executable.hostBuffer(label)?.bindMemory(to: Int32.self) else { continue }
      for index in 0..<count {
        memory[index] = Int32((index + shift) * (index + shift + 7) % vocabulary)
      }
    }
    executable.set("loss_scale", 1 / Float(count))
  }
}

extension Parameter {
  /// The same with numbers where it starts with zeros, through which no gradient would flow.
  fileprivate var drawn: Parameter {
    guard initialization == .constant(0) else { return self }
    return Parameter(
      name: name, role: role, layer: layer, shape: shape, heads: heads,
      initialization: .normal(standardDeviation: 0.2))
  }
}
