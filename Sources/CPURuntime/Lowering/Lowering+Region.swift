// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

/// A region's straight-line program, with buffers instead of addresses.
private struct RegionCode {
  struct Input {
    var buffer: Int
    var type: ElementType
    var access: ck_access
  }
  struct Output {
    var buffer: Int
    var type: ElementType
    var kind: ck_output_kind
    var source: ck_source
  }
  var inputs: [Input] = []
  var steps: [ck_step] = []
  var outputs: [Output] = []
  var registerCount = 0
}

/// Memory that a bound region points into; lives as long as its kernel.
private final class BoundRegion {
  let region: UnsafeMutablePointer<ck_region>
  private let inputs: UnsafeMutablePointer<ck_input>
  private let steps: UnsafeMutablePointer<ck_step>
  private let outputs: UnsafeMutablePointer<ck_output>

  init(_ code: RegionCode, rows: Int, columns: Int, address: (Int) -> UnsafeMutableRawPointer) {
    inputs = .allocate(capacity: max(1, code.inputs.count))
    steps = .allocate(capacity: max(1, code.steps.count))
    outputs = .allocate(capacity: max(1, code.outputs.count))
    region = .allocate(capacity: 1)
    for (index, input) in code.inputs.enumerated() {
      inputs[index] = ck_input(
        data: address(input.buffer), type: UInt8(input.type.kernelType.rawValue),
        access: UInt8(input.access.rawValue))
    }
    for (index, step) in code.steps.enumerated() { steps[index] = step }
    for (index, output) in code.outputs.enumerated() {
      outputs[index] = ck_output(
        data: address(output.buffer), type: UInt8(output.type.kernelType.rawValue),
        kind: UInt8(output.kind.rawValue), source: output.source)
    }
    region.initialize(
      to: ck_region(
        input_count: UInt32(code.inputs.count), step_count: UInt32(code.steps.count),
        output_count: UInt32(code.outputs.count), register_count: UInt32(code.registerCount),
        inputs: inputs, steps: steps, outputs: outputs, rows: rows, columns: columns))
  }

  deinit {
    inputs.deallocate()
    steps.deallocate()
    outputs.deallocate()
    region.deallocate()
  }
}

extension Lowering {
  func regionSpace(_ group: ExecutionSchedule.Group) -> (rows: Int, columns: Int) {
    let node = graph.nodes[group.nodes[0]]
    let shape =
      node.operation is Reduce ? type(node.inputs[0]).shape : node.results[0].shape
    return (shape.rows, shape.columns)
  }

  func lowerRegion(_ group: ExecutionSchedule.Group) throws(RuntimeError) {
    let space = regionSpace(group)
    var compiler = RegionCompiler(lowering: self, group: group, space: space)
    try compiler.compile()
    let code = compiler.code
    // Nothing looks at rows: the region is one long row, cut wherever it suits.
    let flat =
      code.inputs.allSatisfy { $0.access == CK_FULL || $0.access == CK_SCALAR }
      && code.outputs.allSatisfy {
        $0.kind == CK_STORE || $0.kind == CK_SUM_ALL || $0.kind == CK_MAX_ALL
      }
    let asRow = flat && space.rows == 1
    let rows = asRow ? space.columns : space.rows
    let columns = asRow ? 1 : space.columns
    let block = asRow ? 32_768 : rowBlock(rows: rows, columns: columns)
    let reduces = code.outputs.contains {
      $0.kind != CK_STORE && $0.kind != CK_SUM_COLUMNS && $0.kind != CK_MAX_COLUMNS
    }
    let unitCount = (rows + block - 1) / block

    // Partial results of each unit, combined in order of units afterwards.
    var bound = code
    for (index, output) in code.outputs.enumerated() {
      let width = output.kind == CK_SUM_ROWS ? space.columns : 1
      switch output.kind {
      case CK_SUM_ALL, CK_MAX_ALL, CK_SUM_ROWS:
        bound.outputs[index].buffer = workspace(unitCount * width * 4)
      default: break
      }
    }
    let scratch = laneScratch
    let reads = Dictionary(grouping: code.inputs, by: \.buffer).map { buffer, uses in
      BufferUse(
        buffer: buffer,
        rowLocal: uses.allSatisfy { $0.access == CK_FULL || $0.access == CK_COLUMN })
    }
    let writes = bound.outputs.map {
      BufferUse(buffer: $0.buffer, rowLocal: $0.kind == CK_STORE || $0.kind == CK_SUM_COLUMNS)
    }
    let label = group.nodes.count == 1 ? graph.nodes[group.nodes[0]].operation.name : "region"
    emit(
      KernelPlan(
        label: label, category: group.stage == .commit ? .update : .elementwise, rows: rows,
        block: block, chains: !reduces && !asRow, reads: reads.sorted { $0.buffer < $1.buffer },
        writes: writes, stage: group.stage
      ) { binding in
        let memory = BoundRegion(
          bound, rows: flat ? 1 : rows, columns: flat ? rows * columns : columns,
          address: binding.address)
        let region = memory.region
        return { range, unit, lane in
          withExtendedLifetime(memory) {
            if flat {
              ck_region_run(
                region, 0, 1, range.lowerBound * columns, range.upperBound * columns, unit,
                scratch[lane])
            } else {
              ck_region_run(
                region, range.lowerBound, range.upperBound, 0, columns, unit, scratch[lane])
            }
          }
        }
      }, laneScratch: ck_region_scratch_bytes())

    for (index, output) in code.outputs.enumerated()
    where bound.outputs[index].buffer != output.buffer {
      combine(
        bound.outputs[index].buffer, into: output.buffer, units: unitCount,
        columns: output.kind == CK_SUM_ROWS ? space.columns : 1,
        maximum: output.kind == CK_MAX_ALL, stage: group.stage)
    }
  }

  /// A copy of an operand repeated along all the axes that it lacks; returns its buffer.
  func spread(_ value: Graph.Value, over shape: Shape, stage: Stage) -> Int {
    let type = type(value)
    let from = type.shape.dimensions
    let to = shape.dimensions
    // Elements of the operand that one step along an axis of the result moves by; 0 where it repeats.
    var strides = [Int](repeating: 0, count: to.count)
    var stride = 1
    for axis in from.indices.reversed() {
      if from[axis] > 1 { strides[to.count - from.count + axis] = stride }
      stride *= from[axis]
    }
    let source = buffer(value)
    let result = workspace(shape.count * type.elementType.byteCount)
    let bytes = type.elementType.byteCount
    emit(
      KernelPlan(
        label: "spread", category: stage == .commit ? .update : .elementwise, rows: shape.count,
        block: 32_768, reads: [whole(value)],
        writes: [BufferUse(buffer: result, rowLocal: true)], stage: stage
      ) { binding in
        let (input, output) = (UnsafeRawPointer(binding.address(source)), binding.address(result))
        return { range, _, _ in
          for element in range {
            var (rest, place) = (element, 0)
            for axis in to.indices.reversed() {
              place += rest % to[axis] * strides[axis]
              rest /= to[axis]
            }
            (output + element * bytes).copyMemory(from: input + place * bytes, byteCount: bytes)
          }
        }
      })
    return result
  }

  /// Adds up (or takes the largest of) the partial results of units, in order.
  func combine(
    _ partial: Int, into result: Int, units: Int, columns: Int, maximum: Bool = false,
    stage: Stage
  ) {
    emit(
      KernelPlan(
        label: "combine", category: stage == .commit ? .update : .elementwise, rows: 1, block: 1,
        reads: [BufferUse(buffer: partial, rowLocal: false)],
        writes: [BufferUse(buffer: result, rowLocal: false)], stage: stage
      ) { binding in
        let from = binding.address(partial).assumingMemoryBound(to: Float.self)
        let to = binding.address(result).assumingMemoryBound(to: Float.self)
        return { _, _, _ in
          if maximum {
            ck_max_partials(from, units, columns, to)
          } else {
            ck_sum_partials(from, units, columns, to, 0)
          }
        }
      })
  }
}

/// Allocates registers for the values of one region and writes its steps.
private struct RegionCompiler {
  let lowering: Lowering
  let group: ExecutionSchedule.Group
  let space: (rows: Int, columns: Int)
  /// The shape of the region's elementwise results.
  private var full: Shape {
    for index in group.nodes {
      let node = graph.nodes[index]
      return node.operation is Reduce ? lowering.type(node.inputs[0]).shape : node.results[0].shape
    }
    return []
  }
  var code = RegionCode()
  private var sources: [Graph.Value: ck_source] = [:]
  private var inputIndex: [Graph.Value: Int] = [:]
  private var lastUse: [Graph.Value: Int] = [:]
  private var registers: [Graph.Value: Int] = [:]
  private var free: [Int] = []

  init(lowering: Lowering, group: ExecutionSchedule.Group, space: (rows: Int, columns: Int)) {
    self.lowering = lowering
    self.group = group
    self.space = space
  }

  var graph: Graph { lowering.graph }

  mutating func compile() throws(RuntimeError) {
    let members = Set(group.nodes)
    for (position, index) in group.nodes.enumerated() {
      for input in graph.nodes[index].inputs { lastUse[root(input, members)] = position }
    }
    // Stores and reductions happen after all steps of a tile: what they take must last to the end.
    for index in group.nodes {
      let node = graph.nodes[index]
      if node.operation is Reduce {
        lastUse[root(node.inputs[0], members)] = group.nodes.count
      } else if lowering.stored.contains(Graph.Value(node: index)) {
        lastUse[root(Graph.Value(node: index), members)] = group.nodes.count
      }
    }
    for (position, index) in group.nodes.enumerated() {
      try add(index, at: position, members)
    }
    if code.registerCount > Int(CK_REGION_MAX_REGISTERS)
      || code.inputs.count > Int(CK_REGION_MAX_INPUTS)
      || code.outputs.count > Int(CK_REGION_MAX_OUTPUTS)
    {
      throw RuntimeError(
        .unsupported,
        "an elementwise region needs \(code.registerCount) registers, \(code.inputs.count) inputs "
          + "and \(code.outputs.count) outputs; at most \(CK_REGION_MAX_REGISTERS), "
          + "\(CK_REGION_MAX_INPUTS) and \(CK_REGION_MAX_OUTPUTS) are possible")
    }
  }

  /// The value whose source a value shares: casts to float32 and broadcasts of it are the same numbers, and so is a cast to
  /// bfloat16 that is only stored, for the store rounds.
  private func root(_ value: Graph.Value, _ members: Set<Int>) -> Graph.Value {
    var value = value
    while members.contains(value.node) {
      let node = graph.nodes[value.node]
      switch node.operation {
      case is Broadcast: value = node.inputs[0]
      case let cast as Cast where cast.elementType == .float32 || !isReadHere(value):
        value = node.inputs[0]
      default: return value
      }
    }
    return value
  }

  private func isReadHere(_ value: Graph.Value) -> Bool {
    group.nodes.contains { graph.nodes[$0].inputs.contains(value) }
  }

  private mutating func add(_ index: Int, at position: Int, _ members: Set<Int>)
    throws(RuntimeError)
  {
    let node = graph.nodes[index]
    let value = Graph.Value(node: index)
    var operands: [ck_source] = []
    for input in node.inputs { operands.append(try source(input, members)) }

    switch node.operation {
    case let reduce as Reduce:
      code.outputs.append(
        RegionCode.Output(
          buffer: lowering.buffer(value), type: .float32, kind: kind(of: reduce),
          source: operands[0]))
      return
    case is Broadcast:
      sources[value] = operands[0]
    case let cast as Cast:
      if cast.elementType == .bfloat16, isReadHere(value) {
        sources[value] = step(
          CK_ROUND_TO_BF16, operands, value, at: position, node.inputs, members)
      } else {
        sources[value] = operands[0]
      }
    case let function as Elementwise:
      sources[value] = step(
        function.function.opcode, operands, value, at: position, node.inputs, members)
    default:
      throw RuntimeError(.unsupported, "'\(node.operation.name)' inside an elementwise region")
    }
    if lowering.stored.contains(value), let source = sources[value] {
      code.outputs.append(
        RegionCode.Output(
          buffer: lowering.buffer(value), type: node.results[0].elementType, kind: CK_STORE,
          source: source))
    }
  }

  private mutating func step(
    _ opcode: ck_opcode, _ operands: [ck_source], _ value: Graph.Value, at position: Int,
    _ inputs: [Graph.Value], _ members: Set<Int>
  ) -> ck_source {
    // Registers of operands that end here are free for the result: tiles are written element by element.
    for input in Set(inputs.map { root($0, members) }) {
      if lastUse[input] == position, let register = registers.removeValue(forKey: input) {
        free.append(register)
      }
    }
    let register: Int
    if let reused = free.popLast() {
      register = reused
    } else {
      register = code.registerCount
      code.registerCount += 1
    }
    registers[value] = register
    let none = ck_source(kind: 0, index: 0)
    code.steps.append(
      ck_step(
        opcode: UInt8(opcode.rawValue), destination: UInt8(register), a: operands[0],
        b: operands.count > 1 ? operands[1] : none, c: operands.count > 2 ? operands[2] : none))
    // A result that nobody reads again still needs its register until it is stored.
    if lastUse[value] == nil { lastUse[value] = position }
    return ck_source(kind: UInt8(CK_FROM_REGISTER.rawValue), index: UInt8(register))
  }

  private mutating func source(
    _ value: Graph.Value, _ members: Set<Int>
  ) throws(RuntimeError) -> ck_source {
    if members.contains(value.node), let known = sources[value] { return known }
    if let index = inputIndex[value] {
      return ck_source(kind: UInt8(CK_FROM_INPUT.rawValue), index: UInt8(index))
    }
    let type = lowering.type(value)
    inputIndex[value] = code.inputs.count
    if let access = access(type.shape) {
      code.inputs.append(
        RegionCode.Input(
          buffer: lowering.buffer(value), type: type.elementType, access: access))
    } else {
      code.inputs.append(
        RegionCode.Input(
          buffer: lowering.spread(value, over: full, stage: group.stage), type: type.elementType,
          access: CK_FULL))
    }
    return ck_source(kind: UInt8(CK_FROM_INPUT.rawValue), index: UInt8(code.inputs.count - 1))
  }

  /// How a region reads an operand; nil when its repetition has no simple form.
  private func access(_ shape: Shape) -> ck_access? {
    if shape.count == 1, space.rows * space.columns > 1 { return CK_SCALAR }
    if shape.rows == space.rows, shape.columns == space.columns { return CK_FULL }
    if shape.count == 1 { return CK_SCALAR }
    if shape.rows == 1, shape.columns == space.columns { return CK_ROW }
    if shape.columns == 1, shape.rows == space.rows { return CK_COLUMN }
    return nil
  }

  private func kind(of reduce: Reduce) -> ck_output_kind {
    switch (reduce.kind, reduce.axes) {
    case (.sum, .all): return CK_SUM_ALL
    case (.maximum, .all): return CK_MAX_ALL
    case (.sum, .columns): return CK_SUM_COLUMNS
    case (.maximum, .columns): return CK_MAX_COLUMNS
    case (.sum, .rows): return CK_SUM_ROWS
    case (.maximum, .rows):
      preconditionFailure("'\(reduce.name)' runs by itself, outside regions")
    }
  }
}
