// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The same elements in the same order under another shape; never copies.
public struct Reshape: Operation {
  /// The new shape.
  public let shape: Shape

  /// `reshape to SHAPE`.
  public var name: String { "reshape to \(shape)" }

  /// The new shape, which must hold as many elements.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    guard inputs[0].shape.count == shape.count else {
      throw GraphError(
        .shape,
        "reshape: \(inputs[0].shape) has \(inputs[0].shape.count) elements, \(shape) has "
          + "\(shape.count)")
    }
    return [TensorType(shape, inputs[0].elementType)]
  }

  /// Reshaped back.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    [node.upstream[0]?.reshaped(node.inputs[0].shape)]
  }

  /// Free.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost { Cost(flops: 0, bytes: 0) }
}

/// An operand stretched to a larger shape.
public struct Broadcast: Operation {
  /// The larger shape.
  public let shape: Shape

  /// `broadcast to SHAPE`.
  public var name: String { "broadcast to \(shape)" }

  /// The larger shape.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    try expectFloating(inputs)
    guard inputs[0].shape.broadcast(with: shape) == shape else {
      throw mismatch(inputs + [TensorType(shape)], "the first must stretch to the second")
    }
    return [TensorType(shape)]
  }

  /// Summed back.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    [node.upstream[0]?.sum(toShape: node.inputs[0].shape)]
  }

  /// No FLOPs.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(flops: 0, bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// The same elements under another shape.
  public func reshaped(_ shape: Shape) -> Tensor {
    self.shape == shape ? self : graph.apply(Reshape(shape: shape), self)
  }
}
