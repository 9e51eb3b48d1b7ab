// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TextData

struct LLMCFolderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Two training shards and a held-out one, a document straddling the first two.
  func writeFolder() throws -> String {
    try FileManager.default.createDirectory(
      atPath: folder.file("set"), withIntermediateDirectories: true)
    let shards: [(String, [Int32])] = [
      ("fineweb_train_000002.bin", [7, 8, 50256, 9]),
      ("fineweb_train_000001.bin", [50256, 1, 2, 50256, 5, 6]),
      ("fineweb_val_000000.bin", [50256, 3, 4, 4]),
    ]
    for (name, tokens) in shards {
      try LLMCShard.write(tokens, to: folder.file("set/" + name))
    }
    return folder.file("set")
  }

  func code(_ body: () throws -> Void) -> DataError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? DataError)?.code
    }
  }

  @Test func aFolderOfShardsIsADataSetInTheOrderOfNames() throws {
    let path = try writeFolder()
    // What lies beside the shards is none: a half-fetched one, one of another name.
    try folder.write([1, 2, 3], to: "set/fineweb_train_000003.bin.part")
    try folder.write([1, 2, 3], to: "set/notes.bin")
    let dataset = try TokenDataset(folder: path)
    #expect(dataset.manifest == nil)
    #expect(dataset.vocabularySize == 50257)
    #expect(dataset.bytesPerToken == nil)
    #expect(dataset.train.tokens(0..<10) == [50256, 1, 2, 50256, 5, 6, 7, 8, 50256, 9])
    #expect(dataset.validation.tokens(0..<4) == [50256, 3, 4, 4])
    #expect(dataset.train.endOfText == 50256)
    #expect(dataset.train.segments.map(\.count) == [6, 4])
    let description = try DatasetDescription(folder: path)
    #expect(description.vocabularySize == 50257)
    #expect(description.trainTokens == 10)
    #expect(description.validationTokens == 4)
    #expect(code { _ = try dataset.loadTokenizer() } == .unreadableFile)
  }

  @Test func missingPartsAndBrokenShardsAreRefused() throws {
    let path = try writeFolder()
    let whole = try folder.read("set/fineweb_train_000002.bin")
    func altered(_ change: (inout [UInt8]) -> Void) throws -> DataError.Code? {
      var bytes = whole
      change(&bytes)
      try folder.write(bytes, to: "set/fineweb_train_000002.bin")
      let found = code { _ = try TokenDataset(folder: path) }
      #expect(code { _ = try DatasetDescription(folder: path) } == found)
      return found
    }
    #expect(try altered { $0[0] ^= 1 } == .wrongFormat)
    #expect(try altered { $0[4] = 2 } == .wrongVersion)
    #expect(try altered { $0.removeLast() } == .truncatedData)
    #expect(try altered { $0 += [0, 0] } == .truncatedData)
    #expect(try altered { _ in } == nil)
    try FileManager.default.removeItem(atPath: path + "/fineweb_val_000000.bin")
    #expect(code { _ = try TokenDataset(folder: path) } == .unreadableFile)
    try FileManager.default.removeItem(atPath: path + "/fineweb_train_000001.bin")
    try FileManager.default.removeItem(atPath: path + "/fineweb_train_000002.bin")
    // Nothing of either kind: the message of a folder without data.
    #expect(code { _ = try TokenDataset(folder: path) } == .unreadableFile)
  }

  @Test func theIdentityChangesWithTokensOrderAndParts() throws {
    let path = try writeFolder()
    let first = try TokenDataset(folder: path).contentHash
    #expect(try TokenDataset(folder: path).contentHash == first)
    let names = ["fineweb_train_000001.bin", "fineweb_train_000002.bin", "fineweb_val_000000.bin"]
    var seen: Set<String> = [first]
    for name in names {
      let whole = try folder.read("set/" + name)
      for place in [1024, whole.count - 2] {
        var bytes = whole
        bytes[place] ^= 1
        try folder.write(bytes, to: "set/" + name)
        seen.insert(try TokenDataset(folder: path).contentHash)
      }
      try folder.write(whole, to: "set/" + name)
    }
    #expect(seen.count == 7)
    // Another order of the same shards.
    let (a, b) = (try folder.read("set/" + names[0]), try folder.read("set/" + names[1]))
    try folder.write(b, to: "set/" + names[0])
    try folder.write(a, to: "set/" + names[1])
    seen.insert(try TokenDataset(folder: path).contentHash)
    #expect(seen.count == 8)
  }

  /// Every block of a large shard counts, the first and the last bytes among them.
  @Test func aSampleOfALargeShardReachesFromItsFirstToItsLastToken() throws {
    // Twice as many bytes as are read.
    let count = LLMCShard.sampleBlocks * LLMCShard.sampleBlockBytes
    let tokens = [Int32](repeating: 1, count: count)
    func checksum(_ changes: [Int: Int32]) throws -> UInt64 {
      var altered = tokens
      for (place, token) in changes { altered[place] = token }
      try LLMCShard.write(altered, to: folder.file("a.bin"))
      return try LLMCShard(path: folder.file("a.bin")).sampleChecksum
    }
    let first = try checksum([:])
    #expect(try checksum([0: 2]) != first)
    #expect(try checksum([count - 1: 2]) != first)
    #expect(try checksum([(count - LLMCShard.sampleBlockBytes / 2) / 15 * 7 + 5: 2]) != first)
    // The sample is one: this is between two blocks, which is why files have checksums of their own.
    #expect(try checksum([LLMCShard.sampleBlockBytes / 2: 2]) == first)
  }

  @Test func inspectionCountsDocumentsAndChecksIds() throws {
    let path = try writeFolder()
    let inspection = try LLMCInspection(folder: path, samples: 2, sampleTokens: 3)
    #expect(inspection.parts.map(\.tokens) == [10, 4])
    #expect(inspection.parts.map(\.documents) == [3, 1])
    #expect(inspection.parts[0].shards.map(\.tokensBeforeFirst) == [0, 2])
    #expect(inspection.parts[0].usableTokens == 8)
    #expect(inspection.parts[0].shards[0].largestToken == 50256)
    #expect(inspection.samples.allSatisfy { $0.tokens[0] == 50256 && $0.text.isEmpty })
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    #expect(
      try decoder.decode(LLMCInspection.self, from: Data(inspection.json().utf8)) == inspection)
    #expect(inspection.text.contains("10 tokens, 3 documents"))
    try LLMCShard.write([50256, 50257], to: path + "/fineweb_train_000003.bin")
    #expect(code { _ = try LLMCInspection(folder: path) } == .vocabularyMismatch)
    try LLMCShard.write([1, 2], to: path + "/fineweb_val_000000.bin")
    try FileManager.default.removeItem(atPath: path + "/fineweb_train_000003.bin")
    #expect(code { _ = try LLMCInspection(folder: path) } == .wrongFormat)
  }

  @Test func aPreparedDataSetComesBackFromItsExport() throws {
    let text = try folder.write(SampleText.documents(60), to: "text.txt")
    _ = try DatasetPreparation(
      inputs: [text], output: folder.file("set"), tokenizer: .bpe(vocabularySize: 320)
    ).run()
    let dataset = try TokenDataset(folder: folder.file("set"))
    var export = LLMCExport(input: folder.file("set"), output: folder.file("shards"))
    export.name = "sample"
    export.tokensPerShard = 1000
    var shares: [Double] = []
    let result = try export.run { shares.append($0) }
    #expect(shares.last == 1)
    #expect(result.train.count == (dataset.train.count + 999) / 1000)
    #expect(result.train[0] == "sample_train_000001.bin")
    #expect(result.validation[0] == "sample_val_000000.bin")
    let again = try TokenDataset(folder: folder.file("shards"))
    #expect(again.manifest == nil)
    #expect(again.vocabularySize == 320)
    #expect(again.train.endOfText == 319)
    for (before, after) in [
      (dataset.train, again.train), (dataset.validation, again.validation),
    ] {
      #expect(before.tokens(0..<before.count) == after.tokens(0..<after.count))
    }
    #expect(try again.loadTokenizer().hash == dataset.loadTokenizer().hash)
    let inspection = try LLMCInspection(folder: folder.file("shards"), samples: 1)
    #expect(inspection.samples[0].text.hasPrefix("<|endoftext|>Document "))
    #expect(inspection.tokenizer == "bpe")

    // What stands there is replaced only when asked to; what is no data set never.
    #expect(code { _ = try export.run() } == .outputExists)
    export.replacesExisting = true
    #expect(try export.run() == result)
    try folder.write("mine", to: "other/file.txt")
    export.output = folder.file("other")
    #expect(code { _ = try export.run() } == .outputExists)
    // Nor is a folder that holds more than a data set.
    try folder.write("mine", to: "shards/sample_train_000009.bin.part")
    export.output = folder.file("shards")
    #expect(try export.run() == result)
    try folder.write("mine", to: "shards/thesis.txt")
    #expect(code { _ = try export.run() } == .outputExists)
    #expect(FileManager.default.fileExists(atPath: folder.file("shards/thesis.txt")))
    export.output = folder.file("new")
    for name in ["", ".a", "a/b", "a_b", "é"] {
      export.name = name
      #expect(code { _ = try export.run() } == .invalidOption, "\(name)")
    }
    export.name = "text"
    export.tokensPerShard = 0
    #expect(code { _ = try export.run() } == .invalidOption)
  }
}
