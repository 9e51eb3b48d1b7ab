// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Rows of a table chosen by token: `table [V, C], tokens [N] -> [N, C]`.
public struct Embedding: Operation {
  /// `embedding`.
  public var name: String { "embedding" }

  /// `[N, C]`.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(2, inputs)
    try expectFloating([inputs[0]])
    try expectInteger(inputs[1], "tokens")
    guard inputs[0].shape.rank == 2, inputs[1].shape.rank == 1 else {
      throw mismatch(inputs, "a table [V, C] and tokens [N] are needed")
    }
    return [TensorType([inputs[1].shape[0], inputs[0].shape[1]])]
  }

  /// Rows of the gradient added up by token.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    guard let upstream = node.upstream[0] else { return [nil, nil] }
    let operation = EmbeddingGradient(vocabularySize: node.inputs[0].shape[0])
    return [upstream.graph.apply(operation, upstream, node.inputs[1]), nil]
  }

  /// A copy.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(flops: 0, bytes: 2 * Double(results[0].byteCount) + Double(inputs[1].byteCount))
  }
}

/// The table's gradient: row v is the sum of the upstream rows whose token is v, in order of position.
public struct EmbeddingGradient: Operation {
  /// V, the rows of the table.
  public let vocabularySize: Int

  /// `embedding gradient`.
  public var name: String { "embedding gradient" }

  /// `[V, C]`.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(2, inputs)
    try expectInteger(inputs[1], "tokens")
    guard inputs[0].shape.rank == 2, inputs[1].shape == [inputs[0].shape[0]] else {
      throw mismatch(inputs, "a gradient [N, C] and tokens [N] are needed")
    }
    return [TensorType([vocabularySize, inputs[0].shape[1]])]
  }

  /// Linear: the gradient is the embedding again.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    [node.upstream[0].map { $0.graph.apply(Embedding(), $0, node.inputs[1]) }, nil]
  }

  /// One addition an element of the upstream gradient.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(
      flops: Double(inputs[0].shape.count), bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// The rows of this table `[V, C]` for tokens `[N]`.
  public func rows(of tokens: Tensor) -> Tensor { graph.apply(Embedding(), self, tokens) }
}
