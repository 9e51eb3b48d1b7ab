// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// What lives on the devices: the tensors that are kept between steps, of one run or of several that share programs.
final class DeviceStore {
  let client: Client
  let devices: DeviceSet
  let plan: ShardingPlan
  /// Runs that share every program; nil: one, and no axis for it.
  let runs: Int?
  /// How each program came to be, in order.
  private(set) var compilations: [Compilation] = []
  /// What is quick on the client's devices; tests ask for small blocks.
  var target: LoweringTarget
  /// Changes the text of a program before it is compiled; tests break texts.
  var edit: ((String) -> String)?
  /// Whether tensors are put together by the devices although this process could do it; tests have one process.
  var gathersOnDevices = false
  /// Lives as long as the client needs it.
  var exchange: ProcessExchange?
  private let compiler: ProgramCompiler
  private var tensors: [String: KeptTensor] = [:]
  private var gatherings: [GatherProgram: LoadedProgram] = [:]
  /// The most that one program needs beside kept tensors, on one device.
  private(set) var temporaryPeak = 0

  init(
    _ client: Client, devices count: Int, sharding: ShardingRules, runs: Int?,
    cache: ProgramCache? = nil
  ) throws(XLAError) {
    self.client = client
    self.runs = runs
    target = LoweringTarget(platform: client.platform)
    devices = try DeviceSet(client, count: count)
    plan = ShardingPlan(devices: count, rules: sharding, runs: runs)
    compiler = ProgramCompiler(client, cache: cache)
  }

  /// Lowers and compiles.
  func compile(_ program: Program) throws -> DeviceProgram {
    for leaf in program.leaves where leaf.kind == .parameter || leaf.kind == .state {
      try keep(leaf)
    }
    let lowered = try lower(program)
    let (loaded, compilation) = try load(lowered, program, compiler)
    compilations.append(compilation)
    // Results that replace what they are made of take no memory of their own.
    if let memory = loaded.memory {
      temporaryPeak = max(
        temporaryPeak, memory.temporary + memory.outputs - memory.aliased + memory.generatedCode)
    }
    return DeviceProgram(lowered, loaded, store: self)
  }

  /// Writes a program for the devices.
  func lower(_ program: Program) throws(XLAError) -> LoweredProgram {
    try LoweredProgram(program, runs: runs, plan: plan, target: target)
  }

  /// Compiles, or finds; a refusal names operations of the graph.
  func load(
    _ lowered: LoweredProgram, _ program: Program, _ compiler: ProgramCompiler
  ) throws(XLAError) -> (LoadedProgram, Compilation) {
    let text = edit.map { $0(lowered.text) } ?? lowered.text
    let found: (LoadedProgram, Compilation)
    do throws(XLAError) {
      found = try compiler.load(text, options, outputCount: lowered.resultCount)
    } catch {
      throw error.located(in: text, of: program.graph)
    }
    try check(found.0)
    return found
  }

  private var options: CompileOptions {
    var options = CompileOptions(partitions: devices.count)
    options.devices = devices.assignment
    return options
  }

  /// Buffers are handed over in the order of the devices here.
  private func check(_ loaded: LoadedProgram) throws(XLAError) {
    guard loaded.deviceIDs == devices.local.map(\.id) else {
      throw XLAError(
        .compilation,
        "a program was compiled for this process's devices \(loaded.deviceIDs) instead of \(devices.local.map(\.id))"
      )
    }
  }

  private func keep(_ leaf: Leaf) throws(GraphError) {
    if let known = tensors[leaf.label] {
      guard known.type == leaf.type else {
        throw GraphError(
          .structure,
          "'\(leaf.label)' is kept as \(known.type); a program cannot use it as \(leaf.type)")
      }
      return
    }
    tensors[leaf.label] = KeptTensor(
      leaf.type, storage: leaf.type.batched(runs), plan.kept(leaf), devices: devices.count)
  }

  /// The host's view of a kept tensor, of all runs.
  func kept(
    _ label: String, for access: KeptAccess
  ) throws(XLAError) -> UnsafeMutableRawBufferPointer? {
    guard let tensor = tensors[label] else { return nil }
    if devices.isWhole && !gathersOnDevices { return try tensor.hostView(for: access) }
    return try tensor.hostView(for: access) { buffers throws(XLAError) in
      try self.gathered(tensor, buffers)
    }
  }

  /// A tensor whole on each device.
  private func gathered(
    _ tensor: KeptTensor, _ buffers: [DeviceBuffer]
  ) throws(XLAError) -> [DeviceBuffer] {
    let program = GatherProgram(
      type: tensor.storage, sharding: tensor.sharding, devices: devices.count)
    let loaded: LoadedProgram
    if let known = gatherings[program] {
      loaded = known
    } else {
      loaded = try compiler.load(program.text, options, outputCount: 1).0
      try check(loaded)
      gatherings[program] = loaded
    }
    let execution = try loaded.execute(buffers.map { [$0] })
    try execution.wait()
    return execution.outputs.map { $0[0] }
  }

  func tensor(_ label: String) -> KeptTensor {
    guard let tensor = tensors[label] else { preconditionFailure("'\(label)' is not kept") }
    return tensor
  }

  /// Kept tensors, and the most that one program needs beside them, on the device that holds most.
  var peakBytes: Int { tensors.values.reduce(temporaryPeak) { $0 + $1.deviceBytes } }
}

extension TensorType {
  /// One for each run.
  func batched(_ runs: Int?) -> TensorType {
    guard let runs else { return self }
    return TensorType(Shape([runs] + shape.dimensions), elementType)
  }
}
