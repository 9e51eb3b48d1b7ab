// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords
import Testing
import TextData
import Training

@Suite struct TextSourceTests {
  /// A few documents of text, prepared as bytes.
  func prepare(_ folder: String, documents: Int = 40) throws {
    try FileManager.default.createDirectory(
      atPath: folder + "/text", withIntermediateDirectories: true)
    for index in 0..<documents {
      let text = (0..<20).map { "line \($0) of document \(index) says \($0 * index)\n" }.joined()
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/text/\(index).txt"))
    }
    var preparation = DatasetPreparation(
      inputs: [folder + "/text"], output: folder + "/data", tokenizer: .bytes)
    preparation.validationFraction = 0.1
    _ = try preparation.run()
  }

  /// A configuration of a very small run on that text.
  func smallConfiguration(
    _ folder: String, _ changes: [String: String] = [:]
  ) throws -> TrainingConfiguration {
    try TrainingTests.smallConfiguration(
      folder, ["data.path": folder + "/data"].merging(changes) { $1 })
  }

  func train(
    _ configuration: TrainingConfiguration, stopAfter: Int? = nil,
    events: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingSummary {
    let stop = StopRequest()
    return try TrainingRun.train(configuration, stop: stop) { event in
      if case .step(let report) = event, report.step == stopAfter { stop.request() }
      events(event)
    }
  }

  func tensors(_ summary: TrainingSummary) throws -> Data {
    let folder = try #require(summary.checkpoint)
    return try Data(contentsOf: URL(fileURLWithPath: folder + "/tensors.safetensors"))
  }

  static let changes = [
    "model.width": "32", "model.layers": "2", "model.heads": "2", "model.context_length": "32",
    "model.feed_forward_width": "64", "training.steps": "12", "training.batch_tokens": "256",
    "training.accumulation_steps": "2", "data.document_mask": "true", "evaluation.tokens": "500",
  ]

  @Test(
    "On text, one thread and two, and interrupted and resumed, give the same bits",
    arguments: ["fp32", "bf16"])
  func sameBits(precision: String) throws {
    let folder = try TemporaryFolder()
    try prepare(folder.path)
    func configuration(_ name: String, threads: Int) throws -> TrainingConfiguration {
      let own = [
        "machine.threads": String(threads), "machine.precision": precision,
        "run.folder": folder.path + "/" + name,
      ]
      return try smallConfiguration(folder.path, Self.changes.merging(own) { $1 })
    }
    var evaluations: [EvaluationReport] = []
    let one = try train(configuration("one", threads: 1)) { event in
      if case .evaluation(let report) = event { evaluations.append(report) }
    }
    #expect(one.outcome == .finished)
    #expect(evaluations.map(\.evaluatedTokens).allSatisfy { $0 == 500 })
    #expect(evaluations.last.map { $0.loss < evaluations[0].loss - 0.3 } == true)
    let two = try train(configuration("two", threads: 2))
    #expect(try tensors(one) == tensors(two))
    #expect(one.evaluation?.loss == two.evaluation?.loss)

    _ = try train(configuration("parts", threads: 2), stopAfter: 4)
    let parts = try train(configuration("parts", threads: 1))
    #expect(parts.progress.step == 12)
    #expect(try tensors(parts) == tensors(one))
    let manifest = try CheckpointStore(folder: one.folder + "/checkpoints").checkpoint(step: 12)
    #expect(manifest.manifest.dataPosition.hasPrefix("0."))
  }

  @Test("Data that are too short, missing, or beyond the vocabulary are refused before any work")
  func refused() throws {
    let folder = try TemporaryFolder()
    try prepare(folder.path)
    func code(_ changes: [String: String]) throws -> DataError.Code {
      let configuration = try smallConfiguration(folder.path, changes)
      let error = try #require(throws: DataError.self) { try train(configuration) }
      #expect(!FileManager.default.fileExists(atPath: configuration.run.folder))
      return error.code
    }
    #expect(try code(["training.batch_tokens": "800000"]) == .tooShort)
    #expect(
      try code(["model.context_length": "60000", "training.batch_tokens": "60000"]) == .tooShort)
    #expect(try code(["data.path": folder.path + "/none"]) == .unreadableFile)
    let small = try smallConfiguration(folder.path, ["model.vocabulary_size": "100"])
    let error = try #require(throws: ConfigurationError.self) { try train(small) }
    #expect(error.problems[0].keys.contains("model.vocabulary_size"))
    #expect(!FileManager.default.fileExists(atPath: small.run.folder))
  }

  @Test("A folder that holds something else is refused, and a run is written by one process only")
  func folders() throws {
    let folder = try TemporaryFolder()
    try prepare(folder.path)
    let occupied = try smallConfiguration(folder.path, ["run.folder": folder.path + "/text"])
    let error = try #require(throws: RunRecordError.self) { try train(occupied) }
    #expect(error.code == .alreadyExists)

    let configuration = try smallConfiguration(folder.path)
    _ = try train(configuration, stopAfter: 1)
    let held = try RunFolder.open(at: configuration.run.folder)
    let locked = try #require(throws: RunRecordError.self) { try train(configuration) }
    #expect(locked.code == .locked)
    withExtendedLifetime(held) {}
  }
}
