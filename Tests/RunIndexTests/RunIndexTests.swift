// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import RunRecords
import Testing

@testable import RunIndex

struct RunIndexTests {
  let runs: InventedRuns

  init() throws { runs = try InventedRuns() }

  @Test func everythingInAFolderIsInTheIndex() throws {
    try runs.add(
      "studies/a/trials/t1", arm: "left", seed: 7, rate: 0.01, loss: 3.25,
      trial: runs.trial(
        "left", seed: TrialSeed(.reporting, 7, data: 8),
        knobs: ["optimizer.learning_rate": .number(0.01)]))
    try runs.add("alone", arm: "right", seed: 3, rate: 0.1, status: .diverged, loss: .infinity)
    let index = try RunIndex(folder: runs.path)
    let change = try index.rebuild()
    #expect(change.runs == 2 && change.read == 2 && change.damaged.isEmpty)
    let found = try index.runs()
    #expect(found.map(\.path) == ["alone", "studies/a/trials/t1"])
    let run = found[1]
    #expect(run.study == "a study" && run.variant == "main" && run.arm == "left")
    #expect(run.method == "left" && run.seedPurpose == .reporting)
    #expect(run.seed == 7 && run.dataSeed == 8 && run.horizon == 1 && !run.isAudit)
    #expect(run.knobs == ["optimizer.learning_rate": .number(0.01)])
    #expect(run.status == "finished" && run.loss == 3.25 && run.steps == 10)
    #expect(run.plannedSteps == 10 && run.tokens == 640 && run.seconds == 1.5)
    #expect(run.contract?.count == 64 && run.revision == "abc123")
    #expect(run.configuration["optimizer.learning_rate"] == .number(0.01))
    #expect(run.configuration["optimizer.name"] == .text("left"))
    #expect(run.numbers["peakBytes"] == 1000)
    #expect(run.endTime != nil && !run.machine.isEmpty)
    // What is not finite is no number, and a run of its own belongs to no study.
    #expect(found[0].loss == nil && found[0].status == "diverged")
    #expect(found[0].study == nil && found[0].seed == 3 && found[0].contract == nil)
  }

  @Test func onlyWhatChangedIsReadAndWhatIsGoneDisappears() throws {
    for number in 0..<4 { try runs.add("r\(number)", arm: "a", seed: number, rate: 1, loss: 3) }
    let index = try RunIndex(folder: runs.path)
    #expect(try index.update().read == 4)
    #expect(try index.update().read == 0)
    try runs.finish("r2", loss: 2.5)
    try FileManager.default.removeItem(atPath: runs.path + "/r0")
    try runs.add("r4", arm: "a", seed: 9, rate: 1, loss: 3)
    let change = try index.update()
    #expect(change.read == 2 && change.removed == 1 && change.runs == 4)
    // Another opening sees the same.
    let again = try RunIndex(folder: runs.path)
    #expect(try again.runs().map(\.path) == ["r1", "r2", "r3", "r4"])
    #expect(try again.runs()[1].loss == 2.5)
    #expect(try again.update().read == 0)
  }

  @Test func aRunningRunIsKilledOnceNobodyWritesIt() throws {
    let folder = try runs.begin("r", arm: "a", seed: 1, rate: 1)
    let index = try RunIndex(folder: runs.path)
    try index.update()
    #expect(try index.runs().map(\.status) == ["running"])
    folder.close()
    try index.update()
    #expect(try index.runs().map(\.status) == ["killed"])
  }

  @Test func damagedFoldersAreListedAndSkippedUntilTheyAreWhole() throws {
    try runs.add("good", arm: "a", seed: 1, rate: 1, loss: 3)
    try runs.add("bad", arm: "a", seed: 1, rate: 1, loss: 3)
    try runs.add("altered", arm: "a", seed: 1, rate: 1, loss: 3)
    let file = runs.path + "/bad/outcome.json"
    let whole = try Data(contentsOf: URL(fileURLWithPath: file))
    try whole.prefix(20).write(to: URL(fileURLWithPath: file))
    let altered = runs.path + "/altered/configuration.json"
    let text = try String(contentsOfFile: altered, encoding: .utf8)
    try text.replacingOccurrences(of: "\"a\"", with: "\"b\"")
      .write(toFile: altered, atomically: true, encoding: .utf8)
    let index = try RunIndex(folder: runs.path)
    let change = try index.update()
    #expect(change.runs == 1 && change.damaged.map(\.path) == ["altered", "bad"])
    #expect(change.damaged[0].reason.contains("altered"))
    #expect(change.damaged[1].reason.contains("outcome.json"))
    // They stay known without being read again, and come back when repaired.
    let second = try index.update()
    #expect(second.read == 0 && second.damaged.count == 2)
    try whole.write(to: URL(fileURLWithPath: file))
    #expect(try index.update().damaged.map(\.path) == ["altered"])
    #expect(try index.runs().map(\.path) == ["bad", "good"])
  }

  @Test func aRebuildThatFailsKeepsTheOldIndex() throws {
    try runs.add("r", arm: "a", seed: 1, rate: 1, loss: 3)
    let index = try RunIndex(folder: runs.path)
    try index.rebuild()
    // Fails in the middle of the transaction, after everything was deleted.
    try index.database.write { db in
      try db.execute(
        sql: "CREATE TRIGGER stop BEFORE INSERT ON run BEGIN SELECT RAISE(ABORT, 'full'); END")
    }
    let error = #expect(throws: RunIndexError.self) { try index.rebuild() }
    #expect(error?.code == .database)
    #expect(try index.runs().map(\.path) == ["r"])
  }

  @Test func anotherReaderSeesTheOldIndexUntilTheNewOneIsComplete() throws {
    try runs.add("r", arm: "a", seed: 1, rate: 1, loss: 3)
    let index = try RunIndex(folder: runs.path)
    try index.rebuild()
    let other = try RunIndex(folder: runs.path)
    try index.database.write { db in
      try db.execute(sql: "DELETE FROM run")
      #expect(throws: Never.self) {
        let seen = try other.runs().map(\.path)
        #expect(seen == ["r"])
      }
    }
    #expect(try other.runs().isEmpty)
  }

  @Test(arguments: ["not a database at all, but long enough to look at", ""])
  func aFileThatIsNoIndexIsReplaced(content: String) throws {
    try runs.add("r", arm: "a", seed: 1, rate: 1, loss: 3)
    let file = runs.path + "/" + RunIndex.fileName
    try String(repeating: content, count: 100).write(
      toFile: file, atomically: false, encoding: .utf8)
    let index = try RunIndex(folder: runs.path)
    try index.update()
    #expect(!index.isInMemory)
    #expect(try index.runs().count == 1)
  }

  @Test func anIndexOfAnotherVersionIsMadeAgain() throws {
    try runs.add("r", arm: "a", seed: 1, rate: 1, loss: 3)
    var index: RunIndex? = try RunIndex(folder: runs.path)
    try index?.update()
    try index?.database.write { db in
      try db.execute(sql: "ALTER TABLE run DROP COLUMN numbers; PRAGMA user_version = 99")
    }
    index = nil
    let again = try RunIndex(folder: runs.path)
    #expect(try again.update().read == 1)
    #expect(try again.runs().count == 1)
  }

  @Test func whereNoIndexCanBeWrittenItLiesInMemory() throws {
    try runs.add("r", arm: "a", seed: 1, rate: 1, loss: 3)
    // A folder in the place of the file cannot be opened as one, whoever asks: so does a disk that cannot be written.
    try FileManager.default.createDirectory(
      atPath: runs.path + "/" + RunIndex.fileName, withIntermediateDirectories: false)
    let index = try RunIndex(folder: runs.path)
    #expect(index.isInMemory)
    #expect(try index.update().runs == 1)
    #expect(try index.runs().map(\.path) == ["r"])
  }

  @Test func anIndexThatMayNotBeWrittenIsLeftAloneAndMadeInMemory() throws {
    try runs.add("r", arm: "a", seed: 1, rate: 1, loss: 3)
    try RunIndex(folder: runs.path).update()
    try runs.add("s", arm: "a", seed: 1, rate: 1, loss: 3)
    let index = try RunIndex(folder: runs.path)
    // As a read-only disk answers.
    var configuration = Configuration()
    configuration.readonly = true
    index.database = try DatabaseQueue(
      path: runs.path + "/" + RunIndex.fileName, configuration: configuration)
    #expect(try index.update().runs == 2)
    #expect(index.isInMemory)
    #expect(try RunIndex(folder: runs.path).runs().map(\.path) == ["r"])
  }

  @Test func linksAndHiddenFoldersAreNotSearched() throws {
    try runs.add("r", arm: "a", seed: 1, rate: 1, loss: 3)
    try runs.add(".hidden/r", arm: "a", seed: 1, rate: 1, loss: 3)
    try FileManager.default.createSymbolicLink(
      atPath: runs.path + "/loop", withDestinationPath: ".")
    #expect(try RunIndex(folder: runs.path).update().runs == 1)
    // A run is also its own folder.
    let alone = try RunIndex(folder: runs.path + "/r")
    try alone.update()
    #expect(try alone.runs().map(\.path) == ["."])
  }

  @Test func aMissingFolderIsAnError() {
    let error = #expect(throws: RunIndexError.self) { try RunIndex(folder: "/nowhere/at/all") }
    #expect(error?.code == .noFolder)
  }
}
