// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TensorGraph

@Suite("A program")
struct ProgramTests {
  private func failure(_ make: () throws -> Program) -> GraphError? {
    #expect(throws: GraphError.self) { _ = try make() }
  }

  @Test("refuses two leaves of one name, with the name")
  func leafNames() {
    let graph = Graph()
    let sum = graph.parameter("weight", [3]) + graph.state("weight", [3])
    let error = failure { try Program(graph: graph, outputs: [("sum", sum)]) }
    #expect(error?.code == .structure && error?.message.contains("'weight'") == true)
  }

  @Test("refuses two outputs of one name")
  func outputNames() {
    let graph = Graph()
    let a = graph.scalar("a")
    let error = failure { try Program(graph: graph, outputs: [("x", a), ("x", a + 1)]) }
    #expect(error?.code == .structure)
  }

  @Test("assigns only parameters and states")
  func targets() {
    let graph = Graph()
    for target in [graph.scalar("a"), graph.scalar("a") + 1, graph.input("b", [], .float32)] {
      let error = failure {
        try Program(graph: graph, outputs: [], assignments: [(target, graph.scalar("a"))])
      }
      #expect(error?.code == .structure)
    }
  }

  @Test("assigns values of the target's type, and says both")
  func values() {
    let graph = Graph()
    let a = graph.parameter("weight", [3])
    for value in [graph.parameter("b", [4]), a.cast(to: .bfloat16), graph.constant(0)] {
      let error = failure { try Program(graph: graph, outputs: [], assignments: [(a, value)]) }
      #expect(error?.code == .shape)
      for text in ["'weight'", "float32[3]", "\(value.type)"] {
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
      }
    }
  }

  @Test("narrows nothing silently: a bfloat16 state takes a cast, and the error says so")
  func narrowState() throws {
    let graph = Graph()
    let a = graph.state("average", [3], .bfloat16)
    let error = failure { try Program(graph: graph, outputs: [], assignments: [(a, a * 0.5)]) }
    for text in ["'average'", "bfloat16[3]", "float32[3]", "cast"] {
      #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    }
    let value = (a * 0.5).cast(to: .bfloat16)
    let program = try Program(graph: graph, outputs: [], assignments: [(a, value)])
    #expect(program.leaves.map(\.type.byteCount) == [6])
  }

  @Test("assigns nothing twice")
  func twice() {
    let graph = Graph()
    let a = graph.state("counter", [])
    let error = failure {
      try Program(graph: graph, outputs: [], assignments: [(a, a + 1), (a, a + 2)])
    }
    #expect(error?.message.contains("'counter'") == true)
  }

  @Test("refuses tensors of another graph")
  func otherGraph() {
    let (graph, other) = (Graph(), Graph())
    let a = graph.state("a", [])
    _ = other.scalar("x")
    let foreign = other.state("a", []) + 1
    for make in [
      { try Program(graph: graph, outputs: [("o", foreign)]) },
      { try Program(graph: graph, outputs: [], assignments: [(a, foreign)]) },
      { try Program(graph: graph, outputs: [], assignments: [(foreign, a)]) },
    ] {
      #expect(failure(make)?.code == .structure)
    }
  }

  @Test("knows which nodes are alive, which belong to compute, and which leaves are used")
  func stages() throws {
    let graph = Graph()
    let (a, b) = (graph.parameter("a", [3]), graph.state("b", [3]))
    let unused = tanh(graph.parameter("unused", [3]))
    let y = exp(a)
    let z = y * graph.scalar("rate")
    let program = try Program(graph: graph, outputs: [("y", y)], assignments: [(b, z)])
    let (live, compute) = (program.liveNodes(), program.computeNodes())
    #expect(!live[unused.value.node] && live[z.value.node] && live[b.value.node])
    #expect(compute[y.value.node] && !compute[z.value.node])
    #expect(program.leaves.map(\.label) == ["a", "b", "rate"])
    #expect(program.leaves.map(\.kind) == [.parameter, .state, .scalar])
  }

  @Test("takes a condition that is a float32 scalar of its graph, and nothing else")
  func conditions() throws {
    let graph = Graph()
    let a = graph.state("a", [3])
    for condition in [a, graph.scalar("x").cast(to: .bfloat16), graph.input("n", [])] {
      let error = failure {
        try Program(graph: graph, outputs: [], assignments: [(a, -a)], condition: condition)
      }
      #expect(error?.code == .shape && error?.message.contains("\(condition.type)") == true)
    }
    let foreign = failure {
      try Program(
        graph: graph, outputs: [], assignments: [(a, -a)], condition: Graph().scalar("x"))
    }
    #expect(foreign?.code == .structure)
  }

  @Test("computes its condition, which survives rewriting and narrow products")
  func conditionIsAlive() throws {
    let graph = Graph()
    let (a, b) = (graph.parameter("a", [4, 4]), graph.parameter("b", [4, 4]))
    let found = isFinite(a.linear(b).sum())
    let program = try Program(
      graph: graph, outputs: [], assignments: [(a, -a)], condition: found)
    #expect(program.liveNodes()[found.value.node] && program.computeNodes()[found.value.node])
    #expect(program.leaves.map(\.label) == ["a", "b"])
    #expect(program.computed.map(\.value) == [found.value])
    let copy = try program.rewritten { node, inputs, graph in graph.apply(node.operation, inputs) }
    #expect(copy.condition?.graph === copy.graph && copy.condition?.type == found.type)
    let narrow = try program.withBFloat16Products()
    #expect(narrow.condition?.graph === narrow.graph && narrow.condition?.type == found.type)
    // A condition that is itself narrowed comes back as float32.
    let narrowed = try program.rewritten { node, inputs, graph in
      graph.apply(node.operation, inputs).map {
        $0.shape.rank == 0 ? $0.cast(to: .bfloat16) : $0
      }
    }
    #expect(narrowed.condition?.type == TensorType([]))
  }

  @Test("is copied without what is dead, when rewritten")
  func rewriting() throws {
    let graph = Graph()
    let a = graph.parameter("a", [3])
    _ = tanh(a)
    let program = try Program(graph: graph, outputs: [("y", exp(a) + 1)], assignments: [(a, -a)])
    let copy = try program.rewritten { node, inputs, graph in
      graph.apply(node.operation, inputs)
    }
    #expect(copy.graph !== graph)
    #expect(
      copy.graph.nodes.map(\.operation.name) == [
        "parameter a", "exp", "constant 1.0", "add", "negate",
      ])
    #expect(copy.assignments[0].target.graph === copy.graph)
  }
}

@Suite("Costs")
struct CostTests {
  @Test("of products are two FLOPs for each multiply-add")
  func products() throws {
    let graph = Graph()
    let y = graph.parameter("x", [7, 3]).linear(graph.parameter("w", [5, 3]))
    let program = try Program(graph: graph, outputs: [("y", y)])
    #expect(program.cost == Cost(flops: 2 * 7 * 5 * 3, bytes: 4 * (21 + 15 + 35)))
  }

  @Test("of a training step of products are three times those of the forward pass")
  func backward() throws {
    let graph = Graph()
    let (x, w) = (graph.parameter("x", [7, 3]), graph.parameter("w", [5, 3]))
    let found = try gradients(
      of: (x.linear(w) * graph.input("p", [7, 5], .float32)).sum(), withRespectTo: [x, w])
    let program = try Program(graph: graph, outputs: [("dx", found[0]), ("dw", found[1])])
    var flops = 0.0
    let live = program.liveNodes()
    for (index, node) in graph.nodes.enumerated() where live[index] {
      guard node.operation is MatrixProduct else { continue }
      flops +=
        node.operation.cost(inputs: node.inputs.map(graph.type), results: node.results).flops
    }
    #expect(flops == 2 * 2 * 7 * 5 * 3)
  }

  @Test(
    "of attention count the pairs that the mask leaves",
    arguments: [
      (1, nil), (5, nil), (5, 1), (5, 3), (5, 5), (5, 9), (17, 4), (64, 63),
    ] as [(Int, Int?)])
  func pairs(_ contextLength: Int, _ window: Int?) {
    var counted = 0
    for query in 0..<contextLength {
      for key in 0...query where query - key < window ?? contextLength { counted += 1 }
    }
    #expect(Attention.pairs(contextLength: contextLength, window: window) == Double(counted))
  }

  @Test("of attention are four, and of its gradient ten, FLOPs a pair and channel")
  func attention() throws {
    let graph = Graph()
    let q = graph.parameter("q", [10, 6])
    let k = graph.parameter("k", [10, 3])
    let out = q.attention(keys: k, values: k, headWidth: 3, contextLength: 5)
    let forward = try Program(graph: graph, outputs: [("out", out)])
    #expect(forward.cost.flops == 4 * 15 * 2 * 6)
    let gradient = try gradients(of: out.sum(), withRespectTo: [q])[0]
    let node = graph.nodes[gradient.value.node]
    #expect(node.operation is AttentionGradient)
    let cost = node.operation.cost(inputs: node.inputs.map(graph.type), results: node.results)
    #expect(cost.flops == 10 * 15 * 2 * 6)
  }

  @Test("count live nodes only, half the bytes in bfloat16, and nothing for reshapes")
  func bytes() throws {
    let graph = Graph()
    let a = graph.parameter("a", [3, 5])
    _ = a.matrixProduct(a, transposeLeft: true)
    let narrow = a.cast(to: .bfloat16).reshaped([15])
    let program = try Program(graph: graph, outputs: [("narrow", narrow)])
    #expect(program.cost == Cost(flops: 0, bytes: 60 + 30))
    #expect((Cost(flops: 1, bytes: 2) + Cost(flops: 3, bytes: 4)) == Cost(flops: 4, bytes: 6))
  }
}
