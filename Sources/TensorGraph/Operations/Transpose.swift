// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A matrix turned over its diagonal, or every matrix of a batch: `[..., M, N] -> [..., N, M]`.
///
/// Products take transposed operands as they are; this is for all else.
public struct Transpose: Operation {
  /// `transpose`.
  public var name: String { "transpose" }

  /// The last two axes exchanged, the element type kept.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    let axes = inputs[0].shape.dimensions
    guard axes.count >= 2 else { throw mismatch(inputs, "only matrices have a transpose") }
    return [
      TensorType(
        Shape(axes.dropLast(2) + [axes[axes.count - 1], axes[axes.count - 2]]),
        inputs[0].elementType)
    ]
  }

  /// Transposed back.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    [node.upstream[0]?.transposed()]
  }

  /// No FLOPs.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(flops: 0, bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// The last two axes exchanged; a transpose of a transpose is the tensor itself.
  public func transposed() -> Tensor {
    let node = graph.nodes[value.node]
    if node.operation is Transpose { return graph.tensor(node.inputs[0]) }
    return graph.apply(Transpose(), self)
  }
}
