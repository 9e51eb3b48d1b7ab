// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@Suite("A memory plan")
struct MemoryPlanTests {
  typealias Buffer = MemoryPlan.Buffer

  private func rounded(_ byteCount: Int) -> Int {
    (byteCount + MemoryPlan.alignment - 1) / MemoryPlan.alignment * MemoryPlan.alignment
  }

  @Test("places nothing in no memory")
  func empty() {
    #expect(MemoryPlan([]).byteCount == 0 && MemoryPlan([]).offsets.isEmpty)
  }

  @Test("gives buffers alive at once their own memory, and others the same")
  func reuse() {
    let plan = MemoryPlan([
      Buffer(byteCount: 100, first: 0, last: 1), Buffer(byteCount: 100, first: 1, last: 2),
      Buffer(byteCount: 100, first: 2, last: 3),
    ])
    #expect(plan.byteCount == 256)
    #expect(plan.offsets[0] == plan.offsets[2] && plan.offsets[0] != plan.offsets[1])
  }

  @Test("fills gaps with small buffers")
  func gaps() {
    let plan = MemoryPlan([
      Buffer(byteCount: 640, first: 0, last: 1), Buffer(byteCount: 320, first: 0, last: 9),
      Buffer(byteCount: 64, first: 5, last: 6), Buffer(byteCount: 576, first: 5, last: 9),
    ])
    #expect(plan.byteCount == 960)
  }

  @Test("never lets buffers alive at once overlap", arguments: 0..<200)
  func random(_ seed: Int) {
    var source = SeededNumbers(seed: seed)
    let buffers = (0..<source.below(80) + 1).map { _ in
      let first = source.below(40)
      return Buffer(
        byteCount: source.below(4) == 0 ? source.below(9) : source.below(5000), first: first,
        last: first + source.below(12))
    }
    let plan = MemoryPlan(buffers)
    #expect(plan.offsets.count == buffers.count)
    for (index, buffer) in buffers.enumerated() {
      let offset = plan.offsets[index]
      #expect(offset % MemoryPlan.alignment == 0 && offset >= 0)
      #expect(offset + buffer.byteCount <= plan.byteCount)
      for other in 0..<index where buffer.byteCount > 0 && buffers[other].byteCount > 0 {
        let rival = buffers[other]
        guard rival.first <= buffer.last, buffer.first <= rival.last else { continue }
        let apart =
          offset + buffer.byteCount <= plan.offsets[other]
          || plan.offsets[other] + rival.byteCount <= offset
        #expect(apart, "\(index) and \(other) overlap")
      }
    }
    // No less than what is alive at the busiest step, no more than everything side by side.
    let busiest = (0..<60).map { step in
      buffers.filter { $0.first <= step && step <= $0.last }.reduce(0) { $0 + $1.byteCount }
    }.max()
    #expect(plan.byteCount >= busiest ?? 0)
    #expect(plan.byteCount <= buffers.reduce(0) { $0 + rounded($1.byteCount) })
  }

  @Test("stays near the least possible")
  func economy() {
    var (planned, least) = (0, 0)
    for seed in 0..<50 {
      var source = SeededNumbers(seed: seed)
      let buffers = (0..<60).map { _ in
        let first = source.below(40)
        return Buffer(
          byteCount: source.below(5000) + 1, first: first, last: first + source.below(8))
      }
      planned += MemoryPlan(buffers).byteCount
      least +=
        (0..<50).map { step in
          buffers.filter { $0.first <= step && step <= $0.last }
            .reduce(0) { $0 + rounded($1.byteCount) }
        }.max() ?? 0
    }
    #expect(Double(planned) < 1.15 * Double(least), "\(planned) bytes for \(least)")
  }
}
