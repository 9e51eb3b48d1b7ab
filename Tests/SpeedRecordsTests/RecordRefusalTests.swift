// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords
import SpeedRecords
import Statistics
import Testing

/// Names, numbers and outcomes that would give a wrong number silently, or stop the program.
@Suite struct RecordRefusalTests {
  private func read(_ arguments: String...) throws -> [RunSet] {
    var reader = SetReader()
    return try reader.sets(arguments)
  }

  // MARK: - Analysis

  @Test func anotherSetOfTheExchangeRateUnderATakenNameIsRefused() throws {
    var sets = try read("old=3.280,3.281,3.279", "new=3.281,3.282,3.280")
    var others = try read("old=3.287,3.288,3.286", "long=3.280,3.281,3.279")
    for (at, steps) in [2035, 2000].enumerated() { sets[at].setSteps(steps) }
    for (at, steps) in [2000, 2035].enumerated() { others[at].setSteps(steps) }
    var rules = RecordRules()
    rules.exchange = .measured(shorter: others[0], longer: others[1])
    #expect(
      message { _ = try RecordAnalysis(baseline: sets[0], candidates: [sets[1]], rules) }
        .contains("is called 'old', as another set is"))
    // The very set may be named again.
    rules.exchange = .measured(shorter: sets[0], longer: others[1])
    sets[0].setSteps(1)
    #expect(
      message { _ = try RecordAnalysis(baseline: sets[0], candidates: [sets[1]], rules) }
        .contains("both have 2035 steps"))
    others[1].runs[0].steps = 2050
    others[1].runs[1].steps = 2050
    others[1].runs[2].steps = 2050
    rules.exchange = .measured(shorter: sets[0], longer: others[1])
    let result = try RecordAnalysis(baseline: sets[0], candidates: [sets[1]], rules)
    #expect(result.exchangeRate?.sets == ["old", "long"])
  }

  @Test func aDivergedRunIsNotLeftOutOfAPairedTest() throws {
    let folder = try Folder()
    let slow = try folder.runs("slow", [3.300, 3.320, 3.310, 3.290, 3.330])
    let fast = try folder.runs("fast", [3.296, 3.315, 3.307, 3.284])
    try InventedRun(arm: "fast", seed: 5, loss: 3.3, status: .diverged).write(
      to: fast + "/seed-5")
    let sets = try read("slow=" + slow, "fast=" + fast)
    for (a, b) in [(sets[0], sets[1]), (sets[1], sets[0])] {
      let result = try RecordAnalysis(baseline: a, candidates: [b], RecordRules())
      let comparison = result.comparisons[0]
      #expect(comparison.pairing == nil && comparison.method == .welch)
      #expect(comparison.loss?.estimate == nil)
    }
  }

  @Test func setsOfMixedLengthsAreNotOfEqualLength() throws {
    let folder = try Folder()
    func table(_ name: String, _ steps: [Int]) throws -> String {
      let lines = steps.enumerated().map { "\(name),3.2\($0.offset + 1),\($0.element)" }
      return try folder.write(
        "set,loss,steps\n" + lines.joined(separator: "\n") + "\n", to: name + ".csv")
    }
    let sets = try read("a=" + table("a", [10, 20, 20]), "b=" + table("b", [10, 10, 20]))
    let mixed = try RecordAnalysis(baseline: sets[0], candidates: [sets[1]], RecordRules())
    #expect(mixed.comparisons[0].equalised == nil)
    let unknown = try read("a=3.21,3.22,3.23", "b=3.22,3.23,3.24")
    let equal = try RecordAnalysis(baseline: unknown[0], candidates: [unknown[1]], RecordRules())
    #expect(equal.comparisons[0].equalised != nil)
  }

  @Test func aStepBeforeTheEndHasNotTheTimeOfTheWholeRun() throws {
    let folder = try Folder()
    let path = folder.path + "/run"
    try InventedRun(steps: 10, seconds: 1.5).write(to: path)
    #expect(try RecordedRun(assay: path, at: 5).seconds == nil)
    #expect(try RecordedRun(assay: path, at: 10).seconds == 1.5)
    #expect(try RecordedRun(assay: path).seconds == 1.5)
  }

  @Test func oneEqualValidationWithAllDigitsIsOneRun() throws {
    let folder = try Folder()
    let paths = try [1, 2].map { seed in
      let path = folder.path + "/\(seed)"
      try InventedRun(seed: seed, loss: 3.3).write(to: path)
      return path
    }
    var sets = try read("a=" + paths[0], "a=" + paths[1])
    for at in 0..<2 {
      sets[0].runs[at].checksum = nil
      sets[0].runs[at].curve = sets[0].runs[at].curve.suffix(1)
    }
    #expect(
      message { _ = try RecordAnalysis(baseline: nil, candidates: sets, RecordRules()) }
        .contains("equal losses at all 1 validations"))
    for at in 0..<2 { sets[0].runs[at].curve[0].loss = .nan }
    _ = try RecordAnalysis(baseline: nil, candidates: sets, RecordRules())
  }

  @Test func aTunedSeedIsThatOfTheInitialWeights() throws {
    let folder = try Folder()
    try InventedRun(seed: 3, dataSeed: 9).write(to: folder.path + "/run")
    var rules = RecordRules()
    rules.tunedOn = [RunSeed(3)]
    let result = try RecordAnalysis(
      baseline: nil, candidates: try read("a=" + folder.path + "/run"), rules)
    #expect(result.sets[0].runs[0].isTunedOn)
    #expect(result.flags.contains { $0.code == .tunedOnSeed })
  }

  @Test func otherThreadsAreAnotherMachine() throws {
    let folder = try Folder()
    for (name, threads) in [("a", 1), ("b", 2)] {
      try InventedRun(arm: name, loss: 3.3, details: ["runtime": "avx2, \(threads) threads"])
        .write(to: folder.path + "/" + name)
    }
    let sets = try read("a=" + folder.path + "/a", "b=" + folder.path + "/b")
    let result = try RecordAnalysis(baseline: sets[0], candidates: [sets[1]], RecordRules())
    #expect(!result.comparisons[0].isTimeOnOneMachine)
  }

  @Test func aRunThatWasGoneOnWithElsewhereIsOfBothMachines() throws {
    let folder = try Folder()
    for name in ["a", "b"] {
      try InventedRun(arm: name, loss: 3.3, details: ["runtime": "avx2, 2 threads"])
        .write(to: folder.path + "/" + name)
    }
    func isOneMachine() throws -> Bool {
      let sets = try read("a=" + folder.path + "/a", "b=" + folder.path + "/b")
      return try RecordAnalysis(baseline: sets[0], candidates: [sets[1]], RecordRules())
        .comparisons[0].isTimeOnOneMachine
    }
    #expect(try isOneMachine())
    let run = try RunFolder.open(at: folder.path + "/b")
    var machine = try run.record().machine
    machine.details["runtime"] = "avx2, 16 threads"
    try run.add(SessionRecord(firstStep: 5, machine: machine))
    #expect(message { _ = try isOneMachine() }.contains("sessions.json"))
    try run.seal(with: run.outcome(), sha256: SHA256.hexadecimal(of:))
    #expect(try !isOneMachine())
  }

  @Test func aMeanThatIsBarelyBelowTheTargetIsNotSaidToBeAbove() throws {
    var rules = RecordRules()
    rules.target = 3.28
    func text(_ row: String) throws -> String {
      RecordTable(try RecordAnalysis(baseline: nil, candidates: try read(row), rules)).text
    }
    let below = try text("a=n:9,mean:3.279999,sd:0.01")
    #expect(below.contains("need more than 10,000 runs") && !below.contains("not below the target"))
    #expect(try text("a=n:9,mean:3.280001,sd:0.01").contains("the mean is not below the target"))
  }

  // MARK: - Numbers

  @Test func numbersOfRunsThatCannotBeAreRefusedOrIgnored() throws {
    let folder = try Folder()
    for runs in ["0", "-3", "1000000000"] {
      let file = try folder.write(
        "# preregistered: runs=\(runs) target=3.4\nset,loss\nA,3.2\nA,3.3\n", to: "\(runs).csv")
      #expect(try read(file)[0].registration == Registration(runs: nil, target: 3.4, origin: file))
    }
    var rules = RecordRules()
    rules.target = 3.28
    let many = try read("many=n:1000000,mean:3.277,sd:0.001")
    rules.plannedRuns = ["many": 2]
    let added = try RecordAnalysis(baseline: nil, candidates: many, rules)
    #expect(added.flags.contains { $0.code == .runsAdded && $0.text.contains("more false") })
    #expect(message { _ = try read("many=n:1000001,mean:3.277,sd:0.001") }.contains("1000000"))
    rules.plannedRuns = ["few": 1_000_000]
    let few = try RecordAnalysis(baseline: nil, candidates: try read("few=3.2,3.3,3.4"), rules)
    let missing = try #require(few.flags.first { $0.code == .runsMissing })
    #expect(!missing.text.contains("%"))
    for change: (inout RecordRules) -> Void in [
      { $0.plannedRuns = ["few": 0] }, { $0.level = 0 }, { $0.confidence = 1 },
      { $0.power = 0.001 }, { $0.threshold = -1 }, { $0.target = .nan },
    ] {
      var rules = RecordRules()
      change(&rules)
      #expect(
        message {
          _ = try RecordAnalysis(baseline: nil, candidates: try read("few=3.2,3.3"), rules)
        }.contains("give a possible number"))
    }
  }

  @Test func damagedCellsAreNamedWithTheirPlace() throws {
    let folder = try Folder()
    for (text, problem) in [
      ("set,n,mean,sd\nA,5,3.2x,0.1\n", "mean is '3.2x'"),
      ("set,n,mean,sd\nA,5,3.2,O.1\n", "sd is 'O.1'"),
      ("set,n,mean,sd\nA,5,,0.1\n", "sd without mean"),
      ("set,n,mean,steps\nA,5,3.2,20.5\n", "steps is '20.5'"),
      ("set,n,mean,time\nA,5,3.2,fast\n", "time is 'fast'"),
      ("set,loss,tuned\nA,3.2,maybe\n", "tuned is 'maybe'"),
      ("set,loss,steps\nA,3.2,-1\n", "steps is '-1'"),
    ] {
      let file = try folder.write(text, to: "cells.csv")
      let said = message { _ = try read(file) }
      #expect(said.contains(problem) && said.contains(file + ":2"), "\(said)")
    }
    let file = try folder.write("set,loss,tuned\nA,3.2,Yes\nA,3.3,no\nA,3.1,\n", to: "tuned.csv")
    #expect(try read(file)[0].runs.map(\.isTunedOn) == [true, false, false])
    #expect(message { _ = try read("a=n:5,mean:3.2,steps:2.5") }.contains("steps is '2.5'"))
  }

  // MARK: - Packs

  private func pack(_ folder: Folder, _ sets: [RunSet], _ name: String = "pack") throws
    -> RecordPack
  {
    try PackWriter(name: "x", program: "test 1", revision: "abc").write(
      to: folder.path + "/" + name, baseline: nil, candidates: sets, RecordRules())
  }

  @Test func aSetWhoseNameIsAPathIsNeitherPackedNorRead() throws {
    let folder = try Folder()
    let runs = try folder.runs("fast", [3.29, 3.31])
    var sets = try read("fast=" + runs)
    _ = try pack(folder, sets)
    let file = folder.path + "/pack/record.json"
    let whole = try String(contentsOfFile: file, encoding: .utf8)
    for name in ["../../out", "a/b", ".hidden"] {
      sets[0].name = name
      #expect(message { _ = try pack(folder, sets, "other") }.contains("calls a set '\(name)'"))
      try whole.replacingOccurrences(of: "\"name\" : \"fast\"", with: "\"name\" : \"\(name)\"")
        .write(toFile: file, atomically: true, encoding: .utf8)
      #expect(
        message { _ = try RecordPack(reading: folder.path + "/pack") }
          .contains("calls a set '\(name)'"))
    }
  }

  @Test func numbersOfAManifestThatCannotBeAreRefused() throws {
    let folder = try Folder()
    let sets = try read("row=n:9,mean:3.277,sd:0.001,steps:20")
    _ = try pack(folder, sets)
    let file = folder.path + "/pack/record.json"
    let whole = try String(contentsOfFile: file, encoding: .utf8)
    for (old, new) in [
      ("\"count\" : 9", "\"count\" : -9"), ("\"level\" : 0.01", "\"level\" : 7"),
      ("\"meanDecimals\" : 3", "\"meanDecimals\" : -3"),
      ("\"printedSteps\" : 20", "\"printedSteps\" : -20"),
    ] {
      #expect(whole.contains(old), "\(old)")
      try whole.replacingOccurrences(of: old, with: new)
        .write(toFile: file, atomically: true, encoding: .utf8)
      #expect(
        message { _ = try RecordPack(reading: folder.path + "/pack") }.contains("do not use it"))
    }
  }

  @Test func linksAreRefusedInAPackAndFollowedWhenPacking() throws {
    let folder = try Folder()
    let manager = FileManager.default
    let runs = try folder.runs("fast", [3.29, 3.31])
    let outside = try folder.write("{}", to: "outside.json")
    try manager.createSymbolicLink(
      atPath: runs + "/seed-1/notes.json", withDestinationPath: outside)
    let pack = try pack(folder, try read("fast=" + runs), "pack/")
    let copy = pack.file("runs/fast/seed-1/notes.json")
    #expect(pack.path == folder.path + "/pack")
    #expect((try? manager.destinationOfSymbolicLink(atPath: copy)) == nil)
    #expect(try String(contentsOfFile: copy, encoding: .utf8) == "{}")
    #expect(PackVerification(try RecordPack(reading: pack.path)).problems.isEmpty)
    // A pack may be reached by a link itself.
    let way = folder.path + "/way"
    try manager.createSymbolicLink(atPath: way, withDestinationPath: pack.path)
    #expect(PackVerification(try RecordPack(reading: way)).problems.isEmpty)
    try manager.createDirectory(
      atPath: pack.file("replications/fast"), withIntermediateDirectories: true)
    try manager.createSymbolicLink(
      atPath: pack.file("replications/fast/new"), withDestinationPath: folder.path)
    for place in [pack.path, way] {
      #expect(
        message { _ = try RecordPack(reading: place) }.contains("replications/fast/new is a link"))
    }
  }

  @Test func aPackOfAPackHasTheFilesOfTheFirst() throws {
    let folder = try Folder()
    let runs = try folder.runs("fast", [3.29, 3.31])
    let first = try pack(folder, try read("fast=" + runs))
    try FileManager.default.removeItem(atPath: runs)
    let second = try pack(folder, try read(first.path), "again")
    #expect(
      second.manifest.sets[0].sources.map(\.path) == first.manifest.sets[0].sources.map(\.path))
    #expect(PackVerification(try RecordPack(reading: second.path)).problems.isEmpty)
    #expect(second.manifest.analysis.sets[0].runs[0].path == "runs/fast/seed-1")
  }

  @Test func evidenceIsTakenAtThePacksStep() throws {
    let folder = try Folder()
    let runs = try folder.runs("fast", [3.29, 3.31, 3.30])
    var reader = SetReader(step: 5)
    let sets = try reader.sets(["fast=" + runs])
    let pack = try PackWriter(name: "x", program: "test 1", revision: "abc", step: 5).write(
      to: folder.path + "/pack", baseline: sets[0], candidates: [], RecordRules())
    let same = try Replication(pack, set: "fast", seeds: .same, count: 1)
    try InventedRun(arm: "fast", seed: 1, loss: 3.29).write(to: same.folder(of: RunSeed(1)))
    let check = try #require(try ReplicationEvidence(same).checks.first)
    #expect(check.isIdentical && check.loss == check.packedLoss)
  }

  @Test func anEndedRunWithoutItsSealIsNoEvidence() throws {
    let folder = try Folder()
    let runs = try folder.runs("fast", [3.29, 3.31])
    let pack = try pack(folder, try read("fast=" + runs))
    let seal = pack.file("runs/fast/seed-1/seal.json")
    try FileManager.default.removeItem(atPath: seal)
    var found = PackVerification(pack).problems
    #expect(found.contains { $0.kind == .seal && $0.text.contains("is missing") }, "\(found)")
    try "{".write(toFile: seal, atomically: true, encoding: .utf8)
    found = PackVerification(pack).problems
    #expect(found.contains { $0.kind == .seal && $0.text.contains("cannot be compared") })
    // The same of runs that are read where they were made.
    try FileManager.default.removeItem(atPath: runs + "/seed-1/seal.json")
    #expect(message { _ = try read("fast=" + runs) }.contains("has no seal.json"))
    let file = runs + "/seed-2/outcome.json"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try text.replacingOccurrences(of: "3.31", with: "3.21").write(
      toFile: file, atomically: true, encoding: .utf8)
    #expect(
      message { _ = try RecordedRun(assay: runs + "/seed-2") }.contains("changed after the run"))
  }
}
