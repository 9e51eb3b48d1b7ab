// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The same numbers stored as another floating-point type; rounds to nearest even.
public struct Cast: Operation {
  /// The storage of the result.
  public let elementType: ElementType
  /// Set on the copy that the backward pass computes again instead of keeping the first; otherwise they would be one node.
  public var isRecomputed = false

  /// `cast to TYPE`.
  public var name: String { "cast to \(elementType.rawValue)" }

  /// The operand's shape, the new element type.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    try expectFloating(inputs)
    return [TensorType(inputs[0].shape, elementType)]
  }

  /// Straight through.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    [node.upstream[0]]
  }

  /// No FLOPs.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(flops: 0, bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// The tensor stored as another floating-point type; itself when it already is.
  public func cast(to elementType: ElementType) -> Tensor {
    type.elementType == elementType ? self : graph.apply(Cast(elementType: elementType), self)
  }
}
