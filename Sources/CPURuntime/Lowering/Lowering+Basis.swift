// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

extension Lowering {
  /// Householder's triangularization by panels (Golub and Van Loan, Matrix Computations, 5.2), in the memory of the result.
  ///
  /// Only the reflections are kept: R is never stored, but for the signs of its diagonal, which Q's columns take.
  func lowerOrthogonalBasis(_ operation: OrthogonalBasis, _ index: Int, _ stage: Stage) {
    let a = input(index, 0)
    let value = Graph.Value(node: index)
    let (m, n) = (type(a).shape[0], type(a).shape[1])
    let width = HouseholderPanels.width
    var layout = ScratchLayout()
    let panels = HouseholderPanels(
      rows: m, columns: n, stride: n, appliesToTheRight: true, cache: products, layout: &layout)
    let tau = layout.floats(width)
    let signs = layout.floats(panels.count * width)
    let column = layout.floats(m)
    let (aBuffer, qBuffer) = (buffer(a), buffer(value))
    let laneScratch = laneScratch
    emit(
      KernelPlan(
        label: "\(operation.name) \(m)x\(n)", category: .basis, rows: 1, block: 1,
        reads: [whole(a)], writes: [whole(value)], stage: stage,
        flops: operation.cost(inputs: [type(a)], results: [type(a)]).flops
      ) { binding in
        let from = binding.address(aBuffer)
        let q = binding.address(qBuffer).assumingMemoryBound(to: Float.self)
        return { _, _, lane in
          let scratch = laneScratch[lane]
          func floats(_ offset: Int) -> UnsafeMutablePointer<Float> {
            (scratch + offset).assumingMemoryBound(to: Float.self)
          }
          UnsafeMutableRawPointer(q).copyMemory(from: from, byteCount: m * n * 4)
          for panel in 0..<panels.count {
            let first = panel * width
            let corner = q + first * (n + 1)
            let v = panels.v(panel, scratch)
            copyPanel(corner, n, to: v, rows: m - first, columns: min(width, n - first))
            ck_householder_panel(m - first, v, floats(tau), floats(signs) + first, floats(column))
            panels.gather(panel, floats(tau), lane, scratch)
            panels.applyToTheRight(panel, corner, lane, scratch)
          }
          q.update(repeating: 0, count: m * n)
          for index in 0..<n { q[index * (n + 1)] = floats(signs)[index] }
          panels.form(q, lane, scratch)
        }
      }, laneScratch: layout.byteCount)
  }

  /// Reduction to tridiagonal form by panels, QL iteration, and the vectors in order; in the memory of the result.
  func lowerSymmetricEigenbasis(_ operation: SymmetricEigenbasis, _ index: Int, _ stage: Stage) {
    let a = input(index, 0)
    let value = Graph.Value(node: index)
    let n = type(a).shape[0]
    var layout = ScratchLayout()
    let solver = EigenSolver(n: n, cache: products, layout: &layout)
    let (aBuffer, vBuffer) = (buffer(a), buffer(value))
    let laneScratch = laneScratch
    emit(
      KernelPlan(
        label: "\(operation.name) \(n)x\(n)", category: .basis, rows: 1, block: 1,
        reads: [whole(a)], writes: [whole(value)], stage: stage,
        flops: operation.cost(inputs: [type(a)], results: [type(a)]).flops
      ) { binding in
        let from = binding.address(aBuffer).assumingMemoryBound(to: Float.self)
        let to = binding.address(vBuffer).assumingMemoryBound(to: Float.self)
        return { _, _, lane in solver.run(from, to, lane, laneScratch[lane]) }
      }, laneScratch: layout.byteCount)
  }

  /// Blocks of elements are ranked on their own.
  func lowerDescendingOrder(_ index: Int, _ stage: Stage) {
    let x = input(index, 0)
    let value = Graph.Value(node: index)
    let count = type(x).shape.count
    let (xBuffer, orderBuffer) = (buffer(x), buffer(value))
    emit(
      KernelPlan(
        label: "descending order", category: .basis, rows: count, block: 256, reads: [whole(x)],
        writes: [whole(value)], stage: stage
      ) { binding in
        let values = binding.address(xBuffer).assumingMemoryBound(to: Float.self)
        let order = binding.address(orderBuffer).assumingMemoryBound(to: Int32.self)
        return { rows, _, _ in
          ck_order_descending(count, rows.lowerBound, rows.upperBound, values, order)
        }
      })
  }

  func lowerGatherColumns(_ index: Int, _ stage: Stage) {
    let (x, positions) = (input(index, 0), input(index, 1))
    let value = Graph.Value(node: index)
    let (rows, stride) = (type(x).shape[0], type(x).shape[1])
    let columns = type(value).shape[1]
    let (xBuffer, positionBuffer, yBuffer) = (buffer(x), buffer(positions), buffer(value))
    emit(
      KernelPlan(
        label: "gather columns", category: .basis, rows: rows,
        block: rowBlock(rows: rows, columns: columns),
        reads: [rowwise(x), whole(positions)], writes: [rowwise(value)], stage: stage
      ) { binding in
        let from = binding.address(xBuffer).assumingMemoryBound(to: Float.self)
        let order = binding.address(positionBuffer).assumingMemoryBound(to: Int32.self)
        let to = binding.address(yBuffer).assumingMemoryBound(to: Float.self)
        return { rows, _, _ in
          ck_gather_columns(
            rows.count, columns, stride, from + rows.lowerBound * stride, order,
            to + rows.lowerBound * columns)
        }
      })
  }
}

/// Columns of a matrix as a panel of full width, filled up with zeros.
private func copyPanel(
  _ corner: UnsafePointer<Float>, _ stride: Int, to panel: UnsafeMutablePointer<Float>,
  rows: Int, columns: Int
) {
  let width = HouseholderPanels.width
  if columns < width { panel.update(repeating: 0, count: rows * width) }
  for row in 0..<rows {
    (panel + row * width).update(from: corner + row * stride, count: columns)
  }
}
