// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Optimizers
import TensorGraph

/// A compiled program with the memory of its inputs and scalars looked up once.
final class BoundProgram {
  let executable: any Executable
  let inputs: InputBuffers
  private let scalars: [(name: String, memory: UnsafeMutableRawBufferPointer)]
  private let vectors: [(name: String, memory: UnsafeMutableRawBufferPointer)]

  init(_ program: Program, _ runtime: any Runtime) throws {
    let executable = try runtime.compile(program)
    self.executable = executable
    inputs = InputBuffers(
      tokens: executable.hostBuffer("tokens"), targets: executable.hostBuffer("targets"),
      documents: executable.hostBuffer("documents"))
    func memory(_ leaves: [Leaf]) -> [(String, UnsafeMutableRawBufferPointer)] {
      leaves.compactMap { leaf in executable.hostBuffer(leaf.label).map { (leaf.label, $0) } }
    }
    scalars = memory(program.leaves.filter { $0.kind == .scalar })
    vectors = memory(
      program.leaves.filter { $0.kind == .input && $0.type.elementType == .float32 })
  }

  /// Sets every scalar leaf that has one of these names; numbers are rounded to single precision here.
  func set(_ numbers: [String: Double]) {
    for (name, memory) in scalars {
      if let number = numbers[name] { memory.storeBytes(of: Float(number), as: Float.self) }
    }
  }

  /// Sets every float32 input that has one of these names.
  func set(_ values: [String: [Float]]) {
    for (name, memory) in vectors {
      guard let values = values[name] else { continue }
      precondition(
        values.count * 4 == memory.count,
        "'\(name)' has \(memory.count / 4) numbers, not \(values.count)")
      values.withUnsafeBytes { memory.copyMemory(from: $0) }
    }
  }

  /// Sets what the model reads.
  func set(_ numbers: ModelNumbers) {
    set(numbers.scalars)
    set(numbers.vectors)
  }

  /// The names of scalar leaves and float32 inputs.
  var numberNames: [String] { scalars.map(\.name) + vectors.map(\.name) }

  /// Scalar leaves that the names do not cover.
  func missing(_ numbers: [String: Double]) -> [String] {
    scalars.map(\.name).filter { numbers[$0] == nil }
  }
}
