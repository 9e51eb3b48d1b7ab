// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Synchronization
import Testing
import TextData

@testable import Training

/// The plugin's file; nil where tests have none.
private let plugin = ProcessInfo.processInfo.environment["ASSAY_XLA_PLUGIN"]

@Suite(.enabled(if: plugin != nil)) struct TrialPackTests {
  /// How far the loss of a trial in a shared program lies from that of the trial alone after these few steps.
  static let tolerance = 1e-4

  private func request(
    _ folder: TemporaryFolder, _ place: String, _ name: String, _ changes: [String: String],
    limits: [TrialLimit]? = nil
  ) throws -> TrialRequest {
    let data = folder.path + "/data"
    if !FileManager.default.fileExists(atPath: data) {
      var synthesis = DatasetSynthesis(output: data)
      synthesis.tokens = 20_000
      synthesis.validationTokens = 1000
      synthesis.process.vocabulary = 32
      synthesis.process.classes = 4
      _ = try synthesis.run()
    }
    var values = [
      "data.path": data, "machine.device": "xla:\(plugin ?? "")", "machine.batch_runs": "3",
      "machine.precision": "fp32", "model.width": "8", "model.heads": "2", "model.layers": "1",
      "model.context_length": "8", "training.batch_tokens": "32", "training.steps": "12",
      "training.data_seed": "5", "evaluation.every": "4", "evaluation.tokens": "64",
      "checkpoint.final": "none", "metrics.statistics_every": "3", "optimizer.name": "adamw",
    ]
    values.merge(changes) { $1 }
    return TrialRequest(
      layers: [], overrides: values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" },
      folder: "\(folder.path)/\(place)/\(name)",
      trial: TrialRecord(
        study: "packs", identity: name,
        point: TrialPoint(
          variant: "main", arm: name, seed: TrialSeed(.reporting, 1), knobs: [:]),
        revision: "r", version: "1"), limits: limits)
  }

  private func losses(_ folder: String) throws -> [Double] {
    try String(contentsOfFile: folder + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
      .compactMap { line in
        let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return record?["validationLoss"] as? Double ?? record?["loss"] as? Double
      }
  }

  private func contract(_ folder: String) -> Data? {
    FileManager.default.contents(atPath: folder + "/contract.json")
  }

  @Test(
    "Trials in one program have the losses, contracts, files and ends of trials alone; one diverges and one is stopped early"
  )
  func asAlone() throws {
    let folder = try TemporaryFolder()
    let trials: [(String, [String: String], [TrialLimit]?)] = [
      ("slow", ["optimizer.learning_rate": "0.001", "training.seed": "3"], nil),
      (
        "wild",
        [
          "optimizer.learning_rate": "10000", "training.skip_limit": "1",
          "training.divergence_margin": "0.5", "evaluation.every": "4",
        ], nil
      ),
      ("lost", ["optimizer.learning_rate": "0.002"], [TrialLimit(step: 4, loss: 0.1)]),
    ]
    let alone = try trials.map { try request(folder, "alone", $0.0, $0.1, limits: $0.2) }
    let together = try trials.map { try request(folder, "together", $0.0, $0.1, limits: $0.2) }
    let single = try alone.map { request in
      try TrainingRun.train(
        TrainingConfiguration(request.source()), trial: request.trial,
        limits: request.limits ?? []
      ).outcome
    }
    let lines = Mutex<[TrialLine]>([])
    let packed = TrialPack(together).run(stop: StopRequest()) { text in
      if let line = TrialLine(text) { lines.withLock { $0.append(line) } }
    }
    #expect(single == [.finished, .diverged, .stopped])
    #expect(packed == single)
    for (one, other) in zip(alone, together) {
      let (expected, found) = (try losses(one.folder), try losses(other.folder))
      #expect(expected.count == found.count && !expected.isEmpty)
      if one.trial.identity != "wild" {
        for (value, reference) in zip(found, expected) {
          #expect(abs(value - reference) < Self.tolerance, "\(one.trial.identity)")
        }
      }
      #expect(contract(one.folder) != nil && contract(one.folder) == contract(other.folder))
      let files = try [one.folder, other.folder].map {
        try FileManager.default.subpathsOfDirectory(atPath: $0).sorted()
      }
      #expect(files[0] == files[1])
      let record = try RunRecord(path: other.folder)
      #expect(record.machine.details["runs_in_program"] == "3")
    }
    let told = lines.withLock { $0 }
    for request in together {
      let own = told.filter { $0.trial == request.trial.identity }
      guard case .started? = own.first?.event, case .ended? = own.last?.event else {
        Issue.record("\(request.trial.identity): \(own)")
        continue
      }
    }
  }

  @Test("Trials that are interrupted save after the same step, and go on together or alone")
  func interrupted() throws {
    let folder = try TemporaryFolder()
    let changes = (0..<2).map { ["optimizer.learning_rate": "0.00\($0 + 1)"] }
    let whole = try changes.enumerated().map { try request(folder, "whole", "t\($0)", $1) }
    #expect(TrialPack(whole).run(stop: StopRequest()) { _ in } == [.finished, .finished])
    let halves = try changes.enumerated().map { try request(folder, "halves", "t\($0)", $1) }
    let stop = StopRequest()
    let outcomes = TrialPack(halves).run(stop: stop) { text in
      // Steps are told four times a second at most, evaluations always.
      if case .evaluation(let step, _)? = TrialLine(text)?.event, step == 4 { stop.request() }
    }
    #expect(outcomes == [.interrupted, .interrupted])
    let positions = Set(halves.map { TrialPosition(folder: $0.folder) })
    #expect(positions.count == 1 && positions.first.map { (4..<12).contains($0.step) } == true)
    #expect(TrialPack(halves).run(stop: StopRequest()) { _ in } == [.finished, .finished])
    for (one, other) in zip(whole, halves) {
      #expect(try losses(one.folder).count == losses(other.folder).count)
      for (value, reference) in zip(try losses(other.folder), try losses(one.folder)) {
        #expect(abs(value - reference) < Self.tolerance)
      }
    }
  }

  @Test("Trials for different devices are refused together, each with the reason")
  func differentDevices() throws {
    let folder = try TemporaryFolder()
    let requests = [
      try request(folder, "mixed", "far", [:]),
      try request(folder, "mixed", "near", ["machine.device": "cpu", "machine.batch_runs": "1"]),
    ]
    let reasons = Mutex<[String]>([])
    let outcomes = TrialPack(requests).run(stop: StopRequest()) { text in
      if case .ended(let end)? = TrialLine(text)?.event {
        reasons.withLock { $0.append(end.reason ?? "") }
      }
    }
    #expect(outcomes == [nil, nil])
    #expect(reasons.withLock { $0 }.count == 2)
    #expect(reasons.withLock { $0 }.allSatisfy { $0.contains("cannot share a program") })
  }
}
