// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import CPURuntime

@Suite("Recomputation")
struct RecomputationTests {
  /// Two feed-forward blocks with norms and rotated attention: everything that is cheap to compute again.
  private func program() throws -> Program {
    let graph = Graph()
    let (rows, width) = (64, 32)
    let tokens = graph.input("tokens", [rows])
    let targets = graph.input("targets", [rows])
    let table = graph.parameter("table", [37, width])
    var parameters = [table]
    var x = table.rows(of: tokens)
    for layer in 0..<2 {
      let gain = graph.parameter("gain \(layer)", [width])
      let up = graph.parameter("up \(layer)", [4 * width, width])
      let down = graph.parameter("down \(layer)", [width, 4 * width])
      parameters += [gain, up, down]
      let y = x.normalized(.layer, gain: gain, epsilon: 1e-5)
      let q = y.rotary(headWidth: 16, contextLength: 32, base: 10_000)
      let mixed = q.attention(keys: q, values: y, headWidth: 16, contextLength: 32)
      x = x + gelu((y + mixed).linear(up)).linear(down)
    }
    let loss = x.linearCrossEntropy(
      weight: table, targets: targets, scale: graph.scalar("scale"), zLoss: 1e-4
    ).loss
    let found = try gradients(of: loss, withRespectTo: parameters)
    return try Program(
      graph: graph,
      outputs: [("loss", loss)] + found.enumerated().map { ("gradient \($0)", $1) }
    ).sharingCrossEntropy().withBFloat16Products()
  }

  private func bits(_ program: Program) throws -> [[UInt8]] {
    let runtime = try CPURuntime(threads: 1)
    let executable = try CPUExecutable(program, runtime: runtime)
    for leaf in program.leaves where leaf.kind == .parameter {
      let memory = try #require(runtime.kept(leaf.label, for: .writing)).bindMemory(to: Float.self)
      for index in 0..<leaf.type.shape.count {
        memory[index] = leaf.label.hasPrefix("gain") ? 1 : Float((index * 37 + 11) % 41 - 20) * 0.02
      }
    }
    for (label, step) in [("tokens", 5), ("targets", 7)] {
      let memory = try #require(executable.hostBuffer(label)).bindMemory(to: Int32.self)
      for index in memory.indices { memory[index] = Int32(index * step % 37) }
    }
    executable.set("scale", 1 / 64)
    try executable.run()
    return program.outputs.map { Array(executable.output($0.label)) }
  }

  @Test("changes memory and nothing else")
  func sameBits() throws {
    let plain = try program()
    let again = try plain.recomputingCheapResults(minimumSaving: 1)
    let copies = again.graph.nodes.count { node in
      switch node.operation {
      case let cast as Cast: cast.isRecomputed
      case let function as Elementwise: function.isRecomputed
      case let norm as RowNorm: norm.isRecomputed
      case let rotary as Rotary: rotary.isRecomputed
      default: false
      }
    }
    // For each block at least the norm, the rotation, its cast, gelu with its cast, and a cast of each weight.
    #expect(copies >= 2 * 6, "only \(copies) nodes are computed again")
    #expect(try bits(plain) == bits(again))
  }

  @Test("happens only where it saves enough")
  func threshold() throws {
    let plain = try program()
    let same = try plain.recomputingCheapResults(minimumSaving: 1 << 40)
    #expect(same.graph.nodes.count == plain.graph.nodes.count)
  }
}
