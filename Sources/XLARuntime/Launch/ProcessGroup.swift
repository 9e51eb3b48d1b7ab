// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// The processes that form one run, usually one on each machine, as whoever started them says in the environment.
///
/// Every process runs the same command over the same configuration. Each builds the same program, keeps its own devices' parts of what is
/// cut, and reads the same results; so all must run the same programs, and look at the same kept tensors, in the same order.
///
/// What was not run: a client of several processes. The CPU plugin (`xla_cpu_pjrt` 0.0.1) takes `node_id` and `num_nodes` but asks the
/// key-value store nothing and sees its own devices only, so it forms no such client; that needs another plugin, as that for CUDA, and
/// its hardware. Tested without it: these variables, the exchange of keys and values between two processes, which devices hold which
/// parts, and, among the devices of one process, the program that puts cut tensors together.
public struct ProcessGroup: Hashable, Sendable {
  /// Who started the processes.
  public enum Launcher: String, Sendable {
    /// PyTorch's launcher, or one that sets the same variables.
    case torchrun
    /// `srun`.
    case slurm = "Slurm"
    /// The user, with variables of Assay's own.
    case assay = "Assay's variables"
  }

  /// Who started the processes.
  public let launcher: Launcher
  /// The number of this process, from 0.
  public let index: Int
  /// The number of processes, 2 or more.
  public let count: Int
  /// The number of this process among those on its machine; nil where nobody says.
  public let localIndex: Int?
  /// The number of processes on this machine; nil where nobody says.
  public let localCount: Int?
  /// The machine of process 0, to which the others connect.
  public let host: String
  /// The port there.
  public let port: UInt16

  /// The variables that `host` and `port` are from.
  var addressSource: String {
    switch launcher {
    case .torchrun: "MASTER_ADDR and MASTER_PORT"
    case .slurm: "Slurm's list of nodes, SLURM_JOB_ID and SLURM_STEP_ID"
    case .assay: "ASSAY_COORDINATOR"
    }
  }

  /// Whether this is the process that writes records and checkpoints.
  public var isFirst: Bool { index == 0 }

  /// For example `process 3 of 8 (torchrun, process 0 at node001:29500)`.
  public var summary: String {
    "process \(index) of \(count) (\(launcher.rawValue), process 0 at \(host):\(port))"
  }

  /// Reads the environment.
  ///
  /// The first of these that is there counts:
  /// - `ASSAY_PROCESS` (this process's number), `ASSAY_PROCESSES` (how many) and `ASSAY_COORDINATOR` (`HOST:PORT` of process 0);
  /// - torchrun's `RANK`, `WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT`, `LOCAL_RANK` and `LOCAL_WORLD_SIZE`; the port after `MASTER_PORT`
  ///   where torchrun itself listens there (`TORCHELASTIC_USE_AGENT_STORE`);
  /// - Slurm's `SLURM_PROCID`, `SLURM_NTASKS`, `SLURM_LOCALID` and the first host of `SLURM_STEP_NODELIST` or `SLURM_JOB_NODELIST`, in a
  ///   step (`srun`) only: a batch script is one process, whatever the job's size. The port follows from `SLURM_JOB_ID` and
  ///   `SLURM_STEP_ID`.
  ///
  /// - Parameter environment: of this process.
  /// - Returns: the processes; nil where there is one.
  /// - Throws: ``XLAError`` for a variable that is missing, no number, or contradicts another.
  public static func read(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> ProcessGroup? {
    try parsed(environment)
  }

  static func parsed(_ environment: [String: String]) throws(XLAError) -> ProcessGroup? {
    let variables = LaunchVariables(environment)
    let own = try assay(variables)
    let torch = try torchrun(variables)
    if case .group(let own) = own, case .group(let torch) = torch,
      (own.index, own.count) != (torch.index, torch.count)
    {
      throw XLAError(
        .setting,
        "ASSAY_PROCESS and ASSAY_PROCESSES say process \(own.index) of \(own.count), RANK and WORLD_SIZE \(torch.index) of "
          + "\(torch.count): unset one pair")
    }
    for found in [own, torch, try slurm(variables)] {
      switch found {
      case .absent: continue
      case .alone: return nil
      case .group(let group): return group
      }
    }
    return nil
  }

  // MARK: - Launchers

  private enum Found {
    case absent
    case alone
    case group(ProcessGroup)
  }

  private static func assay(_ variables: LaunchVariables) throws(XLAError) -> Found {
    let names = ["ASSAY_PROCESS", "ASSAY_PROCESSES", "ASSAY_COORDINATOR"]
    guard names.contains(where: { variables[$0] != nil }) else { return .absent }
    let count = try variables.number("ASSAY_PROCESSES", 1...1_000_000, beside: names)
    let index = try variables.index("ASSAY_PROCESS", below: count, "ASSAY_PROCESSES", beside: names)
    if count == 1 { return .alone }
    let (host, port) = try variables.address("ASSAY_COORDINATOR", beside: names)
    return .group(
      ProcessGroup(
        launcher: .assay, index: index, count: count, localIndex: nil, localCount: nil, host: host,
        port: port))
  }

  private static func torchrun(_ variables: LaunchVariables) throws(XLAError) -> Found {
    guard variables["RANK"] != nil || variables["WORLD_SIZE"] != nil else { return .absent }
    let names = ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"]
    let count = try variables.number("WORLD_SIZE", 1...1_000_000, beside: names)
    let index = try variables.index("RANK", below: count, "WORLD_SIZE", beside: names)
    if count == 1 { return .alone }
    let host = try variables.text("MASTER_ADDR", beside: names)
    var port = try variables.number("MASTER_PORT", 1...65535, beside: names)
    // Where torchrun listens on the port itself, for PyTorch's own exchange, process 0 takes the one beside it.
    if variables["TORCHELASTIC_USE_AGENT_STORE"] == "True" { port += port < 65535 ? 1 : -1 }
    var localCount: Int?
    if variables["LOCAL_WORLD_SIZE"] != nil {
      localCount = try variables.number("LOCAL_WORLD_SIZE", 1...count, beside: names)
    }
    var localIndex: Int?
    if variables["LOCAL_RANK"] != nil {
      localIndex = try variables.index(
        "LOCAL_RANK", below: localCount ?? count,
        localCount == nil ? "WORLD_SIZE" : "LOCAL_WORLD_SIZE", beside: names)
    }
    if let localIndex, localIndex > index {
      throw XLAError(
        .setting,
        "LOCAL_RANK is \(localIndex) and RANK \(index): a process's number on its machine is at most its number"
      )
    }
    return .group(
      ProcessGroup(
        launcher: .torchrun, index: index, count: count, localIndex: localIndex,
        localCount: localCount, host: host, port: UInt16(port)))
  }

  private static func slurm(_ variables: LaunchVariables) throws(XLAError) -> Found {
    // A batch script, too, has SLURM_PROCID; only what srun starts is a step.
    let stepName = variables["SLURM_STEP_ID"] == nil ? "SLURM_STEPID" : "SLURM_STEP_ID"
    guard variables["SLURM_PROCID"] != nil, variables[stepName] != nil else { return .absent }
    let names = ["SLURM_PROCID", "SLURM_NTASKS", "SLURM_JOB_ID", "SLURM_JOB_NODELIST"]
    let counting =
      variables["SLURM_STEP_NUM_TASKS"] == nil ? "SLURM_NTASKS" : "SLURM_STEP_NUM_TASKS"
    let count = try variables.number(counting, 1...1_000_000, beside: names)
    let index = try variables.index("SLURM_PROCID", below: count, counting, beside: names)
    if count == 1 { return .alone }
    let listing =
      variables["SLURM_STEP_NODELIST"] == nil ? "SLURM_JOB_NODELIST" : "SLURM_STEP_NODELIST"
    let list = try variables.text(listing, beside: names)
    guard let host = SlurmHosts.first(of: list) else {
      throw XLAError(
        .setting,
        "\(listing) is \"\(list)\": expected hosts as Slurm lists them, as node[003-010,12],other7")
    }
    let job = try variables.number("SLURM_JOB_ID", 0...Int(UInt32.max), beside: names)
    let step = try variables.number(stepName, 0...Int(UInt32.max), beside: names)
    let localCount = variables["SLURM_NODEID"].flatMap(Int.init).flatMap { node in
      (variables["SLURM_STEP_TASKS_PER_NODE"] ?? variables["SLURM_TASKS_PER_NODE"])
        .flatMap { SlurmHosts.tasks($0, onNode: node) }
    }
    var localIndex: Int?
    if variables["SLURM_LOCALID"] != nil {
      localIndex = try variables.index(
        "SLURM_LOCALID", below: localCount ?? count,
        localCount == nil ? counting : "SLURM_TASKS_PER_NODE", beside: names)
    }
    return .group(
      ProcessGroup(
        launcher: .slurm, index: index, count: count, localIndex: localIndex,
        localCount: localCount, host: host, port: port(ofJob: job, step: step)))
  }

  /// A port that all processes of a step agree on: 61440 to 65535, above those that systems give away by themselves.
  ///
  /// The steps of a job have different ports, and so have the first steps of jobs that follow each other: the factor is odd.
  static func port(ofJob job: Int, step: Int) -> UInt16 {
    UInt16(61440 + (job + 509 * step) % 4096)
  }
}
