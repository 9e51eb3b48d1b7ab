// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import SpeedRecords
import Statistics
import Testing

/// A pack holds all that a claim rests on; whatever is changed afterwards is found and named.
@Suite struct RecordPackTests {
  private func pack(
    _ folder: Folder, _ change: (inout RecordRules) -> Void = { _ in }
  ) throws -> RecordPack {
    var reader = SetReader()
    let slow = try folder.runs("slow", [3.300, 3.320, 3.310, 3.290])
    let fast = try folder.runs("fast", [3.296, 3.315, 3.307, 3.284])
    let sets = try reader.sets(["slow=" + slow, "fast=" + fast])
    var rules = RecordRules()
    rules.target = 3.35
    rules.plannedRuns = ["slow": 4, "fast": 4]
    change(&rules)
    return try PackWriter(name: "gain", program: "test 1", revision: "abc").write(
      to: folder.path + "/pack", baseline: sets[0], candidates: [sets[1]], rules,
      date: Date(timeIntervalSince1970: 1_700_000_000))
  }

  private func problems(_ folder: Folder) throws -> [PackVerification.Problem] {
    PackVerification(try RecordPack(reading: folder.path + "/pack")).problems
  }

  @Test func aPackIsWhatWasPackedWhereverItLies() throws {
    let folder = try Folder()
    let pack = try pack(folder)
    #expect(pack.manifest.sets.map(\.name) == ["slow", "fast"] && pack.manifest.baseline == "slow")
    #expect(pack.manifest.sets[1].seeds == [1, 2, 3, 4].map { RunSeed($0) })
    #expect(pack.manifest.sets[0].registration?.runs == 4)
    #expect(pack.manifest.files.contains { $0.path == "runs/fast/seed-2/metrics.jsonl" })
    #expect(!pack.manifest.files.contains { $0.path.hasSuffix("lock") })
    let again = PackVerification(try RecordPack(reading: pack.path))
    #expect(again.problems.isEmpty && again.runCount == 8, "\(again.problems)")
    // The originals may go, and the pack may move.
    for name in ["slow", "fast"] {
      try FileManager.default.removeItem(atPath: folder.path + "/" + name)
    }
    let elsewhere = folder.path + "/elsewhere"
    try FileManager.default.moveItem(atPath: pack.path, toPath: elsewhere)
    #expect(PackVerification(try RecordPack(reading: elsewhere)).problems.isEmpty)
    var reader = SetReader()
    #expect(try reader.sets([elsewhere]).map(\.count) == [4, 4])
    #expect(try reader.sets(["x=" + elsewhere + "#fast"]).map(\.name) == ["x"])
  }

  @Test func anEditedLossIsFoundInFileSealAndNumbers() throws {
    let folder = try Folder()
    let pack = try pack(folder)
    let file = pack.file("runs/fast/seed-1/outcome.json")
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try text.replacingOccurrences(of: "3.296", with: "3.196").write(
      toFile: file, atomically: true, encoding: .utf8)
    let found = try problems(folder)
    #expect(found.contains { $0.kind == .changed && $0.place == "runs/fast/seed-1/outcome.json" })
    #expect(found.contains { $0.kind == .seal && $0.place == "runs/fast/seed-1/outcome.json" })
    #expect(
      found.contains {
        $0.kind == .number && $0.place == "analysis.sets[1].runs[0].loss"
          && $0.text.contains("3.296") && $0.text.contains("3.196")
      }, "\(found)")
    #expect(found.contains { $0.kind == .number && $0.place == RecordPack.FileName.text })
    #expect(!found.contains { $0.kind == .manifest })
  }

  @Test func anEditedNumberInTheManifestIsFound() throws {
    let folder = try Folder()
    let pack = try pack(folder)
    let file = pack.file(RecordPack.FileName.manifest)
    let mean = try #require(pack.manifest.analysis.rows[1].loss?.mean)
    let text = try String(contentsOfFile: file, encoding: .utf8)
    #expect(text.contains("\(mean)"))
    try text.replacingOccurrences(of: "\"mean\" : \(mean)", with: "\"mean\" : 3.1").write(
      toFile: file, atomically: true, encoding: .utf8)
    let found = try problems(folder)
    #expect(found.first?.kind == .manifest)
    #expect(
      found.contains { $0.kind == .number && $0.place == "analysis.rows[1].loss.mean" }, "\(found)")
  }

  @Test func missingAndAddedFilesAreFound() throws {
    let folder = try Folder()
    let pack = try pack(folder)
    try FileManager.default.removeItem(atPath: pack.file("runs/slow/seed-3/metrics.jsonl"))
    try folder.write("more", to: "pack/runs/slow/notes.txt")
    let found = try problems(folder)
    #expect(found.contains { $0.kind == .missing && $0.place == "runs/slow/seed-3/metrics.jsonl" })
    #expect(found.contains { $0.kind == .added && $0.place == "runs/slow/notes.txt" })
    #expect(found.contains { $0.kind == .unreadable && $0.text.contains("seed-3") }, "\(found)")
  }

  @Test func logsAndNumbersArePackedToo() throws {
    let folder = try Folder()
    var reader = SetReader()
    let logs = try folder.logs("logs", [3.2790, 3.2780, 3.2785])
    var several = LogFixture.track3("s", loss: 3.2791)
    several.lines += LogFixture.track3("s", loss: 3.2781).lines
    try folder.write(several.data, to: "logs/deeper/1.txt")
    var sets = try reader.sets(["logs=" + logs, "numbers=3.27,3.28", "row=n:9,mean:3.277,sd:0.001"])
    sets += try reader.sets(["short=3.29,3.291,3.289", "long=3.28,3.281,3.279"])
    sets[3].setSteps(10)
    sets[4].setSteps(20)
    var rules = RecordRules()
    rules.target = 3.28
    rules.exchange = .measured(shorter: sets[3], longer: sets[4])
    let pack = try PackWriter(name: "logs", program: "test 1", revision: "abc").write(
      to: folder.path + "/pack", baseline: sets[0], candidates: Array(sets[1..<3]), rules)
    #expect(pack.manifest.sets[0].sources.count == 4 && pack.manifest.analysis.rows[0].count == 5)
    #expect(pack.manifest.exchangeSets.map(\.name) == ["short", "long"])
    #expect(
      Set(pack.manifest.files.map(\.path)).isSuperset(of: ["runs/logs/1.txt", "runs/logs/1-2.txt"]))
    let before = try problems(folder)
    #expect(before.isEmpty, "\(before)")
    // One digit of one log.
    let file = pack.file("runs/logs/1.txt")
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try text.replacingOccurrences(of: "val_loss:3.2780 ", with: "val_loss:3.2770 ").write(
      toFile: file, atomically: true, encoding: .utf8)
    let found = try problems(folder)
    #expect(found.contains { $0.kind == .changed && $0.place == "runs/logs/1.txt" })
    #expect(
      found.contains { $0.place.hasPrefix("analysis.rows[0].loss.mean") }, "\(found)")
    #expect(
      message {
        _ = try Replication(RecordPack(reading: pack.path), set: "logs", seeds: .new, count: 2)
      }
      .contains("no configuration that could be run again"))
  }

  @Test func aPackIsNotWrittenOverAnythingAndNotOfRefusedRuns() throws {
    let folder = try Folder()
    _ = try pack(folder)
    var reader = SetReader()
    let set = try reader.sets(["a=3.1,3.2"])
    let writer = PackWriter(name: "x", program: "test 1", revision: "abc")
    #expect(
      message {
        try writer.write(to: folder.path + "/pack", baseline: nil, candidates: set, RecordRules())
      }.contains("is there already"))
    let twice = try folder.write("set,loss,seed\nA,3.2,1\nA,3.1,1\n", to: "a.csv")
    let double = try reader.sets([twice])
    #expect(
      message {
        try writer.write(
          to: folder.path + "/other", baseline: nil, candidates: double, RecordRules())
      }.contains("both have seed 1"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/other"))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!left.contains { $0.contains("partial") })
  }

  @Test func aManifestThatNamesFilesOutsideIsRefused() throws {
    let folder = try Folder()
    let pack = try pack(folder)
    let file = pack.file(RecordPack.FileName.manifest)
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try text.replacingOccurrences(of: "runs/slow/seed-1\"", with: "../slow/seed-1\"").write(
      toFile: file, atomically: true, encoding: .utf8)
    #expect(message { _ = try RecordPack(reading: pack.path) }.contains("outside the pack"))
    try "{".write(toFile: file, atomically: true, encoding: .utf8)
    #expect(message { _ = try RecordPack(reading: pack.path) }.contains(file))
  }

  // MARK: - Replications

  @Test func newSeedsFollowTheLargestAndThePlanIsFixedBeforeTheFirstRun() throws {
    let folder = try Folder()
    let pack = try pack(folder)
    let first = try Replication(pack, set: nil, seeds: .new, count: 2)
    #expect(first.plan.runs == [RunSeed(5), RunSeed(6)] && first.plan.set == "fast")
    #expect(FileManager.default.fileExists(atPath: first.folder + "/plan.json"))
    // The same command again is the same plan, and a smaller number takes nothing away.
    #expect(try Replication(pack, set: "fast", seeds: .new, count: 1).plan == first.plan)
    let more = try Replication(pack, set: nil, seeds: .new, count: 3)
    #expect(more.plan.runs == [5, 6, 7].map { RunSeed($0) } && more.plan.requests == [2, 3])
    let same = try Replication(pack, set: nil, seeds: .same, count: 4)
    #expect(same.plan.runs == [1, 2, 3, 4].map { RunSeed($0) })
    #expect(
      message { _ = try Replication(pack, set: nil, seeds: .same, count: 5) }.contains(
        "has 4 seeds"))
    #expect(
      message { _ = try Replication(pack, set: "other", seeds: .new, count: 1) }
        .contains("it has slow, fast"))
    #expect(try first.configurationText().contains("name = \"fast\""))
    // Replications are no part of what is hashed.
    #expect(try problems(folder).isEmpty)
  }

  @Test func evidenceIsUpdatedByNewSeedsAndConfirmedByTheSame() throws {
    let folder = try Folder()
    let pack = try pack(folder)
    let plan = try Replication(pack, set: nil, seeds: .new, count: 3)
    var evidence = try ReplicationEvidence(plan)
    #expect(evidence.finishedRuns == 0 && evidence.replication == nil && !evidence.isConfirmed)
    for (seed, loss) in zip(plan.plan.runs, [3.301, 3.299, 3.305]) {
      try InventedRun(arm: "fast", seed: seed.initial, loss: loss).write(to: plan.folder(of: seed))
      #expect(try plan.differences(of: seed).isEmpty)
    }
    evidence = try ReplicationEvidence(plan)
    // New seeds are evidence, but have no bits to confirm.
    #expect(evidence.finishedRuns == 3 && !evidence.isConfirmed)
    #expect(!evidence.text.lowercased().contains("confirmed"))
    let alone = try #require(evidence.replication)
    #expect(alone.rows.map(\.count) == [4, 3])
    let combined = try #require(evidence.combined)
    #expect(combined.rows.map(\.count) == [4, 7])
    #expect(!combined.flags.contains { $0.code == .runsNotFixed })
    #expect(evidence.text.contains("all runs together"))
    // A plan that grows was not fixed beforehand.
    let grown = try ReplicationEvidence(Replication(pack, set: nil, seeds: .new, count: 4))
    #expect(grown.replication?.flags.contains { $0.code == .runsNotFixed } == true)

    let same = try Replication(pack, set: nil, seeds: .same, count: 2)
    try InventedRun(arm: "fast", seed: 1, loss: 3.296).write(to: same.folder(of: RunSeed(1)))
    try InventedRun(arm: "fast", seed: 2, loss: 3.3151).write(to: same.folder(of: RunSeed(2)))
    var checked = try ReplicationEvidence(same)
    #expect(checked.checks.map(\.isIdentical) == [true, false])
    #expect(!checked.isConfirmed && checked.text.contains("\nNOT CONFIRMED: "))
    try FileManager.default.removeItem(atPath: same.folder(of: RunSeed(2)))
    // One of two planned runs is too few, whatever its bits.
    checked = try ReplicationEvidence(same)
    #expect(checked.checks.map(\.isIdentical) == [true] && !checked.isConfirmed)
    try InventedRun(arm: "fast", seed: 2, loss: 3.315).write(to: same.folder(of: RunSeed(2)))
    checked = try ReplicationEvidence(same)
    #expect(checked.isConfirmed && checked.text.contains("\nconfirmed: "))
  }

  @Test func aReplicationUnderOtherConditionsIsNoticed() throws {
    let folder = try Folder()
    let plan = try Replication(pack(folder), set: nil, seeds: .new, count: 1)
    try InventedRun(arm: "fast", seed: 5, evaluation: "9 tokens").write(
      to: plan.folder(of: RunSeed(5)))
    #expect(
      try plan.differences(of: RunSeed(5)) == ["evaluationTokens: 9 tokens instead of 1024 tokens"])
  }
}
