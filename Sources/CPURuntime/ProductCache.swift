// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import COneDNN
import TensorGraph

/// A matrix product of fixed sizes, ready to run on any lane.
struct Product {
  fileprivate let shape: od_shape
  fileprivate let prepared: OpaquePointer?
  fileprivate let scratch: UnsafeMutablePointer<UnsafeMutableRawPointer>

  /// C (+)= op(A) op(B).
  @inline(__always)
  func run(
    _ lane: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ c: UnsafeMutableRawPointer
  ) {
    if let prepared {
      let status = od_product_run(prepared, lane, a, b, c, scratch[lane])
      precondition(
        status == 0, "oneDNN failed to run a product of \(shape.m) x \(shape.n) x \(shape.k)")
    } else {
      ck_matrix_product(
        shape.m, shape.n, shape.k, a, ck_type(shape.a_type.rawValue), shape.a_stride,
        shape.transpose_a, b, ck_type(shape.b_type.rawValue), shape.b_stride, shape.transpose_b,
        c, ck_type(shape.c_type.rawValue), shape.c_stride, shape.accumulate)
    }
  }
}

/// What tells one product from another.
struct ProductKey: Hashable {
  var m: Int
  var n: Int
  var k: Int
  var type: ElementType
  var resultType: ElementType
  var aStride: Int
  var bStride: Int
  var cStride: Int
  var transposeA = false
  var transposeB = false
  var accumulate = false
}

/// Products prepared once and shared by all programs of a runtime.
final class ProductCache {
  private let laneCount: Int
  private let usesOneDNN: Bool
  private var products: [ProductKey: Product] = [:]
  private var scratchBytes = 0
  /// One scratch area a lane, grown before any step that needs more; lanes read the address at each run.
  private let scratch: UnsafeMutablePointer<UnsafeMutableRawPointer>

  init(laneCount: Int, usesOneDNN: Bool) {
    self.laneCount = laneCount
    self.usesOneDNN = usesOneDNN
    scratch = .allocate(capacity: laneCount)
    for lane in 0..<laneCount { scratch[lane] = .allocate(byteCount: 64, alignment: 64) }
  }

  deinit {
    for product in products.values { od_product_destroy(product.prepared) }
    for lane in 0..<laneCount { scratch[lane].deallocate() }
    scratch.deallocate()
  }

  /// Bytes of scratch over all lanes.
  var heldBytes: Int { scratchBytes * laneCount }

  func product(_ key: ProductKey) -> Product {
    if let known = products[key] { return known }
    func type(_ type: ElementType) -> od_type { type == .bfloat16 ? OD_BF16 : OD_F32 }
    var shape = od_shape(
      m: key.m, n: key.n, k: key.k, a_type: type(key.type), b_type: type(key.type),
      c_type: type(key.resultType), a_stride: key.aStride, b_stride: key.bStride,
      c_stride: key.cStride, transpose_a: key.transposeA ? 1 : 0,
      transpose_b: key.transposeB ? 1 : 0, accumulate: key.accumulate ? 1 : 0)
    let prepared = usesOneDNN ? od_product_create(&shape, laneCount) : nil
    if let prepared { reserve(od_product_scratch_bytes(prepared)) }
    let product = Product(shape: shape, prepared: prepared, scratch: scratch)
    products[key] = product
    return product
  }

  private func reserve(_ byteCount: Int) {
    if byteCount <= scratchBytes { return }
    scratchBytes = byteCount
    for lane in 0..<laneCount {
      scratch[lane].deallocate()
      scratch[lane] = .allocate(byteCount: byteCount, alignment: 4096)
    }
  }
}
