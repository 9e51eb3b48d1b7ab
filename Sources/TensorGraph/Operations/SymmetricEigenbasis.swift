// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The eigenvectors of a symmetric matrix as columns, `A [N, N] -> V [N, N]`, V' A V diagonal and V' V = I.
///
/// Columns go by descending eigenvalue, and each one's element of largest magnitude (the first of equals) is positive. Only
/// the symmetric part (A + A')/2 counts. Eigenvectors of equal eigenvalues are some basis of their space: the zero matrix
/// gives some orthonormal V. A NaN or infinity in A makes all of V NaN.
public struct SymmetricEigenbasis: Operation {
  /// `symmetric eigenbasis`.
  public var name: String { "symmetric eigenbasis" }

  /// Like A.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    try expectFloat32Matrix(inputs[0])
    guard inputs[0].shape[0] == inputs[0].shape[1] else {
      throw mismatch(inputs, "only a square matrix is symmetric")
    }
    return inputs
  }

  /// Not provided.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    throw GraphError(.notDifferentiable, "\(name): gradients are not provided")
  }

  /// Reduction to tridiagonal form 4/3 N^3, its reflections 4/3 N^3, and about N^2 rotations of two rows, 6 N^3.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    let n = Double(inputs[0].shape[0])
    return Cost(
      flops: (4 / 3 + 4 / 3 + 6) * n * n * n, bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// The eigenvectors of this symmetric matrix as columns, by descending eigenvalue.
  public func symmetricEigenbasis() -> Tensor { graph.apply(SymmetricEigenbasis(), self) }
}
