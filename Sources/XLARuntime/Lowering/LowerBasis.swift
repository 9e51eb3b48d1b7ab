// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension OrthogonalBasis: StableHLOOperation {
  /// Householder's factorisation, which XLA expands on every device; signs as R's diagonal asks.
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let builder = context.builder
    let a = inputs[0]
    let (m, n) = (a.shape[0], a.shape[1])
    let factors = builder.custom("Qr", [a], [([m, n], .f32), ([n], .f32)])
    let q = builder.custom(
      "ProductOfElementaryHouseholderReflectors", factors, [([m, n], .f32)])[0]
    let isDiagonal = builder.iota([n, n], axis: 0).compared(
      .equal, builder.iota([n, n], axis: 1))
    let zero = builder.constant(0)
    let diagonal = builder.select(isDiagonal, factors[0].slice(0, 0..<n), zero).sum([0])
    let signs = builder.select(diagonal.compared(.less, 0), zero - 1, zero + 1)
    return [q * signs]
  }
}

extension SymmetricEigenbasis: StableHLOOperation {
  /// Jacobi rotations, which XLA expands on every device, sorted and signed as the operation promises.
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let builder = context.builder
    let n = inputs[0].shape[0]
    let symmetric = (inputs[0] + inputs[0].transposed([1, 0])) * 0.5
    // Lower triangle, ascending, at most 100 sweeps, off-diagonal elements below this share of the matrix.
    let found = builder.custom(
      "Eigh", [symmetric], [([n, n], .f32), ([n], .f32)], configuration: "1,1,100,1e-6")
    let order = builder.descendingOrder(found[1])
    let vectors = builder.rows(of: found[0].transposed([1, 0]), at: order)
    // Of the largest element of each vector, the first counts.
    let size = vectors.absolute()
    let isLargest = size.compared(
      .equal, size.largest([1]).broadcast(to: [n, n], axes: [0]))
    let places = builder.iota([n, n], axis: 1).wide
    let first = builder.select(isLargest, -places, places.number(-.infinity)).largest([1])
    let isFirst = (-places).compared(.equal, first.broadcast(to: [n, n], axes: [0]))
    let zero = builder.constant(0)
    let leading = builder.select(isFirst, vectors, zero).sum([1])
    let signs = builder.select(leading.compared(.less, 0), zero - 1, zero + 1)
    let basis = (vectors * signs.broadcast(to: [n, n], axes: [0])).transposed([1, 0])
    let isSound = builder.isFinite(symmetric.absolute().sum([1]).sum([0]))
    return [builder.select(isSound, basis, basis.number(.nan))]
  }
}
