// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Optimizers
import TensorGraph

/// A compiled program with the memory of its inputs and scalars looked up once.
final class BoundProgram {
  let executable: any Executable
  let inputs: InputBuffers
  private let scalars: [(name: String, memory: UnsafeMutableRawBufferPointer)]

  init(_ program: Program, _ runtime: any Runtime) throws {
    let executable = try runtime.compile(program)
    self.executable = executable
    inputs = InputBuffers(
      tokens: executable.hostBuffer("tokens"), targets: executable.hostBuffer("targets"),
      documents: executable.hostBuffer("documents"))
    scalars = program.leaves.filter { $0.kind == .scalar }.compactMap { leaf in
      executable.hostBuffer(leaf.label).map { (leaf.label, $0) }
    }
  }

  /// Sets every scalar leaf that has one of these names; numbers are rounded to single precision here.
  func set(_ numbers: [String: Double]) {
    for (name, memory) in scalars {
      if let number = numbers[name] { memory.storeBytes(of: Float(number), as: Float.self) }
    }
  }

  /// Scalar leaves that the names do not cover.
  func missing(_ numbers: [String: Double]) -> [String] {
    scalars.map(\.name).filter { numbers[$0] == nil }
  }
}
