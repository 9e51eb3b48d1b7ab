// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RandomStreams
import RunRecords
import Testing
import TextData
import Training

@Suite struct DataOrderTests {
  static let endOfText: Int32 = 50_256

  /// A folder of llm.c shards with documents of random length; ids below 50.
  static func writeShards(_ folder: String, shards: Int = 2, documents: Int = 120) throws -> String
  {
    let path = folder + "/shards"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let random = RandomStream(seed: 3, name: "shards")
    var next = 0
    func integer(_ bound: Int) -> Int {
      next += 1
      return random.integer(below: bound, at: next)
    }
    for number in 0...shards {
      var tokens: [Int32] = []
      for _ in 0..<documents {
        tokens.append(endOfText)
        for _ in 0..<integer(30) { tokens.append(Int32(integer(50))) }
      }
      let part = number == 0 ? "val" : "train"
      try LLMCShard.write(tokens, to: "\(path)/text_\(part)_00000\(number).bin")
    }
    return path
  }

  func configuration(
    _ folder: TemporaryFolder, _ changes: [String: String] = [:]
  ) throws -> TrainingConfiguration {
    try smallConfiguration(
      folder.path,
      [
        "data.path": folder.path + "/shards", "data.order": "documents",
        "data.document_mask": "true", "data.document_limit": "20",
        "training.batch_tokens": "64", "model.context_length": "16", "evaluation.tokens": "400",
      ].merging(changes) { $1 })
  }

  func batch(_ tokens: Int, _ contextLength: Int) -> StepBatch {
    StepBatch(tokens: tokens, contextLength: contextLength, hasDocuments: true)
  }

  @Test("Documents come in the same order for every seed; windows do not")
  func seeds() throws {
    let folder = try TemporaryFolder()
    _ = try Self.writeShards(folder.path)
    func first(_ order: String, seed: Int) throws -> [Int32] {
      let source = try TextSource(
        configuration(folder, ["data.order": order, "training.data_seed": String(seed)]))
      let batch = batch(64, 16)
      try source.fill(batch)
      #expect(order == "windows" || (0..<4).allSatisfy { batch.tokens[16 * $0] == Self.endOfText })
      return Array(batch.tokens)
    }
    #expect(try first("documents", seed: 1) == first("documents", seed: 2))
    #expect(try first("windows", seed: 1) != first("windows", seed: 2))
  }

  @Test("Sequences of documents may have any length, windows one; a position goes on with any")
  func lengths() throws {
    let folder = try TemporaryFolder()
    _ = try Self.writeShards(folder.path)
    let source = try TextSource(configuration(folder))
    for length in [16, 32, 8] {
      let taken = batch(64, length)
      let position = source.position
      try source.fill(taken)
      #expect((0..<64 / length).allSatisfy { taken.tokens[length * $0] == Self.endOfText })
      let again = try TextSource(configuration(folder))
      try again.move(to: position)
      let other = batch(64, length)
      try again.fill(other)
      #expect(Array(taken.tokens) == Array(other.tokens))
      #expect(Array(taken.targets) == Array(other.targets))
      #expect(taken.documents.map(Array.init) == other.documents.map(Array.init))
      #expect(again.position == source.position)
    }
    for position in ["0.1", "0.0.0.0", "a.b.c", "", "0..1", "0.9.0"] {
      #expect(throws: (any Error).self) { try source.move(to: position) }
    }
    let windows = try TextSource(configuration(folder, ["data.order": "windows"]))
    let error = #expect(throws: TrainingError.self) { try windows.fill(batch(64, 32)) }
    #expect(error?.message.contains("data.order = \"documents\"") == true)
    #expect(throws: TrainingError.self) { try windows.move(to: "0.0.0") }
  }

  @Test("A run on documents of llm.c shards is interrupted and resumed with the same bits")
  func sameBits() throws {
    let folder = try TemporaryFolder()
    _ = try Self.writeShards(folder.path)
    func train(_ name: String, stopAfter: Int?) throws -> TrainingSummary {
      let configuration = try configuration(
        folder,
        [
          "run.folder": folder.path + "/" + name, "training.accumulation_steps": "2",
          "training.steps": "8",
        ])
      let stop = StopRequest()
      return try TrainingRun.train(configuration, stop: stop) { event in
        if case .step(let report) = event, report.step == stopAfter { stop.request() }
      }
    }
    let whole = try train("whole", stopAfter: nil)
    #expect(whole.outcome == .finished)
    _ = try train("parts", stopAfter: 3)
    let parts = try train("parts", stopAfter: nil)
    #expect(parts.progress.step == 8)
    #expect(parts.evaluation?.loss == whole.evaluation?.loss)
    let manifest = try CheckpointStore(folder: parts.folder + "/checkpoints").checkpoint(step: 8)
    #expect(manifest.manifest.dataPosition.hasPrefix("0.0."))
    // One batch too large for a shard is refused before the run.
    let large = try configuration(
      folder, ["training.batch_tokens": "64000", "run.folder": folder.path + "/large"])
    let error = #expect(throws: DataError.self) { try TrainingRun.train(large) }
    #expect(error?.code == .tooShort)
    #expect(!FileManager.default.fileExists(atPath: large.run.folder))
  }

  /// As in the speedrun: 4 sequences a step, longer from stage to stage, another length and protocol for the held-out tokens.
  @Test(
    "Batches and sequences of documents grow in the midst of a run, which resumes with the same bits"
  )
  func growing() throws {
    let folder = try TemporaryFolder()
    let path = try Self.writeShards(folder.path)
    let stages =
      "[{name = 'a', steps = 2, batch_tokens = 64, context_length = 16}, "
      + "{name = 'b', steps = 2, batch_tokens = 96, context_length = 24}, "
      + "{name = 'c', batch_tokens = 128, context_length = 32}]"
    func train(_ name: String, stopAfter: Int?) throws -> TrainingSummary {
      let configuration = try configuration(
        folder,
        [
          "schedule.stage": stages, "model.context_length": "32",
          "evaluation.selection": "first", "evaluation.context_length": "50",
          "run.folder": folder.path + "/" + name,
        ])
      let stop = StopRequest()
      return try TrainingRun.train(configuration, stop: stop) { event in
        if case .step(let report) = event, report.step == stopAfter { stop.request() }
      }
    }
    let whole = try train("whole", stopAfter: nil)
    #expect(whole.outcome == .finished)
    #expect(whole.progress.tokens == 2 * (64 + 96 + 128))
    _ = try train("parts", stopAfter: 3)
    let parts = try train("parts", stopAfter: nil)
    #expect(parts.evaluation?.loss == whole.evaluation?.loss)
    #expect(parts.evaluation?.evaluatedTokens == 400)
    func manifest(_ run: TrainingSummary) throws -> CheckpointManifest {
      try CheckpointStore(folder: run.folder + "/checkpoints").checkpoint(step: 6).manifest
    }
    #expect(try manifest(parts).dataPosition == manifest(whole).dataPosition)
    // The position is that of packing the same batches without a run.
    let batches = try DocumentBatches(
      TokenDataset(folder: path).train, documentLimit: 20, vocabularySize: 50_257)
    for length in [16, 16, 24, 24, 32, 32] {
      let taken = batch(4 * length, length)
      try batches.nextBatch(
        sequences: 4, contextLength: length, into: #require(taken.tokens.baseAddress),
        targets: #require(taken.targets.baseAddress), documents: nil)
    }
    #expect(try manifest(whole).dataPosition == "0.0.\(batches.position.document)")
  }

  @Test("The contract says which order tokens come in")
  func contract() throws {
    let folder = try TemporaryFolder()
    _ = try Self.writeShards(folder.path)
    let documents = try configuration(folder).contractForecast(vocabularySize: 50_257)
    #expect(
      documents[.tokenOrder]
        == "sequences from documents in the order of the text, at most 20 tokens of each, context length 16, attention "
        + "inside documents")
    let other = try configuration(folder, ["training.data_seed": "9"])
    #expect(try other.contractForecast(vocabularySize: 50_257) == documents)
    let windows = try configuration(folder, ["data.order": "windows"])
    #expect(
      try windows.contractForecast(vocabularySize: 50_257)[.tokenOrder]?.hasPrefix("data seed 1, ")
        == true)
  }

  // MARK: - Validation

  /// A loss that is known for every pair of input and target, as a table of a bigram model would have it, in whole numbers: sums of
  /// them do not depend on their order.
  static func loss(_ input: Int32, _ target: Int32) -> Int {
    Int(input) * 7 % 101 + Int(target) * 13 % 97
  }

  /// Sum and count over an evaluation, in batches of some sequences.
  func evaluate(_ source: TextSource, contextLength: Int, sequences: Int) throws -> (Int, Int) {
    let batch = batch(contextLength * sequences, contextLength)
    var sum = 0
    var count = 0
    source.restartValidation()
    while case let counted = try source.fillValidation(batch), counted > 0 {
      count += counted
      for index in 0..<batch.count where batch.targets[index] >= 0 {
        sum += Self.loss(batch.tokens[index], batch.targets[index])
      }
    }
    return (sum, count)
  }

  @Test(
    "The first tokens are evaluated one after another, each once, whatever sequences and batches they come in",
    arguments: [400, 397, 1, 1024])
  func firstTokens(limit: Int) throws {
    let folder = try TemporaryFolder()
    let path = try Self.writeShards(folder.path)
    let stream = try TokenDataset(folder: path).validation
    let tokens = stream.tokens(0..<limit + 1)
    let expected = zip(tokens, tokens.dropFirst()).reduce(0) { $0 + Self.loss($1.0, $1.1) }
    for length in [16, 50, 100, 1024] {
      let source = try TextSource(
        configuration(
          folder,
          [
            "evaluation.selection": "first", "evaluation.tokens": String(limit),
            "evaluation.context_length": String(length),
          ]))
      #expect(source.validationTokens == limit)
      for sequences in [1, 3, 8] {
        let found = try evaluate(source, contextLength: length, sequences: sequences)
        #expect(found == (expected, limit))
      }
    }
    // Spread over all is another choice of tokens, of sequences as long as asked for.
    let spread = try TextSource(
      configuration(folder, ["evaluation.tokens": "400", "evaluation.context_length": "50"]))
    let all = try evaluate(spread, contextLength: 50, sequences: 4)
    #expect(all.1 == 400)
    #expect(limit != 400 || all.0 != expected)
    #expect(throws: TrainingError.self) { try spread.fillValidation(batch(16, 16)) }
  }

  @Test(
    "Equal slices of contiguous tokens, one for each rank, have the token mean as the mean of their means"
  )
  func slices() throws {
    let folder = try TemporaryFolder()
    _ = try Self.writeShards(folder.path)
    let source = try TextSource(
      configuration(
        folder,
        [
          "evaluation.selection": "first", "evaluation.tokens": "960",
          "evaluation.context_length": "24",
        ]))
    let (sum, count) = try evaluate(source, contextLength: 24, sequences: 40)
    for ranks in [1, 2, 4, 8] {
      // Five batches of `ranks` slices, as the speedrun reports it.
      let length = 960 / 5 / ranks
      let sliced = try TextSource(
        configuration(
          folder,
          [
            "evaluation.selection": "first", "evaluation.tokens": "960",
            "evaluation.context_length": String(length),
          ]))
      let batch = batch(length, length)
      sliced.restartValidation()
      var mean = 0.0
      for _ in 0..<5 {
        var means = 0.0
        for _ in 0..<ranks {
          #expect(try sliced.fillValidation(batch) == length)
          let part = (0..<length).reduce(0) {
            $0 + Self.loss(batch.tokens[$1], batch.targets[$1])
          }
          means += Double(part) / Double(length)
        }
        mean += means / Double(ranks) / 5
      }
      // Some 40 additions of numbers below 200.
      #expect(abs(mean - Double(sum) / Double(count)) < 1e-11)
    }
  }

  @Test(
    "A document's rest that begins a sequence is a document of its own, and each end of text begins another"
  )
  func validationDocuments() throws {
    let folder = try TemporaryFolder()
    let path = try Self.writeShards(folder.path)
    let source = try TextSource(
      configuration(
        folder,
        [
          "evaluation.selection": "first", "evaluation.tokens": "800",
          "evaluation.context_length": "100",
        ]))
    let tokens = try TokenDataset(folder: path).validation.tokens(0..<801)
    let batch = batch(800, 100)
    source.restartValidation()
    #expect(try source.fillValidation(batch) == 800)
    var fragments = 0
    for row in 0..<8 {
      var document: Int32 = 0
      fragments += tokens[100 * row] == Self.endOfText ? 0 : 1
      for place in 0..<100 {
        let index = 100 * row + place
        #expect(batch.tokens[index] == tokens[index])
        if place > 0, tokens[index] == Self.endOfText { document += 1 }
        #expect(batch.documents?[index] == document)
      }
    }
    // Not aligned: most sequences begin inside a document.
    #expect(fragments >= 5)
  }
}
