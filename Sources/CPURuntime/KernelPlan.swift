// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// A named piece of memory that kernels read and write, placed when all lifetimes are known.
struct BufferInfo {
  /// Where it lives.
  enum Place: Equatable {
    /// In the arena, for as long as it is needed.
    case arena
    /// A parameter or state, kept between steps.
    case kept(Leaf)
    /// An input or scalar that the host writes.
    case host(String)
    /// A number of the program.
    case constant(Float)
  }

  var place: Place
  var byteCount: Int
}

/// Which buffers a kernel touches, and whether a block of its rows touches only the same block of theirs.
struct BufferUse {
  let buffer: Int
  let rowLocal: Bool
}

/// What a kernel's body is made from once memory is planned.
struct Binding {
  /// The address of a buffer.
  let address: (Int) -> UnsafeMutableRawPointer
  /// Rows of one unit.
  let block: Int
  /// Units.
  let unitCount: Int
}

/// A kernel before memory is planned: rows that can be cut into blocks, and the buffers it touches.
final class KernelPlan {
  /// For profiles: the operation's name.
  let label: String
  /// For profiles: the class of operation.
  let category: Category
  /// Rows in all.
  let rows: Int
  /// Rows of one unit; a fixed number, never derived from the number of threads.
  var block: Int
  /// Whether it may be cut into other blocks to run in a chain.
  let chains: Bool
  /// FLOPs of work that one lane must do alone and that takes long; 0 for everything else.
  ///
  /// Phases gather such kernels, so that every lane has some.
  let workload: Double
  let reads: [BufferUse]
  let writes: [BufferUse]
  let stage: Stage
  /// Makes the body: given rows, the unit's number and the lane.
  let make: (Binding) throws -> (_ rows: Range<Int>, _ unit: Int, _ lane: Int) -> Void

  /// Classes of work that a profile tells apart.
  enum Category: String, CaseIterable {
    case product = "matrix products"
    case head = "head and cross entropy"
    case attention = "attention"
    case norm = "norms"
    case rotary = "rotary"
    case embedding = "embedding"
    case elementwise = "elementwise and casts"
    case basis = "orthogonal bases"
    case update = "optimizer"
  }

  var unitCount: Int { (rows + block - 1) / block }

  init(
    label: String, category: Category, rows: Int, block: Int, chains: Bool = false,
    workload: Double = 0, reads: [BufferUse], writes: [BufferUse], stage: Stage,
    make: @escaping (Binding) throws -> (_ rows: Range<Int>, _ unit: Int, _ lane: Int) -> Void
  ) {
    precondition(rows > 0 && block > 0, "\(label): \(rows) rows in blocks of \(block)")
    self.label = label
    self.category = category
    self.rows = rows
    self.block = block
    self.chains = chains
    self.workload = workload
    self.reads = reads
    self.writes = writes
    self.stage = stage
    self.make = make
  }
}

/// Kernels that one unit runs one after the other on its own rows, without meeting other lanes.
struct Chain {
  var members: [KernelPlan]
  var unitCount: Int { members[0].unitCount }
  var workload: Double { members.reduce(0) { $0 + $1.workload } }

  /// Joins a kernel when every block of its rows needs only the same block of the members' results.
  func canAppend(_ kernel: KernelPlan) -> Bool {
    let head = members[0]
    guard head.chains, kernel.chains, kernel.stage == head.stage,
      kernel.rows % head.rows == 0, head.rows > head.block
    else { return false }
    for member in members {
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
    return true
  }

  mutating func append(_ kernel: KernelPlan) {
    kernel.block = members[0].block * (kernel.rows / members[0].rows)
    members.append(kernel)
  }
}

/// Chains that do not depend on each other and run between two meetings of the lanes.
struct Phase {
  var chains: [Chain]
  let stage: Stage

  /// Chains the kernels, then fills phases: each chain goes into the earliest recent phase that its operands allow.
  ///
  /// A recent phase is one of the last `lookBack`, so that memory stays small. Where lanes have long work to do alone, the
  /// commit stage goes in waves instead, each with `wave` pieces of such work: side by side, the longest first.
  static func arrange(_ kernels: [KernelPlan], lookBack: Int, wave: Int) -> [Phase] {
    var chains: [Chain] = []
    for kernel in kernels {
      if let last = chains.indices.last, chains[last].canAppend(kernel) {
        chains[last].append(kernel)
      } else {
        chains.append(Chain(members: [kernel]))
      }
    }
    var phases: [Phase] = []
    var lastWrite: [Int: Int] = [:]
    var lastTouch: [Int: Int] = [:]
    var commitBegin: Int?
    let goesInWaves = kernels.contains { $0.stage == .commit && $0.workload > 0 }
    var waveBegin = 0
    var piecesInWave = 0
    for chain in chains {
      let stage = chain.members[0].stage
      if stage == .commit, commitBegin == nil { commitBegin = phases.count }
      let recent = goesInWaves && stage == .commit ? waveBegin : phases.count - lookBack
      var earliest = max(recent, commitBegin ?? 0)
      for member in chain.members {
        for read in member.reads {
          if let phase = lastWrite[read.buffer] { earliest = max(earliest, phase + 1) }
        }
        for write in member.writes {
          if let phase = lastTouch[write.buffer] { earliest = max(earliest, phase + 1) }
        }
      }
      if earliest >= phases.count {
        earliest = phases.count
        phases.append(Phase(chains: [], stage: stage))
      }
      phases[earliest].chains.append(chain)
      if chain.workload > 0 { piecesInWave += 1 }
      if piecesInWave == wave { (waveBegin, piecesInWave) = (phases.count, 0) }
      for member in chain.members {
        for read in member.reads {
          lastTouch[read.buffer] = max(lastTouch[read.buffer] ?? 0, earliest)
        }
        for write in member.writes {
          lastWrite[write.buffer] = earliest
          lastTouch[write.buffer] = max(lastTouch[write.buffer] ?? 0, earliest)
        }
      }
    }
    for index in phases.indices where phases[index].chains.contains(where: { $0.workload > 0 }) {
      phases[index].chains = phases[index].chains.enumerated().sorted {
        ($1.element.workload, $0.offset) < ($0.element.workload, $1.offset)
      }.map(\.element)
    }
    return phases
  }
}
