// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Executes programs through XLA: on whatever device a PJRT plugin drives, or on several at once.
///
/// A program is lowered to StableHLO once and compiled by the plugin; kept tensors live on the devices and are replaced in place. Runs are
/// dispatched asynchronously: the host waits in `finish`, for numbers that it reads.
public final class XLARuntime: Runtime {
  let store: DeviceStore
  /// Which of the runs that share programs this is; 0 where there is one.
  let run: Int
  let group: RunGroup?

  /// Finds the plugin of a device, opens it and starts its devices.
  ///
  /// Compiled programs are kept in the user's cache, unless several processes form the run. Its folder is `programs` in `ASSAY_CACHE`, in
  /// `assay` of `XDG_CACHE_HOME`, or in `~/.cache/assay`; `ASSAY_CACHE=off` keeps none.
  ///
  /// - Parameters:
  ///   - device: `xla:cpu`, `xla:cuda` or `xla:FILE.so`.
  ///   - devices: of how many devices share each program, those of all processes together.
  ///   - sharding: what is cut among them.
  ///   - processes: that form the run, each with devices of its own; nil: this one alone.
  /// - Throws: ``XLAError`` when there is no such plugin, it is of another platform, has too few devices, or forms no client of several
  ///   processes.
  public convenience init(
    device: String, devices: Int = 1, sharding: ShardingRules = ShardingRules(),
    processes: ProcessGroup? = nil
  ) throws {
    let (client, exchange) = try Client.start(
      device: device, devices: devices, processes: processes)
    try self.init(
      client: client, devices: devices, sharding: sharding, cache: ProgramCache.ofUser())
    store.exchange = exchange
  }

  /// What the plugin says about its version, in its own words.
  public var pluginVersion: String { store.client.platformVersion }

  /// This process's devices among those that share each program, each in the words of its plugin.
  public var deviceKinds: [String] { store.devices.local.map(\.kind) }

  convenience init(
    client: Client, devices: Int = 1, sharding: ShardingRules = ShardingRules(),
    cache: ProgramCache? = nil
  ) throws {
    self.init(
      store: try DeviceStore(
        client, devices: devices, sharding: sharding, runs: nil, cache: cache),
      run: 0, group: nil)
  }

  init(store: DeviceStore, run: Int, group: RunGroup?) {
    self.store = store
    self.run = run
    self.group = group
  }

  /// For example `xla: cpu, 1 device, PJRT 0.81`.
  public var summary: String {
    let version = store.client.plugin.interfaceVersion
    let count = store.devices.count
    let runs = store.runs.map { ", \($0) runs in one program" } ?? ""
    let processes =
      store.devices.isWhole ? "" : " (\(store.devices.local.count) of this process)"
    return "xla: \(store.client.platform), \(count) device\(count == 1 ? "" : "s")\(processes), "
      + "PJRT \(version.major).\(version.minor)\(runs)"
  }

  /// Lowers and compiles.
  ///
  /// - Throws: ``XLAError`` when an operation has no lowering or the plugin cannot compile the program; `GraphError` when a
  ///   kept tensor has another type than in an earlier program.
  public func compile(_ program: Program) throws -> any Executable {
    let compiled = try group?.compile(program, run: run) ?? store.compile(program)
    return XLAExecutable(compiled, run: run, group: group)
  }

  /// The host's copy of a parameter or state, fetched from the devices for reading and sent there before the next run after writing.
  ///
  /// Where several processes form the run, what is cut is put together by all of them: each must ask for the same tensors in the same
  /// order, and write the same values, whether it needs them or not.
  public func kept(
    _ label: String, for access: KeptAccess
  ) throws -> UnsafeMutableRawBufferPointer? {
    guard let group, let runs = store.runs else { return try store.kept(label, for: access) }
    // Whatever this run writes, the others' values stay.
    let all = try group.exclusively {
      try store.kept(label, for: access == .reading ? .reading : .readingAndWriting)
    }
    return all.map { all in
      let size = all.count / runs
      return UnsafeMutableRawBufferPointer(rebasing: all[run * size..<(run + 1) * size])
    }
  }

  /// This process among those that form the client.
  public var process: (index: Int, count: Int) {
    store.exchange.map { ($0.group.index, $0.group.count) } ?? (0, 1)
  }

  /// What process 0 says; the others wait for it.
  ///
  /// - Throws: ``XLAError`` when process 0 says nothing for a quarter of an hour, or is gone.
  public func agreed(_ question: String, on number: Int) throws -> Int {
    try store.exchange?.agreed(question, on: number) ?? number
  }

  /// How each program so far came to be, in the order in which they were compiled; runs that share programs share these too.
  public var compilations: [Compilation] {
    group?.exclusively { store.compilations } ?? store.compilations
  }

  /// Kept tensors and the most that one program needs beside them, on the device that holds most; where runs share programs, one's
  /// part of that.
  public var peakBytes: Int { store.peakBytes / (store.runs ?? 1) }

  /// The most bytes that one of the programs compiled so far needs beside kept tensors, on one device.
  public var programBytes: Int { store.temporaryPeak }

  /// Runs that share every program with this one, itself counted.
  public var runCount: Int { store.runs ?? 1 }
}

/// A program compiled by a plugin.
final class XLAExecutable: Executable {
  let program: DeviceProgram
  private let run: Int
  private let group: RunGroup?
  /// Runs that were started and not finished, the oldest first.
  private var pending: [Dispatch] = []
  private var finished: Dispatch?

  init(_ program: DeviceProgram, run: Int, group: RunGroup?) {
    self.program = program
    self.run = run
    self.group = group
  }

  var runsAhead: Bool { true }

  func hostBuffer(_ label: String) -> UnsafeMutableRawBufferPointer? {
    program.hostBuffer(label, run: run)
  }

  func start() throws {
    pending.append(try group?.start(program, run: run) ?? program.dispatch())
  }

  func finish() throws {
    precondition(!pending.isEmpty, "no run was started")
    let dispatch = pending.removeFirst()
    if let group {
      try group.exclusively { try dispatch.fetch() }
    } else {
      try dispatch.fetch()
    }
    finished = dispatch
  }

  func output(_ label: String) -> UnsafeRawBufferPointer {
    guard let finished else { preconditionFailure("no run was finished") }
    return finished.output(label, run: run)
  }
}
