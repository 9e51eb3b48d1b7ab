// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TensorGraph

@Suite("The precision pass")
struct PrecisionTests {
  private func operations(_ program: Program) -> [String] {
    let live = program.liveNodes()
    return program.graph.nodes.indices.filter { live[$0] }.map {
      program.graph.nodes[$0].operation.name
    }
  }

  private func find<O: Operation>(_ program: Program, _ type: O.Type) -> [Graph.Node] {
    let live = program.liveNodes()
    return program.graph.nodes.indices.filter {
      live[$0] && program.graph.nodes[$0].operation is O
    }.map { program.graph.nodes[$0] }
  }

  /// A layer with everything that the pass changes, forward and backward.
  private func layer() throws -> Program {
    let graph = Graph()
    let x = graph.parameter("x", [6, 4])
    let y = x.normalized(.layer, gain: graph.parameter("g", [4]), epsilon: 1)
    func turned(_ label: String) -> Tensor {
      y.linear(graph.parameter(label, [4, 4])).rotary(headWidth: 2, contextLength: 3, base: 10)
    }
    let mixed = turned("q").attention(
      keys: turned("k"), values: y.linear(graph.parameter("v", [4, 4])), headWidth: 2,
      contextLength: 3)
    let hidden = x + mixed.linear(graph.parameter("o", [4, 4]))
    let (loss, sum) = hidden.linearCrossEntropy(
      weight: graph.parameter("w", [5, 4]), targets: graph.input("t", [6]),
      scale: graph.scalar("s"),
      zLoss: 0)
    let labels = ["x", "g", "q", "k", "v", "o", "w"]
    let tensors = labels.map {
      graph.parameter($0, $0 == "x" ? [6, 4] : $0 == "g" ? [4] : $0 == "w" ? [5, 4] : [4, 4])
    }
    let found = try gradients(of: loss, withRespectTo: tensors)
    return try Program(
      graph: graph,
      outputs: [("loss", loss), ("sum", sum)] + zip(labels, found).map { ("d \($0)", $1) },
      assignments: zip(tensors, found).map { ($0, $0 - 0.1 * $1) })
  }

  @Test("narrows the operands of products, attention and the head")
  func operands() throws {
    let program = try layer().sharingCrossEntropy().withBFloat16Products()
    let graph = program.graph
    #expect(find(program, MatrixProduct.self).count == 12)
    for node in find(program, MatrixProduct.self) {
      #expect(node.inputs.allSatisfy { graph.type(of: $0).elementType == .bfloat16 })
      let isWeightGradient = (node.operation as? MatrixProduct)?.transposeLeft == true
      #expect(node.results[0].elementType == (isWeightGradient ? .float32 : .bfloat16))
    }
    for node in find(program, Attention.self) {
      #expect(node.inputs.allSatisfy { graph.type(of: $0).elementType == .bfloat16 })
      #expect(node.results.map(\.elementType) == [.bfloat16, .float32])
    }
    for node in find(program, AttentionGradient.self) {
      #expect(
        node.inputs.map { graph.type(of: $0).elementType }
          == [.bfloat16, .bfloat16, .bfloat16, .bfloat16, .float32, .bfloat16])
      #expect(node.results.allSatisfy { $0.elementType == .bfloat16 })
    }
    let heads = find(program, LinearCrossEntropyGradient.self)
    try #require(heads.count == 1)
    #expect(
      heads[0].inputs.map { graph.type(of: $0).elementType }
        == [.bfloat16, .bfloat16, .int32, .float32])
    #expect(heads[0].results.map(\.elementType) == [.bfloat16, .float32, .float32, .float32])
  }

  @Test("narrows what attention's gradient reads, wherever it comes from")
  func attentionGradient() throws {
    let graph = Graph()
    let q = graph.parameter("q", [6, 4])
    let out = q.attention(keys: q, values: q, headWidth: 2, contextLength: 3)
    let found = try gradients(of: exp(out).sum(), withRespectTo: [q])
    let program = try Program(graph: graph, outputs: [("dq", found[0])]).withBFloat16Products()
    let nodes = find(program, AttentionGradient.self)
    try #require(nodes.count == 1)
    #expect(
      nodes[0].inputs.map { program.graph.type(of: $0).elementType }
        == [.bfloat16, .bfloat16, .bfloat16, .bfloat16, .float32, .bfloat16])
    #expect(program.outputs[0].tensor.type.elementType == .float32)
  }

  @Test("leaves everything that is kept or read by the host in float32")
  func boundary() throws {
    let program = try layer()
    let narrow = try program.withBFloat16Products()
    #expect(narrow.outputs.map(\.tensor.type) == program.outputs.map(\.tensor.type))
    #expect(narrow.assignments.allSatisfy { $0.value.type.elementType == .float32 })
    #expect(narrow.leaves.allSatisfy { $0.type.elementType != .bfloat16 })
  }

  @Test("keeps the types of outputs and assigned values that are products themselves")
  func productsOutside() throws {
    let graph = Graph()
    let (a, gram) = (graph.parameter("a", [3, 5]), graph.state("gram", [3, 3]))
    let product = a.matrixProduct(a, transposeRight: true)
    let program = try Program(
      graph: graph, outputs: [("product", product)], assignments: [(gram, product)]
    ).withBFloat16Products()
    #expect(program.outputs[0].tensor.type == TensorType([3, 3]))
    #expect(
      operations(program).filter { $0.hasPrefix("cast") } == [
        "cast to bfloat16", "cast to float32",
      ])
  }

  @Test("leaves exact products to their author, whose gradients keep the operands' type")
  func exact() throws {
    let graph = Graph()
    let x = graph.parameter("x", [3, 5])
    let narrow = x.cast(to: .bfloat16)
    let products = [
      x.exactProduct(x, transposeRight: true, isSymmetric: true),
      narrow.exactProduct(narrow, transposeLeft: true),
      narrow.exactProduct(narrow, transposeRight: true, resultType: .float32),
      x.matrixProduct(x, transposeRight: true),
    ]
    let program = try Program(
      graph: graph, outputs: products.enumerated().map { ("\($0)", $1) }
    ).withBFloat16Products()
    let found = find(program, MatrixProduct.self)
    #expect(
      found.map { node in node.inputs.map { program.graph.type(of: $0).elementType } } == [
        [.float32, .float32], [.bfloat16, .bfloat16], [.bfloat16, .bfloat16],
        [.bfloat16, .bfloat16],
      ])
    #expect(
      found.map { $0.results[0].elementType } == [.float32, .bfloat16, .float32, .bfloat16])
    let gradient = try gradients(of: products[1].sum(), withRespectTo: [narrow])[0]
    let differentiated = try Program(graph: graph, outputs: [("g", gradient)])
    let second = find(try differentiated.withBFloat16Products(), MatrixProduct.self)
    #expect(second.count == 2)
    for node in second {
      #expect((node.operation as? MatrixProduct)?.isExact == true)
      #expect(node.results[0].elementType == .float32)
    }
  }

  @Test("casts a weight once for all its products")
  func once() throws {
    let graph = Graph()
    let (x, w) = (graph.parameter("x", [6, 4]), graph.parameter("w", [4, 4]))
    let y = x.linear(w).linear(w)
    let found = try gradients(of: square(y).sum(), withRespectTo: [x, w])
    let program = try Program(
      graph: graph, outputs: [("dx", found[0]), ("dw", found[1])]
    ).withBFloat16Products()
    let casts = find(program, Cast.self).filter {
      program.graph.type(of: $0.inputs[0]).elementType == .float32
    }
    #expect(Set(casts.map(\.inputs)).count == casts.count)
  }

  @Test("lets norms and rotations that only products read store bfloat16 themselves")
  func narrowStores() throws {
    let program = try layer().withBFloat16Products()
    #expect(find(program, RowNorm.self).map { $0.results[0].elementType } == [.bfloat16])
    let forward = find(program, Rotary.self).filter { ($0.operation as? Rotary)?.inverse == false }
    #expect(forward.count == 2)
    #expect(forward.allSatisfy { $0.results[0].elementType == .bfloat16 })
    // The norm's statistics stay wide.
    #expect(
      find(program, RowNorm.self)[0].results.dropFirst().allSatisfy { $0.elementType == .float32 })
    for cast in find(program, Cast.self) {
      #expect(program.graph.type(of: cast.inputs[0]).elementType != cast.results[0].elementType)
    }
  }

  @Test("keeps a norm wide that anything else reads")
  func wideStores() throws {
    let graph = Graph()
    let x = graph.parameter("x", [6, 4])
    let y = x.normalized(.rms, gain: graph.parameter("g", [4]), epsilon: 1)
    let product = y.linear(graph.parameter("w", [4, 4]))
    for outputs in [[("sum", (y + product).sum())], [("p", product.sum()), ("y", y)]] {
      let program = try Program(graph: graph, outputs: outputs).withBFloat16Products()
      #expect(find(program, RowNorm.self).map { $0.results[0].elementType } == [.float32])
    }
  }

  @Test("changes nothing in a program without products")
  func nothing() throws {
    let graph = Graph()
    let a = graph.parameter("a", [3])
    let program = try Program(graph: graph, outputs: [("y", tanh(a) + 1)])
    #expect(operations(try program.withBFloat16Products()) == operations(program))
  }
}

@Suite("Sharing the cross entropy")
struct SharingTests {
  private func program(zLoss: Float = 0.1, differentiated: Float = 0.1) throws -> Program {
    let graph = Graph()
    let (x, w) = (graph.parameter("x", [4, 3]), graph.parameter("w", [5, 3]))
    let (targets, scale) = (graph.input("t", [4]), graph.scalar("s"))
    let (loss, sum) = x.linearCrossEntropy(
      weight: w, targets: targets, scale: scale, zLoss: zLoss)
    let (trained, _) = x.linearCrossEntropy(
      weight: w, targets: targets, scale: scale, zLoss: differentiated)
    let found = try gradients(of: trained, withRespectTo: [x, w])
    return try Program(
      graph: graph,
      outputs: [("loss", loss), ("sum", sum), ("dx", found[0]), ("dw", found[1])])
  }

  private func count<O: Operation>(_ program: Program, _ type: O.Type) -> Int {
    let live = program.liveNodes()
    return program.graph.nodes.indices.filter {
      live[$0] && program.graph.nodes[$0].operation is O
    }.count
  }

  @Test("sweeps the logits once for the loss and its gradients")
  func shared() throws {
    let before = try program()
    #expect(count(before, LinearCrossEntropy.self) == 1)
    let after = try before.sharingCrossEntropy()
    #expect(count(after, LinearCrossEntropy.self) == 0)
    #expect(count(after, LinearCrossEntropyGradient.self) == 1)
    #expect(after.outputs[0].tensor.value.result == 2 && after.outputs[1].tensor.value.result == 3)
  }

  @Test("works before and after narrowing")
  func narrow() throws {
    for after in [
      try program().sharingCrossEntropy().withBFloat16Products(),
      try program().withBFloat16Products().sharingCrossEntropy(),
    ] {
      #expect(count(after, LinearCrossEntropy.self) == 0)
      #expect(count(after, LinearCrossEntropyGradient.self) == 1)
    }
  }

  @Test("leaves a loss alone whose gradient nobody takes")
  func alone() throws {
    let after = try program(zLoss: 0, differentiated: 0.1).sharingCrossEntropy()
    #expect(count(after, LinearCrossEntropy.self) == 1)
    #expect(count(after, LinearCrossEntropyGradient.self) == 1)
  }
}
