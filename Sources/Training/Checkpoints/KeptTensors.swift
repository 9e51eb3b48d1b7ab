// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Optimizers
import TensorFiles
public import TensorGraph

/// Parameters and optimizer state as they lie in a runtime: filled at the start, saved and loaded.
///
/// The runtime is asked for a tensor every time, and what it gives is good until its next run: a device's numbers have to be fetched.
public struct KeptTensors {
  /// A kept tensor.
  struct Entry {
    let label: String
    let type: TensorType

    var fileType: TensorFileElementType {
      type.elementType == .bfloat16 ? .bfloat16 : .float32
    }
  }

  let parameters: [Parameter]
  let declarations: [StateBuilder.Declaration]
  let entries: [Entry]
  private let byLabel: [String: Entry]
  private let runtime: any Runtime

  /// Names the tensors of a step in its runtime; the step must have been compiled there.
  public init(_ definition: StepDefinition, runtime: any Runtime) {
    self.runtime = runtime
    parameters = definition.model.parameters
    declarations = definition.stateDeclarations
    let types =
      parameters.map { ($0.name, TensorType($0.shape)) }
      + declarations.map { ($0.label, TensorType($0.shape, $0.elementType)) }
    entries = types.map { Entry(label: $0, type: $1) }
    byLabel = Dictionary(uniqueKeysWithValues: entries.map { ($0.label, $0) })
  }

  /// The numbers of one tensor.
  ///
  /// - Parameters:
  ///   - label: of a parameter or state.
  ///   - access: what is done with the numbers.
  /// - Returns: its memory until the runtime's next run; nil when there is none of that name, or it is stored as bfloat16.
  /// - Throws: what the runtime throws.
  public func values(
    _ label: String, for access: KeptAccess
  ) throws -> UnsafeMutableBufferPointer<Float>? {
    guard let entry = byLabel[label], entry.type.elementType == .float32 else { return nil }
    return try memory(entry, for: access).bindMemory(to: Float.self)
  }

  /// The bytes of one tensor in the type it is kept in.
  ///
  /// - Parameters:
  ///   - label: of a parameter or state.
  ///   - access: what is done with the bytes.
  /// - Returns: its memory until the runtime's next run; nil when there is none of that name.
  /// - Throws: what the runtime throws.
  public func bytes(
    _ label: String, for access: KeptAccess
  ) throws -> UnsafeMutableRawBufferPointer? {
    try byLabel[label].map { try memory($0, for: access) }
  }

  private func memory(
    _ entry: Entry, for access: KeptAccess
  ) throws -> UnsafeMutableRawBufferPointer {
    guard let memory = try runtime.kept(entry.label, for: access) else {
      preconditionFailure("'\(entry.label)' is not kept by the runtime")
    }
    return memory
  }

  /// Starts all parameters from a seed, and then the state.
  ///
  /// - Throws: what the runtime throws.
  public func initialize(seed: UInt64) throws {
    for parameter in parameters {
      if let memory = try values(parameter.name, for: .writing) {
        parameter.initialize(memory, seed: seed)
      }
    }
    try initializeState()
  }

  /// Starts the state, given the first weights.
  ///
  /// - Throws: what the runtime throws.
  public func initializeState() throws {
    for declaration in declarations { try start(declaration) }
  }

  private func start(_ declaration: StateBuilder.Declaration) throws {
    let label = declaration.label
    switch declaration.start {
    case .zeros:
      try bytes(label, for: .writing)?.initializeMemory(as: UInt8.self, repeating: 0)
    case .constant(let number):
      try values(label, for: .writing)?.update(repeating: number)
    case .parameter:
      if let weights = try values(declaration.parameter, for: .reading),
        let memory = try values(label, for: .writing)
      {
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
  /// - Throws: what the runtime throws.
  public func copy(_ source: String, to target: String, copiesState: Bool) throws {
    try copyTensor(source, to: target)
    for declaration in declarations where declaration.parameter == target {
      // What was summed for the one must not be used by the other; after a skipped step there may be something.
      if copiesState, !declaration.label.hasPrefix(Scalars.prefix + "summed_gradient.") {
        try copyTensor(
          String(declaration.label.dropLast(target.count)) + source, to: declaration.label)
      } else {
        try start(declaration)
      }
    }
  }

  private func copyTensor(_ source: String, to target: String) throws {
    guard let from = try bytes(source, for: .reading), let to = try bytes(target, for: .writing),
      from.count == to.count
    else {
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
      guard let memory = try values(parameter.name, for: .writing) else { continue }
      try file.read(parameter.name, into: memory)
      if let index = memory.firstIndex(where: { !$0.isFinite }) {
        throw TrainingError(
          .weights,
          "\(path): element \(index) of '\(parameter.name)' is \(memory[index]); weights must be finite"
        )
      }
    }
    try initializeState()
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
      let memory = try memory(entry, for: .writing)
      try file.withBytes(of: entry.label) { memory.copyMemory(from: $0) }
    }
  }

  /// The tensors for a file.
  ///
  /// - Parameter labels: which of them; nil: all.
  /// - Returns: the tensors, whose bytes are there until the runtime's next run.
  /// - Throws: what the runtime throws.
  func written(only labels: Set<String>? = nil) throws -> [TensorFileWriter.Tensor] {
    try entries.filter { labels?.contains($0.label) ?? true }.map {
      TensorFileWriter.Tensor(
        name: $0.label, elementType: $0.fileType, shape: $0.type.shape.dimensions,
        bytes: UnsafeRawBufferPointer(try memory($0, for: .reading)))
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
