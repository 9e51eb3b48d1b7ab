// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Optimizers
import TensorFiles
public import TensorGraph

/// Parameters and optimizer state as they lie in a runtime: filled at the start, saved and loaded.
public struct KeptTensors {
  /// A kept tensor.
  struct Entry {
    let label: String
    let type: TensorType
    let memory: UnsafeMutableRawBufferPointer

    var fileType: TensorFileElementType {
      type.elementType == .bfloat16 ? .bfloat16 : .float32
    }
  }

  let parameters: [Parameter]
  let declarations: [StateBuilder.Declaration]
  let entries: [Entry]
  private let byLabel: [String: Entry]

  /// Finds the tensors of a step in its runtime; the step must have been compiled there.
  public init(_ definition: StepDefinition, runtime: any Runtime) {
    parameters = definition.model.parameters
    declarations = definition.stateDeclarations
    let types =
      parameters.map { ($0.name, TensorType($0.shape)) }
      + declarations.map { ($0.label, TensorType($0.shape, $0.elementType)) }
    entries = types.map { label, type in
      guard let memory = runtime.kept(label) else {
        preconditionFailure("'\(label)' is not kept by the runtime")
      }
      return Entry(label: label, type: type, memory: memory)
    }
    byLabel = Dictionary(uniqueKeysWithValues: entries.map { ($0.label, $0) })
  }

  /// The numbers of one tensor; nil when there is none of that name, or it is stored as bfloat16.
  public func values(_ label: String) -> UnsafeMutableBufferPointer<Float>? {
    guard let entry = byLabel[label], entry.type.elementType == .float32 else { return nil }
    return entry.memory.bindMemory(to: Float.self)
  }

  /// The memory of one tensor, in the type it is kept in; nil when there is none of that name.
  public func bytes(_ label: String) -> UnsafeMutableRawBufferPointer? { byLabel[label]?.memory }

  /// Starts all parameters from a seed, and then the state.
  public func initialize(seed: UInt64) {
    for parameter in parameters {
      if let memory = values(parameter.name) { parameter.initialize(memory, seed: seed) }
    }
    initializeState()
  }

  /// Starts the state, given the first weights.
  public func initializeState() {
    declarations.forEach(start)
  }

  private func start(_ declaration: StateBuilder.Declaration) {
    switch declaration.start {
    case .zeros: bytes(declaration.label)?.initializeMemory(as: UInt8.self, repeating: 0)
    case .constant(let number): values(declaration.label)?.update(repeating: number)
    case .parameter:
      if let memory = values(declaration.label), let weights = values(declaration.parameter) {
        _ = memory.update(fromContentsOf: weights)
      }
    }
  }

  /// Copies a parameter's weights over another's, and its optimizer state or a fresh start of it.
  ///
  /// - Parameters:
  ///   - source: the name of the parameter that is copied.
  ///   - target: the name of a parameter of the same shape whose state has the same tensors.
  ///   - copiesState: whether the state is copied too; otherwise the target's starts anew from its new weights.
  public func copy(_ source: String, to target: String, copiesState: Bool) {
    copyTensor(source, to: target)
    for declaration in declarations where declaration.parameter == target {
      // What was summed for the one must not be used by the other; after a skipped step there may be something.
      if copiesState, !declaration.label.hasPrefix(Scalars.prefix + "summed_gradient.") {
        copyTensor(
          String(declaration.label.dropLast(target.count)) + source, to: declaration.label)
      } else {
        start(declaration)
      }
    }
  }

  private func copyTensor(_ source: String, to target: String) {
    guard let from = bytes(source), let to = bytes(target), from.count == to.count else {
      preconditionFailure("'\(target)' cannot be a copy of '\(source)'")
    }
    to.copyMemory(from: UnsafeRawBufferPointer(from))
  }

  /// Reads all parameters from a file of weights, and then starts the state.
  ///
  /// The file must hold every parameter by its name, in its shape, with finite numbers; tensors called `optimizer...` are
  /// passed over, any others are refused.
  ///
  /// - Throws: ``TrainingError`` with code `weights`, or `TensorFileError`.
  public func loadWeights(_ path: String) throws {
    let file = try TensorFile(path: path)
    let known = Set(parameters.map(\.name))
    for entry in file.entries
    where !known.contains(entry.name) && !entry.name.hasPrefix(Scalars.prefix) {
      throw TrainingError(
        .weights, "\(path): the model has no parameter '\(entry.name)' (shape \(entry.shape))")
    }
    for parameter in parameters {
      try check(parameter.name, parameter.shape, in: file, code: .weights)
    }
    for parameter in parameters {
      guard let memory = values(parameter.name) else { continue }
      try file.read(parameter.name, into: memory)
      if let index = memory.firstIndex(where: { !$0.isFinite }) {
        throw TrainingError(
          .weights,
          "\(path): element \(index) of '\(parameter.name)' is \(memory[index]); weights must be finite"
        )
      }
    }
    initializeState()
  }

  /// Reads tensors, exactly these and no others, or those of them that are there.
  func load(_ file: TensorFile, allOfThem: Bool = true) throws {
    let entries = allOfThem ? entries : entries.filter { file[$0.label] != nil }
    for entry in entries { try check(entry.label, entry.type.shape, in: file, code: .checkpoint) }
    if let extra = file.entries.first(where: { byLabel[$0.name] == nil }) {
      throw TrainingError(.checkpoint, "\(file.path): unexpected tensor '\(extra.name)'")
    }
    for entry in entries {
      let stored = try file.entry(entry.label).elementType
      guard stored == entry.fileType else {
        throw TrainingError(
          .checkpoint,
          "\(file.path): '\(entry.label)' is stored as \(stored.rawValue), but the method keeps it as "
            + entry.fileType.rawValue)
      }
      try file.withBytes(of: entry.label) { entry.memory.copyMemory(from: $0) }
    }
  }

  /// The tensors for writing; valid while the runtime lives.
  var written: [TensorFileWriter.Tensor] {
    entries.map {
      TensorFileWriter.Tensor(
        name: $0.label, elementType: $0.fileType, shape: $0.type.shape.dimensions,
        bytes: UnsafeRawBufferPointer($0.memory))
    }
  }

  private func check(
    _ label: String, _ shape: Shape, in file: TensorFile, code: TrainingError.Code
  ) throws {
    guard let found = file[label] else {
      throw TrainingError(code, "\(file.path): there is no '\(label)' of shape \(shape)")
    }
    guard found.shape == shape.dimensions else {
      throw TrainingError(
        code, "\(file.path): '\(label)' has shape \(found.shape), but \(shape) is needed")
    }
  }
}
