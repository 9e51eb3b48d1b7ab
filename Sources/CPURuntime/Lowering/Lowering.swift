// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

/// Turns a scheduled program into kernels: one method for each operation, each in its own file.
final class Lowering {
  let program: Program
  let graph: Graph
  let laneCount: Int
  let products: ProductCache
  private(set) var buffers: [BufferInfo] = []
  private(set) var kernels: [KernelPlan] = []
  /// Scratch each lane needs, the largest of any kernel.
  private(set) var laneScratchBytes = 0
  let laneScratch: LaneScratch
  /// Lowers the large products and nothing around them, to measure what they alone take.
  let productsOnly: Bool
  private var bufferOf: [Graph.Value: Int] = [:]
  /// Kept tensors copied aside because another kept tensor becomes them.
  private var saved: [Graph.Value: Int] = [:]
  /// Kept tensors copied aside because an output is a reshape of what was kept before the assignments.
  private var shown: [Graph.Value: Int] = [:]
  private var constantBuffers: [Float: Int] = [:]
  /// Values that are read outside the group that makes them.
  private(set) var stored: Set<Graph.Value> = []

  init(
    _ program: Program, laneCount: Int, products: ProductCache, laneScratch: LaneScratch,
    productsOnly: Bool = false
  ) throws(RuntimeError) {
    self.productsOnly = productsOnly
    self.program = program
    graph = program.graph
    self.laneCount = laneCount
    self.products = products
    self.laneScratch = laneScratch
    let schedule = ExecutionSchedule(program)
    findStored(schedule)
    placeAssignments(schedule)
    if !productsOnly { showKeptValues() }
    var savesKept = !productsOnly
    for group in schedule.groups {
      if savesKept, group.stage == .commit {
        saveKeptValues()
        savesKept = false
      }
      if productsOnly, !isLargeProduct(group) { continue }
      if group.isRegion {
        try lowerRegion(group)
      } else {
        try lower(group.nodes[0], stage: group.stage)
      }
    }
    if productsOnly { return }
    if savesKept { saveKeptValues() }
    for assignment in program.assignments { copyIfElsewhere(assignment) }
  }

  private func showKeptValues() {
    let replaced = Set(program.assignments.map(\.target.value))
    for output in program.outputs {
      let value = base(output.tensor.value)
      guard value != output.tensor.value, replaced.contains(value), shown[value] == nil else {
        continue
      }
      let aside = workspace(type(value).byteCount)
      copy(buffer(value), to: aside, byteCount: type(value).byteCount, stage: .compute)
      shown[value] = aside
    }
  }

  /// A kept tensor that is assigned to another is copied aside before anything is committed, for it may change too.
  private func saveKeptValues() {
    for assignment in program.assignments {
      let value = base(assignment.value.value)
      guard graph.nodes[value.node].operation is Leaf, saved[value] == nil else { continue }
      let aside = workspace(type(value).byteCount)
      copy(buffer(value), to: aside, byteCount: type(value).byteCount)
      saved[value] = aside
    }
  }

  private func isLargeProduct(_ group: ExecutionSchedule.Group) -> Bool {
    switch graph.nodes[group.nodes[0]].operation {
    case is MatrixProduct, is LinearCrossEntropy, is LinearCrossEntropyGradient, is LinearSample:
      true
    default: false
    }
  }

  private func lower(_ index: Int, stage: Stage) throws(RuntimeError) {
    let node = graph.nodes[index]
    switch node.operation {
    case let operation as MatrixProduct: lowerProduct(operation, index, stage)
    case is Transpose: lowerTranspose(index, stage)
    case let operation as Slice: lowerSlice(operation, index, stage)
    case is Concatenate: lowerConcatenate(index, stage)
    case is Reduce: lowerMaximumOverRows(index, stage)
    case is Embedding: lowerEmbedding(index, stage)
    case let operation as EmbeddingGradient: lowerEmbeddingGradient(operation, index, stage)
    case let operation as RowNorm: lowerNorm(operation, index, stage)
    case let operation as RowNormGradient: lowerNormGradient(operation, index, stage)
    case let operation as Rotary: lowerRotary(operation, index, stage)
    case let operation as RotaryTables: lowerRotaryTables(operation, index, stage)
    case let operation as Rotation: lowerRotation(operation, index, stage)
    case let operation as TokenShift: lowerTokenShift(operation, index, stage)
    case let operation as Attention: lowerAttention(operation, index, stage)
    case let operation as AttentionGradient: lowerAttentionGradient(operation, index, stage)
    case let operation as LinearCrossEntropy:
      lowerCrossEntropy(operation.form, gradientType: nil, index, stage)
    case let operation as LinearCrossEntropyGradient:
      lowerCrossEntropy(operation.form, gradientType: operation.elementType, index, stage)
    case let operation as LinearSample: lowerSample(operation, index, stage)
    case let operation as OrthogonalBasis: lowerOrthogonalBasis(operation, index, stage)
    case let operation as SymmetricEigenbasis: lowerSymmetricEigenbasis(operation, index, stage)
    case is DescendingOrder: lowerDescendingOrder(index, stage)
    case is GatherColumns: lowerGatherColumns(index, stage)
    default:
      throw RuntimeError(
        .unsupported, "the CPU runtime has no kernel for '\(node.operation.name)' yet")
    }
  }

  // MARK: Buffers

  /// The value behind reshapes.
  func base(_ value: Graph.Value) -> Graph.Value {
    var value = value
    while graph.nodes[value.node].operation is Reshape {
      value = graph.nodes[value.node].inputs[0]
    }
    return value
  }

  /// The buffer of a value; made at its first use.
  func buffer(_ value: Graph.Value) -> Int {
    let value = base(value)
    if let known = bufferOf[value] { return known }
    let made: Int
    switch graph.nodes[value.node].operation {
    case let leaf as Leaf:
      let place: BufferInfo.Place =
        leaf.kind == .parameter || leaf.kind == .state ? .kept(leaf) : .host(leaf.label)
      made = add(place, graph.type(of: value).byteCount)
    case let constant as Constant:
      made = self.constant(constant.number)
    default:
      made = add(.arena, graph.type(of: value).byteCount)
    }
    bufferOf[value] = made
    return made
  }

  /// Where an output is found after a run.
  func outputBuffer(_ value: Graph.Value) -> Int {
    let origin = base(value)
    return (origin == value ? nil : shown[origin]) ?? buffer(value)
  }

  /// The buffer of a number.
  func constant(_ number: Float) -> Int {
    if let known = constantBuffers[number] { return known }
    let made = add(.constant(number), 4)
    if !number.isNaN { constantBuffers[number] = made }
    return made
  }

  /// A buffer that only kernels know.
  func workspace(_ byteCount: Int) -> Int { add(.arena, max(byteCount, 4)) }

  private func add(_ place: BufferInfo.Place, _ byteCount: Int) -> Int {
    buffers.append(BufferInfo(place: place, byteCount: byteCount))
    return buffers.count - 1
  }

  func type(_ value: Graph.Value) -> TensorType { graph.type(of: value) }

  func input(_ index: Int, _ position: Int) -> Graph.Value { graph.nodes[index].inputs[position] }

  func whole(_ value: Graph.Value) -> BufferUse {
    BufferUse(buffer: buffer(value), rowLocal: false)
  }

  func rowwise(_ value: Graph.Value) -> BufferUse {
    BufferUse(buffer: buffer(value), rowLocal: true)
  }

  func emit(_ kernel: KernelPlan, laneScratch bytes: Int = 0) {
    kernels.append(kernel)
    laneScratchBytes = max(laneScratchBytes, bytes)
  }

  // MARK: What must be stored, and assignments

  private func findStored(_ schedule: ExecutionSchedule) {
    var groupOf: [Int: Int] = [:]
    for (position, group) in schedule.groups.enumerated() {
      for node in group.nodes { groupOf[node] = position }
    }
    for (position, group) in schedule.groups.enumerated() {
      for node in group.nodes {
        for input in graph.nodes[node].inputs {
          let origin = base(input)
          if groupOf[origin.node] != position || origin != input { stored.insert(origin) }
        }
      }
    }
    for tensor in program.computed { stored.insert(base(tensor.value)) }
    for assignment in program.assignments { stored.insert(base(assignment.value.value)) }
  }

  /// Lets the group that makes a new value write it straight over the kept tensor, where nothing still reads the old.
  private func placeAssignments(_ schedule: ExecutionSchedule) {
    var groupOf: [Int: Int] = [:]
    var lastReader: [Graph.Value: Int] = [:]
    for (position, group) in schedule.groups.enumerated() {
      for node in group.nodes {
        groupOf[node] = position
        for input in graph.nodes[node].inputs { lastReader[base(input)] = position }
      }
    }
    let outputs = Set(program.outputs.map { base($0.tensor.value) })
    var taken: Set<Graph.Value> = []
    for assignment in program.assignments {
      let value = base(assignment.value.value)
      let target = assignment.target.value
      guard let writer = groupOf[value.node], schedule.groups[writer].stage == .commit,
        schedule.groups[writer].isRegion, !(graph.nodes[value.node].operation is Reduce),
        !outputs.contains(value), !outputs.contains(target), taken.insert(value).inserted,
        (lastReader[target] ?? -1) <= writer, readsInPlace(target, schedule.groups[writer])
      else { continue }
      bufferOf[value] = buffer(target)
    }
  }

  /// Whether a region reads a kept tensor only at the element it writes.
  private func readsInPlace(_ target: Graph.Value, _ group: ExecutionSchedule.Group) -> Bool {
    let shape = type(target).shape
    for node in group.nodes {
      for input in graph.nodes[node].inputs where base(input) == target {
        let space = regionSpace(group)
        guard input == target, shape.rows == space.rows, shape.columns == space.columns else {
          return false
        }
      }
    }
    return true
  }

  private func copyIfElsewhere(_ assignment: Program.Assignment) {
    let source = saved[base(assignment.value.value)] ?? buffer(assignment.value.value)
    let target = buffer(assignment.target.value)
    if source == target { return }
    copy(source, to: target, byteCount: assignment.target.type.byteCount)
  }

  private func copy(
    _ source: Int, to target: Int, byteCount bytes: Int, stage: Stage = .commit
  ) {
    emit(
      KernelPlan(
        label: "copy", category: .update, rows: bytes, block: 1 << 20,
        reads: [BufferUse(buffer: source, rowLocal: true)],
        writes: [BufferUse(buffer: target, rowLocal: true)], stage: stage
      ) { binding in
        let from = UnsafeRawPointer(binding.address(source))
        let to = binding.address(target)
        return { rows, _, _ in
          (to + rows.lowerBound).copyMemory(from: from + rows.lowerBound, byteCount: rows.count)
        }
      })
  }
}

/// One scratch area for each lane, grown before any step that needs more.
final class LaneScratch {
  let laneCount: Int
  private(set) var byteCount = 0
  private let areas: UnsafeMutablePointer<UnsafeMutableRawPointer>

  init(laneCount: Int) {
    self.laneCount = laneCount
    areas = .allocate(capacity: laneCount)
    for lane in 0..<laneCount { areas[lane] = .allocate(byteCount: 64, alignment: 64) }
  }

  deinit {
    for lane in 0..<laneCount { areas[lane].deallocate() }
    areas.deallocate()
  }

  func reserve(_ bytes: Int) {
    if bytes <= byteCount { return }
    byteCount = bytes
    for lane in 0..<laneCount {
      areas[lane].deallocate()
      areas[lane] = .allocate(byteCount: bytes, alignment: 4096)
    }
  }

  /// The area of a lane; read at each run, for it may move between steps.
  @inline(__always)
  subscript(lane: Int) -> UnsafeMutableRawPointer { areas[lane] }
}

extension ElementType {
  var kernelType: ck_type {
    switch self {
    case .float32: CK_F32
    case .bfloat16: CK_BF16
    case .int32: CK_I32
    }
  }
}

/// Rows of a unit: enough to fill the caches' appetite, few enough to share; a function of the shape alone.
func rowBlock(rows: Int, columns: Int) -> Int {
  if rows >= 256, columns <= 8192 { return rows >= 1024 ? 256 : 128 }
  return max(1, min(rows, 32_768 / max(1, columns)))
}
