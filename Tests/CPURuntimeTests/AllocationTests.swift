// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CAllocationCounter
import TensorGraph
import Testing

@testable import CPURuntime

@Suite("A step allocates nothing")
struct AllocationTests {
  /// A kernel of every kind: embedding, norm, product, attention, cross entropy, drawn labels, clipping, an update, two bases.
  private func program() throws -> Program {
    let graph = Graph()
    let tokens = graph.input("tokens", [32])
    let targets = graph.input("targets", [32])
    let table = graph.parameter("table", [11, 8])
    let gain = graph.parameter("gain", [8])
    let weight = graph.parameter("weight", [8, 8])
    let x = table.rows(of: tokens).normalized(.layer, gain: gain, epsilon: 1e-5)
    let query = x.linear(weight).rotary(headWidth: 4, contextLength: 16, base: 10_000)
    let mixed = query.attention(
      keys: query, values: x, headWidth: 4, contextLength: 16,
      currentWindow: graph.scalar("window"))
    let hidden = x + gelu(mixed)
    let loss = hidden.linearCrossEntropy(
      weight: table, targets: targets, scale: graph.scalar("scale"), zLoss: graph.scalar("z-loss")
    ).loss
    let labels = hidden.linearSample(
      weight: table, uniforms: graph.input("uniforms", [32], .float32), targets: targets)
    let parameters = [table, gain, weight]
    let found = try gradients(of: loss, withRespectTo: parameters)
    let norm = squareRoot(found.map { square($0).sum() }.reduce(graph.constant(0), +))
    let rate = graph.scalar("rate") * minimum(graph.constant(1), 1 / norm)
    let basis = graph.state("basis", [8, 8])
    let turned = weight.matrixProduct(basis)
    let order = (basis * turned).sum(.rows).descendingOrder()
    // Two strands of symmetric, transposed and batched products.
    let strands = (0..<2).map { index -> (Tensor, Tensor) in
      let matrix = graph.state("matrix \(index)", [6, 8])
      let gram = matrix.exactProduct(matrix, transposeRight: true, isSymmetric: true)
      let turned = gram.exactProduct(matrix, factor: 0.01, addend: matrix).transposed()
      let heads = concatenated([turned.slice(4..<8), turned.slice(0..<4)]).reshaped([4, 2, 6])
      let product = heads.exactProduct(heads, transposeLeft: true, isSymmetric: true)
      return (matrix, heads.exactProduct(product).reshaped([6, 8]))
    }
    return try Program(
      graph: graph, outputs: [("loss", loss), ("labels", labels)],
      assignments: zip(parameters, found).map { ($0, $0 - rate * $1) } + strands + [
        (basis, turned.columns(of: order).orthogonalBasis()),
        (graph.state("vectors", [8, 8]), turned.symmetricEigenbasis()),
      ],
      condition: isFinite(loss) * isFinite(norm)
    ).sharingCrossEntropy()
  }

  /// oneDNN makes small blocks of its own inside each product, so it is left out of the count: this is about our code.
  @Test("of its own, counted by standing in for malloc", .enabled(if: ac_is_available() == 1))
  func allocatesNothing() throws {
    let runtime = try CPURuntime(threads: 1, usesOneDNN: false)
    let executable = try runtime.compile(program())
    executable.set("scale", 1 / 32)
    executable.set("rate", 0.1)
    executable.set("window", 5)
    executable.set("z-loss", 1e-4)
    for _ in 0..<2 {
      try executable.run()
    }
    ac_start()
    for _ in 0..<5 {
      try executable.run()
    }
    #expect(ac_stop() == 0)
    #expect(try #require(executable.commitSeconds) > 0, "the assignments were part of it")
  }

  @Test("is a statement that can be false", .enabled(if: ac_is_available() == 1))
  func counts() {
    ac_start()
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 8)
    let counted = ac_stop()
    memory.deallocate()
    #expect(counted == 1)
  }
}
