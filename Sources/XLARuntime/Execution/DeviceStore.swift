// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// What lives on the devices: the tensors that are kept between steps, of one run or of several that share programs.
final class DeviceStore {
  let client: Client
  let devices: [Device]
  let plan: ShardingPlan
  /// Runs that share every program; nil: one, and no axis for it.
  let runs: Int?
  private var tensors: [String: KeptTensor] = [:]
  /// The most that one program needs beside kept tensors, on one device.
  private(set) var temporaryPeak = 0

  init(_ client: Client, devices count: Int, sharding: ShardingRules, runs: Int?) throws(XLAError) {
    guard count >= 1, count <= client.devices.count else {
      throw XLAError(
        .device,
        "devices = \(count): \(client.platform) offers \(client.devices.count) here; use 1 to \(client.devices.count)"
      )
    }
    self.client = client
    self.runs = runs
    devices = Array(client.devices.prefix(count))
    plan = ShardingPlan(devices: count, rules: sharding, runs: runs)
  }

  /// Lowers and compiles.
  func compile(_ program: Program) throws -> DeviceProgram {
    for leaf in program.leaves where leaf.kind == .parameter || leaf.kind == .state {
      try keep(leaf)
    }
    let lowered = try lower(program)
    let loaded = try client.compile(lowered.text, CompileOptions(partitions: devices.count))
    // Results that replace what they are made of take no memory of their own.
    if let memory = loaded.memory {
      temporaryPeak = max(
        temporaryPeak, memory.temporary + memory.outputs - memory.aliased + memory.generatedCode)
    }
    return DeviceProgram(lowered, loaded, store: self)
  }

  /// Writes a program for the devices.
  func lower(_ program: Program) throws(XLAError) -> LoweredProgram {
    try LoweredProgram(
      program, runs: runs, plan: plan, target: LoweringTarget(platform: client.platform))
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
    try tensors[label]?.hostView(for: access)
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
