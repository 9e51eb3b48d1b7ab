// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Foundation
import TensorGraph

/// A program bound to memory: two flat lists of work, run without allocating.
///
/// A run is done when `start` returns, so that `finish` has nothing to wait for; what other runtimes may do at the same time, this one
/// does in turn.
final class CPUExecutable: ProfiledExecutable {
  private let runtime: CPURuntime
  /// Kernels ask it for products when they are bound.
  private let lowering: Lowering
  private let phases: [Phase]
  private let buffers: [BufferInfo]
  private let layout: ArenaLayout
  private let outputBuffers: [String: (buffer: Int, byteCount: Int)]
  private let conditionBuffer: Int?
  private let hostMemory: Arena
  private let hostOffsets: [Int?]
  private let hostLabels: [String: (offset: Int, byteCount: Int)]
  private var boundArena: Arena?
  private var recorder: ProfileRecorder?
  private var computeWork = UnsafeMutableBufferPointer<SharedWork>(start: nil, count: 0)
  private var commitWork = UnsafeMutableBufferPointer<SharedWork>(start: nil, count: 0)

  /// Wall time of the assignments of the last run; 0 where its condition kept them from being made.
  private(set) var commitSeconds: Double?

  /// Bytes of the arena that the program needs.
  var arenaBytes: Int { layout.byteCount }

  init(_ program: Program, runtime: CPURuntime, productsOnly: Bool = false) throws {
    self.runtime = runtime
    let lowering = try Lowering(
      program, laneCount: runtime.threadCount, products: runtime.products,
      laneScratch: runtime.laneScratch, productsOnly: productsOnly)
    let (strands, chains) = Strand.separate(
      Chain.joining(lowering.kernels), stage: .commit, laneCount: runtime.threadCount,
      buffers: lowering.buffers)
    let phases = Phase.arrange(chains, strands: strands, lookBack: 3)
    self.phases = phases
    self.lowering = lowering

    var outputs: [String: (buffer: Int, byteCount: Int)] = [:]
    for output in program.outputs {
      outputs[output.label] = (
        lowering.outputBuffer(output.tensor.value), output.tensor.type.byteCount
      )
    }
    outputBuffers = outputs
    conditionBuffer = program.condition.map { lowering.buffer($0.value) }
    // After the outputs: one that is a leaf no kernel reads gets its buffer only now.
    let all = lowering.buffers
    buffers = all
    layout = ArenaLayout(
      phases, buffers: all,
      outputs: outputs.values.map(\.buffer) + [conditionBuffer].compactMap(\.self),
      laneCount: runtime.threadCount)

    // Inputs, scalars and constants: small, and apart, for the host writes them between steps.
    var hostOffsets = [Int?](repeating: nil, count: all.count)
    var labels: [String: (offset: Int, byteCount: Int)] = [:]
    var end = 0
    for (index, buffer) in all.enumerated() {
      switch buffer.place {
      case .host(let label): labels[label] = (end, buffer.byteCount)
      case .constant: break
      default: continue
      }
      hostOffsets[index] = end
      end += (buffer.byteCount + 63) / 64 * 64
    }
    self.hostOffsets = hostOffsets
    hostLabels = labels
    hostMemory = try Arena(byteCount: max(end, 64))
    for (index, buffer) in all.enumerated() {
      if case .constant(let number) = buffer.place, let offset = hostOffsets[index] {
        (hostMemory.base + offset).storeBytes(of: number, as: Float.self)
      }
      if case .kept(let leaf) = buffer.place { try runtime.keep(leaf) }
    }
    runtime.laneScratch.reserve(lowering.laneScratchBytes)
    try runtime.reserveArena(arenaBytes)
    try bind()
  }

  deinit { release() }

  private func release() {
    for items in [computeWork, commitWork] {
      items.deinitialize()
      items.deallocate()
    }
  }

  private func address(_ buffer: Int, lane: Int = 0) -> UnsafeMutableRawPointer {
    if let offset = layout.offset(buffer, lane: lane) { return runtime.sharedArena.base + offset }
    if let offset = hostOffsets[buffer] { return hostMemory.base + offset }
    if case .kept(let leaf) = buffers[buffer].place,
      let memory = runtime.memory(leaf.label)?.baseAddress
    {
      return memory
    }
    return runtime.sharedArena.base
  }

  /// Makes every kernel's body for the arena as it now lies.
  private func bind() throws {
    let arena = runtime.sharedArena
    let compute = try makeWork(.compute)
    let commit = try makeWork(.commit)
    release()
    (computeWork, commitWork) = (compute, commit)
    boundArena = arena
  }

  private func makeWork(_ stage: Stage) throws -> UnsafeMutableBufferPointer<SharedWork> {
    var items: [SharedWork] = []
    for phase in phases where phase.stage == stage {
      var parts: [(begin: Int, end: Int, body: (Int, Int) -> Void)] = []
      var units = 0
      for strand in phase.strands {
        parts.append((units, units + 1, try body(of: strand)))
        units += 1
      }
      for chain in phase.chains {
        parts.append((units, units + chain.unitCount, try body(of: chain)))
        units += chain.unitCount
      }
      if let only = parts.first, parts.count == 1 {
        items.append(SharedWork(unitCount: units, body: only.body))
      } else {
        let fixed = parts
        items.append(
          SharedWork(unitCount: units) { unit, lane in
            for index in fixed.indices where unit < fixed[index].end {
              fixed[index].body(unit - fixed[index].begin, lane)
              return
            }
          })
      }
    }
    let memory = UnsafeMutableBufferPointer<SharedWork>.allocate(capacity: items.count)
    _ = memory.initialize(from: items)
    return memory
  }

  /// All units of all chains, on the lane's own memory.
  private func body(of strand: Strand) throws -> (Int, Int) -> Void {
    let lanes = try (0..<runtime.threadCount).map { lane in
      try strand.chains.map { chain in
        (units: chain.unitCount, body: try body(of: chain, memoryOf: lane))
      }
    }
    return { _, lane in
      for index in lanes[lane].indices {
        for unit in 0..<lanes[lane][index].units { lanes[lane][index].body(unit, lane) }
      }
    }
  }

  private func body(of chain: Chain, memoryOf lane: Int = 0) throws -> (Int, Int) -> Void {
    var members: [(rows: Int, block: Int, run: (Range<Int>, Int, Int) -> Void)] = []
    for kernel in chain.members {
      let run = try kernel.make(
        Binding(
          address: { self.address($0, lane: lane) }, block: kernel.block,
          unitCount: kernel.unitCount))
      members.append((kernel.rows, kernel.block, recorder?.timed(kernel, run) ?? run))
    }
    let fixed = members
    if fixed.count == 1 {
      let (rows, block, run) = fixed[0]
      return { unit, lane in
        run(unit * block..<min(rows, (unit + 1) * block), unit, lane)
      }
    }
    return { unit, lane in
      for index in fixed.indices {
        let begin = unit * fixed[index].block
        fixed[index].run(begin..<min(fixed[index].rows, begin + fixed[index].block), unit, lane)
      }
    }
  }

  func startProfile() {
    recorder = ProfileRecorder(laneCount: runtime.threadCount)
    boundArena = nil
  }

  func takeProfile() -> StepProfile? { recorder?.take() }

  func movedBytes(_ stage: Stage) -> Int {
    phases.filter { $0.stage == stage }.flatMap(\.allChains).flatMap(\.members).reduce(0) {
      $0 + ($1.reads + $1.writes).reduce(0) { $0 + buffers[$1.buffer].byteCount }
    }
  }

  /// What one execution of both stages asks of a machine.
  var plannedWork: PlannedWork {
    let live = lowering.program.liveNodes()
    let graph = lowering.graph
    let products = graph.nodes.indices.filter {
      live[$0] && PlannedWork.isProduct(graph.nodes[$0].operation)
    }
    let attention = products.filter { PlannedWork.isAttention(graph.nodes[$0].operation) }
    func flops(_ nodes: [Int]) -> Double {
      nodes.reduce(0) { sum, index in
        let node = graph.nodes[index]
        return sum
          + node.operation.cost(inputs: node.inputs.map(graph.type), results: node.results).flops
      }
    }
    let others = phases.flatMap(\.allChains).flatMap(\.members).filter {
      !PlannedWork.productCategories.contains($0.category)
    }.reduce(0) {
      $0 + ($1.reads + $1.writes).reduce(0) { $0 + buffers[$1.buffer].byteCount }
    }
    return PlannedWork(
      productFLOPs: flops(products), attentionFLOPs: flops(attention),
      otherBytes: Double(others))
  }

  func hostBuffer(_ label: String) -> UnsafeMutableRawBufferPointer? {
    hostLabels[label].map {
      UnsafeMutableRawBufferPointer(start: hostMemory.base + $0.offset, count: $0.byteCount)
    }
  }

  func start() {
    run(.compute)
    guard proceeds else {
      commitSeconds = 0
      return
    }
    let begin = ContinuousClock.now
    run(.commit)
    commitSeconds = (ContinuousClock.now - begin) / .seconds(1)
  }

  func finish() {}

  /// Whether the condition, as `compute` left it, allows the assignments.
  private var proceeds: Bool {
    conditionBuffer.map { address($0).load(as: Float.self) != 0 } ?? true
  }

  func run(_ stage: Stage) {
    precondition(!runtime.plansOnly, "a program that was only planned cannot run")
    if boundArena !== runtime.sharedArena {
      do { try bind() } catch { preconditionFailure("binding again failed: \(error)") }
    }
    runtime.team.run(UnsafeBufferPointer(stage == .compute ? computeWork : commitWork))
  }

  func output(_ label: String) -> UnsafeRawBufferPointer {
    guard let output = outputBuffers[label] else {
      preconditionFailure("the program has no output '\(label)'")
    }
    return UnsafeRawBufferPointer(start: address(output.buffer), count: output.byteCount)
  }
}
