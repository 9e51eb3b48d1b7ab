// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Foundation
public import TensorGraph

/// What this machine can do at its best: the yardsticks that speeds are given in.
public final class MachineProbe {
  private let runtime: CPURuntime

  /// Probes through a runtime's own threads and products.
  public init(_ runtime: CPURuntime) { self.runtime = runtime }

  /// Bytes read plus bytes written in a second by a plain copy of `byteCount` bytes, all lanes together.
  ///
  /// - Parameters:
  ///   - byteCount: of the source; by default far beyond any cache.
  ///   - repetitions: the best of so many counts, for other programs can only slow a copy down.
  /// - Returns: bytes a second.
  /// - Throws: `RuntimeError` when memory is short.
  public func copyBandwidth(byteCount: Int = 256 << 20, repetitions: Int = 5) throws -> Double {
    let count = byteCount / 4
    let source = try Arena(byteCount: byteCount)
    let target = try Arena(byteCount: byteCount)
    let from = source.base.assumingMemoryBound(to: Float.self)
    let to = target.base.assumingMemoryBound(to: Float.self)
    from.update(repeating: 1, count: count)
    let block = 1 << 16
    let work = SharedWork(unitCount: (count + block - 1) / block) { unit, _ in
      let begin = unit * block
      ck_copy(from + begin, to + begin, min(block, count - begin))
    }
    let seconds = best(of: repetitions + 1, work)
    return 2 * Double(byteCount) / seconds
  }

  /// Floating-point operations in a second of matrix products that fit the caches, all lanes together.
  ///
  /// - Parameters:
  ///   - type: of both operands; sums are float32.
  ///   - repetitions: the best of so many counts.
  /// - Returns: floating-point operations a second.
  /// - Throws: `RuntimeError` when memory is short.
  public func productPeak(_ type: ElementType, repetitions: Int = 5) throws -> Double {
    let size = 256
    let depth = 512
    let product = runtime.products.product(
      ProductKey(
        m: size, n: size, k: depth, type: type, resultType: .float32, aStride: depth,
        bStride: size, cStride: size))
    let memory = try (0..<runtime.threadCount).map { _ in
      try Arena(byteCount: (2 * size * depth + size * size) * 4)
    }
    let rounds = 20
    let work = SharedWork(unitCount: runtime.threadCount * rounds) { _, lane in
      let a = memory[lane].base
      let b = a + size * depth * 4
      product.run(lane, a, b, b + size * depth * 4)
    }
    let seconds = best(of: repetitions + 1, work)
    let flops = 2 * Double(size) * Double(size) * Double(depth)
    return flops * Double(runtime.threadCount * rounds) / seconds
  }

  private func best(of repetitions: Int, _ work: SharedWork) -> Double {
    let items = UnsafeMutableBufferPointer<SharedWork>.allocate(capacity: 1)
    items.initialize(repeating: work)
    defer {
      items.deinitialize()
      items.deallocate()
    }
    var shortest = Double.infinity
    for _ in 0..<repetitions {
      let start = ContinuousClock.now
      runtime.team.run(UnsafeBufferPointer(items))
      let time = ContinuousClock.now - start
      shortest = min(
        shortest, Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18)
    }
    return shortest
  }
}
