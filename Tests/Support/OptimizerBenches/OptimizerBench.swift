// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
public import Foundation
public import Optimizers
public import TensorGraph

/// An optimizer that is run by hand, on gradients that a test gives it.
public final class OptimizerBench {
  /// What computes.
  public enum Subject: String, CaseIterable, Sendable {
    /// Double precision from the first number to the last.
    case reference
    /// The CPU runtime in single precision.
    case cpu
  }

  /// What is run.
  public let optimizer: Optimizer
  /// The numbers of the next step.
  public var conditions = StepConditions()
  /// How far every group has come.
  public private(set) var clock = OptimizerClock()
  /// Its programs, the update first.
  public let programs: [Program]
  private let runtime: any Runtime
  private let update: any Executable
  private var observations: [String: any Executable] = [:]
  private var upkeeps: [String: [Upkeep: any Executable]] = [:]
  private let evaluation: any Executable
  private var numbers: [String: Double] = [:]
  private var scalars: [String] = []

  /// Starts from weights by parameter name.
  ///
  /// - Throws: what compiling the programs throws.
  public init(_ optimizer: Optimizer, on subject: Subject, initial: [String: [Double]]) throws {
    self.optimizer = optimizer
    runtime = subject == .reference ? ReferenceRuntime() : try CPURuntime(threads: 1)
    var programs = [try optimizer.updateProgram()]
    update = try runtime.compile(programs[0])
    for group in optimizer.trained {
      if group.card?.observation != nil {
        programs.append(try optimizer.observationProgram(of: group))
        observations[group.name] = try runtime.compile(programs[programs.count - 1])
      }
      for upkeep in Upkeep.allCases {
        guard let program = try optimizer.upkeepProgram(of: group, upkeep) else { continue }
        programs.append(program)
        upkeeps[group.name, default: [:]][upkeep] = try runtime.compile(program)
      }
    }
    let graph = Graph()
    let outputs = optimizer.trainedParameters.map { parameter in
      let weights = graph.parameter(parameter.name, parameter.shape)
      return ("x." + parameter.name, optimizer.evaluated(parameter, weights))
    }
    programs.append(try Program(graph: graph, outputs: outputs, assignments: []))
    evaluation = try runtime.compile(programs[programs.count - 1])
    self.programs = programs
    scalars = programs.flatMap(\.leaves).filter { $0.kind == .scalar }.map(\.label)
    for parameter in optimizer.trainedParameters {
      try set(parameter.name, initial[parameter.name])
    }
    for declaration in optimizer.stateDeclarations {
      let count = declaration.shape.count
      switch declaration.start {
      case .zeros: break
      case .constant(let number):
        try set(declaration.label, .init(repeating: Double(number), count: count))
      case .parameter: try set(declaration.label, initial[declaration.parameter])
      }
    }
  }

  /// One step.
  ///
  /// - Throws: what the gradients throw.
  public func step(_ gradients: (Parameter) throws -> [Double]) throws {
    let before = clock
    numbers = optimizer.numbers(conditions, advancing: &clock)
    try run(update, gradients)
    for group in optimizer.trained {
      guard
        let due = optimizer.upkeepDue(group, conditions, before: before, after: clock),
        let program = upkeeps[group.name]?[due]
      else { continue }
      try run(program) { _ in [] }
    }
  }

  /// Whether a group wants an extra gradient before the next step.
  public var wantsObservation: Bool {
    optimizer.trained.contains { optimizer.observationsDue($0, conditions, clock) > 0 }
  }

  /// Gives an extra gradient to the groups that want one.
  ///
  /// - Throws: what the gradients throw.
  public func observe(_ gradients: (Parameter) throws -> [Double]) throws {
    var ahead = clock
    numbers = optimizer.numbers(conditions, advancing: &ahead)
    for group in optimizer.trained
    where optimizer.observationsDue(group, conditions, clock) > 0 {
      guard let program = observations[group.name] else { continue }
      try run(program, gradients)
      clock[group.name].observations += 1
    }
  }

  /// A kept tensor: a parameter by name, or a state by label.
  public func kept(_ label: String) -> [Double]? {
    if let reference = runtime as? ReferenceRuntime { return reference.kept64(label) }
    // The runtimes that this is for throw nothing here.
    return try? runtime.kept(label, for: .reading)?.bindMemory(to: Float.self).map(Double.init)
  }

  /// The weights that evaluation reads.
  ///
  /// - Throws: what the runtime throws.
  public func evaluated() throws -> [String: [Double]] {
    setScalars(of: evaluation)
    try evaluation.run()
    var result: [String: [Double]] = [:]
    for parameter in optimizer.trainedParameters {
      let label = "x." + parameter.name
      if let reference = evaluation as? ReferenceExecutable {
        result[parameter.name] = reference.output64(label)
      } else {
        let values = evaluation.output(label).bindMemory(to: Float.self)
        result[parameter.name] = values.map(Double.init)
      }
    }
    return result
  }

  /// The effective learning rates of a role after the last step, by parameter.
  ///
  /// - Throws: what compiling the program throws.
  public func effectiveRates(of role: ParameterRole) throws -> [String: [Double]] {
    let graph = Graph()
    let found = optimizer.effectiveRates(of: role, in: graph)
    if found.isEmpty { return [:] }
    let program = try Program(graph: graph, outputs: found.map { ($0.parameter.name, $0.rates) })
    let executable = try runtime.compile(program)
    for (name, number) in numbers { executable.set(name, Float(number)) }
    try executable.run()
    return Dictionary(
      uniqueKeysWithValues: found.map { entry in
        let values = executable.output(entry.parameter.name).bindMemory(to: Float.self)
        return (entry.parameter.name, values.map(Double.init))
      })
  }

  /// The bytes of the gradient that the last step read.
  public func gradientBytes(_ parameter: Parameter) -> [UInt8] {
    guard let memory = update.hostBuffer("gradient." + parameter.name) else { return [] }
    return Array(memory)
  }

  // MARK: - Saving

  /// Everything that a checkpoint keeps: weights and state as bytes, by label, and the clock as text.
  public struct Snapshot: Equatable, Sendable {
    /// Bytes of kept tensors.
    public var tensors: [String: [UInt8]]
    /// The clock in JSON.
    public var clock: Data
  }

  /// The labels of everything that is kept.
  public var keptLabels: [String] {
    optimizer.trainedParameters.map(\.name) + optimizer.stateDeclarations.map(\.label)
  }

  /// What a checkpoint would keep.
  ///
  /// - Throws: what the runtime or writing the clock throws.
  public func snapshot() throws -> Snapshot {
    var tensors: [String: [UInt8]] = [:]
    for label in keptLabels {
      tensors[label] = try runtime.kept(label, for: .reading).map { Array($0) }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return Snapshot(tensors: tensors, clock: try encoder.encode(clock))
  }

  /// Goes on from a checkpoint.
  ///
  /// - Throws: what the runtime or reading the clock throws.
  public func restore(_ snapshot: Snapshot) throws {
    for (label, bytes) in snapshot.tensors {
      try runtime.kept(label, for: .writing)?.copyBytes(from: bytes)
    }
    clock = try JSONDecoder().decode(OptimizerClock.self, from: snapshot.clock)
  }

  // MARK: - Memory

  private func run(
    _ executable: any Executable, _ gradients: (Parameter) throws -> [Double]
  ) throws {
    setScalars(of: executable)
    for parameter in optimizer.trainedParameters {
      let label = "gradient." + parameter.name
      if executable.hostBuffer(label) != nil {
        set(input: label, of: executable, try gradients(parameter))
      }
    }
    try executable.run()
  }

  private func setScalars(of executable: any Executable) {
    for label in scalars where executable.hostBuffer(label) != nil {
      guard let number = numbers[label] else {
        preconditionFailure("the optimizer reads a scalar '\(label)' that it does not compute")
      }
      set(input: label, of: executable, [number])
    }
  }

  private func set(input label: String, of executable: any Executable, _ values: [Double]) {
    if let reference = executable as? ReferenceExecutable {
      reference.set64(label, values)
    } else if let memory = executable.hostBuffer(label) {
      fill(memory, values)
    }
  }

  private func set(_ label: String, _ values: [Double]?) throws {
    guard let values, let memory = try runtime.kept(label, for: .writing) else {
      preconditionFailure("'\(label)' is not kept or has no first value")
    }
    if let reference = runtime as? ReferenceRuntime {
      reference.setKept64(label, values)
    } else {
      fill(memory, values)
    }
  }

  private func fill(_ memory: UnsafeMutableRawBufferPointer, _ values: [Double]) {
    let floats = memory.bindMemory(to: Float.self)
    precondition(floats.count == values.count, "\(values.count) numbers for \(floats.count)")
    _ = floats.update(fromContentsOf: values.map(Float.init))
  }
}
