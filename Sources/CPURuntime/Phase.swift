// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// Kernels that one unit runs one after the other on its own rows, without meeting other lanes.
struct Chain {
  var members: [KernelPlan]
  var unitCount: Int { members[0].unitCount }
  var stage: Stage { members[0].stage }
  var reads: [BufferUse] { members.flatMap(\.reads) }
  var writes: [BufferUse] { members.flatMap(\.writes) }

  /// Chains neighbours among the kernels; how they are cut into blocks follows from this alone.
  static func joining(_ kernels: [KernelPlan]) -> [Chain] {
    var chains: [Chain] = []
    for kernel in kernels {
      if let last = chains.indices.last, chains[last].canAppend(kernel) {
        chains[last].append(kernel)
      } else {
        chains.append(Chain(members: [kernel]))
      }
    }
    return chains
  }

  /// Joins a kernel that works on the members' rows, when every block of its rows needs only the same block of their
  /// results.
  func canAppend(_ kernel: KernelPlan) -> Bool {
    let head = members[0]
    guard head.chains, kernel.chains, kernel.stage == head.stage,
      kernel.rows % head.rows == 0, head.rows > head.block
    else { return false }
    var sharesRows = false
    for member in members {
      for use in member.reads + member.writes where use.rowLocal {
        for other in kernel.reads + kernel.writes where other.rowLocal {
          if use.buffer == other.buffer { sharesRows = true }
        }
      }
      for write in member.writes {
        for read in kernel.reads + kernel.writes where read.buffer == write.buffer {
          if !(read.rowLocal && write.rowLocal) { return false }
        }
      }
      for read in member.reads {
        for write in kernel.writes where write.buffer == read.buffer {
          if !(read.rowLocal && write.rowLocal) { return false }
        }
      }
    }
    return sharesRows
  }

  mutating func append(_ kernel: KernelPlan) {
    kernel.block = members[0].block * (kernel.rows / members[0].rows)
    members.append(kernel)
  }
}

/// Work that does not depend on each other and runs between two meetings of the lanes.
struct Phase {
  /// Each is one lane's work, the longest first.
  var strands: [Strand] = []
  /// Each is cut into units that lanes share.
  var chains: [Chain] = []
  let stage: Stage

  /// Every chain, those of strands included.
  var allChains: [Chain] { strands.flatMap(\.chains) + chains }

  /// Fills phases: a chain goes into the earliest recent phase that its operands allow, which bounds how long they are kept;
  /// a strand, whose memory is its lane's, into the earliest of all.
  static func arrange(_ chains: [Chain], strands: [Strand], lookBack: Int) -> [Phase] {
    var phases: [Phase] = []
    var order = DependencyOrder()
    var commitBegin: Int?
    func place(_ chain: Chain, atLeast first: Int) -> Int {
      if chain.stage == .commit, commitBegin == nil { commitBegin = phases.count }
      let place = order.add(
        chain, atLeast: max(first, chain.stage == .commit ? commitBegin ?? 0 : 0))
      if place >= phases.count { phases.append(Phase(stage: chain.stage)) }
      return place
    }
    for chain in chains {
      let place = place(chain, atLeast: phases.count - lookBack)
      phases[place].chains.append(chain)
    }
    for strand in strands {
      let whole = Chain(members: strand.chains.flatMap(\.members))
      let place = place(whole, atLeast: 0)
      phases[place].strands.append(strand)
    }
    return phases
  }
}

/// Numbers chains so that whatever a chain needs has a lower number.
struct DependencyOrder {
  private var lastWrite: [Int: Int] = [:]
  private var lastTouch: [Int: Int] = [:]

  /// The number of the next chain: one above all that it waits for.
  mutating func add(_ chain: Chain, atLeast least: Int = 0) -> Int {
    var number = max(0, least)
    let (reads, writes) = (chain.reads, chain.writes)
    for read in reads {
      if let last = lastWrite[read.buffer] { number = max(number, last + 1) }
    }
    for write in writes {
      if let last = lastTouch[write.buffer] { number = max(number, last + 1) }
    }
    for use in reads + writes {
      lastTouch[use.buffer] = max(lastTouch[use.buffer] ?? 0, number)
    }
    for write in writes { lastWrite[write.buffer] = number }
    return number
  }
}
