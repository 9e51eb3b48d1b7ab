// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What a user can get wrong, or a disk: a clear error, nothing lost, a documented exit code.
@Suite(.timeLimit(.minutes(20))) struct BadInputTests {
  /// One line that begins with `error: ` and contains a text.
  private func expectError(
    _ result: Command.Result, code: Int32, _ text: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(result.code == code, "\(result)", sourceLocation: sourceLocation)
    let errors = result.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
    #expect(errors.count == 1, "\(result)", sourceLocation: sourceLocation)
    #expect(result.errors.contains(text), "\(result)", sourceLocation: sourceLocation)
  }

  // MARK: - Text

  @Test func emptyText() throws {
    let workspace = try Workspace()
    try workspace.write(" \n\n", to: "empty.txt")
    let result = try workspace.run(
      "data", "prepare", "empty.txt", "--tokenizer", "bytes", "-o", "data")
    expectError(result, code: 1, "no text")
    #expect(!workspace.exists("data"))
  }

  @Test func binaryText() throws {
    let workspace = try Workspace()
    try workspace.write(Data((0..<4096).map { UInt8($0 * 7 & 255) }), to: "image.txt")
    let result = try workspace.run(
      "data", "prepare", "image.txt", "--tokenizer", "bytes", "-o", "data")
    expectError(result, code: 1, "image.txt")
    #expect(!workspace.exists("data"))
  }

  @Test func anUnknownTokenizer() throws {
    let workspace = try Workspace()
    try workspace.write(Workspace.text, to: "text.txt")
    let result = try workspace.run(
      "data", "prepare", "text.txt", "--tokenizer", "pbe:512", "-o", "data")
    expectError(result, code: 64, "unknown tokenizer 'pbe:512'")
  }

  @Test func anExistingDataSetIsNotReplacedUnasked() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    let before = try workspace.read("data/manifest.json")
    let arguments = ["data", "prepare", "text.txt", "--tokenizer", "bpe:280", "-o", "data"]
    let refused = try Command.run(arguments, in: workspace.folder)
    expectError(refused, code: 1, "--replace")
    #expect(try workspace.read("data/manifest.json") == before)
    let replaced = try Command.run(arguments + ["--replace"], in: workspace.folder)
    #expect(replaced.code == 0, "\(replaced)")
    #expect(try workspace.read("data/manifest.json") != before)
  }

  // MARK: - Data sets

  @Test func aVocabularyThatDoesNotFitTheShard() throws {
    let workspace = try Workspace()
    // An llm.c shard: 256 int32 of header, then 16-bit ids, one of them beyond a vocabulary of bytes.
    var header = [Int32](repeating: 0, count: 256)
    (header[0], header[1], header[2]) = (20_240_520, 1, 1000)
    var shard = header.withUnsafeBytes { Data($0) }
    for id in 0..<1000 { shard.append(contentsOf: [UInt8(id & 255), id == 999 ? 3 : 0]) }
    try workspace.write(shard, to: "tokens.bin")
    let prepared = try workspace.run(
      "data", "prepare", "tokens.bin", "--tokenizer", "bytes", "-o", "data")
    expectError(prepared, code: 1, "beyond the vocabulary of 257")

    // The tokenizer of another data set beside the shards of this one.
    try workspace.prepareData()
    let other = try workspace.run(
      "data", "prepare", "text.txt", "--tokenizer", "bpe:280", "-o", "other")
    #expect(other.code == 0, "\(other)")
    try workspace.write(workspace.read("other/tokenizer.json"), to: "data/tokenizer.json")
    expectError(try workspace.run("data", "inspect", "data"), code: 1, "data/tokenizer.json")
  }

  @Test func aModelWithFewerTokensThanTheData() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 10)
    let result = try workspace.run(
      "train", "config.toml", "-o", "run", "--model.vocabulary_size=100")
    expectError(result, code: 64, "model.vocabulary_size is 100")
    #expect(!workspace.exists("run"))
  }

  @Test func aDataSetShorterThanABatch() throws {
    let workspace = try Workspace()
    try workspace.write("A line.\n\nAnother line.\n", to: "text.txt")
    let prepared = try workspace.run(
      "data", "prepare", "text.txt", "--tokenizer", "bytes", "-o", "data")
    #expect(prepared.code == 0, "\(prepared)")
    try workspace.writeConfiguration(steps: 10)
    let result = try workspace.run("train", "config.toml", "-o", "run")
    expectError(result, code: 1, "data")
    #expect(!workspace.exists("run"))
  }

  @Test func aCorruptShard() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 10)
    let sound = try workspace.read("data/train-00000.tokens")

    try workspace.alter("data/train-00000.tokens") { $0[$0.count / 2] ^= 1 }
    expectError(
      try workspace.run("train", "config.toml", "-o", "run"), code: 1, "train-00000.tokens")
    expectError(try workspace.run("data", "inspect", "data"), code: 1, "train-00000.tokens")

    try workspace.write(sound.dropLast(10), to: "data/train-00000.tokens")
    expectError(
      try workspace.run("train", "config.toml", "-o", "run"), code: 1, "train-00000.tokens")

    try workspace.write(sound, to: "data/train-00000.tokens")
    let result = try workspace.run("train", "config.toml", "-o", "run")
    #expect(result.code == 0, "the sound shard still trains: \(result)")
  }

  // MARK: - Weights and checkpoints

  @Test func initialWeightsThatAreNotNumbers() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 10)
    let trace = try workspace.run("trace", "config.toml", "-o", "trace")
    #expect(trace.code == 0, "\(trace)")
    let file = try Safetensors(workspace.read("trace/initial.safetensors"))
    let range = try #require(file.ranges["head.weight"])
    try workspace.alter("trace/initial.safetensors") { data in
      data.replaceSubrange(
        range.lowerBound + 40..<range.lowerBound + 44, with: [0, 0, 0xC0, 0x7F])
    }
    let result = try workspace.run(
      "train", "config.toml", "-o", "run", "--initial", "trace/initial.safetensors")
    expectError(result, code: 1, "head.weight")
    #expect(try workspace.exists("run") == false || workspace.losses(of: "run").isEmpty)
  }

  @Test func aRunFolderOfAnotherConfiguration() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 10)
    #expect(try workspace.run("train", "config.toml", "-o", "run").code == 0)
    let weights = try workspace.weights(of: "run")
    let result = try workspace.run("train", "config.toml", "-o", "run", "--model.width=32")
    expectError(result, code: 2, "model.width")
    #expect(try workspace.weights(of: "run") == weights)
  }

  @Test func aCheckpointOfAnotherConfiguration() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 2000, checkpointEvery: 10)
    let running = try workspace.start("train", "config.toml", "-o", "run")
    #expect(running.waitForErrors(containing: "saved"))
    running.send(SIGINT)
    #expect(running.wait().code == 4)
    let other = try workspace.run(
      "train", "config.toml", "-o", "other", "--training.steps=10", "--model.width=32")
    #expect(other.code == 0, "\(other)")
    try FileManager.default.removeItem(atPath: workspace.path("run/checkpoints"))
    try FileManager.default.copyItem(
      atPath: workspace.path("other/checkpoints"), toPath: workspace.path("run/checkpoints"))
    let metrics = try workspace.read("run/metrics.jsonl")
    expectError(
      try workspace.run("train", "config.toml", "-o", "run"), code: 2, "another configuration")
    #expect(try workspace.read("run/metrics.jsonl") == metrics)
  }

  @Test func aTruncatedCheckpointIsRefusedAndThePreviousOneUsed() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 2000, checkpointEvery: 10)
    let whole = try workspace.run("train", "config.toml", "-o", "whole")
    #expect(whole.code == 0, "\(whole)")
    let running = try workspace.start("train", "config.toml", "-o", "run")
    #expect(running.waitForErrors(containing: "step 30: saved"))
    running.send(SIGINT)
    #expect(running.wait().code == 4)
    let checkpoints = try workspace.list("run/checkpoints")
    #expect(checkpoints.count == 2, "\(checkpoints)")
    let newest = try #require(checkpoints.last)
    try workspace.alter("run/checkpoints/\(newest)/tensors.safetensors") { $0.removeLast(100) }
    let result = try workspace.run("train", "config.toml", "-o", "run")
    #expect(result.code == 0, "\(result)")
    #expect(result.errors.contains("warning: ") && result.errors.contains(newest), "\(result)")
    #expect(try workspace.weights(of: "run") == workspace.weights(of: "whole"))
    #expect(try workspace.losses(of: "run") == workspace.losses(of: "whole"))
  }

  @Test func aRunThatIsBeingWritten() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 1_000_000)
    let running = try workspace.start("train", "config.toml", "-o", "run")
    #expect(running.waitForErrors(containing: "loss "))
    expectError(
      try workspace.run("train", "config.toml", "-o", "run"), code: 1, "another process")
    running.send(SIGTERM)
    #expect(running.wait().code == 4)
  }
}
