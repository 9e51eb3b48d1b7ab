// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A program over tensors while it is being written: nodes in an order in which they can run.
///
/// Equal operations on equal operands are one node (common subexpressions never exist), and the first mistake is kept:
/// a wrong shape returns a placeholder, so that equations stay free of `try`, and `check()` throws it.
public final class Graph {
  /// One operation applied to operands.
  public struct Node: Sendable {
    /// What is computed.
    public let operation: any Operation
    /// The operands, as values of earlier nodes.
    public let inputs: [Value]
    /// The types of the results.
    public let results: [TensorType]
  }

  /// One result of one node.
  public struct Value: Hashable, Sendable {
    /// Index of the node.
    public let node: Int
    /// Which of its results.
    public let result: Int

    /// Names one result of one node.
    public init(node: Int, result: Int = 0) {
      self.node = node
      self.result = result
    }
  }

  private struct Key: Hashable {
    // Compared first, for operands differ more often and are compared faster than operations.
    let inputs: [Value]
    let operation: AnyHashable
  }

  /// All nodes; every operand comes earlier.
  public private(set) var nodes: [Node] = []
  /// The first mistake made while building.
  public private(set) var failure: GraphError?
  private var known: [Key: Int] = [:]

  /// Makes an empty graph.
  public init() {}

  /// Applies an operation; returns its results.
  public func apply(_ operation: some Operation, _ inputs: [Tensor]) -> [Tensor] {
    for input in inputs where input.graph !== self {
      fail(GraphError(.structure, "\(operation.name): an operand belongs to another graph"))
    }
    let values = inputs.map(\.value)
    let key = Key(inputs: values, operation: AnyHashable(operation))
    if let node = known[key] { return tensors(of: node) }
    var results: [TensorType]
    do {
      results = try operation.resultTypes(of: inputs.map(\.type))
      precondition(
        results.count == operation.resultCount,
        "\(operation.name) has \(results.count) results, not \(operation.resultCount)")
    } catch {
      fail(error)
      let placeholder = inputs.first?.type ?? TensorType([])
      results = [TensorType](repeating: placeholder, count: operation.resultCount)
    }
    known[key] = nodes.count
    nodes.append(Node(operation: operation, inputs: values, results: results))
    return tensors(of: nodes.count - 1)
  }

  /// Applies an operation with one result.
  public func apply(_ operation: some Operation, _ inputs: Tensor...) -> Tensor {
    apply(operation, inputs)[0]
  }

  /// Keeps the first mistake.
  public func fail(_ error: GraphError) {
    if failure == nil { failure = error }
  }

  /// Throws the first mistake made while building.
  ///
  /// - Throws: `GraphError`.
  public func check() throws(GraphError) {
    if let failure { throw failure }
  }

  /// The type of a value.
  public func type(of value: Value) -> TensorType { nodes[value.node].results[value.result] }

  /// The tensor for a value.
  public func tensor(_ value: Value) -> Tensor { Tensor(graph: self, value: value) }

  private func tensors(of node: Int) -> [Tensor] {
    nodes[node].results.indices.map { Tensor(graph: self, value: Value(node: node, result: $0)) }
  }
}
