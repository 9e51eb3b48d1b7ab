// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Columns of a matrix in another order: `x [M, C], positions [N] -> y [M, N]` with y[i, k] = x[i, positions[k]].
///
/// The rows' counterpart is ``Embedding``.
public struct GatherColumns: Operation {
  /// `gather columns`.
  public var name: String { "gather columns" }

  /// `[M, N]`.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(2, inputs)
    try expectFloat32Matrix(inputs[0])
    try expectInteger(inputs[1], "positions")
    guard inputs[1].shape.rank == 1 else {
      throw mismatch(inputs, "a matrix [M, C] and positions [N] are needed")
    }
    return [TensorType([inputs[0].shape[0], inputs[1].shape[0]])]
  }

  /// Not provided.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    throw GraphError(.notDifferentiable, "\(name): gradients are not provided")
  }

  /// A copy.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(flops: 0, bytes: 2 * Double(results[0].byteCount) + Double(inputs[1].byteCount))
  }
}

extension Tensor {
  /// The columns of this matrix at positions `[N]`.
  public func columns(of positions: Tensor) -> Tensor {
    graph.apply(GatherColumns(), self, positions)
  }
}
