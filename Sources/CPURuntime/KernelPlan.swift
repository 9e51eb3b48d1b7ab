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
  let reads: [BufferUse]
  let writes: [BufferUse]
  let stage: Stage
  /// Floating-point operations of a product or a basis; other kernels are as slow as the memory they touch.
  let flops: Double
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
    reads: [BufferUse], writes: [BufferUse], stage: Stage, flops: Double = 0,
    make: @escaping (Binding) throws -> (_ rows: Range<Int>, _ unit: Int, _ lane: Int) -> Void
  ) {
    precondition(rows > 0 && block > 0, "\(label): \(rows) rows in blocks of \(block)")
    self.label = label
    self.category = category
    self.rows = rows
    self.block = block
    self.chains = chains
    self.reads = reads
    self.writes = writes
    self.stage = stage
    self.flops = flops
    self.make = make
  }
}
