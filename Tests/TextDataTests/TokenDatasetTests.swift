// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TextData

struct TokenDatasetTests {
  let folder: TemporaryFolder
  let path: String
  let manifest: DatasetManifest

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("set")
    let text = try folder.write(SampleText.documents(60), to: "text.txt")
    manifest = try DatasetPreparation(
      inputs: [text], output: path, tokenizer: .bpe(vocabularySize: 320)
    ).run()
  }

  func code(_ checksums: TokenDataset.ChecksumPolicy = .whenCheap) -> DataError.Code? {
    do {
      _ = try TokenDataset(folder: path, checksums: checksums)
      return nil
    } catch {
      return error.code
    }
  }

  /// Whether opening fails as expected after a change of a file, and works again without it.
  func altered(
    _ name: String, _ checksums: TokenDataset.ChecksumPolicy = .whenCheap,
    _ change: (inout [UInt8]) -> Void
  ) throws -> DataError.Code? {
    let whole = try folder.read("set/" + name)
    var bytes = whole
    change(&bytes)
    #expect(bytes != whole)
    try folder.write(bytes, to: "set/" + name)
    defer { _ = try? folder.write(whole, to: "set/" + name) }
    return code(checksums)
  }

  func alteredManifest(_ text: String, _ other: String) throws -> DataError.Code? {
    try altered("manifest.json") { bytes in
      let json = String(decoding: bytes, as: UTF8.self)
      #expect(json.contains(text))
      bytes = Array(json.replacingOccurrences(of: text, with: other).utf8)
    }
  }

  @Test func opensWhatWasPrepared() throws {
    let dataset = try TokenDataset(folder: path, checksums: .always)
    #expect(dataset.manifest == manifest)
    #expect(dataset.vocabularySize == 320)
    #expect(dataset.train.endOfText == 319)
    #expect(dataset.train.largestToken == 319)
    #expect(try dataset.loadTokenizer().hashText == manifest.tokenizer.hash)
    let order = try BatchOrder(dataset.train, contextLength: 16, seed: 1, vocabularySize: 320)
    let batch = Batch(64)
    try batch.next(order, 4)
    #expect(batch.tokens.allSatisfy { $0 >= 0 && $0 < 320 })
    #expect(batch.targets.allSatisfy { $0 >= 0 && $0 < 320 })
  }

  @Test func aModelWithASmallerVocabularyIsRefused() throws {
    let dataset = try TokenDataset(folder: path)
    #expect {
      try BatchOrder(dataset.train, contextLength: 16, seed: 1, vocabularySize: 319)
    } throws: {
      ($0 as? DataError)?.code == .vocabularyMismatch
    }
  }

  @Test func corruptShardsAreRefused() throws {
    let shard = "validation-00000.tokens"
    #expect(try altered(shard) { $0[$0.count - 1] ^= 1 } == .corruptData)
    #expect(try altered(shard, .always) { $0[200] ^= 1 } == .corruptData)
    // Without reading the payload only the header is known to be right.
    #expect(try altered(shard, .never) { $0[200] ^= 1 } == nil)
    #expect(try altered(shard, .never) { $0[50] ^= 1 } == .corruptData)
    #expect(try altered(shard, .never) { $0.removeLast() } == .truncatedData)
    #expect(try altered(shard, .never) { $0 += [0, 0] } == .truncatedData)
    #expect(try altered(shard, .never) { $0 = [] } == .wrongFormat)
    #expect(try altered(shard, .never) { $0[8] = 2 } == .wrongVersion)
    #expect(code(.always) == nil)
  }

  @Test func aShardOfAnotherDataSetIsRefused() throws {
    let text = try folder.write(SampleText.documents(61), to: "other.txt")
    var other = DatasetPreparation(
      inputs: [text], output: folder.file("other"), tokenizer: .file(path + "/tokenizer.json"))
    _ = try other.run()
    #expect(
      try altered("train-00000.tokens") {
        $0 = (try? folder.read("other/train-00000.tokens")) ?? []
      }
        == .corruptData)
    other.output = folder.file("bytes")
    other.tokenizer = .bytes
    _ = try other.run()
    #expect(
      try altered("train-00000.tokens") {
        $0 = (try? folder.read("bytes/train-00000.tokens")) ?? []
      }
        == .vocabularyMismatch)
    try folder.write(try folder.read("bytes/tokenizer.json"), to: "set/tokenizer.json")
    let dataset = try TokenDataset(folder: path)
    #expect {
      try dataset.loadTokenizer()
    } throws: {
      ($0 as? DataError)?.code == .vocabularyMismatch
    }
  }

  @Test func alteredManifestsAreRefused() throws {
    #expect(try alteredManifest("\"assay-dataset\"", "\"other\"") == .wrongFormat)
    #expect(try alteredManifest("\"version\" : 1", "\"version\" : 2") == .wrongVersion)
    #expect(try alteredManifest("\"checksum\" : \"", "\"checksum\" : \"0") == .corruptData)
    #expect(try alteredManifest("\"shards\"", "\"shreds\"") == .corruptData)
    #expect(try alteredManifest("{", "") == .wrongFormat)
    let hash = manifest.tokenizer.hash
    #expect(
      try alteredManifest("\"hash\" : \"\(hash)\"", "\"hash\" : \"\(hash)0\"") == .corruptData)
  }

  @Test func missingPartsAreNamed() throws {
    try FileManager.default.removeItem(atPath: path + "/train-00000.tokens")
    #expect(code() == .unreadableFile)
    try FileManager.default.removeItem(atPath: path + "/manifest.json")
    #expect(code() == .unreadableFile)
    do {
      _ = try TokenDataset(folder: folder.file("nowhere"))
      Issue.record("no error")
    } catch {
      #expect(error.message.contains("not a prepared data set"), "\(error)")
    }
  }

  // MARK: Inspection

  @Test func inspectionShowsCountsAndSamples() throws {
    let inspection = try DatasetInspection(folder: path, samples: 2, sampleTokens: 12)
    #expect(inspection.manifest == manifest)
    #expect(inspection.checksumsVerified)
    #expect(inspection.tokenWidth == 2)
    #expect(inspection.samples.map(\.part) == ["train", "train", "validation", "validation"])
    for sample in inspection.samples {
      #expect(sample.text.hasPrefix("<|endoftext|>Document "), "\(sample.text)")
      #expect(sample.tokens.count == 12)
    }
    let text = inspection.text
    for part in [
      "bpe, 320 entries, end of text 319", manifest.contentHash, "checksums verified",
      "bytes a token",
    ] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
    #expect(try DatasetInspection(folder: path, samples: 2, sampleTokens: 12) == inspection)
  }

  @Test func inspectionAsJSONComesBack() throws {
    let inspection = try DatasetInspection(folder: path, samples: 1, verifyingChecksums: false)
    let json = try inspection.json()
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    #expect(try decoder.decode(DatasetInspection.self, from: Data(json.utf8)) == inspection)
    let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    #expect(
      object?.keys.sorted() == [
        "checksums_verified", "folder", "manifest", "samples", "schema", "token_width",
      ])
    let train = (object?["manifest"] as? [String: Any])?["train"] as? [String: Any]
    let bytesPerToken = try #require(train?["bytes_per_token"] as? Double)
    #expect(abs(bytesPerToken - manifest.train.bytesPerToken) < 1e-12)
  }

  @Test func aSampleCannotDriveATerminal() throws {
    let text = try folder.write(
      (0..<20).map { "\u{1B}[31mred \($0)\u{7}" }.joined(separator: "\n\n"), to: "escape.txt")
    _ = try DatasetPreparation(inputs: [text], output: folder.file("escape"), tokenizer: .bytes)
      .run()
    let inspection = try DatasetInspection(folder: folder.file("escape"), samples: 1)
    #expect(inspection.samples[0].text.contains("\u{1B}"))
    #expect(!inspection.text.contains("\u{1B}"))
  }

  @Test func inspectingACorruptSetFails() throws {
    var bytes = try folder.read("set/train-00000.tokens")
    bytes[300] ^= 1
    try folder.write(bytes, to: "set/train-00000.tokens")
    #expect(throws: DataError.self) { try DatasetInspection(folder: path) }
  }
}
