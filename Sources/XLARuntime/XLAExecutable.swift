// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// A program compiled by a plugin.
final class XLAExecutable: Executable {
  let lowered: LoweredProgram
  let loaded: LoadedProgram
  private let runtime: XLARuntime
  private var host: [String: HostMemory] = [:]
  private var scalars: HostMemory
  private var scalarPlaces: [String: Int] = [:]
  /// Runs that were started and not finished, the oldest first.
  private var pending: [Execution] = []
  private var finished: [String: HostMemory] = [:]
  private var finishedScalars: HostMemory
  private var outputPlaces: [String: Int] = [:]

  init(_ lowered: LoweredProgram, _ loaded: LoadedProgram, runtime: XLARuntime) {
    self.lowered = lowered
    self.loaded = loaded
    self.runtime = runtime
    scalars = HostMemory(byteCount: 4 * lowered.scalarLabels.count)
    finishedScalars = HostMemory(byteCount: 4 * lowered.packedOutputs.count)
    for (index, label) in lowered.scalarLabels.enumerated() { scalarPlaces[label] = index }
    for (index, label) in lowered.packedOutputs.enumerated() { outputPlaces[label] = index }
    for argument in lowered.arguments {
      if case .input(let label) = argument.source {
        host[label] = HostMemory(byteCount: argument.type.byteCount)
      }
    }
    for output in lowered.outputs {
      finished[output.label] = HostMemory(byteCount: output.result.type.byteCount)
    }
  }

  /// The memory of an input or a scalar; nil when the program does not use it.
  func hostBuffer(_ label: String) -> UnsafeMutableRawBufferPointer? {
    if let place = scalarPlaces[label] {
      return UnsafeMutableRawBufferPointer(rebasing: scalars.bytes[4 * place..<4 * place + 4])
    }
    return host[label]?.bytes
  }

  /// Sends inputs and scalars, and dispatches.
  func start() throws {
    let devices = runtime.devices
    var arguments: [[DeviceBuffer]] = devices.map { _ in [] }
    for argument in lowered.arguments {
      let buffers: [DeviceBuffer]
      switch argument.source {
      case .kept(let label):
        buffers = try runtime.tensor(label).buffersForRun(runtime.client, devices)
      case .input(let label):
        guard let memory = host[label] else { preconditionFailure("'\(label)' has no memory") }
        buffers = try runtime.client.upload(
          UnsafeRawBufferPointer(memory.bytes), argument.type, argument.sharding, to: devices)
      case .scalars:
        buffers = try runtime.client.upload(
          UnsafeRawBufferPointer(scalars.bytes), argument.type, .replicated, to: devices)
      }
      for (device, buffer) in buffers.enumerated() { arguments[device].append(buffer) }
    }
    let execution = try loaded.execute(arguments)
    let first = execution.outputs[0].count - lowered.assigned.count
    for (index, target) in lowered.assigned.enumerated() {
      runtime.tensor(target.label).replace(execution.outputs.map { $0[first + index] })
    }
    pending.append(execution)
  }

  /// Waits for the oldest run and fetches its outputs.
  func finish() throws {
    precondition(!pending.isEmpty, "no run was started")
    let execution = pending.removeFirst()
    var transfers: [Transfer] = []
    var index = 0
    if !lowered.packedOutputs.isEmpty {
      transfers.append(
        try execution.outputs[0][0].startCopy(
          to: UnsafeMutableRawBufferPointer(
            rebasing: finishedScalars.bytes[0..<4 * lowered.packedOutputs.count])))
      index = 1
    }
    for output in lowered.outputs {
      guard let memory = finished[output.label] else { continue }
      transfers.append(
        try execution.outputs[0][index].startCopy(
          to: UnsafeMutableRawBufferPointer(
            rebasing: memory.bytes[0..<output.result.type.byteCount])))
      index += 1
    }
    try execution.wait()
    for transfer in transfers { try transfer.wait() }
  }

  /// The memory of an output of the last finished run.
  func output(_ label: String) -> UnsafeRawBufferPointer {
    if let place = outputPlaces[label] {
      return UnsafeRawBufferPointer(
        rebasing: finishedScalars.bytes[4 * place..<4 * place + 4])
    }
    if let memory = finished[label] { return UnsafeRawBufferPointer(memory.bytes) }
    guard let leaf = lowered.leafOutputs[label] else {
      preconditionFailure("the program has no output '\(label)'")
    }
    return leafOutput(leaf)
  }

  private func leafOutput(_ leaf: Leaf) -> UnsafeRawBufferPointer {
    if let memory = hostBuffer(leaf.label) { return UnsafeRawBufferPointer(memory) }
    // Fetched when it is asked for; a device that was lost meanwhile leaves zeros, and the next run says so.
    let view = try? runtime.kept(leaf.label, for: .reading)
    guard let view else { preconditionFailure("'\(leaf.label)' is not kept") }
    return UnsafeRawBufferPointer(view)
  }
}
