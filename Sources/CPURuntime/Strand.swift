// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// Chains that depend on each other and on nothing that runs beside them: one lane runs them all and meets nobody.
///
/// The update of a matrix by an optimizer is a long sequence of small products, and a model has dozens of such matrices. Cut
/// into units that all lanes share, every product would end with a meeting; as strands they need none at all, and
/// what a strand makes on its way stays in its lane's cache. A strand runs the units of its chains in their order, so
/// whether there are strands changes no bit.
struct Strand {
  var chains: [Chain]
  /// Seconds it may take.
  let work: Double

  /// Splits a stage of a program into strands and the other chains, which keep their order.
  ///
  /// Behind the first few chains, on which everything may depend (the norm that gradients are clipped by), the
  /// chains fall apart into groups without common results. Those that can be dealt out evenly become strands.
  static func separate(
    _ chains: [Chain], stage: Stage, laneCount: Int, buffers: [BufferInfo]
  ) -> (strands: [Strand], others: [Chain]) {
    var order = DependencyOrder()
    let members = chains.indices.filter { chains[$0].stage == stage }.map {
      Member(chain: $0, depth: order.add(chains[$0]), chains[$0], buffers)
    }
    var best: (work: Double, groups: [[Int]]) = (0, [])
    for first in 0...mostCommonChains {
      let free = members.filter { $0.depth >= first }
      let groups = even(
        independent(free).filter { $0.count > 1 }.map { group in
          (group.map(\.chain), group.reduce(0) { $0 + $1.work })
        }, laneCount: laneCount)
      let work = groups.reduce(0) { $0 + $1.work }
      if work > best.work { best = (work, groups.map(\.chains)) }
    }
    let taken = Set(best.groups.joined())
    let strands = best.groups.map { group in
      Strand(
        chains: group.map { chains[$0] }, work: group.reduce(0) { $0 + chains[$1].seconds(buffers) }
      )
    }
    return (strands, chains.indices.filter { !taken.contains($0) }.map { chains[$0] })
  }

  /// A chain that may become part of a strand.
  private struct Member {
    let chain: Int
    /// Chains that it waits for, one after the other.
    let depth: Int
    let work: Double
    let written: [Int]
    let touched: [Int]

    init(chain: Int, depth: Int, _ uses: Chain, _ buffers: [BufferInfo]) {
      self.chain = chain
      self.depth = depth
      work = uses.seconds(buffers)
      written = uses.writes.map(\.buffer)
      touched = uses.reads.map(\.buffer) + written
    }
  }

  /// The longest sequence of chains that strands may wait for.
  private static let mostCommonChains = 6
  /// How much longer than the average the busiest lane may work.
  private static let unevenness = 1.1

  /// Groups of chains such that no group touches what another writes; each in order.
  private static func independent(_ members: [Member]) -> [[Member]] {
    var parent = Array(members.indices)
    func root(_ member: Int) -> Int {
      var member = member
      while parent[member] != member { member = parent[member] }
      return member
    }
    let written = Set(members.flatMap(\.written))
    var owner: [Int: Int] = [:]
    for (index, member) in members.enumerated() {
      for buffer in member.touched where written.contains(buffer) {
        if let other = owner[buffer] {
          // The earlier chain stays the root, so that groups keep the order of their first chains.
          let (a, b) = (root(other), root(index))
          parent[max(a, b)] = min(a, b)
        }
        owner[buffer] = index
      }
    }
    return Dictionary(grouping: members.indices, by: root).sorted { $0.key < $1.key }.map { group in
      group.value.map { members[$0] }
    }
  }

  /// The groups, longest first, that lanes can be dealt evenly; the longest are left out until they can.
  private static func even(
    _ groups: [(chains: [Int], work: Double)], laneCount: Int
  ) -> [(chains: [Int], work: Double)] {
    var dealt = groups.sorted { ($1.work, $0.chains[0]) < ($0.work, $1.chains[0]) }
    while dealt.count > laneCount {
      var lanes = [Double](repeating: 0, count: laneCount)
      for group in dealt {
        let idlest = lanes.indices.min { lanes[$0] < lanes[$1] } ?? 0
        lanes[idlest] += group.work
      }
      let average = lanes.reduce(0, +) / Double(laneCount)
      if lanes.max() ?? 0 <= unevenness * average { return dealt }
      dealt.removeFirst()
    }
    return []
  }
}

extension Chain {
  /// A rough time on one lane: 100 GFLOP/s, and 10 GB/s for what is touched.
  fileprivate func seconds(_ buffers: [BufferInfo]) -> Double {
    members.reduce(0) { sum, kernel in
      let bytes = (kernel.reads + kernel.writes).reduce(0) { $0 + buffers[$1.buffer].byteCount }
      return sum + kernel.flops * 1e-11 + Double(bytes) * 1e-10
    }
  }
}
