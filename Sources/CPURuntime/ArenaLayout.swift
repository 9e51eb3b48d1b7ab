// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// Where the buffers of a program lie in the arena.
///
/// What only one strand touches lies in an area that each lane has of its own and uses for one strand after the other. All these
/// areas together are one buffer to the plan, alive while strands run.
struct ArenaLayout {
  /// Bytes in all.
  let byteCount: Int
  private let offsets: [Int?]
  private let laneOffsets: [Int?]
  private let areas: (begin: Int, byteCount: Int)

  /// Plans for phases; `outputs` are read after the last of them.
  init(_ phases: [Phase], buffers: [BufferInfo], outputs: [Int], laneCount: Int) {
    var first = [Int](repeating: .max, count: buffers.count)
    var last = [Int](repeating: -1, count: buffers.count)
    for (position, phase) in phases.enumerated() {
      for use in phase.allChains.flatMap({ $0.reads + $0.writes }) {
        first[use.buffer] = min(first[use.buffer], position)
        last[use.buffer] = max(last[use.buffer], position)
      }
    }
    for output in outputs {
      first[output] = min(first[output], phases.count)
      last[output] = phases.count
    }
    let strands = phases.flatMap(\.strands)
    let owned = Self.owned(strands, phases, outputs: Set(outputs), buffers)
    var laneOffsets = [Int?](repeating: nil, count: buffers.count)
    var areaBytes = 0
    for (strand, local) in zip(strands, owned) {
      areaBytes = max(areaBytes, Self.plan(strand, local.sorted(), buffers, &laneOffsets))
    }
    self.laneOffsets = laneOffsets

    let planned = buffers.indices.filter {
      buffers[$0].place == .arena && last[$0] >= 0 && laneOffsets[$0] == nil
    }
    var requests = planned.map {
      MemoryPlan.Buffer(byteCount: buffers[$0].byteCount, first: first[$0], last: last[$0])
    }
    let places = phases.indices.filter { !phases[$0].strands.isEmpty }
    if let begin = places.first, let end = places.last {
      requests.append(
        MemoryPlan.Buffer(byteCount: areaBytes * laneCount, first: begin, last: end))
    }
    let plan = MemoryPlan(requests)
    var offsets = [Int?](repeating: nil, count: buffers.count)
    for (position, buffer) in planned.enumerated() { offsets[buffer] = plan.offsets[position] }
    self.offsets = offsets
    areas = (places.isEmpty ? 0 : plan.offsets[planned.count], areaBytes)
    byteCount = plan.byteCount
  }

  /// The place of a buffer; nil when it does not lie in the arena.
  func offset(_ buffer: Int, lane: Int) -> Int? {
    offsets[buffer] ?? laneOffsets[buffer].map { areas.begin + lane * areas.byteCount + $0 }
  }

  /// The arena's buffers that only one strand touches.
  private static func owned(
    _ strands: [Strand], _ phases: [Phase], outputs: Set<Int>, _ buffers: [BufferInfo]
  ) -> [Set<Int>] {
    var others = outputs
    for chain in phases.flatMap(\.chains) {
      others.formUnion((chain.reads + chain.writes).map(\.buffer))
    }
    var users: [Int: Int] = [:]
    let touched = strands.map { strand in
      Set(strand.chains.flatMap { $0.reads + $0.writes }.map(\.buffer))
    }
    for buffer in touched.joined() { users[buffer, default: 0] += 1 }
    return touched.map { touched in
      touched.filter { buffers[$0].place == .arena && users[$0] == 1 && !others.contains($0) }
    }
  }

  /// Places what a strand owns in its lane's area; returns the bytes it needs.
  private static func plan(
    _ strand: Strand, _ local: [Int], _ buffers: [BufferInfo], _ offsets: inout [Int?]
  ) -> Int {
    var first: [Int: Int] = [:]
    var last: [Int: Int] = [:]
    for (position, chain) in strand.chains.enumerated() {
      for use in chain.reads + chain.writes {
        first[use.buffer] = min(first[use.buffer] ?? position, position)
        last[use.buffer] = position
      }
    }
    let plan = MemoryPlan(
      local.map {
        MemoryPlan.Buffer(
          byteCount: buffers[$0].byteCount, first: first[$0] ?? 0, last: last[$0] ?? 0)
      })
    for (position, buffer) in local.enumerated() { offsets[buffer] = plan.offsets[position] }
    let alignment = MemoryPlan.alignment
    return (plan.byteCount + alignment - 1) / alignment * alignment
  }
}
