// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TensorGraph

@Suite("A schedule")
struct ScheduleTests {
  @Test("runs an AdamW update in one pass over memory")
  func adamW() throws {
    let graph = Graph()
    let gradient = graph.input("gradient", [65, 33], .float32)
    let parameter = graph.parameter("parameter", [65, 33])
    let (first, second) = (graph.state("first", [65, 33]), graph.state("second", [65, 33]))
    let (rate, decay) = (graph.scalar("rate"), graph.scalar("decay"))
    let m = 0.9 * first + 0.1 * gradient
    let v = 0.999 * second + 0.001 * square(gradient)
    let step = (m / graph.scalar("c1")) / (squareRoot(v / graph.scalar("c2")) + 1e-8)
    let program = try Program(
      graph: graph, outputs: [],
      assignments: [
        (first, m), (second, v), (parameter, parameter * (1 - rate * decay) - rate * step),
      ])
    let groups = ExecutionSchedule(program).groups
    // Numbers made of scalars alone have an iteration space of their own.
    let large = groups.filter { group in
      group.nodes.contains { graph.nodes[$0].results[0].shape == [65, 33] }
    }
    try #require(large.count == 1)
    #expect(large[0].isRegion && large[0].stage == .commit)
    #expect(large[0].nodes.contains(m.value.node) && large[0].nodes.contains(v.value.node))
    #expect(groups.count == 2)
  }

  @Test("ends a region with its reductions, and reads them in the next")
  func reductions() throws {
    let graph = Graph()
    let a = graph.parameter("a", [7, 5])
    let y = tanh(a)
    let norm = square(y).sum()
    let scaled = y / norm
    let program = try Program(graph: graph, outputs: [("scaled", scaled), ("norm", norm)])
    let groups = ExecutionSchedule(program).groups
    try #require(groups.count == 2)
    #expect(groups[0].nodes.contains(norm.value.node) && groups[0].nodes.contains(y.value.node))
    #expect(groups[1].nodes == [scaled.value.node])
  }

  @Test("computes a function where it is read, when its operands are in memory anyway")
  func sinking() throws {
    let graph = Graph()
    let (a, b) = (graph.parameter("a", [7, 5]), graph.state("b", [7, 5]))
    let average = 0.9 * b + a
    let scaled = average / 3
    let fresh = tanh(a * average)
    let size = square(average).sum()
    let program = try Program(
      graph: graph, outputs: [],
      assignments: [(b, average), (a, a - scaled / size - fresh / size)])
    let groups = ExecutionSchedule(program).groups
    try #require(groups.count == 2)
    // The average is assigned and so is stored; what is made of it need not be. The other function reads a product that is
    // nowhere in memory, until that has moved too.
    #expect(
      groups[0].nodes.contains(average.value.node) && groups[0].nodes.contains(size.value.node))
    #expect(groups[1].nodes.contains(scaled.value.node))
    #expect(groups[0].nodes.contains(fresh.value.node))
  }

  @Test("keeps products, norms and attention on their own")
  func opaque() throws {
    let graph = Graph()
    let x = graph.parameter("x", [4, 4])
    let y = x.normalized(.rms, gain: graph.parameter("g", [4]), epsilon: 1)
    let q = y.linear(graph.parameter("w", [4, 4]))
    let z = tanh(q.attention(keys: q, values: q, headWidth: 2, contextLength: 4)) + x
    let groups = ExecutionSchedule(try Program(graph: graph, outputs: [("z", z)])).groups
    #expect(groups.map(\.isRegion) == [false, false, false, true])
    #expect(groups.last?.nodes.count == 2)
  }

  @Test("does not join operands across a group that must run between them")
  func between() throws {
    let graph = Graph()
    let a = tanh(graph.parameter("a", [4, 4]))
    let product = a.matrixProduct(a)
    let sum = a + product
    let groups = ExecutionSchedule(try Program(graph: graph, outputs: [("sum", sum)])).groups
    #expect(groups.map(\.nodes) == [[a.value.node], [product.value.node], [sum.value.node]])
  }

  @Test("reads at most the given number of inputs in a region")
  func limit() throws {
    let graph = Graph()
    var sum = graph.parameter("p 0", [4, 4])
    for index in 1..<40 { sum = sum + graph.parameter("p \(index)", [4, 4]) }
    let program = try Program(graph: graph, outputs: [("sum", sum)])
    #expect(ExecutionSchedule(program, maximumInputs: 64).groups.count == 1)
    for maximum in [2, 3, 8, 24] {
      for group in ExecutionSchedule(program, maximumInputs: maximum).groups {
        #expect(externalInputs(group, program).count <= maximum)
      }
    }
  }

  @Test("has no work for leaves, constants and reshapes")
  func free() throws {
    let graph = Graph()
    let a = graph.parameter("a", [3, 5])
    let program = try Program(
      graph: graph, outputs: [("a", a.reshaped([15])), ("b", graph.constant(3))],
      assignments: [(graph.state("s", [5, 3]), a.reshaped([5, 3]))])
    #expect(ExecutionSchedule(program).groups.isEmpty)
  }

  @Test("runs every live node once, after what it reads, compute first", arguments: 0..<200)
  func randomGraphs(_ seed: Int) throws {
    let program = try RandomProgram.make(seed: seed)
    let graph = program.graph
    let groups = ExecutionSchedule(program, maximumInputs: 6).groups
    let (live, compute) = (program.liveNodes(), program.computeNodes())
    var groupOf: [Int: Int] = [:]
    for (index, group) in groups.enumerated() {
      for node in group.nodes {
        #expect(groupOf.updateValue(index, forKey: node) == nil, "node \(node) runs twice")
        #expect(compute[node] == (group.stage == .compute))
      }
      #expect(group.nodes == group.nodes.sorted())
      #expect(group.isRegion || group.nodes.count == 1)
    }
    let working = graph.nodes.indices.filter { index in
      let operation = graph.nodes[index].operation
      return live[index] && !(operation is Leaf || operation is Constant || operation is Reshape)
    }
    #expect(groupOf.keys.sorted() == working)
    let stages = groups.map { $0.stage == .compute ? 0 : 1 }
    #expect(stages == stages.sorted())
    for node in working {
      for input in graph.nodes[node].inputs {
        let origin = self.origin(input.node, graph)
        guard let producer = groupOf[origin], let reader = groupOf[node] else { continue }
        #expect(producer <= reader, "\(node) reads \(origin) before it is there")
        if producer == reader {
          // Inside a region values flow from register to register.
          #expect(origin == input.node && !(graph.nodes[origin].operation is Reduce))
          #expect(space(node, graph) == space(origin, graph))
        }
      }
    }
  }

  @Test("joins what can be joined in random graphs")
  func joins() throws {
    var (nodes, groups) = (0, 0)
    for seed in 0..<50 {
      let found = ExecutionSchedule(try RandomProgram.make(seed: seed)).groups
      nodes += found.reduce(0) { $0 + $1.nodes.count }
      groups += found.count
    }
    #expect(Double(groups) < 0.8 * Double(nodes), "\(groups) groups for \(nodes) nodes")
  }

  private func origin(_ node: Int, _ graph: Graph) -> Int {
    var node = node
    while graph.nodes[node].operation is Reshape { node = graph.nodes[node].inputs[0].node }
    return node
  }

  private func space(_ node: Int, _ graph: Graph) -> [Int] {
    let found = graph.nodes[node]
    let shape =
      found.operation is Reduce ? graph.type(of: found.inputs[0]).shape : found.results[0].shape
    return [shape.rows, shape.columns]
  }

  private func externalInputs(_ group: ExecutionSchedule.Group, _ program: Program) -> Set<
    Graph.Value
  > {
    let members = Set(group.nodes)
    return Set(
      group.nodes.flatMap { program.graph.nodes[$0].inputs }.filter {
        !members.contains($0.node) && !(program.graph.nodes[$0.node].operation is Constant)
      })
  }
}
