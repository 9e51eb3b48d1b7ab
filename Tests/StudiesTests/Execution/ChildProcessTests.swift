// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

@testable import Studies

/// Children as the executor meets them: talkative, silent, killed, gone before they were fed.
@Suite(.timeLimit(.minutes(20)), .serialized) struct ChildProcessTests {
  private func shell(_ script: String, input: String = "") throws -> ChildProcess {
    try ChildProcess(executable: "/bin/sh", arguments: ["-c", script], input: input)
  }

  /// Waits for the end and returns everything said.
  private func lines(_ child: ChildProcess) -> [String] {
    var all: [String] = []
    while child.end == nil {
      ChildProcess.wait(for: [child], milliseconds: 100)
      all += child.takeLines()
    }
    return all
  }

  @Test func linesErrorsAndTheCodeArriveWhole() throws {
    let child = try shell("echo one; echo two; printf three; echo wrong >&2; exit 7")
    #expect(lines(child) == ["one", "two", "three"])
    #expect(child.end == .exited(7))
    #expect(child.errorText == "wrong")
  }

  @Test func whatIsGivenArrivesHoweverLongItIs() throws {
    let text = String(repeating: "0123456789abcde\n", count: 20_000)
    let child = try shell("head -c \(text.utf8.count) | cksum", input: text)
    #expect(lines(child).first?.hasSuffix(" \(text.utf8.count)") == true)
    #expect(child.end == .exited(0))
  }

  @Test func itsInputEndsWhenItHasAll() throws {
    let child = try shell("cat; echo over", input: "first\nsecond\n")
    #expect(lines(child) == ["first", "second", "over"])
  }

  @Test func aLockThatItInheritsIsHeldUntilItEnds() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/assay-lock-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var lock: StudyLock? = try StudyLock(folder: folder)
    let child = try ChildProcess(
      executable: "/bin/sh", arguments: ["-c", "echo ready; exec sleep 60"], input: "",
      lock: lock?.descriptor)
    lock = nil
    while child.takeLines().isEmpty { ChildProcess.wait(for: [child], milliseconds: 100) }
    #expect(StudyLock.isHeld(folder: folder))
    #expect(throws: RunRecordError.self) {
      _ = try StudyLock(folder: folder, secondsOfPatience: 0.1)
    }
    child.send(SIGKILL)
    _ = lines(child)
    #expect(!StudyLock.isHeld(folder: folder))
    _ = try StudyLock(folder: folder)
  }

  @Test func aChildThatIsGoneBeforeItIsFedIsNoError() throws {
    let child = try shell("exit 3", input: String(repeating: "x", count: 1 << 20))
    #expect(lines(child) == [])
    #expect(child.end == .exited(3))
  }

  @Test func onlyTheEndOfALongComplaintIsKept() throws {
    let child = try shell("yes complaint | head -n 20000 >&2; echo last >&2")
    _ = lines(child)
    #expect(child.errorText.hasSuffix("complaint\nlast"))
    #expect(child.errorText.utf8.count <= ChildProcess.errorTailLimit)
  }

  @Test func aGrandchildThatKeepsThePipesDoesNotKeepTheChild() throws {
    let start = ContinuousClock.now
    let child = try shell("sleep 20 & echo started; exit 0")
    #expect(lines(child) == ["started"])
    #expect(child.end == .exited(0))
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  @Test func signalsReachItAndItsGroupIsItsOwn() throws {
    let child = try shell(
      "trap 'echo saved; exit 4' TERM; echo ready; while :; do sleep 0.01; done")
    var said: [String] = []
    while said.isEmpty {
      ChildProcess.wait(for: [child], milliseconds: 100)
      said += child.takeLines()
    }
    #expect(getpgid(child.identifier) == child.identifier)
    child.send(SIGTERM)
    #expect(lines(child) == ["saved"])
    #expect(child.end == .exited(4))
  }

  @Test func nothingIsLeftBehind() throws {
    func descriptors() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/dev/fd").count
    }
    let before = try descriptors()
    var identifiers: [pid_t] = []
    for index in 0..<20 {
      let child = try shell(index % 2 == 0 ? "cat" : "exit 0")
      identifiers.append(child.identifier)
      if index % 4 == 1 { _ = lines(child) }
    }
    // Other tests of this process open files of their own meanwhile, but not sixty.
    #expect(try descriptors() < before + 20)
    for identifier in identifiers {
      #expect(kill(identifier, 0) == -1 && errno == ESRCH, "process \(identifier) is still there")
    }
  }

  @Test func whatCannotBeStartedSaysWhy() throws {
    let error = #expect(throws: ChildProcessError.self) {
      _ = try ChildProcess(executable: "/nowhere/assay", arguments: [], input: "")
    }
    #expect(error?.description == "cannot start /nowhere/assay: No such file or directory")
  }
}
