// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

/// A compiled program with the host memory of its inputs, for each of the runs that share it.
final class DeviceProgram {
  let lowered: LoweredProgram
  let loaded: LoadedProgram
  let store: DeviceStore
  /// Of each input, what every run gives.
  private var inputs: [String: HostMemory] = [:]
  private let scalars: HostMemory
  private var scalarPlaces: [String: Int] = [:]
  /// How often it was started.
  private(set) var dispatchCount = 0

  init(_ lowered: LoweredProgram, _ loaded: LoadedProgram, store: DeviceStore) {
    self.lowered = lowered
    self.loaded = loaded
    self.store = store
    let runs = lowered.runs ?? 1
    scalars = HostMemory(byteCount: 4 * lowered.scalarLabels.count * runs)
    for (index, label) in lowered.scalarLabels.enumerated() { scalarPlaces[label] = index }
    for argument in lowered.arguments {
      if case .input(let label) = argument.source {
        inputs[label] = HostMemory(byteCount: argument.type.byteCount * runs)
      }
    }
  }

  /// The memory of an input or a scalar of one run; nil when the program does not use it.
  func hostBuffer(_ label: String, run: Int) -> UnsafeMutableRawBufferPointer? {
    if let place = scalarPlaces[label] {
      return scalars.part(4 * (run * lowered.scalarLabels.count + place), 4)
    }
    guard let memory = inputs[label] else { return nil }
    let size = memory.bytes.count / (lowered.runs ?? 1)
    return memory.part(run * size, size)
  }

  /// Sends inputs and scalars, and starts a run of the program.
  ///
  /// - Parameter active: the runs that want it, with the same inputs where they share them; the kept tensors of others stay as they are.
  /// - Returns: the run that was started.
  /// - Throws: ``XLAError`` when it cannot be started.
  func dispatch(active: Set<Int> = [0]) throws(XLAError) -> Dispatch {
    dispatchCount += 1
    if let runs = lowered.runs {
      for run in 0..<runs {
        hostBuffer(LoweredProgram.activeLabel, run: run)?.storeBytes(
          of: active.contains(run) ? 1 : 0, as: Float.self)
      }
    }
    var arguments: [[DeviceBuffer]] = store.devices.local.map { _ in [] }
    for argument in lowered.arguments {
      for (device, buffer) in try buffers(argument, active).enumerated() {
        arguments[device].append(buffer)
      }
    }
    let execution = try loaded.execute(arguments)
    let first = execution.outputs[0].count - lowered.assigned.count
    for (index, target) in lowered.assigned.enumerated() {
      store.tensor(target.label).replace(execution.outputs.map { $0[first + index] })
    }
    return Dispatch(self, execution)
  }

  private func buffers(
    _ argument: LoweredProgram.Argument, _ active: Set<Int>
  ) throws(XLAError) -> [DeviceBuffer] {
    let type = argument.isBatched ? argument.type.batched(lowered.runs) : argument.type
    let memory: UnsafeMutableRawBufferPointer
    switch argument.source {
    case .kept(let label):
      return try store.tensor(label).buffersForRun(store.client, store.devices)
    case .scalars: memory = scalars.bytes
    case .input(let label):
      guard let all = inputs[label] else { preconditionFailure("'\(label)' has no memory") }
      if argument.isBatched {
        memory = all.bytes
      } else {
        memory = shared(label, active)
      }
    }
    return try store.client.upload(
      UnsafeRawBufferPointer(memory), type, argument.sharding, to: store.devices)
  }

  /// What all active runs gave for an input that they share.
  private func shared(_ label: String, _ active: Set<Int>) -> UnsafeMutableRawBufferPointer {
    guard let run = active.min(), let view = hostBuffer(label, run: run) else {
      preconditionFailure("no run wants the program")
    }
    return view
  }

  /// Runs that can be served together, for they gave the same for every input that runs share.
  func withEqualInputs(_ runs: Set<Int>) -> [Set<Int>] {
    let labels = lowered.arguments.compactMap { argument -> String? in
      guard case .input(let label) = argument.source, !argument.isBatched else { return nil }
      return label
    }
    var result: [Set<Int>] = []
    for run in runs.sorted() {
      let place = result.firstIndex { alike in
        labels.allSatisfy { label in
          guard let other = alike.min().flatMap({ hostBuffer(label, run: $0) }),
            let own = hostBuffer(label, run: run)
          else { return false }
          guard own.count == other.count, let first = own.baseAddress,
            let second = other.baseAddress
          else { return false }
          return memcmp(first, second, own.count) == 0
        }
      }
      if let place { result[place].insert(run) } else { result.append([run]) }
    }
    return result
  }
}

/// A run of a program that was started.
final class Dispatch {
  private let program: DeviceProgram
  private var execution: Execution?
  private let scalars: HostMemory
  private var outputs: [String: (memory: HostMemory, isBatched: Bool)] = [:]
  private var kept: [String: UnsafeMutableRawBufferPointer] = [:]
  private var failure: XLAError?

  init(_ program: DeviceProgram, _ execution: Execution) {
    self.program = program
    self.execution = execution
    scalars = HostMemory(
      byteCount: 4 * program.lowered.packedOutputs.count * (program.lowered.runs ?? 1))
  }

  /// Waits for the run and fetches its outputs, once; asked again, it answers as before.
  func fetch() throws(XLAError) {
    if let failure { throw failure }
    guard let execution else { return }
    self.execution = nil
    do throws(XLAError) {
      try fetch(execution)
    } catch {
      failure = error
      throw error
    }
  }

  private func fetch(_ execution: Execution) throws(XLAError) {
    let lowered = program.lowered
    var transfers: [Transfer] = []
    var results = execution.outputs[0][...]
    if !lowered.packedOutputs.isEmpty, let packed = results.popFirst() {
      let size = 4 * lowered.packedOutputs.count * (lowered.runs ?? 1)
      transfers.append(try packed.startCopy(to: scalars.part(0, size)))
    }
    for output in lowered.outputs {
      guard let buffer = results.popFirst() else { break }
      let type =
        output.result.isBatched
        ? output.result.type.batched(lowered.runs) : output.result.type
      let memory = HostMemory(byteCount: type.byteCount)
      transfers.append(try buffer.startCopy(to: memory.part(0, type.byteCount)))
      outputs[output.label] = (memory, output.result.isBatched)
    }
    try execution.wait()
    for transfer in transfers { try transfer.wait() }
    for leaf in lowered.leafOutputs.values where leaf.kind == .parameter || leaf.kind == .state {
      kept[leaf.label] = try program.store.kept(leaf.label, for: .reading)
    }
  }

  /// The memory of an output of one run.
  func output(_ label: String, run: Int) -> UnsafeRawBufferPointer {
    let lowered = program.lowered
    if let place = lowered.packedOutputs.firstIndex(of: label) {
      return UnsafeRawBufferPointer(
        scalars.part(4 * (run * lowered.packedOutputs.count + place), 4))
    }
    if let (memory, isBatched) = outputs[label] {
      let size = isBatched ? memory.bytes.count / (lowered.runs ?? 1) : memory.bytes.count
      return UnsafeRawBufferPointer(memory.part(isBatched ? run * size : 0, size))
    }
    guard let leaf = lowered.leafOutputs[label] else {
      preconditionFailure("the program has no output '\(label)'")
    }
    if let memory = program.hostBuffer(leaf.label, run: run) {
      return UnsafeRawBufferPointer(memory)
    }
    guard let memory = kept[leaf.label] else { preconditionFailure("the run was not finished") }
    let size = memory.count / (lowered.runs ?? 1)
    return UnsafeRawBufferPointer(rebasing: memory[run * size..<(run + 1) * size])
  }
}
