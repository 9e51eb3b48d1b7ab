// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import OperationCases
@testable import TensorGraph

/// Every operation type of TensorGraph.
///
/// A new operation goes here, into `GradientCases` (or, without a gradient, into
/// `withoutGradient`), and into the reference runtime.
private let registry = [
  "Attention", "AttentionGradient", "Broadcast", "Cast", "Concatenate", "Constant",
  "DescendingOrder", "Elementwise", "Embedding", "EmbeddingGradient", "GatherColumns", "Leaf",
  "LinearCrossEntropy", "LinearCrossEntropyGradient", "LinearSample", "MatrixProduct",
  "OrthogonalBasis", "Reduce", "Reshape", "Rotary", "RotaryTables", "Rotation", "RowNorm",
  "RowNormGradient", "Slice", "SymmetricEigenbasis", "TokenShift", "Transpose",
]

/// Operations whose own gradient is not provided: asking for it is an error.
private let withoutGradient: Set = [
  "AttentionGradient", "DescendingOrder", "GatherColumns", "LinearCrossEntropyGradient",
  "LinearSample", "OrthogonalBasis", "RotaryTables", "RowNormGradient", "SymmetricEigenbasis",
]

@Suite("The registry of operations")
struct OperationRegistryTests {
  @Test("names every operation in the sources")
  func complete() throws {
    let folder = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources/TensorGraph/Operations")
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    var found: [String] = []
    for file in files where file.pathExtension == "swift" {
      let source = try String(contentsOf: file, encoding: .utf8)
      for match in source.matches(of: /struct (\w+)(<[^>]*>)?\s*:\s*([\w, ]*\b)?Operation\b/) {
        found.append(String(match.1))
      }
    }
    #expect(found.sorted() == registry)
  }

  @Test("has a gradient case for every operation, function, reduction and norm")
  func gradients() throws {
    var operations = withoutGradient
    var functions = GradientCases.withoutDifferences
    var reductions: Set<Reduce> = []
    for gradientCase in GradientCases.all {
      let graph = Graph()
      _ = gradientCase.trace(graph)
      try graph.check()
      for node in graph.nodes {
        operations.insert(Self.typeName(node.operation))
        if let elementwise = node.operation as? Elementwise {
          functions.insert(elementwise.function)
        }
        if let reduce = node.operation as? Reduce { reductions.insert(reduce) }
      }
    }
    #expect(operations.sorted() == registry)
    #expect(functions == Set(Elementwise.Function.allCases))
    #expect(reductions.count == 6)
  }

  @Test("has a case for runtimes for every operation and function, under unique names")
  func cases() throws {
    var operations: Set<String> = []
    var functions: Set<Elementwise.Function> = []
    for operationCase in OperationCases.all {
      let program = try operationCase.build()
      let live = program.liveNodes()
      for (index, node) in program.graph.nodes.enumerated() where live[index] {
        operations.insert(Self.typeName(node.operation))
        if let elementwise = node.operation as? Elementwise {
          functions.insert(elementwise.function)
        }
      }
    }
    #expect(operations.sorted() == registry)
    #expect(functions == Set(Elementwise.Function.allCases))
    let names = OperationCases.all.map(\.name)
    #expect(Set(names).count == names.count)
  }

  @Test("second derivatives that are not provided are errors")
  func secondDerivatives() throws {
    let cases: [@Sendable (Graph) -> Tensor] = [
      { gelu($0.parameter("x", [2, 3])) },
      { silu($0.parameter("x", [2, 3])) },
      { $0.parameter("x", [2, 3]).normalized(.rms, gain: $0.parameter("g", [3]), epsilon: 0.1) },
      {
        let x = $0.parameter("x", [2, 3])
        return x.attention(keys: x, values: x, headWidth: 3, contextLength: 2)
      },
      {
        $0.parameter("x", [2, 3]).linearCrossEntropy(
          weight: $0.parameter("w", [5, 3]), targets: $0.input("t", [2]), scale: $0.scalar("s"),
          zLoss: 0
        ).loss
      },
    ]
    for trace in cases {
      let graph = Graph()
      let result = trace(graph)
      let x = graph.parameter("x", [2, 3])
      let first = try TensorGraph.gradients(of: result.sum(), withRespectTo: [x])[0]
      let error = #expect(throws: GraphError.self) {
        try TensorGraph.gradients(of: square(first).sum(), withRespectTo: [x])
      }
      #expect(error?.code == .notDifferentiable)
      #expect(error?.message.contains("second derivatives") == true, "\(error?.message ?? "")")
    }
  }

  @Test("results that only help the backward pass are not differentiable")
  func statistics() throws {
    let graph = Graph()
    let x = graph.parameter("x", [2, 3])
    let norm = graph.apply(RowNorm(kind: .layer, epsilon: 0.1), [x, graph.parameter("g", [3])])
    let attention = graph.apply(
      Attention(headWidth: 3, contextLength: 2, window: nil, masksDocuments: false), [x, x, x])
    let sum = x.linearCrossEntropy(
      weight: x, targets: graph.input("t", [2]), scale: graph.scalar("s"), zLoss: 0
    ).crossEntropySum
    for tensor in [norm[1], norm[2], attention[1], sum] {
      let error = #expect(throws: GraphError.self) {
        try TensorGraph.gradients(of: tensor.sum(), withRespectTo: [x])
      }
      #expect(error?.code == .notDifferentiable)
    }
  }

  @Test("the weight of a z-loss that is read has no gradient, and asking for it is an error")
  func zLoss() throws {
    let graph = Graph()
    let (x, z) = (graph.parameter("x", [2, 3]), graph.scalar("z"))
    let loss = x.linearCrossEntropy(
      weight: x, targets: graph.input("t", [2]), scale: graph.scalar("s"), zLoss: z
    ).loss
    let error = #expect(throws: GraphError.self) {
      try TensorGraph.gradients(of: loss, withRespectTo: [x, z])
    }
    #expect(error?.code == .notDifferentiable)
    #expect(error?.message.contains("z-loss") == true)
  }

  private static func typeName(_ operation: any TensorGraph.Operation) -> String {
    "\(type(of: operation))"
  }
}
