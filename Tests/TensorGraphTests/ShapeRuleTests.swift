// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TensorGraph

/// Operands that do not fit, and what the error must say.
struct Mistake: Sendable, CustomTestStringConvertible {
  let name: String
  let code: GraphError.Code
  /// Texts that the message contains: the operation and the operands' shapes.
  let mentions: [String]
  let make: @Sendable (Graph) -> Void

  var testDescription: String { name }

  init(
    _ name: String, _ code: GraphError.Code, _ mentions: [String],
    _ make: @escaping @Sendable (Graph) -> Void
  ) {
    (self.name, self.code, self.mentions, self.make) = (name, code, mentions, make)
  }

  init(_ name: String, _ mentions: [String], _ make: @escaping @Sendable (Graph) -> Void) {
    self.init(name, .shape, mentions, make)
  }

  static let all =
    elementwise + matrices + rows + attention + heads + gradientOperations + bases

  private static let elementwise = [
    Mistake("add", ["add", "[3, 5]", "[3]"]) {
      _ = $0.parameter("a", [3, 5]) + $0.state("b", [3])
    },
    Mistake("select", ["select", "[3]", "[]", "[2]"]) {
      _ = select($0.parameter("a", [3]), $0.scalar("b"), $0.parameter("c", [2]))
    },
    Mistake("tanh of tokens", .elementType, ["tanh", "int32[4]"]) { _ = tanh($0.input("t", [4])) },
    Mistake("too few operands", .structure, ["maximum", "2", "1"]) {
      _ = $0.apply(Elementwise(function: .maximum), $0.scalar("a"))
    },
    Mistake("cast of tokens", .elementType, ["cast to bfloat16", "int32[4]"]) {
      _ = $0.input("t", [4]).cast(to: .bfloat16)
    },
    Mistake("rows of a scalar", ["sum over rows", "[]"]) { _ = $0.scalar("a").sum(.rows) },
    Mistake("columns of a scalar", ["maximum over columns", "[]"]) {
      _ = $0.scalar("a").maximum(.columns)
    },
    Mistake("sum of tokens", .elementType, ["sum over all", "int32[4]"]) {
      _ = $0.input("t", [4]).sum()
    },
    Mistake("reshape", ["reshape", "[3, 5]", "15", "[4, 4]", "16"]) {
      _ = $0.parameter("a", [3, 5]).reshaped([4, 4])
    },
    Mistake("broadcast", ["broadcast", "[3]", "[3, 5]"]) {
      _ = $0.parameter("a", [3]).broadcast(to: [3, 5])
    },
    Mistake("broadcast to fewer axes", ["broadcast", "[1, 5]", "[5]"]) {
      _ = $0.parameter("a", [1, 5]).broadcast(to: [5])
    },
    Mistake("empty leaf", ["parameter a", "[3, 0]"]) { _ = $0.parameter("a", [3, 0]) },
    Mistake("negative leaf", ["state a", "[-1]"]) { _ = $0.state("a", [-1]) },
    Mistake("state of integers", .elementType, ["state a", "int32"]) {
      _ = $0.state("a", [3], .int32)
    },
  ]

  private static let matrices = [
    Mistake("product of a vector", ["matrix product", "[5]", "[5, 3]", "matrices"]) {
      _ = $0.parameter("a", [5]).matrixProduct($0.parameter("b", [5, 3]))
    },
    Mistake("product with differing inner sizes", ["matrix product", "[2, 3]", "[2, 5]", "inner"]) {
      _ = $0.parameter("a", [2, 3]).matrixProduct($0.parameter("b", [2, 5]))
    },
    Mistake("linear with a weight the other way", ["matrix product", "[7, 3]", "[3, 5]"]) {
      _ = $0.parameter("x", [7, 3]).linear($0.parameter("w", [3, 5]))
    },
    Mistake(
      "product of two types", .elementType, ["matrix product", "float32[2, 3]", "bfloat16[3, 5]"]
    ) {
      _ = $0.parameter("a", [2, 3]).matrixProduct($0.parameter("b", [3, 5]).cast(to: .bfloat16))
    },
    Mistake("symmetric product that is not square", ["matrix product", "[2, 3]", "2 x 4"]) {
      _ = $0.parameter("a", [2, 3]).exactProduct($0.parameter("b", [3, 4]), isSymmetric: true)
    },
    Mistake(
      "products of a batch and a matrix", ["matrix product", "[2, 3, 5]", "[5, 3]", "batches"]
    ) {
      _ = $0.parameter("a", [2, 3, 5]).matrixProduct($0.parameter("b", [5, 3]))
    },
    Mistake(
      "products of two batches", ["matrix product", "[2, 3, 5]", "[3, 5, 3]", "differ in size"]
    ) {
      _ = $0.parameter("a", [2, 3, 5]).matrixProduct($0.parameter("b", [3, 5, 3]))
    },
    Mistake("products of batches with differing inner sizes", ["[2, 3, 5]", "[2, 3, 7]", "inner"]) {
      _ = $0.parameter("a", [2, 3, 5]).matrixProduct($0.parameter("b", [2, 3, 7]))
    },
    Mistake("addend of another shape", ["matrix product", "[1, 7]", "[3, 7]"]) {
      _ = $0.parameter("a", [3, 5]).exactProduct(
        $0.parameter("b", [5, 7]), addend: $0.parameter("c", [1, 7]))
    },
    Mistake("transpose of a vector", ["transpose", "[5]"]) {
      _ = $0.parameter("a", [5]).transposed()
    },
    Mistake("slice beyond the end", ["slice 2..<4", "[3, 5]"]) {
      _ = $0.parameter("a", [3, 5]).slice(2..<4)
    },
    Mistake("slice of nothing", ["slice 1..<1", "[3, 5]"]) {
      _ = $0.parameter("a", [3, 5]).slice(1..<1)
    },
    Mistake("slice of a scalar", ["slice 0..<1", "[]"]) { _ = $0.scalar("a").slice(0..<1) },
    Mistake("concatenation of other widths", ["concatenate", "[3, 5]", "[3, 4]"]) {
      _ = concatenated([$0.parameter("a", [3, 5]), $0.parameter("b", [3, 4])])
    },
    Mistake("concatenation of scalars", ["concatenate", "[]"]) {
      _ = concatenated([$0.scalar("a"), $0.scalar("b")])
    },
    Mistake("concatenation of two types", .elementType, ["concatenate", "bfloat16[3]"]) {
      _ = concatenated([$0.parameter("a", [3]), $0.parameter("b", [3]).cast(to: .bfloat16)])
    },
    Mistake("product stored as integers", .elementType, ["matrix product", "int32"]) {
      let a = $0.parameter("a", [3, 3])
      _ = a.exactProduct(a, resultType: .int32)
    },
    Mistake("table of one axis", ["embedding", "[7]", "[4]"]) {
      _ = $0.parameter("table", [7]).rows(of: $0.input("t", [4]))
    },
    Mistake("tokens of two axes", ["embedding", "[7, 3]", "[2, 2]"]) {
      _ = $0.parameter("table", [7, 3]).rows(of: $0.input("t", [2, 2]))
    },
    Mistake("tokens that are floats", .elementType, ["embedding", "tokens", "float32[4]"]) {
      _ = $0.parameter("table", [7, 3]).rows(of: $0.parameter("t", [4]))
    },
  ]

  private static let rows = [
    Mistake("gain of another width", ["layer norm", "[4, 5]", "[4]"]) {
      _ = $0.parameter("x", [4, 5]).normalized(.layer, gain: $0.parameter("g", [4]), epsilon: 0)
    },
    Mistake("gain with two axes", ["rms norm", "[4, 5]", "[1, 5]"]) {
      _ = $0.parameter("x", [4, 5]).normalized(.rms, gain: $0.parameter("g", [1, 5]), epsilon: 0)
    },
    Mistake("odd head width", ["rotary", "[4, 6]", "D = 3"]) {
      _ = $0.parameter("x", [4, 6]).rotary(headWidth: 3, contextLength: 2, base: 10)
    },
    Mistake("rows that are not whole sequences", ["rotary", "[5, 6]", "T = 2"]) {
      _ = $0.parameter("x", [5, 6]).rotary(headWidth: 2, contextLength: 2, base: 10)
    },
    Mistake("rotary without context", ["rotary", "[4, 6]", "T = 0"]) {
      _ = $0.parameter("x", [4, 6]).rotary(headWidth: 2, contextLength: 0, base: 10)
    },
    Mistake("rotary of three axes", ["rotary", "[2, 2, 6]"]) {
      _ = $0.parameter("x", [2, 2, 6]).rotary(headWidth: 2, contextLength: 2, base: 10)
    },
  ]

  private static func attend(
    _ graph: Graph, _ q: Shape, _ k: Shape, _ v: Shape, headWidth: Int = 3,
    contextLength: Int = 2, window: Int? = nil, documents: Shape? = nil
  ) {
    _ = graph.parameter("q", q).attention(
      keys: graph.parameter("k", k), values: graph.parameter("v", v), headWidth: headWidth,
      contextLength: contextLength, window: window,
      documents: documents.map { graph.input("d", $0) })
  }

  private static let attention = [
    Mistake("keys unlike values", ["attention", "[4, 6]", "[4, 3]"]) {
      attend($0, [4, 6], [4, 3], [4, 6])
    },
    Mistake("keys of other rows", ["attention", "[4, 6]", "[2, 6]"]) {
      attend($0, [4, 6], [2, 6], [2, 6])
    },
    Mistake("heads that do not divide", ["attention", "[4, 9]", "[4, 6]", "multiple of G"]) {
      attend($0, [4, 9], [4, 6], [4, 6])
    },
    Mistake("width that is not whole heads", ["attention", "[4, 7]", "D = 3"]) {
      attend($0, [4, 7], [4, 7], [4, 7])
    },
    Mistake("rows that are not whole contexts", ["attention", "[3, 6]", "2"]) {
      attend($0, [3, 6], [3, 6], [3, 6])
    },
    Mistake("no context", ["attention", "T = 0"]) {
      attend($0, [3, 6], [3, 6], [3, 6], contextLength: 0)
    },
    Mistake("no head width", ["attention", "D = 0"]) {
      attend($0, [4, 6], [4, 6], [4, 6], headWidth: 0)
    },
    Mistake("window of nothing", ["attention", "window of 0"]) {
      attend($0, [4, 6], [4, 6], [4, 6], window: 0)
    },
    Mistake("documents of other rows", ["attention", "[4, 6]", "[2]", "documents"]) {
      attend($0, [4, 6], [4, 6], [4, 6], documents: [2])
    },
    Mistake("documents that are floats", .elementType, ["attention", "documents", "float32[4]"]) {
      let q = $0.parameter("q", [4, 6])
      _ = q.attention(
        keys: q, values: q, headWidth: 3, contextLength: 2, documents: $0.parameter("d", [4]))
    },
    Mistake("window that is a vector", ["attention", "window", "float32[1]"]) {
      let q = $0.parameter("q", [4, 6])
      _ = q.attention(
        keys: q, values: q, headWidth: 3, contextLength: 2, currentWindow: $0.parameter("w", [1]))
    },
    Mistake("window in bfloat16", ["attention", "window", "bfloat16[]"]) {
      let q = $0.parameter("q", [4, 6])
      _ = q.attention(
        keys: q, values: q, headWidth: 3, contextLength: 2,
        currentWindow: $0.scalar("w").cast(to: .bfloat16))
    },
  ]

  private static func head(
    _ graph: Graph, _ x: Shape, _ weight: Shape, _ targets: Shape, scale: Tensor? = nil
  ) {
    let (loss, sum) = graph.parameter("x", x).linearCrossEntropy(
      weight: graph.parameter("w", weight), targets: graph.input("t", targets),
      scale: scale ?? graph.scalar("s"), zLoss: 0)
    _ = loss + sum
  }

  private static let heads = [
    Mistake("head of another width", ["linear cross entropy", "[4, 3]", "[7, 5]"]) {
      head($0, [4, 3], [7, 5], [4])
    },
    Mistake("targets of other rows", ["linear cross entropy", "[4, 3]", "[7, 3]", "[5]"]) {
      head($0, [4, 3], [7, 3], [5])
    },
    Mistake("scale that is a vector", ["linear cross entropy", "[4, 3]", "[7, 3]", "[1]"]) {
      head($0, [4, 3], [7, 3], [4], scale: $0.parameter("scale", [1]))
    },
    Mistake("weight of a z-loss that is a vector", ["linear cross entropy", "[4, 3]", "[1]"]) {
      _ = $0.parameter("x", [4, 3]).linearCrossEntropy(
        weight: $0.parameter("w", [7, 3]), targets: $0.input("t", [4]), scale: $0.scalar("s"),
        zLoss: $0.parameter("z", [1]))
    },
    Mistake("targets that are floats", .elementType, ["linear cross entropy", "targets"]) {
      _ = $0.parameter("x", [4, 3]).linearCrossEntropy(
        weight: $0.parameter("w", [7, 3]), targets: $0.parameter("t", [4]), scale: $0.scalar("s"),
        zLoss: 0)
    },
    Mistake("sample of another width", ["linear sample", "[4, 3]", "[7, 5]"]) {
      sample($0, [7, 5], $0.input("u", [4], .float32))
    },
    Mistake("uniforms of other rows", ["linear sample", "[4, 3]", "[7, 3]", "[5]"]) {
      sample($0, [7, 3], $0.input("u", [5], .float32))
    },
    Mistake("uniforms that are integers", .elementType, ["linear sample", "int32[4]"]) {
      sample($0, [7, 3], $0.input("u", [4]))
    },
    Mistake("uniforms in bfloat16", .elementType, ["linear sample", "uniforms", "bfloat16[4]"]) {
      sample($0, [7, 3], $0.input("u", [4], .float32).cast(to: .bfloat16))
    },
    Mistake("targets of other rows to leave out", ["linear sample", "[4, 3]", "[5]"]) {
      sample($0, [7, 3], $0.input("u", [4], .float32), targets: $0.input("t", [5]))
    },
    Mistake("targets to leave out that are floats", .elementType, ["linear sample", "targets"]) {
      sample($0, [7, 3], $0.input("u", [4], .float32), targets: $0.parameter("t", [4]))
    },
  ]

  private static func sample(
    _ graph: Graph, _ weight: Shape, _ uniforms: Tensor, targets: Tensor? = nil
  ) {
    _ = graph.parameter("x", [4, 3]).linearSample(
      weight: graph.parameter("w", weight), uniforms: uniforms, targets: targets)
  }

  /// The operations that only gradients apply check their operands too.
  private static let bases = [
    Mistake("basis of a wide matrix", ["orthogonal basis", "[3, 5]", "transpose"]) {
      _ = $0.parameter("a", [3, 5]).orthogonalBasis()
    },
    Mistake("basis of a vector", ["orthogonal basis", "[3]"]) {
      _ = $0.parameter("a", [3]).orthogonalBasis()
    },
    Mistake("basis in bfloat16", .elementType, ["orthogonal basis", "bfloat16[3, 3]"]) {
      _ = $0.parameter("a", [3, 3]).cast(to: .bfloat16).orthogonalBasis()
    },
    Mistake("eigenbasis of an oblong", ["symmetric eigenbasis", "[5, 3]"]) {
      _ = $0.parameter("a", [5, 3]).symmetricEigenbasis()
    },
    Mistake("order of a matrix", ["descending order", "[5, 3]"]) {
      _ = $0.parameter("a", [5, 3]).descendingOrder()
    },
    Mistake("order of tokens", .elementType, ["descending order", "int32[5]"]) {
      _ = $0.input("t", [5]).descendingOrder()
    },
    Mistake("columns at fractions", .elementType, ["gather columns", "float32[3]"]) {
      _ = $0.parameter("a", [5, 3]).columns(of: $0.parameter("p", [3]))
    },
    Mistake("columns at a table", ["gather columns", "[5, 3]", "[3, 1]"]) {
      _ = $0.parameter("a", [5, 3]).columns(of: $0.input("p", [3, 1]))
    },
  ]

  private static let gradientOperations = [
    Mistake("embedding gradient", ["embedding gradient", "[4, 3]", "[5]"]) {
      _ = $0.apply(
        EmbeddingGradient(vocabularySize: 7), $0.parameter("dy", [4, 3]), $0.input("t", [5]))
    },
    Mistake("norm gradient", ["rms norm gradient", "[4, 3]", "[4, 5]"]) {
      _ = $0.apply(
        RowNormGradient(kind: .rms),
        [
          $0.parameter("dy", [4, 3]), $0.parameter("x", [4, 5]), $0.parameter("g", [5]),
          $0.parameter("r", [4, 1]),
        ])
    },
    Mistake("attention gradient", ["attention gradient", "[4, 6]", "[2, 6]"]) {
      let q = $0.parameter("q", [4, 6])
      _ = $0.apply(
        AttentionGradient(headWidth: 3, contextLength: 2, window: nil, masksDocuments: false),
        [q, q, q, q, $0.parameter("l", [8]), $0.parameter("dout", [2, 6])])
    },
    Mistake("cross entropy gradient", ["linear cross entropy gradient", "[4, 3]", "[7, 5]"]) {
      _ = $0.apply(
        LinearCrossEntropyGradient(),
        [
          $0.parameter("x", [4, 3]), $0.parameter("w", [7, 5]), $0.input("t", [4]), $0.scalar("s"),
          $0.constant(0),
        ])
    },
  ]
}

@Suite("Shape rules")
struct ShapeRuleTests {
  @Test("name the operation and the shapes", arguments: Mistake.all)
  func messages(_ mistake: Mistake) throws {
    let graph = Graph()
    mistake.make(graph)
    let error = try #require(graph.failure)
    #expect(error.code == mistake.code)
    for text in mistake.mentions {
      #expect(error.message.contains(text), "'\(error.message)' should mention '\(text)'")
    }
    #expect(throws: error) { try graph.check() }
    #expect("\(error)" == error.message)
  }

  @Test("keep the first mistake, and let building go on after it", arguments: Mistake.all)
  func first(_ mistake: Mistake) throws {
    let graph = Graph()
    mistake.make(graph)
    let error = try #require(graph.failure)
    // Every other mistake, and healthy equations on what came of them.
    for other in Mistake.all { other.make(graph) }
    for node in graph.nodes.indices {
      for result in graph.nodes[node].results.indices {
        let tensor = graph.tensor(Graph.Value(node: node, result: result))
        _ = tanh(tensor).sum().reshaped([1]) + tensor
        _ =
          tensor.linearCrossEntropy(
            weight: tensor, targets: tensor, scale: tensor, zLoss: 0
          ).loss
        _ = tensor.normalized(.layer, gain: tensor, epsilon: 0)
        _ = tensor.attention(keys: tensor, values: tensor, headWidth: 1, contextLength: 1)
      }
    }
    #expect(graph.failure == error)
    let scalar = graph.scalar("s")
    #expect(throws: error) { try gradients(of: scalar, withRespectTo: [scalar]) }
    #expect(throws: error) { try Program(graph: graph, outputs: [("s", scalar)]) }
  }

  @Test("refuse operands of another graph")
  func otherGraph() throws {
    let (graph, other) = (Graph(), Graph())
    _ = other.parameter("x", [3])
    let foreign = other.parameter("b", [3])
    _ = graph.parameter("a", [3]) + foreign
    let error = try #require(graph.failure)
    #expect(error.code == .structure && error.message.contains("add"))
  }

  @Test("give the results that the equations state")
  func results() throws {
    let graph = Graph()
    let x = graph.parameter("x", [4, 6])
    let gain = graph.parameter("g", [6])
    func types(_ operation: some Operation, _ inputs: [Tensor]) -> [String] {
      graph.apply(operation, inputs).map { "\($0.type)" }
    }
    #expect(
      types(RowNorm(kind: .layer, epsilon: 0), [x, gain])
        == ["float32[4, 6]", "float32[4, 1]", "float32[4, 1]"])
    #expect(
      types(RowNorm(kind: .rms, epsilon: 0), [x, gain]) == ["float32[4, 6]", "float32[4, 1]"])
    let attention = Attention(headWidth: 3, contextLength: 2, window: 1, masksDocuments: false)
    #expect(types(attention, [x, x, x]) == ["float32[4, 6]", "float32[8]"])
    #expect("\(x.matrixProduct(x, transposeLeft: true).type)" == "float32[6, 6]")
    let narrow = x.cast(to: .bfloat16)
    #expect("\(narrow.matrixProduct(narrow, transposeRight: true).type)" == "bfloat16[4, 4]")
    #expect("\(narrow.matrixProduct(narrow, transposeLeft: true).type)" == "float32[6, 6]")
    #expect("\(tanh(narrow).type)" == "float32[4, 6]")
    #expect("\(narrow.sum(.columns).type)" == "float32[4, 1]")
    #expect("\(x.sum(.rows).type)" == "float32[6]")
    #expect("\(x.sum().type)" == "float32[]")
    #expect("\(graph.input("t", [2, 3]).reshaped([6]).type)" == "int32[6]")
    try graph.check()
  }
}
