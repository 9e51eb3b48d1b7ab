// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import XLARuntime

/// A step of gradient descent on a small loss, with a product, a function and a reduction in it.
enum SmallProgram {
  /// Of the weight and its momentum.
  static let shape: Shape = [8, 12]

  /// The program; `power` makes different ones of the same leaves.
  static func make(power: Float = 2) throws -> Program {
    let graph = Graph()
    let weight = graph.parameter("weight", shape)
    let momentum = graph.state("momentum", shape)
    let loss = tanh(weight.linear(weight)).sum() * power
    let gradient = try gradients(of: loss, withRespectTo: [weight])[0]
    let average = momentum * 0.9 + gradient
    return try Program(
      graph: graph, outputs: [("loss", loss), ("gradient", gradient)],
      assignments: [(weight, weight - average * graph.scalar("rate")), (momentum, average)])
  }

  /// Values with nothing regular about them.
  static let start: [Float] = (0..<shape.count).map { Float(($0 * 37 + 11) % 101) / 101 - 0.4 }

  /// Writes the weight.
  static func begin(_ runtime: any Runtime) throws {
    let memory = try #require(try runtime.kept("weight", for: .writing))
    start.withUnsafeBytes { memory.copyMemory(from: $0) }
  }

  /// Three steps; the bits of every loss, then of weight and momentum.
  static func bits(_ runtime: any Runtime, _ program: Program) throws -> [UInt32] {
    let executable = try runtime.compile(program)
    try begin(runtime)
    executable.set("rate", 0.01)
    var bits: [UInt32] = []
    for _ in 0..<3 {
      try executable.run()
      bits.append(executable.scalar("loss").bitPattern)
    }
    return try bits + kept("weight", runtime) + kept("momentum", runtime)
  }

  /// The bits of a kept tensor.
  static func kept(_ label: String, _ runtime: any Runtime) throws -> [UInt32] {
    let memory = try #require(try runtime.kept(label, for: .reading))
    return Array(memory[0..<4 * shape.count].bindMemory(to: UInt32.self))
  }
}
