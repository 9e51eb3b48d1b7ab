// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

@testable import Comparison

@Suite struct RecordMarksTests {
  private let folder: StudyOnDisk
  private let names: [String]

  init() throws {
    folder = try StudyOnDisk(measuredStudy(arms: ["a", "b"]))
    let losses = [3.01, 3.02, 2.99, 3.0, 3.03]
    try folder.add(["a": losses, "b": losses.map { $0 + 0.1 }])
    names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/trials").sorted()
      .map { "trials/" + $0 }
  }

  private func replace(_ name: String, _ text: String?) throws {
    let path = folder.path + "/" + name
    if let text {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    } else {
      try FileManager.default.removeItem(atPath: path)
    }
  }

  private func edit(_ name: String, _ from: String, _ to: String) throws {
    let path = folder.path + "/" + name
    let old = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    let new = old.replacingOccurrences(of: from, with: to)
    #expect(new != old)
    try Data(new.utf8).write(to: URL(fileURLWithPath: path))
  }

  @Test func soundRecordsHaveNoMarks() throws {
    let analysis = try folder.analysis()
    #expect(analysis.trials.allSatisfy { $0.marks.isEmpty && $0.problems.isEmpty })
    #expect(analysis.marks.map(\.kind) == [.uncalibrated])
  }

  @Test(arguments: ["outcome.json", "metrics.jsonl", "contract.json", "trial.json"])
  func anEditedFileIsMarkedByItsName(file: String) throws {
    let edits = [
      "outcome.json": (":3.01", ":2.01"), "metrics.jsonl": (":3.01", ":2.01"),
      "contract.json": ("\"hash\"", " \"hash\""), "trial.json": ("\"abc\"", "\"abd\""),
    ]
    let (from, to) = try #require(edits[file])
    try edit(names[0] + "/" + file, from, to)
    let analysis = try folder.analysis()
    let trial = try analysis.trial(names[0])
    #expect(trial.marks.contains(.edited))
    #expect(trial.problems.contains { $0.contains(file) })
    let mark = try #require(analysis.marks.first { $0.kind == .edited })
    #expect(mark.trials == [String(names[0].dropFirst("trials/".count))])
    #expect(analysis.trials.count { $0.marks.contains(.edited) } == 1)
  }

  @Test func theSealIsNotLookedAtWhereNobodyAsks() throws {
    try edit(names[0] + "/outcome.json", ":3.01", ":2.01")
    let analysis = try StudyAnalysis(folder.results(checksSeals: false), command: "test")
    #expect(try analysis.trial(names[0]).marks.isEmpty)
  }

  @Test(arguments: ["outcome.json", "metrics.jsonl", "trial.json", "machine.json"])
  func aFileThatIsNoRecordIsMarkedAndStopsNothing(file: String) throws {
    try replace(names[0] + "/" + file, file == "metrics.jsonl" ? nil : "{ not JSON")
    let analysis = try folder.analysis()
    let trial = try analysis.trial(names[0])
    #expect(trial.marks.contains(.damaged))
    #expect(!trial.problems.isEmpty)
    #expect(analysis.trials.count == 10)
    let isUsed = ["metrics.jsonl", "machine.json"].contains(file)
    #expect(try analysis.row("a").loss.count == (isUsed ? 5 : 4))
    #expect(analysis.completion.isComplete == isUsed)
  }

  @Test func damageInTheMiddleOfMetricsIsMarkedAndAnUnfinishedLastLineIsNot() throws {
    let path = folder.path + "/" + names[0] + "/metrics.jsonl"
    let old = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    try Data((old + "{\"step\":110,\"validationLoss\":2").utf8)
      .write(to: URL(fileURLWithPath: path))
    try folder.seal(names[0])
    #expect(try folder.analysis().trial(names[0]).marks.isEmpty)
    try Data(("{\"validationLoss\":broken}\n" + old).utf8).write(to: URL(fileURLWithPath: path))
    try folder.seal(names[0])
    #expect(try folder.analysis().trial(names[0]).marks == [.damaged])
  }

  @Test func aRunThatEndedWithoutASealIsMarked() throws {
    try replace(names[1] + "/seal.json", nil)
    #expect(try folder.analysis().trial(names[1]).marks == [.unsealed])
  }

  @Test func aRunThatNobodyRunsIsMarked() throws {
    let point = TrialPoint(variant: "main", arm: "a", seed: TrialSeed(.reporting, 1), knobs: [:])
    var details = StudyOnDisk.Details()
    details.isSealed = false
    let name = try folder.add(ended(point, .running), details)
    let analysis = try folder.analysis()
    #expect(try analysis.trial(name).marks == [.abandoned])
    #expect(analysis.completion.unfinished == 1)
    #expect(try analysis.row("a").missing == 1)
  }

  @Test func recordsFromElsewhereAreMarked() throws {
    func point(_ arm: String) -> TrialPoint {
      TrialPoint(variant: "main", arm: arm, seed: TrialSeed(.reporting, 1), knobs: [:])
    }
    let machine = try folder.add(finished(point("a"), 3.01), .init(processor: "another"))
    let revision = try folder.add(finished(point("b"), 3.11), .init(revision: "def+"))
    let foreign = try folder.add(finished(point("stranger"), 1))
    let analysis = try folder.analysis()
    #expect(try analysis.trial(machine).marks == [.otherMachine])
    #expect(try analysis.trial(revision).marks == [.otherRevision, .uncommitted])
    #expect(try analysis.trial(foreign).marks == [.foreign])
    #expect(Set(analysis.marks.map(\.kind)).isSuperset(of: [.machines, .revisions, .other]))
    #expect(try analysis.row("a").loss.count == 5)
  }

  @Test(arguments: ["another", "test processor"])
  func aRunThatWasGoneOnWithElsewhereIsMarked(later: String) throws {
    let point = TrialPoint(variant: "main", arm: "a", seed: TrialSeed(.reporting, 1), knobs: [:])
    let name = try folder.add(finished(point, 3.01), .init(laterProcessor: later))
    let trial = try folder.analysis().trial(name)
    #expect(trial.marks == (later == "another" ? [.otherMachine] : []))
    #expect(trial.machine.contains("; then another, 2 cores") == (later == "another"))
  }

  @Test func aFolderThatHoldsNoRunIsPassedOver() throws {
    try FileManager.default.createDirectory(
      atPath: folder.path + "/trials/empty", withIntermediateDirectories: true)
    #expect(try folder.analysis().trials.count == 10)
  }

  @Test func aStudyWithoutADeclarationIsAnError() throws {
    try replace("study.json", nil)
    #expect(throws: RunRecordError.self) { try folder.analysis() }
  }

  @Test func aDamagedCalibrationIsMarkedAndNotUsed() throws {
    try replace("calibration.json", "{}")
    let analysis = try folder.analysis()
    #expect(analysis.calibration == nil)
    #expect(analysis.marks.contains { $0.text.contains("calibration.json") })
  }
}
