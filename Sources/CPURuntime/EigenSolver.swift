// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

/// Eigenvectors of a symmetric matrix of one size, for one lane at a time.
///
/// H A H = T by panels of reflections whose rank-2 updates are products (Dongarra, Sorensen and Hammarling, 1989), then the
/// implicit QL iteration on T (Wilkinson and Reinsch, 1971), with its rotations applied to H.
struct EigenSolver {
  private let n: Int
  private let stripCount: Int
  private let panels: HouseholderPanels
  /// The remaining square += V W', and += W V'.
  private let updates: [Product]
  private let tau: Int
  private let w: Int
  private let lastRow: Int
  private let vector: Int
  private let diagonal: Int
  private let off: Int
  private let strips: Int
  private let rotations: Int
  private let values: Int
  private let order: Int

  init(n: Int, cache: ProductCache, layout: inout ScratchLayout) {
    let width = HouseholderPanels.width
    let strip = Int(CK_STRIP)
    self.n = n
    stripCount = (n + strip - 1) / strip
    // The first row and column of H are those of I.
    panels = HouseholderPanels(
      rows: n - 1, columns: n - 1, stride: n, leadingRows: 1, appliesToTheRight: false,
      cache: cache, layout: &layout)
    updates = stride(from: width, to: n, by: width).map { first in
      cache.product(
        ProductKey(
          m: n - first, n: n - first, k: width, type: .float32, resultType: .float32,
          aStride: width, bStride: width, cStride: n, transposeB: true, accumulate: true))
    }
    tau = layout.floats(width)
    w = layout.floats(n * width)
    lastRow = layout.floats(width)
    vector = layout.floats(2 * n)
    diagonal = layout.doubles(n)
    off = layout.doubles(n)
    strips = layout.floats(stripCount * n * strip)
    rotations = layout.floats(n * Int(CK_SWEEPS))
    values = layout.floats(n)
    order = layout.floats(n)
  }

  /// Writes the eigenvectors of `a` to `q`, both `[n, n]`.
  func run(
    _ a: UnsafePointer<Float>, _ q: UnsafeMutablePointer<Float>, _ lane: Int,
    _ scratch: UnsafeMutableRawPointer
  ) {
    func floats(_ offset: Int) -> UnsafeMutablePointer<Float> {
      (scratch + offset).assumingMemoryBound(to: Float.self)
    }
    let diagonal = (scratch + self.diagonal).assumingMemoryBound(to: Double.self)
    let off = (scratch + self.off).assumingMemoryBound(to: Double.self)
    ck_symmetric_part(n, a, q)
    reduce(q, diagonal, off, lane, scratch)
    q.update(repeating: 0, count: n * n)
    for index in 0..<n { q[index * (n + 1)] = 1 }
    panels.form(q + n + 1, lane, scratch)

    let strip = Int(CK_STRIP)
    let z = floats(strips)
    for first in stride(from: 0, to: n, by: strip) {
      ck_transpose(q + first * n, z + first * n, min(strip, n - first), n, n, strip, 4)
    }
    clearTail(z)
    ck_tridiagonal_eigenvectors(n, diagonal, off, stripCount, z, floats(rotations))
    let order = (scratch + self.order).assumingMemoryBound(to: Int32.self)
    for index in 0..<n { floats(values)[index] = Float(diagonal[index]) }
    ck_order_descending(n, 0, n, floats(values), order)
    // The values are not needed any more: their place takes the signs.
    ck_eigenvector_columns(n, z, order, floats(values), q)
  }

  /// A becomes tridiagonal; its reflections stay in the lane's scratch.
  private func reduce(
    _ a: UnsafeMutablePointer<Float>, _ diagonal: UnsafeMutablePointer<Double>,
    _ off: UnsafeMutablePointer<Double>, _ lane: Int, _ scratch: UnsafeMutableRawPointer
  ) {
    let width = HouseholderPanels.width
    let w = (scratch + self.w).assumingMemoryBound(to: Float.self)
    let tau = (scratch + self.tau).assumingMemoryBound(to: Float.self)
    let vector = (scratch + self.vector).assumingMemoryBound(to: Float.self)
    for first in stride(from: 0, to: n, by: width) {
      let panel = first / width
      // A last row alone has nothing to reflect, and no panel.
      let isLast = panel == panels.count
      let v =
        isLast
        ? (scratch + lastRow).assumingMemoryBound(to: Float.self)
        : panels.v(panel, scratch) - width
      ck_tridiagonal_panel(
        n - first, a + first * (n + 1), n, v, w, tau, diagonal + first, off + first, vector)
      if isLast { break }
      panels.gather(panel, tau, lane, scratch)
      if first + width < n {
        let product = updates[panel]
        let rest = a + (first + width) * (n + 1)
        product.run(lane, v + width * width, w + width * width, rest)
        product.run(lane, w + width * width, v + width * width, rest)
      }
    }
  }

  /// The columns that fill up the last strip.
  private func clearTail(_ z: UnsafeMutablePointer<Float>) {
    let strip = Int(CK_STRIP)
    let filled = n - (stripCount - 1) * strip
    if filled == strip { return }
    let last = z + (stripCount - 1) * n * strip
    for row in 0..<n {
      (last + row * strip + filled).update(repeating: 0, count: strip - filled)
    }
  }
}
