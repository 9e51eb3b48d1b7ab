// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords
import Testing

@testable import Comparison

@Suite struct PlainRunTests {
  private let folder: StudyOnDisk

  init() throws { folder = try StudyOnDisk(measuredStudy(arms: ["a"])) }

  /// A run of its own with a configuration, or a trial.
  private func run(
    _ name: String, optimizer: String, seed: Int, dataSeed: Int? = nil, rate: Double = 0.1,
    loss: Double, details: StudyOnDisk.Details = StudyOnDisk.Details(), isTrial: Bool = false
  ) throws -> String {
    var source = ConfigurationSource()
    try source.add(overrides: [
      "optimizer.name=\(optimizer)", "optimizer.learning_rate=\(rate)", "training.seed=\(seed)",
      "training.data_seed=\(dataSeed ?? seed)",
    ])
    let reader = ConfigurationReader(source)
    _ = reader.string("optimizer.name", default: "")
    _ = reader.number("optimizer.learning_rate", default: 0)
    _ = reader.integer("training.seed", default: 0)
    _ = reader.integer("training.data_seed", default: 0)
    let configuration = try reader.finish()
    let point = TrialPoint(
      variant: "main", arm: name, seed: TrialSeed(.reporting, seed, data: dataSeed), knobs: [:])
    let path = folder.path + "/" + (try folder.add(finished(point, loss), details))
    if !isTrial { try FileManager.default.removeItem(atPath: path + "/trial.json") }
    try configuration.json.write(to: URL(fileURLWithPath: path + "/configuration.json"))
    try Data(configuration.tomlText.utf8).write(
      to: URL(fileURLWithPath: path + "/configuration.toml"))
    try folder.seal(String(path.dropFirst(folder.path.count + 1)))
    return path
  }

  private func refusal(_ body: () throws -> Void) -> ComparisonError? {
    do {
      try body()
      return nil
    } catch { return error as? ComparisonError }
  }

  private func pairs() throws -> [String] {
    try ["first", "second"].enumerated().flatMap { index, optimizer in
      try (1...3).map { seed in
        try run(
          optimizer, optimizer: optimizer, seed: seed,
          loss: 3 + 0.1 * Double(index) + 0.001 * Double(seed))
      }
    }
  }

  @Test func trialsAreLaidOverEachOtherUnderTheNameOfTheirArm() throws {
    // A number at the end of an arm's name is no number of a run.
    let folders = try (1...3).map { seed in
      try run("no-float8", optimizer: "a", seed: seed, loss: 3, isTrial: true)
    }
    #expect(try ScalarComparison.Arm.grouped(folders).map(\.name) == ["main.no-float8"])
  }

  @Test func runsAreGroupedByTheirOptimizerAndComparedBySeed() throws {
    let results = try StudyResults(runs: pairs(), command: "assay compare RUN RUN")
    let analysis = try StudyAnalysis(results, command: "test")
    #expect(analysis.study.arms.map(\.name) == ["first", "second"])
    #expect(analysis.study.baseline == "first")
    #expect(try analysis.row("first").loss.count == 3)
    #expect(try analysis.difference("second", "first").verdict.word == .worse)
    #expect(analysis.completion.isComplete)
    #expect(!analysis.isDeclared)
    #expect(analysis.trials.allSatisfy { $0.marks.isEmpty })
  }

  @Test func whatCannotBeReadOfARunIsANoteBesideTheScalarsOfTheOthers() throws {
    let runs = try pairs()
    for (index, run) in runs.enumerated() {
      let parts = run.split(separator: "/", omittingEmptySubsequences: false)
      try InventedScalars(path: parts.dropLast().joined(separator: "/"))
        .run(String(try #require(parts.last)), seed: UInt64(index))
    }
    let results = try StudyResults(runs: runs, command: "test")
    let analysis = try StudyAnalysis(results, command: "test")
    let whole = try #require(ScalarComparison.all(of: analysis, results).first?.scalars)
    #expect(whole.scalars.count == 4 && whole.notes.isEmpty)
    try FileManager.default.removeItem(atPath: runs[0] + "/metrics.jsonl")
    let some = try #require(ScalarComparison.all(of: analysis, results).first?.scalars)
    #expect(some.scalars.count == 4 && some.arms.map(\.folders.count) == [3, 3])
    #expect(some.notes.count == 1 && some.notes[0].contains(runs[0] + " did is left out"))
    for run in runs {
      try Data("no trajectories".utf8).write(to: URL(fileURLWithPath: run + "/trajectories.bin"))
    }
    let none = try #require(ScalarComparison.all(of: analysis, results).first?.scalars)
    #expect(none.isEmpty && none.notes.count == 6)
  }

  @Test func anotherKeyMakesTheArms() throws {
    let runs = try [0.1, 0.2].flatMap { rate in
      try (1...2).map {
        try run("rate \(rate)", optimizer: "same", seed: $0, rate: rate, loss: 3 + rate)
      }
    }
    let refused = try #require(refusal { _ = try StudyResults(runs: runs, command: "test") })
    #expect(refused.code == .ambiguousRuns)
    let results = try StudyResults(
      runs: runs, .init(key: "optimizer.learning_rate", baseline: "0.2"), command: "test")
    #expect(results.study.arms.map(\.name) == ["0.1", "0.2"])
    #expect(results.study.arms.map(\.method) == ["same", "same"])
    #expect(results.study.baseline == "0.2")
  }

  @Test func replicatesThatDifferInMoreThanSeedsAreNoReplicates() throws {
    let runs = try [
      run("x", optimizer: "same", seed: 1, rate: 0.1, loss: 3),
      run("x", optimizer: "same", seed: 2, rate: 0.2, loss: 3),
    ]
    let error = try #require(refusal { _ = try StudyResults(runs: runs, command: "test") })
    #expect(error.code == .ambiguousRuns)
    #expect(error.message.contains("optimizer.learning_rate: 0.2, other 0.1"))
  }

  @Test func seedsOfWeightsAndDataThatDifferAreMatchedAsPairs() throws {
    let runs = try ["first", "second"].flatMap { name in
      try [(1, 7), (2, 7), (2, 8)].map { seed, data in
        try run(name, optimizer: name, seed: seed, dataSeed: data, loss: 3 + Double(seed) * 0.01)
      }
    }
    let results = try StudyResults(runs: runs, command: "test")
    #expect(results.study.reportingSeeds == [1, 2, 3])
    #expect(try StudyAnalysis(results, command: "test").row("second").loss.count == 3)
  }

  @Test func unequalContractsAreRefusedUnlessAllowed() throws {
    var runs = try pairs()
    runs[3] = try run(
      "second", optimizer: "second", seed: 1, loss: 3.1,
      details: .init(contract: [.batchTokens: "many"]))
    let results = try StudyResults(runs: runs, command: "test")
    let error = try #require(refusal { _ = try StudyAnalysis(results, command: "test") })
    #expect(error.fields == [.batchTokens])
    let allowed = try StudyResults(
      runs: runs, .init(differences: [.batchTokens]), command: "test")
    #expect(try StudyAnalysis(allowed, command: "test").title.contains("batchTokens differs"))
  }

  @Test func whatCannotBeComparedIsNamed() throws {
    let runs = try pairs()
    #expect(refusal { _ = try StudyResults(runs: [], command: "test") }?.code == .noRecords)
    let missing = refusal { _ = try StudyResults(runs: runs + ["/nowhere"], command: "test") }
    #expect(missing?.message.contains("/nowhere") == true)
    let key = refusal {
      _ = try StudyResults(runs: runs, .init(key: "optimizer.beta1"), command: "test")
    }
    #expect(key?.message.contains("optimizer.beta1") == true)
    let baseline = refusal {
      _ = try StudyResults(runs: runs, .init(baseline: "third"), command: "test")
    }
    #expect(baseline?.message.contains("first, second") == true)
    let twin = refusal { _ = try StudyResults(runs: runs + [runs[0]], command: "test") }
    #expect(twin?.code == .ambiguousRuns)
  }
}
