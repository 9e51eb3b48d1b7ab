// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TensorGraph

@Suite("A graph")
struct GraphTests {
  @Test("holds equal operations on equal operands once")
  func hashConsing() throws {
    let graph = Graph()
    let (a, b) = (graph.parameter("a", [3]), graph.parameter("b", [3]))
    #expect(a.value == graph.parameter("a", [3]).value)
    let first = tanh(a * b) + 2
    let count = graph.nodes.count
    let second = tanh(a * b) + 2
    #expect(first.value == second.value)
    #expect(graph.nodes.count == count)
    #expect((b * a).value != (a * b).value)
    #expect(graph.constant(2).value == graph.constant(2).value)
    #expect(graph.constant(2).value != graph.constant(3).value)
  }

  @Test("tells operations apart that differ in one setting")
  func settings() throws {
    let graph = Graph()
    let x = graph.parameter("x", [4, 4])
    let gain = graph.parameter("g", [4])
    let values = [
      x.normalized(.layer, gain: gain, epsilon: 1), x.normalized(.layer, gain: gain, epsilon: 2),
      x.normalized(.rms, gain: gain, epsilon: 1), x.sum(.rows), x.maximum(.rows),
      x.matrixProduct(x), x.matrixProduct(x, transposeLeft: true),
      x.matrixProduct(x, transposeRight: true),
      x.rotary(headWidth: 2, contextLength: 2, base: 10),
      x.rotary(headWidth: 2, contextLength: 2, base: 20),
      x.rotary(headWidth: 4, contextLength: 2, base: 10),
      x.attention(keys: x, values: x, headWidth: 2, contextLength: 2),
      x.attention(keys: x, values: x, headWidth: 2, contextLength: 2, window: 1),
    ].map(\.value)
    #expect(Set(values).count == values.count)
    try graph.check()
  }

  @Test("keeps all results of a node together")
  func results() {
    let graph = Graph()
    let x = graph.parameter("x", [4, 4])
    let norm = graph.apply(RowNorm(kind: .layer, epsilon: 1), [x, graph.parameter("g", [4])])
    #expect(norm.map(\.value.result) == [0, 1, 2])
    #expect(Set(norm.map(\.value.node)).count == 1)
  }

  @Test("lets operands come before the nodes that read them")
  func order() throws {
    for (index, node) in try RandomProgram.make(seed: 1).graph.nodes.enumerated() {
      #expect(node.inputs.allSatisfy { $0.node < index })
    }
  }

  @Test("drops sums with 0 and products and quotients with 1, and nothing else")
  func simplifications() {
    let graph = Graph()
    let a = graph.parameter("a", [3])
    for same in [a + 0, 0 + a, a - 0, a * 1, 1 * a, a / 1] { #expect(same.value == a.value) }
    for other in [0 - a, 1 / a, a * 0, a + 1, -a] { #expect(other.value != a.value) }
    #expect(a.reshaped([3]).value == a.value)
    #expect(a.cast(to: .float32).value == a.value)
    #expect(a.broadcast(to: [3]).value == a.value)
    #expect((a + 0).shape == [3])
  }

  @Test("writes the mean as a sum over a known count")
  func mean() {
    let graph = Graph()
    let a = graph.parameter("a", [4, 5])
    #expect(a.mean().value == (a.sum() / 20).value)
    #expect(a.mean(.rows).value == (a.sum(.rows) / 4).value)
    #expect(a.mean(.columns).value == (a.sum(.columns) / 5).value)
  }
}

@Suite("Differentiation")
struct DifferentiationTests {
  @Test("wants a scalar loss of the same graph")
  func losses() throws {
    let graph = Graph()
    let a = graph.parameter("a", [3])
    let error = #expect(throws: GraphError.self) { try gradients(of: a, withRespectTo: [a]) }
    #expect(error?.code == .notDifferentiable)
    #expect(error?.message.contains("float32[3]") == true)
    let foreign = Graph().parameter("b", [3])
    let other = #expect(throws: GraphError.self) {
      try gradients(of: a.sum(), withRespectTo: [foreign])
    }
    #expect(other?.code == .structure)
  }

  @Test("adds only nodes that wanted gradients need")
  func economy() throws {
    let graph = Graph()
    let (w, x) = (graph.parameter("w", [5, 3]), graph.input("x", [7, 3], .float32))
    let loss = square(x.linear(w)).sum()
    let program = try Program(
      graph: graph, outputs: [("g", try gradients(of: loss, withRespectTo: [w])[0])])
    let live = program.liveNodes()
    let products = graph.nodes.indices.filter {
      live[$0] && graph.nodes[$0].operation is MatrixProduct
    }
    #expect(products.count == 2)
  }

  @Test("fails with both shapes where a gradient would sum over a middle axis")
  func middleAxis() throws {
    let graph = Graph()
    let (a, b) = (graph.parameter("a", [2, 3, 5]), graph.parameter("b", [2, 1, 5]))
    let loss = (a * b).sum()
    let error = #expect(throws: GraphError.self) { try gradients(of: loss, withRespectTo: [b]) }
    #expect(error?.message.contains("[2, 1, 5]") == true)
    #expect(error?.message.contains("[2, 3, 5]") == true)
  }

  @Test("does not mind a middle axis that nobody wants a gradient of")
  func unwantedMiddleAxis() throws {
    let graph = Graph()
    let (a, mask) = (graph.parameter("a", [2, 3, 5]), graph.input("m", [2, 1, 5], .float32))
    let found = try gradients(of: (a * mask).sum(), withRespectTo: [a])
    #expect(found[0].shape == [2, 3, 5])
  }

  @Test("by a result whose own operation has no gradient")
  func behindTheWanted() throws {
    let graph = Graph()
    let x = graph.parameter("x", [2, 3])
    let derivative = x.unary(.geluDerivative)
    let found = try gradients(of: square(derivative).sum(), withRespectTo: [derivative])
    #expect(found[0].shape == [2, 3])
  }
}
