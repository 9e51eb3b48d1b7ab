// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import LanguageModels
import Optimizers
import RandomStreams
import TensorGraph
import Training

/// One method's update of a bench shape's parameters, ready to be timed: gradients lie in memory, as after a backward pass.
final class UpdateSubject {
  let card: OptimizerCard
  /// Trained numbers.
  let count: Int
  /// Bytes of state.
  let stateBytes: Int
  /// The bytes that the equations cannot do without.
  let leastBytes: Double
  /// FLOPs of the matrix products, for methods that have them.
  let productFLOPs: Double
  private let runtime: CPURuntime
  private let optimizer: Optimizer
  private let executable: any ProfiledExecutable
  private let products: (any StagedExecutable)?
  private var clock = OptimizerClock()
  private var upkeep: [(group: ParameterGroup, kind: Upkeep, executable: any Executable)] = []

  /// The method as a policy gives it to a model: what it does not take goes to its fallback.
  init(
    _ method: any OptimizerMethod.Type, shape: BenchShape, precision: Precision, threads: Int?
  ) throws {
    card = method.card
    let parameters = try shape.model().parameters
    var optimizer = try ParameterPolicy(method: card.name).optimizer(for: parameters)
    optimizer.productType = precision == .bf16 ? .bfloat16 : .float32
    self.optimizer = optimizer
    count = parameters.reduce(0) { $0 + $1.shape.count }
    let costs = try optimizer.trained.map { try MethodCost(of: $0) }
    stateBytes = costs.reduce(0) { $0 + $1.stateBytes }
    leastBytes = costs.reduce(0) { $0 + $1.leastBytes }
    productFLOPs = costs.reduce(0) { $0 + $1.productFLOPs }
    runtime = try CPURuntime(threads: threads)
    let program = try optimizer.updateProgram()
    guard let profiled = try runtime.compile(program) as? any ProfiledExecutable else {
      throw CommandFailure(.failed, "this runtime cannot say what it moves")
    }
    executable = profiled
    products = productFLOPs > 0 ? try runtime.compileProducts(of: program) : nil
    for group in optimizer.trained {
      for kind in Upkeep.allCases {
        if let program = try optimizer.upkeepProgram(of: group, kind) {
          upkeep.append((group, kind, try runtime.compile(program)))
        }
      }
    }
    start(parameters)
  }

  /// Weights as the model starts them, and small gradients.
  private func start(_ parameters: [Parameter]) {
    for parameter in parameters {
      if let memory = runtime.kept(parameter.name, for: .writing) {
        parameter.initialize(memory.bindMemory(to: Float.self), seed: 1)
      }
      let stream = RandomStream(seed: 1, name: "bench/gradient/" + parameter.name)
      if let memory = executable.hostBuffer("gradient." + parameter.name) {
        stream.fillUniform(into: memory.bindMemory(to: Float.self), lower: -1e-3, upper: 1e-3)
      }
    }
    for declaration in optimizer.stateDeclarations {
      guard let memory = runtime.kept(declaration.label, for: .writing) else { continue }
      switch declaration.start {
      case .zeros: _ = memory.initializeMemory(as: UInt8.self, repeating: 0)
      case .constant(let number):
        memory.bindMemory(to: Float.self).update(repeating: number)
      case .parameter:
        if let weights = runtime.kept(declaration.parameter, for: .reading) {
          memory.copyMemory(from: UnsafeRawBufferPointer(weights))
        }
      }
    }
  }

  /// Updates after which upkeep comes round again; 1 without upkeep.
  var period: Int {
    guard !upkeep.isEmpty else { return 1 }
    return (2...1000).first { step in
      upkeep.contains {
        $0.group.method?.upkeep(after: step, $0.group.hyperparameters) == .regular
          && $0.group.method?.upkeep(after: 2 * step, $0.group.hyperparameters) == .regular
      }
    } ?? 1
  }

  /// Bytes that the kernels of an update read and write, counted once a kernel.
  var movedBytes: Int { executable.movedBytes(.commit) }

  /// Seconds of one update; clipping is not part of it, upkeep that is due is.
  func run() throws -> Double {
    let before = clock
    let conditions = StepConditions()
    set(executable, optimizer.numbers(conditions, advancing: &clock))
    executable.run(.compute)
    return try ContinuousClock().measure {
      executable.run(.commit)
      for item in upkeep
      where optimizer.upkeepDue(item.group, conditions, before: before, after: clock) == item.kind {
        try item.executable.run()
      }
    } / .seconds(1)
  }

  private func set(_ executable: any Executable, _ numbers: [String: Double]) {
    for (label, number) in numbers {
      executable.set(label, Float(number))
      for item in upkeep { item.executable.set(label, Float(number)) }
    }
  }

  /// Seconds of the update's matrix products alone.
  func runProducts() -> Double? {
    guard let products else { return nil }
    return ContinuousClock().measure { products.run(.commit) } / .seconds(1)
  }

  /// Seconds of a plain copy that moves as many bytes as the equations must.
  func runCopy() throws -> Double {
    let bandwidth = try MachineProbe(runtime).copyBandwidth(
      byteCount: Int(leastBytes / 2), repetitions: 1)
    return leastBytes / bandwidth
  }

  // MARK: - Is it right?

  /// Checks three updates of small tensors against the reference runtime, in double precision, before anything is timed.
  static func check(_ method: any OptimizerMethod.Type) throws {
    let parameters = [
      Parameter(
        name: "in", role: .mlpIn, layer: 0, shape: [40, 24],
        initialization: .normal(standardDeviation: 1)),
      Parameter(
        name: "out", role: .mlpOut, layer: 0, shape: [24, 40],
        initialization: .normal(standardDeviation: 1)),
      Parameter(name: "gain", role: .normGain, layer: 0, shape: [24], initialization: .constant(1)),
    ]
    let optimizer = try ParameterPolicy(method: method.card.name).optimizer(for: parameters)
    let runtimes: [any Runtime] = [try CPURuntime(threads: 2), ReferenceRuntime()]
    let results = try runtimes.map { try trajectory(optimizer, parameters, $0) }
    for (name, values) in results[0] {
      let expected = results[1][name] ?? []
      let difference = zip(values, expected).map { abs($0 - $1) }.max() ?? .nan
      let size = expected.map(abs).max() ?? .nan
      guard difference <= 1e-4 * size else {
        throw CommandFailure(
          .failed,
          "\(method.card.name) is wrong here: '\(name)' is off by \(difference) of \(size) after 3 updates; run 'assay doctor'"
        )
      }
    }
  }

  private static func trajectory(
    _ optimizer: Optimizer, _ parameters: [Parameter], _ runtime: any Runtime
  ) throws -> [String: [Float]] {
    let executable = try runtime.compile(optimizer.updateProgram())
    for parameter in parameters {
      if let memory = try runtime.kept(parameter.name, for: .writing) {
        parameter.initialize(memory.bindMemory(to: Float.self), seed: 1)
      }
    }
    for declaration in optimizer.stateDeclarations where declaration.start == .parameter {
      if let memory = try runtime.kept(declaration.label, for: .writing),
        let weights = try runtime.kept(declaration.parameter, for: .reading)
      {
        memory.copyMemory(from: UnsafeRawBufferPointer(weights))
      }
    }
    for declaration in optimizer.stateDeclarations {
      if case .constant(let number) = declaration.start {
        try runtime.kept(declaration.label, for: .writing)?.bindMemory(to: Float.self).update(
          repeating: number)
      }
    }
    var clock = OptimizerClock()
    for step in 0..<3 {
      for parameter in parameters {
        let stream = RandomStream(seed: UInt64(step), name: "check/" + parameter.name)
        if let memory = executable.hostBuffer("gradient." + parameter.name) {
          stream.fillUniform(into: memory.bindMemory(to: Float.self), lower: -1, upper: 1)
        }
      }
      for (label, number) in optimizer.numbers(StepConditions(), advancing: &clock) {
        executable.set(label, Float(number))
      }
      try executable.run()
    }
    return Dictionary(
      uniqueKeysWithValues: try parameters.map { parameter in
        (
          parameter.name,
          try runtime.kept(parameter.name, for: .reading).map {
            Array($0.bindMemory(to: Float.self))
          } ?? []
        )
      })
  }
}
