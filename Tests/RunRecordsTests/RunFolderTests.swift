// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

@Suite struct RunFolderTests {
  let start = Date(timeIntervalSince1970: 1_700_000_000)

  func create(_ path: String) throws -> RunFolder {
    try RunFolder.create(
      at: path, configurationText: "a = 1  # default\n", configurationJSON: Data("{}".utf8),
      startTime: start)
  }

  @Test func aNewRunHasItsFilesAndIsRunning() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/runs/deep/first"
    let run = try create(path)
    #expect(
      try names(in: path) == [
        "configuration.json", "configuration.toml", "lock", "machine.json", "metrics.jsonl",
        "outcome.json", "timings.jsonl",
      ])
    let record = try run.record()
    #expect(record.configurationText == "a = 1  # default\n")
    #expect(record.configurationJSON == Data("{}".utf8))
    #expect(record.machine == MachineRecord.current())
    #expect(record.machine.coreCount >= 1)
    #expect(record.outcome == RunOutcome(status: .running, startTime: start))
    #expect(RunFolder.isRun(path))
    #expect(!RunFolder.isRun(folder.path))
  }

  @Test func everySessionIsNotedWithItsMachine() throws {
    let folder = try TemporaryFolder()
    let run = try create(folder.path + "/run")
    let first = try run.record()
    #expect(
      first.sessions == [SessionRecord(startTime: start, firstStep: 0, machine: first.machine)])
    #expect(try !names(in: run.path).contains("sessions.json"))
    var other = first.machine
    other.details["threads"] = "7"
    for (step, machine) in [(3, first.machine), (5, other), (9, first.machine)] {
      try run.add(
        SessionRecord(
          startTime: start.addingTimeInterval(Double(step)), firstStep: step, machine: machine))
    }
    let record = try RunRecord(path: run.path)
    #expect(record.sessions.map(\.firstStep) == [0, 3, 5, 9])
    #expect(record.sessions[0] == first.sessions[0])
    #expect(record.machines == [first.machine, other])
    #expect(record.machine == first.machine)
  }

  @Test func aSessionOfWhichNothingWasKeptMadeNoPartOfTheRun() throws {
    let folder = try TemporaryFolder()
    let run = try create(folder.path + "/run")
    var other = try run.record().machine
    other.details["threads"] = "7"
    try run.add(SessionRecord(startTime: start, firstStep: 0, machine: other))
    #expect(try RunRecord(path: run.path).sessions.count == 2)
    #expect(try RunRecord(path: run.path).machines == [other])
  }

  @Test func anEmptyFolderIsTakenAndAFullOneIsNot() throws {
    let folder = try TemporaryFolder()
    _ = try create(folder.path)
    let again = failure { _ = try create(folder.path) }
    #expect(again?.code == .alreadyExists)
    #expect(again?.message.contains("resume it") == true)

    let other = try TemporaryFolder()
    let file = try other.write("notes.txt", "mine")
    let full = failure { _ = try create(other.path) }
    #expect(full?.code == .alreadyExists)
    #expect(full?.message.contains("not empty") == true)
    #expect(try names(in: other.path) == ["notes.txt"])
    #expect(failure { _ = try create(file) }?.code == .alreadyExists)
    #expect(try text(file) == "mine")
  }

  @Test func onlyOneWriterAtATime() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/run"
    do {
      let run = try create(path)
      #expect(RunFolder.isBeingWritten(path))
      let second = failure { _ = try RunFolder.open(at: path) }
      #expect(second?.code == .locked)
      let holder = "(\(ProcessInfo.processInfo.processIdentifier))"
      #expect(second?.message.contains(holder) == true, "\(String(describing: second))")
      #expect(try run.outcome().status == .running)
      _ = try RunRecord(path: path)
    }
    #expect(!RunFolder.isBeingWritten(path))
    _ = try RunFolder.open(at: path)
  }

  @Test func aKilledWriterLeavesNoLock() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/run"
    _ = try create(path)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let script = "import fcntl,sys,time;f=open(sys.argv[1]);fcntl.flock(f,fcntl.LOCK_EX);"
    process.arguments = [
      "python3", "-c", script + "print('x',flush=True);time.sleep(60)", path + "/lock",
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer { process.terminate() }
    // Without Python there is nothing to read, and nothing more to test.
    guard !pipe.fileHandleForReading.availableData.isEmpty else { return }
    #expect(failure { _ = try RunFolder.open(at: path) }?.code == .locked)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    _ = try RunFolder.open(at: path)
  }

  @Test func foldersWithoutARunAreRefused() throws {
    let folder = try TemporaryFolder()
    let missing = failure { _ = try RunFolder.open(at: folder.path + "/none") }
    #expect(missing?.code == .notARun)
    #expect(missing?.message.contains("no such folder") == true)
    let empty = failure { _ = try RunFolder.open(at: folder.path) }
    #expect(empty?.code == .notARun)
    #expect(empty?.message.contains("outcome.json") == true)
    #expect(try names(in: folder.path).isEmpty)
    #expect(failure { _ = try RunRecord(path: folder.path) }?.code == .notARun)
  }

  @Test(arguments: RunOutcome.Status.allCases)
  func outcomesRoundTrip(status: RunOutcome.Status) throws {
    let folder = try TemporaryFolder()
    let run = try create(folder.path + "/run")
    let outcome = RunOutcome(
      status: status, reason: "a \"reason\"\nof two lines", completedSteps: 12,
      finalNumbers: ["loss": 0.1, "worst": .infinity, "least": -.infinity],
      startTime: start, endTime: start.addingTimeInterval(60), sessionCount: 3)
    try run.setOutcome(outcome)
    #expect(try run.outcome() == outcome)
    #expect(try RunRecord(path: run.path).outcome == outcome)
    try run.setOutcome(RunOutcome(status: status, finalNumbers: ["x": .nan], startTime: start))
    #expect(try run.outcome().finalNumbers["x"]?.isNaN == true)
    #expect(try !names(in: run.path).contains { $0.hasSuffix(".partial") })
  }

  @Test(arguments: ["outcome.json", "machine.json"])
  func damagedFilesAreNamed(name: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/run"
    _ = try create(path)
    try Data("{\"status\": 3".utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    let error = failure { _ = try RunRecord(path: path) }
    #expect(error?.code == .damaged)
    #expect(error?.message.contains(name) == true)
  }

  @Test func runsAreFoundInOrderAndNotInsideOneAnother() throws {
    let folder = try TemporaryFolder()
    for name in ["b/second", "a", "b/first", "b/first/inner"] {
      let path = folder.path + "/" + name
      if name == "b/first/inner" {
        try FileManager.default.createDirectory(
          atPath: path, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: path + "/outcome.json"))
      } else {
        _ = try create(path)
      }
    }
    let found = RunFolder.find(under: folder.path)
    #expect(found == ["a", "b/first", "b/second"].map { folder.path + "/" + $0 })
    #expect(RunFolder.find(under: folder.path + "/none").isEmpty)
  }

  #if os(Linux)
    @Test func readOnlyPlacesAreNamed() throws {
      let folder = try TemporaryFolder()
      var place = "/sys"
      if geteuid() != 0 {
        place = folder.path
        chmod(place, 0o555)
      }
      let error = failure { _ = try create(place + "/assay-run") }
      chmod(folder.path, 0o755)
      #expect(error?.code == .notWritable)
      #expect(error?.message.contains(place + "/assay-run") == true)
    }
  #endif

  @Test(.enabled(if: hasTinyDisk)) func aFullDiskLosesNothing() throws {
    try withTinyDisk(kilobytes: 64) { disk in
      let run = try create(disk + "/run")
      try run.write(Data("old".utf8), to: "note")
      let error = failure { try run.write(Data(count: 1 << 20), to: "note") }
      #expect(error?.code == .diskFull)
      #expect(error?.message.contains("note") == true)
      #expect(try text(disk + "/run/note") == "old")

      let writer = try run.metricsWriter(keeping: .all)
      let long = String(repeating: "x", count: 3000)
      var written = 0
      let full = failure {
        while written < 1000 {
          try writer.append(step: written, [("text", .string(long))])
          written += 1
        }
      }
      #expect(full?.code == .diskFull)
      #expect(written > 3 && written < 30)
      let reader = try run.record().metrics()
      var read = 0
      while try reader.next() != nil { read += 1 }
      #expect(read == written)
      #expect(try Data(contentsOf: URL(fileURLWithPath: writer.path)).count == writer.position)

      let second = failure { _ = try create(disk + "/second") }
      #expect(second?.code == .diskFull)
      #expect(try names(in: disk) == ["run"])
    }
  }
}
