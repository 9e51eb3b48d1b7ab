// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph
import Testing

@testable import XLARuntime

@Suite("Processes of one run, from the environment")
struct ProcessGroupTests {
  private static let torchrun = [
    "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4",
    "MASTER_ADDR": "node001", "MASTER_PORT": "29500",
  ]
  private static let slurm = [
    "SLURM_PROCID": "6", "SLURM_NTASKS": "11", "SLURM_LOCALID": "2", "SLURM_JOB_ID": "70001",
    "SLURM_JOB_NODELIST": "node[003-004,12]", "SLURM_STEP_ID": "0", "SLURM_NODEID": "1",
    "SLURM_TASKS_PER_NODE": "4(x2),3",
  ]
  private static let own = [
    "ASSAY_PROCESS": "1", "ASSAY_PROCESSES": "2", "ASSAY_COORDINATOR": "10.0.0.7:4000",
  ]

  private func read(_ environment: [String: String]) throws -> ProcessGroup? {
    try ProcessGroup.read(environment)
  }
  private func message(_ environment: [String: String]) -> String {
    let error = #expect(throws: XLAError.self) { _ = try ProcessGroup.read(environment) }
    #expect(error?.code == .setting)
    return error?.message ?? ""
  }

  @Test("Nothing set, or one process, is a run of its own")
  func alone() throws {
    #expect(try read(["PATH": "/bin"]) == nil)
    #expect(try read(["RANK": "0", "WORLD_SIZE": "1"]) == nil)
    #expect(try read(["ASSAY_PROCESS": "0", "ASSAY_PROCESSES": "1"]) == nil)
    #expect(try read(["SLURM_PROCID": "0", "SLURM_NTASKS": "1", "SLURM_STEP_ID": "0"]) == nil)
    // A leftover address is no launch.
    #expect(try read(["MASTER_ADDR": "node001", "MASTER_PORT": "29500"]) == nil)
  }

  @Test("torchrun's variables")
  func torchrunVariables() throws {
    let group = try #require(try read(Self.torchrun))
    #expect(
      group
        == ProcessGroup(
          launcher: .torchrun, index: 5, count: 8, localIndex: 1, localCount: 4, host: "node001",
          port: 29500))
    #expect(!group.isFirst)
    #expect(group.summary == "process 5 of 8 (torchrun, process 0 at node001:29500)")
    var beside = Self.torchrun
    beside["TORCHELASTIC_USE_AGENT_STORE"] = "True"
    #expect(try read(beside)?.port == 29501)
    beside["MASTER_PORT"] = "65535"
    #expect(try read(beside)?.port == 65534)
  }

  @Test("Slurm's variables, in a step")
  func slurmVariables() throws {
    let group = try #require(try read(Self.slurm))
    #expect(
      group
        == ProcessGroup(
          launcher: .slurm, index: 6, count: 11, localIndex: 2, localCount: 4, host: "node003",
          port: 61809))
    var other = Self.slurm
    other["SLURM_STEP_NODELIST"] = "node012"
    other["SLURM_STEP_NUM_TASKS"] = "7"
    #expect(try read(other)?.host == "node012")
    #expect(try read(other)?.count == 7)
    // The script of a batch job has a number too, but it runs once, whatever the job's size.
    var script = Self.slurm
    script["SLURM_STEP_ID"] = nil
    #expect(try read(script) == nil)
  }

  @Test("Ports of jobs are never those of the system", arguments: [0, 4095, 4096, 2_147_483_647])
  func ports(_ job: Int) {
    for step in [0, 1, 4_294_967_290] {
      #expect(ProcessGroup.port(ofJob: job, step: step) >= 61440)
    }
  }

  @Test("The steps of a job have different ports, and neighbouring jobs too")
  func steps() throws {
    #expect(Set((0..<4096).map { ProcessGroup.port(ofJob: 70001, step: $0) }).count == 4096)
    var other = Self.slurm
    other["SLURM_STEP_ID"] = "1"
    #expect(try read(other)?.port != read(Self.slurm)?.port)
    other["SLURM_JOB_ID"] = "70002"
    other["SLURM_STEP_ID"] = "0"
    #expect(try read(other)?.port == 61810)
  }

  @Test("Assay's own variables come first, then torchrun's, then Slurm's")
  func order() throws {
    #expect(try read(Self.own)?.host == "10.0.0.7")
    #expect(try read(Self.own)?.port == 4000)
    #expect(try read(Self.slurm.merging(Self.torchrun) { _, new in new })?.launcher == .torchrun)
    #expect(try read(Self.slurm.merging(Self.own) { _, new in new })?.launcher == .assay)
  }

  @Test("A variable that is missing is named, with those that are there")
  func missing() {
    for (environment, names) in [
      (Self.torchrun, ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"]),
      (Self.own, ["ASSAY_PROCESS", "ASSAY_PROCESSES", "ASSAY_COORDINATOR"]),
      (Self.slurm, ["SLURM_NTASKS", "SLURM_JOB_ID", "SLURM_JOB_NODELIST"]),
    ] {
      for name in names {
        var half = environment
        half[name] = nil
        #expect(message(half).hasPrefix("\(name) is not set, though "), "\(name)")
      }
    }
  }

  @Test("A value that is no number, out of range, or contradicts another is named")
  func contradictions() {
    func changed(_ environment: [String: String], _ name: String, _ value: String) -> String {
      message(environment.merging([name: value]) { _, new in new })
    }
    #expect(changed(Self.torchrun, "RANK", "8").contains("RANK is 8 and WORLD_SIZE 8"))
    #expect(changed(Self.torchrun, "RANK", "-1").contains("RANK is \"-1\""))
    #expect(changed(Self.torchrun, "WORLD_SIZE", "many").contains("WORLD_SIZE is \"many\""))
    #expect(changed(Self.torchrun, "MASTER_PORT", "70000").contains("MASTER_PORT is \"70000\""))
    #expect(
      changed(Self.torchrun, "LOCAL_RANK", "4").contains("LOCAL_RANK is 4 and LOCAL_WORLD_SIZE 4"))
    #expect(changed(Self.torchrun, "RANK", "0").contains("LOCAL_RANK is 1 and RANK 0"))
    #expect(
      changed(Self.own, "ASSAY_COORDINATOR", "node001").contains("ASSAY_COORDINATOR is \"node001\"")
    )
    #expect(changed(Self.own, "ASSAY_COORDINATOR", ":80").contains("ASSAY_COORDINATOR"))
    #expect(changed(Self.own, "ASSAY_COORDINATOR", "fe80::1:80").contains("ASSAY_COORDINATOR"))
    #expect(changed(Self.slurm, "SLURM_JOB_NODELIST", "node[003").contains("SLURM_JOB_NODELIST"))
    #expect(changed(Self.slurm, "SLURM_LOCALID", "4").contains("SLURM_LOCALID is 4"))
    #expect(
      message(Self.torchrun.merging(Self.own) { _, new in new }).contains(
        "process 1 of 2, RANK and WORLD_SIZE 5 of 8"))
  }

  @Test("The host of an IPv6 address stands in brackets")
  func brackets() throws {
    var environment = Self.own
    environment["ASSAY_COORDINATOR"] = "[fe80::1]:80"
    #expect(try read(environment)?.host == "fe80::1")
  }

  @Test(
    "The first host of a list",
    arguments: [
      ("node1", "node1"), ("node[003-010,12]", "node003"), ("a,b", "a"), ("b-[7]", "b-7"),
      ("login-2,c[1-2]", "login-2"), ("r[1-2]n[03,05]-x", "r1n03-x"), ("n[5,7],m1", "n5"),
    ])
  func hosts(_ list: String, _ first: String) { #expect(SlurmHosts.first(of: list) == first) }

  @Test(
    "What is no list has no first host", arguments: ["", "n[", "n[]", "n[a-b]", "n]", ",a", "a b"])
  func noHosts(_ list: String) { #expect(SlurmHosts.first(of: list) == nil) }

  @Test("Tasks of nodes")
  func tasks() {
    #expect((0..<4).map { SlurmHosts.tasks("4(x2),3", onNode: $0) } == [4, 4, 3, nil])
    #expect(SlurmHosts.tasks("many", onNode: 0) == nil)
  }

  @Test("A process takes the device of its number where its machine has several, else all")
  func ownDevice() throws {
    let several = try #require(try read(Self.torchrun))
    #expect(several.ownDevice([:]) == 1)
    #expect(several.ownDevice(["CUDA_VISIBLE_DEVICES": "0,1,2,3"]) == 1)
    #expect(several.ownDevice(["CUDA_VISIBLE_DEVICES": "3"]) == nil)
    var environment = Self.torchrun
    environment["LOCAL_WORLD_SIZE"] = "1"
    environment["LOCAL_RANK"] = "0"
    #expect(try read(environment)?.ownDevice([:]) == nil)
    #expect(try read(Self.own)?.ownDevice([:]) == nil)
  }

  @Test("A process that cannot open its port says which")
  func port() throws {
    let taken = try KeyValueServer(port: 0)
    let group = ProcessGroup(
      launcher: .assay, index: 0, count: 2, localIndex: nil, localCount: nil, host: "localhost",
      port: taken.port)
    let error = #expect(throws: XLAError.self) { _ = try ProcessExchange(group) }
    for words in ["port \(taken.port)", "ASSAY_COORDINATOR", "name another port"] {
      #expect(error?.message.contains(words) == true, "\(words)")
    }
  }
}

@Suite("Parts of tensors, by process")
struct ProcessPartsTests {
  @Test("Devices are ordered process by process")
  func order() {
    #expect(DeviceSet.order([(1, 4), (0, 3), (1, 2), (0, 9)]) == [3, 9, 2, 4])
  }

  @Test("The parts of all processes make the whole, each once", arguments: [0, 1])
  func parts(_ axis: Int) {
    let type = TensorType([4, 8])
    let whole = (0..<32).map(Float.init)
    let parts = TensorParts(type, axis: axis, count: 4)
    let (part, again) = (HostMemory(byteCount: 32), HostMemory(byteCount: 128))
    var seen: Set<Float> = []
    // Two processes of two devices each.
    for process in [0..<2, 2..<4] {
      for index in process {
        whole.withUnsafeBytes { parts.copy(index, from: $0, to: part.bytes) }
        let values = Array(part.bytes.bindMemory(to: Float.self))
        #expect(seen.isDisjoint(with: values))
        seen.formUnion(values)
        parts.copy(index, to: again.bytes, from: UnsafeRawBufferPointer(part.bytes))
      }
    }
    #expect(Array(again.bytes.bindMemory(to: Float.self)) == whole)
  }
}

@Suite(
  "Cut tensors that devices put together", .enabled(if: PluginUnderTest.isPresent), .serialized)
struct GatherProgramTests {
  static let client = Shared { try PluginUnderTest.client() }

  @Test(
    "A tensor put together by the devices has the bits of one put together by the host",
    arguments: [2, 4])
  func gathered(_ devices: Int) throws {
    var sharding = ShardingRules()
    sharding.level = .parameters
    sharding.smallestCut = 1
    let client = try Self.client.value()
    let direct = try XLARuntime(client: client, devices: devices, sharding: sharding)
    let gathering = try XLARuntime(client: client, devices: devices, sharding: sharding)
    gathering.store.gathersOnDevices = true
    let program = try SmallProgram.make()
    let expected = try SmallProgram.bits(direct, program)
    #expect(try SmallProgram.bits(gathering, program) == expected)
    #expect(Set(expected).count > SmallProgram.shape.count)
    // What is put together can be written and used again, and training goes on from it.
    let memory = try #require(try gathering.kept("weight", for: .readingAndWriting))
    #expect(Array(memory[0..<4]) != [0, 0, 0, 0])
    memory.storeBytes(of: Float(5).bitPattern, as: UInt32.self)
    let executable = try gathering.compile(program)
    try executable.run()
    #expect(try SmallProgram.kept("weight", gathering)[0] == Float(5).bitPattern)
  }

  @Test("Along any axis", arguments: [0, 1])
  func axes(_ axis: Int) throws {
    let client = try Self.client.value()
    let type = TensorType([4, 8])
    let sharding = Sharding.split(axis: axis)
    let devices = try DeviceSet(client, count: 4)
    let whole = (0..<32).map(Float.init)
    let buffers = try whole.withUnsafeBytes { bytes in
      try client.upload(bytes, type, sharding, to: devices)
    }
    let program = GatherProgram(type: type, sharding: sharding, devices: 4)
    let loaded = try client.compile(program.text, CompileOptions(partitions: 4))
    let execution = try loaded.execute(buffers.map { [$0] })
    try execution.wait()
    for outputs in execution.outputs {
      #expect(try outputs[0].elements(as: Float.self) == whole)
    }
  }

  @Test("Runs that are dealt out to devices all get their own scalars")
  func dealt() throws {
    let client = try Self.client.value()
    let group = try RunGroup(client: client, count: 2, devices: 2)
    let results = Scalars()
    let threads = (0..<2).map { run in
      Thread {
        defer { group.leave(run) }
        results.store(run) {
          let runtime = group.runtime(run)
          let executable = try runtime.compile(SmallProgram.make())
          try SmallProgram.begin(runtime)
          executable.set("rate", run == 0 ? 0.01 : 0.05)
          try executable.run()
          try executable.run()
          return executable.scalar("loss")
        }
      }
    }
    for thread in threads { thread.start() }
    let found = try results.all(2)
    for (run, rate) in [Float(0.01), 0.05].enumerated() {
      let runtime = try XLARuntime(client: client)
      let executable = try runtime.compile(SmallProgram.make())
      try SmallProgram.begin(runtime)
      executable.set("rate", rate)
      try executable.run()
      try executable.run()
      let alone = executable.scalar("loss")
      #expect(abs(found[run] - alone) <= 1e-5 * abs(alone), "run \(run)")
    }
    #expect(found[0] != found[1])
  }
}

/// A number from each of several threads.
private final class Scalars: @unchecked Sendable {
  private let condition = NSCondition()
  private var found: [Int: Result<Float, any Error>] = [:]

  func store(_ index: Int, _ body: () throws -> Float) {
    let result = Result { try body() }
    condition.lock()
    found[index] = result
    condition.broadcast()
    condition.unlock()
  }

  func all(_ count: Int) throws -> [Float] {
    condition.lock()
    defer { condition.unlock() }
    while found.count < count { condition.wait() }
    return try (0..<count).map { try found[$0]?.get() ?? .nan }
  }
}
