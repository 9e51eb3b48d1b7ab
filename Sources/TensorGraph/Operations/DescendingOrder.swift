// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Where the elements of a vector stand when it is sorted from large to small: `x [N] -> positions [N]`, int32.
///
/// Element k of the result is the position in x of the k-th largest. Equal elements keep their order, -0 equals 0, and NaN
/// comes last.
public struct DescendingOrder: Operation {
  /// `descending order`.
  public var name: String { "descending order" }

  /// Positions like x.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    guard inputs[0].elementType == .float32 else {
      throw GraphError(.elementType, "\(name): the operand must be float32, not \(inputs[0])")
    }
    guard inputs[0].shape.rank == 1 else { throw mismatch(inputs, "a vector is needed") }
    return [TensorType(inputs[0].shape, .int32)]
  }

  /// Positions are no smooth function of anything.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    throw GraphError(.notDifferentiable, "\(name): an order has no gradient")
  }

  /// N^2 comparisons: every element is ranked on its own.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    let n = Double(inputs[0].shape.count)
    return Cost(flops: n * n, bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// The positions of this vector's elements from large to small.
  public func descendingOrder() -> Tensor { graph.apply(DescendingOrder(), self) }
}
