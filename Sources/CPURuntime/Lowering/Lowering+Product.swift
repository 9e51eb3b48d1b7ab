// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

extension Lowering {
  /// Rows of activations go in blocks; a weight gradient, which sums over all rows, and a symmetric product go in tiles of
  /// their result; small entries of a batch go whole.
  func lowerProduct(_ operation: MatrixProduct, _ index: Int, _ stage: Stage) {
    let inputs = graph.nodes[index].inputs
    let value = Graph.Value(node: index)
    let sizes = operation.sizes(type(inputs[0]).shape, type(inputs[1]).shape)
    let plan = ProductPlan(
      operation: operation, sizes: sizes, type: type(inputs[0]).elementType,
      resultType: type(value).elementType,
      addendType: inputs.count > 2 ? type(inputs[2]).elementType : nil)
    let batch = sizes.batch == 1 ? "" : "\(sizes.batch)x"
    let label = "\(batch)\(sizes.m)x\(sizes.n)x\(sizes.k)"
    let flops = operation.cost(inputs: inputs.map(type), results: [type(value)]).flops
    let buffers = inputs.map(buffer) + [buffer(value)]
    let (cache, scratch) = (products, laneScratch)
    func bound(_ binding: Binding) -> BoundProduct {
      BoundProduct(
        plan, left: binding.address(buffers[0]), right: binding.address(buffers[1]),
        addend: inputs.count > 2 ? binding.address(buffers[2]) : nil,
        result: binding.address(buffers[buffers.count - 1]), cache: cache, scratch: scratch)
    }
    if let entries = plan.entriesOfUnit {
      emit(
        KernelPlan(
          label: label, category: .product, rows: sizes.batch, block: entries, chains: true,
          reads: inputs.map(rowwise), writes: [rowwise(value)], stage: stage,
          flops: flops
        ) { binding in
          let product = bound(binding)
          let tiles = product.prepared(plan.tiles)
          return { entries, _, lane in
            for entry in entries {
              for index in tiles.indices { product.run(tiles[index], entry: entry, lane: lane) }
            }
          }
        }, laneScratch: plan.scratchBytes)
    } else if plan.goesByRows {
      let addend = inputs.dropFirst(2).map(rowwise)
      emit(
        KernelPlan(
          label: label, category: .product, rows: sizes.m,
          block: rowBlock(rows: sizes.m, columns: 1), chains: true,
          reads: [rowwise(inputs[0]), whole(inputs[1])] + addend, writes: [rowwise(value)],
          stage: stage, flops: flops
        ) { binding in
          let product = bound(binding)
          let block = min(binding.block, sizes.m)
          let full = product.prepared(plan.pieces(rows: block))
          let rest = sizes.m % block
          let tail = product.prepared(rest == 0 ? [] : plan.pieces(rows: rest))
          return { rows, _, lane in
            let tiles = rows.count == block ? full : tail
            for index in tiles.indices {
              product.run(tiles[index], row: rows.lowerBound, lane: lane)
            }
          }
        }, laneScratch: plan.scratchBytes)
    } else {
      let tilesOfEntry = plan.tiles.count
      emit(
        KernelPlan(
          label: label, category: .product, rows: sizes.batch * tilesOfEntry, block: 1,
          reads: inputs.map(whole), writes: [whole(value)], stage: stage,
          flops: flops
        ) { binding in
          let product = bound(binding)
          let tiles = product.prepared(plan.tiles)
          return { _, unit, lane in
            product.run(tiles[unit % tilesOfEntry], entry: unit / tilesOfEntry, lane: lane)
          }
        }, laneScratch: plan.scratchBytes)
    }
  }
}

/// A rectangle of a product's result.
struct ProductTile {
  var row: Int
  var rows: Int
  var column: Int
  var columns: Int
}

/// How a product is cut: a function of what it is, so that neither its numbers nor its order of work depend on who computes.
struct ProductPlan {
  let operation: MatrixProduct
  let sizes: MatrixProduct.Sizes
  let type: ElementType
  let resultType: ElementType
  let addendType: ElementType?
  /// The rectangles of one entry; where the product goes by rows, those of a whole matrix.
  private(set) var tiles: [ProductTile] = []

  /// Up to here an entry of a batch is one lane's work: 0.2 ms at 160 GFLOP/s.
  private static let smallEntry = 1 << 25
  /// Smaller entries share a unit, which then takes some ten times what a meeting of lanes does.
  private static let smallUnit = 1 << 21

  init(
    operation: MatrixProduct, sizes: MatrixProduct.Sizes, type: ElementType,
    resultType: ElementType, addendType: ElementType?
  ) {
    self.operation = operation
    self.sizes = sizes
    self.type = type
    self.resultType = resultType
    self.addendType = addendType
    if operation.isSymmetric {
      tiles = symmetricTiles
    } else if operation.transposeLeft || sizes.batch > 1 {
      tiles = rectangularTiles
    }
  }

  /// Whether something is left to do when the product itself is there.
  var isFinished: Bool { operation.factor != 1 || addendType != nil }
  /// Whether the product is made aside, for its numbers are rounded only after what is left to do.
  var isMadeAside: Bool { isFinished && resultType != .float32 }
  /// Bytes that a lane needs aside.
  var scratchBytes: Int {
    isMadeAside ? 4 * Self.pieceRows * Self.pieceColumns : 0
  }

  var goesByRows: Bool { sizes.batch == 1 && !operation.transposeLeft && !operation.isSymmetric }

  /// Entries that make a unit; nil where an entry is work for several.
  var entriesOfUnit: Int? {
    let flops = 2 * sizes.m * sizes.n * sizes.k
    if sizes.batch == 1 || flops > Self.smallEntry { return nil }
    return max(1, min(sizes.batch / 2, Self.smallUnit / flops))
  }

  private static let pieceRows = 256
  private static let pieceColumns = 512

  /// The first rows of the result; where something is left to do, in rectangles that stay in the cache until it is done.
  func pieces(rows: Int) -> [ProductTile] {
    isFinished
      ? cut(rows: 0..<rows, columns: sizes.n, height: Self.pieceRows, width: Self.pieceColumns)
      : [ProductTile(row: 0, rows: rows, column: 0, columns: sizes.n)]
  }

  private func cut(rows: Range<Int>, columns: Int, height: Int, width: Int) -> [ProductTile] {
    stride(from: rows.lowerBound, to: rows.upperBound, by: height).flatMap { row in
      stride(from: 0, to: columns, by: width).map { column in
        ProductTile(
          row: row, rows: min(height, rows.upperBound - row), column: column,
          columns: min(width, columns - column))
      }
    }
  }

  private var rectangularTiles: [ProductTile] {
    cut(
      rows: 0..<sizes.m, columns: sizes.n, height: sizes.m > 512 ? Self.pieceRows : 128,
      width: Self.pieceColumns)
  }

  /// Strips from the left edge to the diagonal, the long ones first: thin strips waste little above the diagonal, thick ones
  /// multiply faster.
  private var symmetricTiles: [ProductTile] {
    let height = sizes.m <= 384 ? 64 : sizes.m <= 1536 ? 128 : 256
    return stride(from: 0, to: sizes.m, by: height).reversed().flatMap { row in
      let end = min(row + height, sizes.m)
      return cut(rows: row..<end, columns: end, height: height, width: Self.pieceColumns)
    }
  }
}

/// A product with its operands' memory.
private struct BoundProduct {
  /// A rectangle and the product that fills it.
  struct Prepared {
    let tile: ProductTile
    let product: Product
  }

  let plan: ProductPlan
  let left: UnsafeMutableRawPointer
  let right: UnsafeMutableRawPointer
  let addend: UnsafeMutableRawPointer?
  let result: UnsafeMutableRawPointer
  let cache: ProductCache
  let scratch: LaneScratch

  init(
    _ plan: ProductPlan, left: UnsafeMutableRawPointer, right: UnsafeMutableRawPointer,
    addend: UnsafeMutableRawPointer?, result: UnsafeMutableRawPointer, cache: ProductCache,
    scratch: LaneScratch
  ) {
    self.plan = plan
    self.left = left
    self.right = right
    self.addend = addend
    self.result = result
    self.cache = cache
    self.scratch = scratch
  }

  func prepared(_ tiles: [ProductTile]) -> [Prepared] {
    let (operation, sizes) = (plan.operation, plan.sizes)
    return tiles.map { tile in
      let key = ProductKey(
        m: tile.rows, n: tile.columns, k: sizes.k, type: plan.type,
        resultType: plan.isMadeAside ? .float32 : plan.resultType,
        aStride: operation.transposeLeft ? sizes.m : sizes.k,
        bStride: operation.transposeRight ? sizes.k : sizes.n,
        cStride: plan.isMadeAside ? tile.columns : sizes.n, transposeA: operation.transposeLeft,
        transposeB: operation.transposeRight)
      return Prepared(tile: tile, product: cache.product(key))
    }
  }

  /// Fills a rectangle of an entry, moved down by some rows.
  @inline(__always)
  func run(_ prepared: Prepared, entry: Int = 0, row: Int = 0, lane: Int) {
    let (operation, sizes) = (plan.operation, plan.sizes)
    var tile = prepared.tile
    tile.row += row
    let bytes = plan.type.byteCount
    let a = entry * sizes.m * sizes.k + tile.row * (operation.transposeLeft ? 1 : sizes.k)
    let b = entry * sizes.k * sizes.n + tile.column * (operation.transposeRight ? sizes.k : 1)
    let begin = (entry * sizes.m + tile.row) * sizes.n + tile.column
    let target = result + begin * plan.resultType.byteCount
    let made = plan.isMadeAside ? scratch[lane] : target
    prepared.product.run(lane, left + a * bytes, right + b * bytes, made)
    if plan.isFinished {
      ck_scale_and_add(
        tile.rows, tile.columns, made.assumingMemoryBound(to: Float.self),
        plan.isMadeAside ? tile.columns : sizes.n, operation.factor,
        addend.map { UnsafeRawPointer($0 + begin * (plan.addendType?.byteCount ?? 4)) },
        (plan.addendType ?? .float32).kernelType, sizes.n, operation.addendFactor, target,
        plan.resultType.kernelType, sizes.n)
    }
    if operation.isSymmetric { mirror(tile, entry: entry) }
  }

  /// Copies what lies left of the diagonal to above it; the square on the diagonal is never cut, for strips' heights divide
  /// pieces' widths.
  @inline(__always)
  private func mirror(_ tile: ProductTile, entry: Int) {
    let (n, bytes) = (plan.sizes.n, plan.resultType.byteCount)
    let base = result + entry * n * n * bytes
    let leftOfSquare = min(tile.columns, max(0, tile.row - tile.column))
    if leftOfSquare > 0 {
      ck_transpose(
        base + (tile.row * n + tile.column) * bytes, base + (tile.column * n + tile.row) * bytes,
        tile.rows, leftOfSquare, n, n, bytes)
    }
    if leftOfSquare < tile.columns {
      ck_mirror_lower(tile.rows, base + (tile.row * n + tile.row) * bytes, n, bytes)
    }
  }
}
