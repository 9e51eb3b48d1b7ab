// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TensorGraph

/// Executes programs through XLA: on whatever device a PJRT plugin drives, or on several at once.
///
/// A program is lowered to StableHLO once and compiled by the plugin; kept tensors live on the devices and are replaced in place. Runs are
/// dispatched asynchronously: the host waits in `finish`, for numbers that it reads.
public final class XLARuntime: Runtime {
  let client: Client
  let devices: [Device]
  let plan: ShardingPlan
  private var store: [String: KeptTensor] = [:]
  private var temporaryPeak = 0

  /// Opens a plugin and starts its devices.
  ///
  /// - Parameters:
  ///   - plugin: the path of a PJRT plugin, a shared library.
  ///   - deviceCount: of devices that share each program.
  /// - Throws: ``XLAError`` when there is no such plugin, or too few devices.
  public convenience init(plugin: String, devices deviceCount: Int = 1) throws {
    try self.init(client: Client(Plugin(path: plugin)), devices: deviceCount)
  }

  init(client: Client, devices count: Int = 1) throws {
    guard count >= 1, count <= client.devices.count else {
      throw XLAError(
        .device,
        "devices = \(count): \(client.platform) offers \(client.devices.count) here; use 1 to \(client.devices.count)"
      )
    }
    self.client = client
    devices = Array(client.devices.prefix(count))
    plan = ShardingPlan(devices: count)
  }

  /// For example `xla: cpu, 1 device, interface 0.81`.
  public var summary: String {
    let version = client.plugin.interfaceVersion
    return "xla: \(client.platform), \(devices.count) device\(devices.count == 1 ? "" : "s"), "
      + "PJRT \(version.major).\(version.minor)"
  }

  /// Lowers and compiles.
  ///
  /// - Throws: ``XLAError`` when an operation has no lowering or the plugin cannot compile the program; `GraphError` when a
  ///   kept tensor has another type than in an earlier program.
  public func compile(_ program: Program) throws -> any Executable {
    for leaf in program.leaves where leaf.kind == .parameter || leaf.kind == .state {
      try keep(leaf)
    }
    let lowered = try LoweredProgram(program, plan: plan)
    let loaded = try client.compile(
      lowered.text, CompileOptions(partitions: devices.count))
    return XLAExecutable(lowered, loaded, runtime: self)
  }

  private func keep(_ leaf: Leaf) throws(GraphError) {
    if let known = store[leaf.label] {
      guard known.type == leaf.type else {
        throw GraphError(
          .structure,
          "'\(leaf.label)' is kept as \(known.type); a program cannot use it as \(leaf.type)")
      }
      return
    }
    store[leaf.label] = KeptTensor(leaf.type, plan.kept(leaf), devices: devices.count)
  }

  /// The host's copy of a parameter or state, fetched from the devices for reading and sent there before the next run after writing.
  public func kept(
    _ label: String, for access: KeptAccess
  ) throws -> UnsafeMutableRawBufferPointer? {
    guard let tensor = store[label] else { return nil }
    return try tensor.hostView(for: access)
  }

  /// Kept tensors on all devices, and the most that one program needs beside them.
  public var peakBytes: Int { store.values.reduce(temporaryPeak) { $0 + $1.deviceBytes } }

  func tensor(_ label: String) -> KeptTensor {
    guard let tensor = store[label] else { preconditionFailure("'\(label)' is not kept") }
    return tensor
  }

  /// The bytes that a program needs beside kept tensors.
  func account(temporary: Int) { temporaryPeak = max(temporaryPeak, temporary) }
}
