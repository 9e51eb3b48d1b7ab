// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension Lowering {
  /// Rows of activations go in blocks; a weight gradient, which sums over all rows, goes in tiles of its result.
  func lowerProduct(_ operation: MatrixProduct, _ index: Int, _ stage: Stage) {
    let (left, right) = (input(index, 0), input(index, 1))
    let value = Graph.Value(node: index)
    let (a, b) = (type(left), type(right))
    let result = type(value)
    let (m, n, k) = operation.sizes(a.shape, b.shape)
    let cache = products
    func key(_ rows: Int, _ columns: Int) -> ProductKey {
      ProductKey(
        m: rows, n: columns, k: k, type: a.elementType, resultType: result.elementType,
        aStride: a.shape[1], bStride: b.shape[1], cStride: n, transposeA: operation.transposeLeft,
        transposeB: operation.transposeRight)
    }
    let (aBuffer, bBuffer, cBuffer) = (buffer(left), buffer(right), buffer(value))
    let aBytes = a.elementType.byteCount
    let bBytes = b.elementType.byteCount
    let cBytes = result.elementType.byteCount
    if !operation.transposeLeft {
      emit(
        KernelPlan(
          label: "\(m)x\(n)x\(k)", category: .product, rows: m,
          block: rowBlock(rows: m, columns: 1),
          chains: true, reads: [rowwise(left), whole(right)], writes: [rowwise(value)],
          stage: stage
        ) { binding in
          let (x, w, y) = (
            binding.address(aBuffer), binding.address(bBuffer), binding.address(cBuffer)
          )
          let block = min(binding.block, m)
          let full = cache.product(key(block, n))
          let tail = m % block == 0 ? full : cache.product(key(m % block, n))
          return { rows, _, lane in
            (rows.count == block ? full : tail).run(
              lane, x + rows.lowerBound * k * aBytes, w, y + rows.lowerBound * n * cBytes)
          }
        })
      return
    }
    let tileRows = min(m, m > 512 ? 256 : 128)
    let tileColumns = min(n, 512)
    let down = (m + tileRows - 1) / tileRows
    let across = (n + tileColumns - 1) / tileColumns
    emit(
      KernelPlan(
        label: "\(m)x\(n)x\(k)", category: .product, rows: down * across, block: 1,
        reads: [whole(left), whole(right)], writes: [whole(value)], stage: stage
      ) { binding in
        let (x, w, y) = (
          binding.address(aBuffer), binding.address(bBuffer), binding.address(cBuffer)
        )
        var tiles: [Product] = []
        for unit in 0..<(down * across) {
          let row = unit / across * tileRows
          let column = unit % across * tileColumns
          tiles.append(cache.product(key(min(tileRows, m - row), min(tileColumns, n - column))))
        }
        let rightTransposed = operation.transposeRight
        return { _, unit, lane in
          let row = unit / across * tileRows
          let column = unit % across * tileColumns
          tiles[unit].run(
            lane, x + row * aBytes, w + column * bBytes * (rightTransposed ? k : 1),
            y + (row * n + column) * cBytes)
        }
      })
  }
}
