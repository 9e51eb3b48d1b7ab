// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The orthonormal factor of a matrix: Q of A = Q R with R upper triangular, `A [M, N] -> Q [M, N]`, M >= N.
///
/// R's diagonal is not negative, which makes Q unique where A has full rank. Elsewhere Q is still orthonormal: its columns
/// span A's and, past the rank, anything orthogonal to them. A NaN or infinity in A shows as NaN in Q.
public struct OrthogonalBasis: Operation {
  /// `orthogonal basis`.
  public var name: String { "orthogonal basis" }

  /// Like A.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    try expectFloat32Matrix(inputs[0])
    guard inputs[0].shape[0] >= inputs[0].shape[1] else {
      throw mismatch(inputs, "a matrix with more columns than rows has no basis; transpose it")
    }
    return inputs
  }

  /// Not provided.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    throw GraphError(.notDifferentiable, "\(name): gradients are not provided")
  }

  /// Two triangular sweeps of reflections, one over A and one that forms Q: 4 M N^2 - 4/3 N^3 FLOPs.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    let (m, n) = (Double(inputs[0].shape[0]), Double(inputs[0].shape[1]))
    return Cost(
      flops: 4 * m * n * n - 4 / 3 * n * n * n,
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// An orthonormal basis of the columns of this matrix `[M, N]`, M >= N.
  public func orthogonalBasis() -> Tensor { graph.apply(OrthogonalBasis(), self) }
}

extension Operation {
  func expectFloat32Matrix(_ type: TensorType) throws(GraphError) {
    guard type.elementType == .float32 else {
      throw GraphError(.elementType, "\(name): the operand must be float32, not \(type)")
    }
    guard type.shape.rank == 2 else { throw mismatch([type], "the operand must be a matrix") }
  }
}
