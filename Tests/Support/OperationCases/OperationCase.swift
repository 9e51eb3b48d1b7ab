// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

/// A named program and how its leaves are filled: what two runtimes are compared on.
struct OperationCase: Sendable, CustomTestStringConvertible {
  /// Unique.
  let name: String
  /// Fills by label; leaves without one are normal with deviation 1.
  var fills: [String: Fill] = [:]
  /// The largest relative error between runtimes that round differently.
  var tolerance = OperationCase.float32Tolerance
  /// A root mean square below which a tensor counts as that large: where the exact result is zero, only the absolute error
  /// means something.
  var negligible = 1e-2
  /// How often the program runs and commits.
  var steps = 1
  /// Other numbers in every floating-point leaf for another value; integers stay.
  var variation = 0
  /// Makes the program.
  let build: @Sendable () throws -> Program

  var testDescription: String { name }

  /// About a hundred roundings of 2^-24, in results that are not badly conditioned.
  static let float32Tolerance = 1e-5
  /// Some roundings of 2^-9.
  static let bfloat16Tolerance = 2e-2

  /// The same program through the precision passes that a bfloat16 run uses.
  func inBFloat16(tolerance: Double = OperationCase.bfloat16Tolerance) -> OperationCase {
    let build = build
    return OperationCase(
      name: "\(name), bfloat16 products", fills: fills, tolerance: tolerance,
      negligible: max(negligible, 0.1), steps: steps,
      build: { try build().sharingCrossEntropy().withBFloat16Products() })
  }
}

/// Equations with a gradient: checked against finite differences, and run forward and backward on every runtime.
struct GradientCase: Sendable, CustomTestStringConvertible {
  /// Results of the equations.
  struct Traced {
    /// Tensors whose weighted sum is differentiated.
    var results: [Tensor]
    /// Further outputs, for comparison only.
    var observed: [Tensor] = []
  }

  /// Unique.
  let name: String
  /// Fills by label; leaves without one are normal with deviation 1.
  var fills: [String: Fill] = [:]
  /// See `OperationCase`.
  var negligible = 1e-2
  /// See `OperationCase`.
  var tolerance = OperationCase.float32Tolerance
  /// Writes the equations; gradients are taken by every parameter.
  let trace: @Sendable (Graph) -> Traced

  var testDescription: String { name }

  /// Everything needed to check a gradient: a program whose outputs are `loss`, `result I`, `observed I` and, by label,
  /// `gradient LABEL`.
  ///
  /// The loss is the sum of all results, each element weighted by an input `probe I`.
  func program() throws -> (program: Program, parameters: [Leaf]) {
    let graph = Graph()
    let traced = trace(graph)
    try graph.check()
    let parameters = graph.nodes.indices.compactMap { index -> (Leaf, Tensor)? in
      guard let leaf = graph.nodes[index].operation as? Leaf, leaf.kind == .parameter else {
        return nil
      }
      return (leaf, graph.tensor(Graph.Value(node: index)))
    }
    var loss = graph.constant(0)
    for (index, result) in traced.results.enumerated() {
      loss = loss + (result * graph.input("probe \(index)", result.shape, .float32)).sum()
    }
    let gradients = try TensorGraph.gradients(of: loss, withRespectTo: parameters.map(\.1))
    var outputs = [("loss", loss)]
    outputs += traced.results.enumerated().map { ("result \($0)", $1) }
    outputs += traced.observed.enumerated().map { ("observed \($0)", $1) }
    outputs += zip(parameters, gradients).map { ("gradient \($0.0.label)", $1) }
    return (try Program(graph: graph, outputs: outputs), parameters.map(\.0))
  }

  /// The forward and backward pass as a case for runtimes.
  ///
  /// The loss is left out: terms of both signs cancel in it, which magnifies rounding.
  var operationCase: OperationCase {
    OperationCase(
      name: name, fills: fills, tolerance: tolerance, negligible: negligible,
      build: {
        let program = try program().program
        return try Program(
          graph: program.graph,
          outputs: program.outputs.filter { $0.label != "loss" }.map { ($0.label, $0.tensor) })
      })
  }
}
