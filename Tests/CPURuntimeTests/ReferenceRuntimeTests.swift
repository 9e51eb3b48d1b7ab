// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import CPURuntime
@testable import TensorGraph

/// Numbers, and the same rounded to bfloat16, whose numbers around 1 are 1/128 apart.
private let roundings: [(Double, Double)] = [
  (1, 1), (1.00390625, 1), (1.01171875, 1.015625), (1.00390725, 1.0078125),
  (-1.01171875, -1.015625), (0, 0), (.infinity, .infinity), (3.4e38, .infinity),
]

/// The reference must itself be right: results that follow from closed forms or a few sums by hand.
@Suite("The reference runtime computes")
struct ReferenceRuntimeTests {
  /// Evaluates tensors with leaves set by label.
  private func evaluated(
    _ graph: Graph, _ tensors: [Tensor], _ numbers: [String: [Double]] = [:]
  ) throws -> [[Double]] {
    let runtime = ReferenceRuntime()
    let executable = try runtime.prepare(
      Program(graph: graph, outputs: tensors.enumerated().map { ("\($0)", $1) }))
    for (label, values) in numbers {
      runtime.setKept64(label, values)
      executable.set64(label, values)
    }
    try executable.run()
    return tensors.indices.map { executable.output64("\($0)") }
  }

  @Test("products with every transpose")
  func products() throws {
    let graph = Graph()
    let a = graph.parameter("a", [2, 3])
    let b = graph.parameter("b", [2, 3])
    let found = try evaluated(
      graph,
      [
        a.matrixProduct(b, transposeRight: true), a.matrixProduct(b, transposeLeft: true),
        a.reshaped([3, 2]).matrixProduct(b), a.matrixProduct(b.reshaped([3, 2])),
        a.reshaped([3, 2]).matrixProduct(b, transposeLeft: true, transposeRight: true),
      ], ["a": [1, 2, 3, 4, 5, 6], "b": [7, 8, 9, 10, 11, 12]])
    #expect(found[0] == [50, 68, 122, 167])
    #expect(found[1] == [47, 52, 57, 64, 71, 78, 81, 90, 99])
    #expect(found[2] == [27, 30, 33, 61, 68, 75, 95, 106, 117])
    #expect(found[3] == [58, 64, 139, 154])
    #expect(found[4] == [76, 103, 100, 136])
  }

  @Test("broadcasts along every axis")
  func broadcasts() throws {
    let graph = Graph()
    let a = graph.parameter("a", [2, 1, 2])
    let b = graph.parameter("b", [3, 1])
    let found = try evaluated(
      graph, [a + b, graph.parameter("c", [2]) - graph.scalar("s")],
      ["a": [1, 2, 3, 4], "b": [10, 20, 30], "c": [5, 6], "s": [7]])
    #expect(found[0] == [11, 12, 21, 22, 31, 32, 13, 14, 23, 24, 33, 34])
    #expect(found[1] == [-2, -1])
  }

  @Test("reductions over every axis")
  func reductions() throws {
    let graph = Graph()
    let a = graph.parameter("a", [2, 1, 3])
    let found = try evaluated(
      graph,
      [
        a.sum(), a.sum(.columns), a.sum(.rows), a.maximum(), a.maximum(.columns),
        a.maximum(.rows), a.mean(.columns),
      ], ["a": [1, 9, 3, 4, 5, 6]])
    #expect(
      found == [[28], [13, 15], [5, 14, 9], [9], [9, 6], [4, 9, 6], found[6]])
    #expect(abs(found[6][0] - 13.0 / 3) < 1e-6 && abs(found[6][1] - 5) < 1e-6)
  }

  @Test("activations at known points")
  func activations() throws {
    let graph = Graph()
    let a = graph.parameter("a", [3])
    let found = try evaluated(
      graph,
      [
        gelu(a), a.unary(.geluDerivative), silu(a), a.unary(.siluDerivative), sigmoid(a), erf(a),
        sign(a), a.unary(.floor),
      ], ["a": [0, 1, -1.5]])
    let phi = 0.841344746068543  // Normal distribution function at 1.
    let density = exp(-0.5) / (2 * Double.pi).squareRoot()
    let logistic = 1 / (1 + exp(-1.0))
    #expect(abs(found[0][1] - phi) < 1e-14 && found[0][0] == 0)
    #expect(abs(found[1][1] - (phi + density)) < 1e-14 && found[1][0] == 0.5)
    #expect(abs(found[2][1] - logistic) < 1e-15)
    #expect(abs(found[3][1] - (logistic + logistic * (1 - logistic))) < 1e-15)
    #expect(found[4][0] == 0.5)
    #expect(abs(found[5][1] - 0.842700792949715) < 1e-14)
    #expect(found[6] == [0, 1, -1])
    #expect(found[7] == [0, 1, -2])
  }

  @Test("NaN passes through maximum, sign and relu, and is not finite")
  func notANumber() throws {
    let graph = Graph()
    let a = graph.parameter("a", [2])
    let found = try evaluated(
      graph,
      [maximum(a, -a), minimum(graph.constant(1), a), sign(a), relu(a), isFinite(a), a.maximum()],
      ["a": [.nan, .infinity]])
    for index in [0, 1, 2, 3, 5] { #expect(found[index][0].isNaN, "\(index)") }
    #expect(found[4] == [0, 0])
    #expect(found[0][1] == .infinity && found[1][1] == 1 && found[2][1] == 1)
  }

  @Test("norms from their definitions")
  func norms() throws {
    let graph = Graph()
    let x = graph.parameter("x", [1, 2])
    let gain = graph.parameter("gain", [2])
    let layer = graph.apply(RowNorm(kind: .layer, epsilon: 3), [x, gain])
    let rms = graph.apply(RowNorm(kind: .rms, epsilon: 2), [x, gain])
    // Mean 2, variance 1, 1/sqrt(1 + 3) = 1/2; mean square 7 with x = (1, sqrt 13).
    let found = try evaluated(graph, layer, ["x": [1, 3], "gain": [2, 10]])
    #expect(found == [[-1, 5], [0.5], [2]])
    let other = try evaluated(graph, rms, ["x": [1, 13.squareRoot()], "gain": [3, 3]])
    #expect(abs(other[0][0] - 1) < 1e-15 && abs(other[1][0] - 1.0 / 3) < 1e-15)
    #expect(other.count == 2)
  }

  @Test("rotary embedding as rotations by position")
  func rotary() throws {
    let graph = Graph()
    let x = graph.parameter("x", [4, 4])
    let y = x.rotary(headWidth: 4, contextLength: 2, base: 100)
    let row: [Double] = [1, 2, 3, 4]
    let found = try evaluated(graph, [y], ["x": row + row + row + row])[0]
    // Position 0 is not turned, and positions restart after two rows.
    #expect(Array(found[0..<4]) == row)
    #expect(found[8..<16] == found[0..<8])
    // Wavelengths 1 and 100^(-1/2).
    #expect(abs(found[4] - (cos(1.0) - 3 * sin(1.0))) < 1e-15)
    #expect(abs(found[6] - (3 * cos(1.0) + sin(1.0))) < 1e-15)
    #expect(abs(found[5] - (2 * cos(0.1) - 4 * sin(0.1))) < 1e-15)
    #expect(abs(found[7] - (4 * cos(0.1) + 2 * sin(0.1))) < 1e-15)
  }

  @Test("attention over equal keys as the mean of visible values")
  func attention() throws {
    let graph = Graph()
    let q = graph.parameter("q", [6, 2])
    let k = graph.parameter("k", [6, 1])
    let v = graph.parameter("v", [6, 1])
    func attended(_ window: Int?, _ documents: Tensor?) -> [Tensor] {
      graph.apply(
        Attention(
          headWidth: 1, contextLength: 3, window: window, masksDocuments: documents != nil),
        [q, k, v] + (documents.map { [$0] } ?? []))
    }
    let documents = graph.input("documents", [6])
    let found = try evaluated(
      graph,
      [
        attended(nil, nil)[0], attended(2, nil)[0], attended(nil, documents)[0],
        attended(1, nil)[0],
      ],
      [
        "q": [Double](repeating: 0.3, count: 12), "k": [Double](repeating: 2, count: 6),
        "v": [1, 3, 8, 10, 20, 60], "documents": [0, 1, 1, 1, 1, 2],
      ])
    func twice(_ numbers: [Double]) -> [Double] { numbers.flatMap { [$0, $0] } }
    let expected = [
      twice([1, 2, 4, 10, 15, 30]), twice([1, 2, 5.5, 10, 15, 40]),
      twice([1, 3, 5.5, 10, 15, 60]), twice([1, 3, 8, 10, 20, 60]),
    ]
    for (numbers, wanted) in zip(found, expected) {
      for (a, b) in zip(numbers, wanted) { #expect(abs(a - b) < 1e-13) }
    }
  }

  @Test("attention's log-sum-exp by sequence, head and position")
  func attentionStatistics() throws {
    let graph = Graph()
    let q = graph.parameter("q", [4, 2])
    let k = graph.parameter("k", [4, 1])
    let results = graph.apply(
      Attention(headWidth: 1, contextLength: 2, window: nil, masksDocuments: false), [q, k, k])
    // Scores: head 0 sees q = 0, head 1 sees q = 1.
    let found = try evaluated(
      graph, results, ["q": [0, 1, 0, 1, 0, 1, 0, 1], "k": [1, 2, 3, 4]])
    let expected = [
      0, log(2.0), 1, log(exp(1.0) + exp(2.0)), 0, log(2.0), 3, log(exp(3.0) + exp(4.0)),
    ]
    for (a, b) in zip(found[1], expected) { #expect(abs(a - b) < 1e-14) }
  }

  @Test("cross entropy of a head without weights as the logarithm of the vocabulary")
  func crossEntropy() throws {
    let graph = Graph()
    let (loss, sum) = graph.parameter("x", [3, 2]).linearCrossEntropy(
      weight: graph.parameter("w", [4, 2]), targets: graph.input("targets", [3]),
      scale: graph.scalar("scale"), zLoss: 0.5)
    let found = try evaluated(
      graph, [loss, sum], ["x": [1, 2, 3, 4, 5, 6], "targets": [0, -1, 3], "scale": [10]])
    let s = log(4.0)
    #expect(abs(found[0][0] - 20 * (s + 0.5 * s * s)) < 1e-12)
    #expect(abs(found[1][0] - 2 * s) < 1e-14)
  }

  @Test("embedding rows and the sums that undo them")
  func embedding() throws {
    let graph = Graph()
    let tokens = graph.input("tokens", [3])
    let rows = graph.parameter("table", [3, 2]).rows(of: tokens)
    let back = graph.apply(EmbeddingGradient(vocabularySize: 3), rows, tokens)
    let found = try evaluated(
      graph, [rows, back], ["table": [1, 2, 3, 4, 5, 6], "tokens": [2, 0, 2]])
    #expect(found == [[5, 6, 1, 2, 5, 6], [1, 2, 0, 0, 10, 12]])
  }

  @Test("rounding to bfloat16 to nearest, ties to even", arguments: roundings)
  func rounding(_ number: Double, _ expected: Double) throws {
    let graph = Graph()
    let a = graph.parameter("a", [1])
    let found = try evaluated(
      graph, [a.cast(to: .bfloat16), a.unary(.roundToBFloat16)], ["a": [number]])
    #expect(found == [[expected], [expected]])
  }

  @Test("NaN stays NaN in bfloat16")
  func notANumberRounded() {
    #expect(roundedToBFloat16(Float(bitPattern: 0x7f80_0001)).isNaN)
    #expect(roundedToBFloat16(-.nan).isNaN)
  }
}

@Suite("The reference runtime keeps")
struct ReferenceBoundaryTests {
  private func counter(_ graph: Graph = Graph()) throws -> Program {
    let a = graph.parameter("a", [2])
    return try Program(
      graph: graph, outputs: [("sum", a.sum()), ("a", a), ("narrow", a.cast(to: .bfloat16))],
      assignments: [(a, a + graph.scalar("step"))])
  }

  @Test("tensors between programs by label, starting at zero")
  func shared() throws {
    let runtime = ReferenceRuntime()
    #expect(runtime.kept("a", for: .reading) == nil && runtime.kept64("a") == nil)
    let first = try runtime.compile(counter())
    #expect(runtime.kept64("a") == [0, 0])
    first.set("step", 2)
    try first.run()
    let second = try runtime.compile(counter())
    try second.run()
    #expect(second.scalar("sum") == 4)
    #expect(runtime.peakBytes >= 16)
  }

  @Test(
    "everything as it was where the condition is 0, and outputs of kept tensors as they are after the run"
  )
  func condition() throws {
    let runtime = ReferenceRuntime()
    let whole = try counter()
    let executable = try runtime.compile(
      Program(
        graph: whole.graph, outputs: whole.outputs.map { ($0.label, $0.tensor) },
        assignments: whole.assignments.map { ($0.target, $0.value) },
        condition: lessOrEqual(whole.graph.scalar("step"), whole.graph.constant(3))))
    executable.set("step", 4)
    try executable.run()
    try executable.run()
    #expect(runtime.kept64("a") == [0, 0])
    executable.set("step", 3)
    try executable.run()
    #expect(runtime.kept64("a") == [3, 3])
    #expect(executable.output("a").load(as: Float.self) == 3)
    #expect(executable.scalar("sum") == 0)
  }

  @Test("doubles in the values and floats in the memory, and the host's floats win")
  func precision() throws {
    let runtime = ReferenceRuntime()
    let executable = try runtime.prepare(counter())
    executable.set64("step", [1e-12])
    runtime.setKept64("a", [1, 1])
    try executable.run()
    #expect(runtime.kept64("a") == [1 + 1e-12, 1 + 1e-12])
    let memory = try #require(runtime.kept("a", for: .readingAndWriting))
    #expect(memory.count == 8 && memory.load(as: Float.self) == 1)
    memory.storeBytes(of: 5, toByteOffset: 4, as: Float.self)
    #expect(runtime.kept64("a") == [1 + 1e-12, 5])
    try executable.run()
    #expect(executable.output64("sum") == [6 + 1e-12])
    #expect(executable.output("narrow").load(as: UInt16.self) == 0x3f80)
  }

  @Test("one type for each label")
  func types() throws {
    let runtime = ReferenceRuntime()
    _ = try runtime.compile(counter())
    let graph = Graph()
    let program = try Program(graph: graph, outputs: [("a", graph.state("a", [3]))])
    let error = #expect(throws: GraphError.self) { try runtime.compile(program) }
    #expect(error?.message.contains("float32[2]") == true)
    #expect(error?.message.contains("float32[3]") == true)
  }

  @Test("no memory for inputs that a program does not use")
  func inputs() throws {
    let graph = Graph()
    let (used, _) = (graph.input("used", [2]), graph.input("unused", [2]))
    let executable = try ReferenceRuntime().compile(
      Program(
        graph: graph, outputs: [("rows", graph.parameter("t", [3, 1]).rows(of: used))]))
    #expect(executable.hostBuffer("unused") == nil && executable.hostBuffer("t") == nil)
    #expect(executable.hostBuffer("used")?.count == 8)
    executable.set("unused", 1)
  }

  @Test("no operation that it cannot evaluate")
  func unknown() throws {
    let graph = Graph()
    let tensor = graph.apply(Unknown(), graph.parameter("a", []))
    let program = try Program(graph: graph, outputs: [("y", tensor)])
    let error = #expect(throws: GraphError.self) { try ReferenceRuntime().compile(program) }
    #expect(error?.message.hasPrefix("unknown") == true)
  }
}

private struct Unknown: TensorGraph.Operation {
  var name: String { "unknown" }
  func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] { inputs }
  func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] { [nil] }
  func cost(inputs: [TensorType], results: [TensorType]) -> Cost { Cost(flops: 0, bytes: 0) }
}
