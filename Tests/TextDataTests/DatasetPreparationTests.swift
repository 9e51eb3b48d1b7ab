// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TextData

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

struct DatasetPreparationTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func preparation(
    _ inputs: [String], _ tokenizer: TokenizerSpecification = .bytes, output: String = "set"
  ) -> DatasetPreparation {
    DatasetPreparation(
      inputs: inputs.map(folder.file), output: folder.file(output), tokenizer: tokenizer)
  }

  /// All documents of both parts, checked to be those of `expected`, each in one part.
  func checkDocuments(_ output: String, _ expected: [String]) throws -> (
    train: [String], validation: [String]
  ) {
    let dataset = try TokenDataset(folder: folder.file(output), checksums: .always)
    let tokenizer = try dataset.loadTokenizer()
    let train = try documents(of: dataset.train, with: tokenizer)
    let validation = try documents(of: dataset.validation, with: tokenizer)
    #expect((train + validation).sorted() == expected.sorted())
    let manifest = try #require(dataset.manifest)
    for (part, found) in [
      (manifest.train, train), (manifest.validation, validation),
    ] {
      #expect(part.documents == found.count)
      #expect(part.textBytes == found.reduce(0) { $0 + $1.utf8.count })
      #expect(part.tokens == part.shards.reduce(0) { $0 + $1.tokens })
      #expect(part.bytesPerToken == Double(part.textBytes) / Double(part.tokens))
    }
    #expect(manifest.train.tokens == dataset.train.count)
    #expect(manifest.validation.tokens == dataset.validation.count)
    return (train, validation)
  }

  @Test(arguments: [
    TokenizerSpecification.bytes, .bpe(vocabularySize: 340),
    .gpt2(folder: Fixture.path("gpt2_format")),
  ])
  func everyDocumentLandsInOnePartAndComesBack(tokenizer: TokenizerSpecification) throws {
    try folder.write(SampleText.documents(200), to: "text.txt")
    let manifest = try preparation(["text.txt"], tokenizer).run()
    let expected = (0..<200).map { SampleText.document($0) }
    let (train, validation) = try checkDocuments("set", expected)
    #expect(validation.count >= 1 && validation.count <= 25)
    #expect(manifest == (try DatasetManifest.read(folder: folder.file("set"))))
    #expect(manifest.origin.documentsWereCut == false)
    #expect(manifest.origin.validationFraction == 0.05)
    // Documents keep their order within a part.
    #expect(train == expected.filter { train.contains($0) })
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.file("set")).sorted()
        == ["manifest.json", "tokenizer.json", "train-00000.tokens", "validation-00000.tokens"])
    #expect(try folder.names() == ["set", "text.txt"])
  }

  @Test func threadsChangeNothing() throws {
    // Several megabytes make several pieces of work.
    try folder.write(SampleText.documents(40, words: 8), to: "a.txt")
    let long = String(repeating: SampleText.document(7, words: 300) + "\n", count: 600)
    for index in 0..<3 { try folder.write(long + "\(index)", to: "b\(index).txt") }
    var reference: DatasetManifest?
    for threads in [1, 2, 5] {
      var preparation = preparation(
        ["a.txt", "b0.txt", "b1.txt", "b2.txt"], .bpe(vocabularySize: 300), output: "set\(threads)")
      preparation.threads = threads
      let manifest = try preparation.run()
      for name in [
        "manifest.json", "tokenizer.json", "train-00000.tokens", "validation-00000.tokens",
      ] {
        #expect(try folder.read("set\(threads)/\(name)") == folder.read("set1/\(name)"), "\(name)")
      }
      #expect(manifest == reference ?? manifest)
      reference = manifest
    }
  }

  @Test func theSplitDependsOnSeedAndIndexAlone() throws {
    try folder.write(SampleText.documents(200), to: "text.txt")
    try folder.write(SampleText.documents(150), to: "shorter.txt")
    func validation(_ input: String, seed: UInt64, fraction: Double = 0.1) throws -> [String] {
      var preparation = preparation([input], output: "set")
      preparation.seed = seed
      preparation.validationFraction = fraction
      preparation.replacesExisting = true
      _ = try preparation.run()
      let dataset = try TokenDataset(folder: folder.file("set"))
      return try documents(of: dataset.validation, with: .bytes)
    }
    let first = try validation("text.txt", seed: 0)
    #expect(first.count > 5 && first.count < 40)
    #expect(try validation("text.txt", seed: 0) == first)
    #expect(try validation("text.txt", seed: 1) != first)
    // Fewer documents: those that remain are in the same part as before.
    let shorter = try validation("shorter.txt", seed: 0)
    #expect(shorter == Array(first.prefix(shorter.count)))
    // A smaller fraction holds out a part of the same documents.
    let fewer = try validation("text.txt", seed: 0, fraction: 0.03)
    #expect(Set(fewer).isStrictSubset(of: Set(first)))
    #expect(try validation("text.txt", seed: 0, fraction: 0.000001).count == 1)
  }

  @Test func namedValidationFilesAreHeldOutWhole() throws {
    try folder.write(SampleText.documents(6), to: "train.txt")
    try folder.write("held out\n\nand this", to: "test.txt")
    var preparation = preparation(["train.txt"])
    preparation.validationInputs = [folder.file("test.txt")]
    let manifest = try preparation.run()
    let (train, validation) = try checkDocuments(
      "set", (0..<6).map { SampleText.document($0) } + ["held out", "and this"])
    #expect(train.count == 6)
    #expect(validation == ["held out", "and this"])
    #expect(manifest.origin.validationFraction == nil)
    #expect(manifest.origin.documentsWereCut == false)
    preparation.validationInputs = [folder.file("train.txt")]
    #expect(code { _ = try preparation.run() } == .invalidOption)
  }

  @Test func oneDocumentIsCutIntoPieces() throws {
    for (name, unit) in [("lines", "a line of text, ü\n"), ("spaces", "word über "), ("none", "猫")]
    {
      let text = String(repeating: unit, count: 40_000 / unit.utf8.count)
      try folder.write(text, to: name + ".txt")
      var preparation = preparation([name + ".txt"], output: name)
      preparation.documentRule = .wholeFile
      let manifest = try preparation.run()
      #expect(manifest.origin.documentsWereCut)
      let dataset = try TokenDataset(folder: folder.file(name))
      let pieces =
        try documents(of: dataset.train, with: .bytes)
        + documents(of: dataset.validation, with: .bytes)
      #expect(pieces.count > 20 && pieces.count < 100)
      #expect(pieces.reduce(0) { $0 + $1.utf8.count } == text.utf8.count)
      // Cut after lines, after words, or at least between characters.
      #expect(
        pieces.allSatisfy { !$0.contains("\u{FFFD}") && $0.hasPrefix(String(unit.prefix(1))) })
      #expect(pieces.allSatisfy { $0.utf8.count <= 2 * 512 })
    }
  }

  @Test func invalidBytesAreKeptAndCounted() throws {
    let bytes = Array(SampleText.documents(30).utf8) + [0x0A, 0x0A, 0x61, 0xFF, 0x62]
    try folder.write(bytes, to: "text.txt")
    let manifest = try preparation(["text.txt"], .bpe(vocabularySize: 300)).run()
    #expect(manifest.origin.invalidBytes == 1)
    let dataset = try TokenDataset(folder: folder.file("set"))
    let tokenizer = try dataset.loadTokenizer()
    let all =
      try tokenizer.decode(dataset.train.tokens(0..<dataset.train.count))
      + tokenizer.decode(dataset.validation.tokens(0..<dataset.validation.count))
    #expect(all.contains(0xFF))
  }

  @Test func shardsAreLimitedInSize() throws {
    try folder.write(SampleText.documents(50), to: "text.txt")
    var preparation = preparation(["text.txt"])
    preparation.tokensPerShard = 1000
    let manifest = try preparation.run()
    #expect(manifest.train.shards.count > 5)
    #expect(manifest.train.shards.dropLast().allSatisfy { $0.tokens == 1000 })
    _ = try checkDocuments("set", (0..<50).map { SampleText.document($0) })
  }

  // MARK: JSON Lines and tokens

  @Test func jsonLinesGiveOneDocumentALine() throws {
    let texts = (0..<40).map { "line one \($0)\n\nline two \"ü\" 😀" }
    let lines = try texts.map {
      String(decoding: try JSONEncoder().encode(["body": $0, "id": "x"]), as: UTF8.self)
    }
    try folder.write(lines.joined(separator: "\n") + "\n\n", to: "text.jsonl")
    var preparation = preparation(["text.jsonl"])
    preparation.textField = "body"
    _ = try preparation.run()
    _ = try checkDocuments("set", texts)
    preparation.textField = "text"
    preparation.replacesExisting = true
    do {
      _ = try preparation.run()
      Issue.record("no error")
    } catch let error as DataError {
      #expect(error.code == .malformedLine)
      #expect(error.message.contains("text.jsonl' line 1: it has no 'text'"), "\(error)")
    }
  }

  @Test func oneJSONDocumentIsCutToo() throws {
    let text = String(repeating: "a line of text, ü\n", count: 500)
    let line = try JSONEncoder().encode(["text": text])
    try folder.write([UInt8](line), to: "text.jsonl")
    let manifest = try preparation(["text.jsonl"]).run()
    #expect(manifest.origin.documentsWereCut)
    #expect(manifest.train.textBytes + manifest.validation.textBytes == text.utf8.count)
  }

  @Test func tokenFilesAreOneStreamOfDocuments() throws {
    let gpt2 = TokenizerSpecification.gpt2(folder: Fixture.path("gpt2_format"))
    let tokenizer = try Tokenizer.gpt2(folder: Fixture.path("gpt2_format"))
    let texts = (0..<60).map { SampleText.document($0) }
    let tokens = texts.flatMap { [tokenizer.endOfText] + tokenizer.encode($0) }
    // The cut falls within a document.
    try LLMCShard.write(Array(tokens[..<1000]), to: folder.file("a.bin"))
    try LLMCShard.write(Array(tokens[1000...]), to: folder.file("b.bin"))
    let manifest = try preparation(["a.bin", "b.bin"], gpt2).run()
    _ = try checkDocuments("set", texts)
    // The same documents from text give the same tokens.
    try folder.write(texts.joined(separator: "\n\n"), to: "text.txt")
    let fromText = try preparation(["text.txt"], gpt2, output: "other").run()
    #expect(fromText.contentHash == manifest.contentHash)
    #expect(fromText.train == manifest.train)
  }

  @Test func tokenFilesNeedTheirTokenizer() throws {
    try LLMCShard.write([576, 1, 576, 2, 576, 3], to: folder.file("a.bin"))
    try LLMCShard.write([576, 1, 577], to: folder.file("large.bin"))
    try LLMCShard.write([], to: folder.file("empty.bin"))
    try LLMCShard.write([576, 1], to: folder.file("one.bin"))
    try folder.write("text", to: "text.txt")
    let gpt2 = TokenizerSpecification.gpt2(folder: Fixture.path("gpt2_format"))
    #expect(
      code { _ = try preparation(["a.bin"], .bpe(vocabularySize: 300)).run() }
        == .unsupportedTokenizer)
    #expect(code { _ = try preparation(["large.bin"], gpt2).run() } == .vocabularyMismatch)
    #expect(code { _ = try preparation(["empty.bin"], gpt2).run() } == .emptyText)
    #expect(code { _ = try preparation(["one.bin"], gpt2).run() } == .tooFewDocuments)
    #expect(code { _ = try preparation(["a.bin", "text.txt"], gpt2).run() } == .unsupportedInput)
    #expect(try folder.names().contains("set") == false)
    #expect(code { _ = try preparation(["a.bin"], gpt2).run() } == nil)
  }

  // MARK: Bad input

  func code(_ body: () throws -> Void) -> DataError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? DataError)?.code
    }
  }

  @Test func badTextIsNamedAndLeavesNothing() throws {
    try folder.write("", to: "empty.txt")
    try folder.write(" \n\n\t\n", to: "blank.txt")
    try folder.write("one\0two", to: "nul.txt")
    try folder.write([UInt8](repeating: 0xE9, count: 100), to: "latin.txt")
    try folder.write("short", to: "short.txt")
    try folder.write("{\"text\": \"a\"}\nnonsense\n", to: "bad.jsonl")
    try folder.write(SampleText.documents(20), to: "good.txt")
    let before = try folder.names()
    for (name, expected) in [
      ("empty.txt", DataError.Code.emptyText), ("blank.txt", .emptyText), ("nul.txt", .binaryText),
      ("latin.txt", .binaryText), ("short.txt", .tooFewDocuments), ("bad.jsonl", .malformedLine),
      ("none.txt", .unreadableFile),
    ] {
      #expect(code { _ = try preparation([name]).run() } == expected, "\(name)")
    }
    #expect(
      code { _ = try preparation(["good.txt"], .bpe(vocabularySize: 50_000)).run() }
        == .vocabularyMismatch)
    #expect(
      code { _ = try preparation(["good.txt"], .file(folder.file("none.json"))).run() }
        == .unreadableFile)
    #expect(try folder.names() == before)
  }

  @Test func impossibleOptionsAreErrors() throws {
    try folder.write(SampleText.documents(20), to: "good.txt")
    func code(_ change: (inout DatasetPreparation) -> Void) -> DataError.Code? {
      var preparation = preparation(["good.txt"])
      change(&preparation)
      return self.code { _ = try preparation.run() }
    }
    #expect(code { $0.validationFraction = 0 } == .invalidOption)
    #expect(code { $0.validationFraction = 0.6 } == .invalidOption)
    #expect(code { $0.validationFraction = .nan } == .invalidOption)
    #expect(code { $0.threads = 0 } == .invalidOption)
    #expect(code { $0.tokensPerShard = 0 } == .invalidOption)
    #expect(code { $0.textField = "" } == .invalidOption)
    #expect(code { $0.extensions = [] } == .invalidOption)
    #expect(code { $0.extensions = [".txt"] } == .invalidOption)
    #expect(code { $0.output = "" } == .invalidOption)
    #expect(code { $0.output = "/" } == .invalidOption)
    #expect(try folder.names() == ["good.txt"])
  }

  @Test func anExistingOutputIsNotLost() throws {
    try folder.write(SampleText.documents(20), to: "text.txt")
    try folder.write("precious", to: "things/file")
    try folder.write("precious", to: "file")
    #expect(code { _ = try preparation(["text.txt"], output: "things").run() } == .outputExists)
    #expect(code { _ = try preparation(["text.txt"], output: "file").run() } == .outputExists)
    var again = preparation(["text.txt"], output: "things")
    again.replacesExisting = true
    #expect(code { _ = try again.run() } == .outputExists)
    #expect(try folder.names() == ["file", "text.txt", "things"])

    // An empty folder is taken; parents are made.
    try FileManager.default.createDirectory(
      atPath: folder.file("new"), withIntermediateDirectories: true)
    _ = try preparation(["text.txt"], output: "new").run()
    let first = try preparation(["text.txt"], output: "x/y/set/").run()
    #expect(code { _ = try preparation(["text.txt"], output: "x/y/set").run() } == .outputExists)

    // Replacing: the old one stays until the new one is whole.
    again.output = folder.file("x/y/set")
    again.seed = 3
    again.inputs = [folder.file("file")]
    again.extensions = [""]
    #expect(code { _ = try again.run() } == .invalidOption)
    #expect(try DatasetManifest.read(folder: folder.file("x/y/set")) == first)
    again.inputs = [folder.file("text.txt")]
    again.extensions = ["txt"]
    let second = try again.run()
    #expect(second.contentHash != first.contentHash)
    #expect(try TokenDataset(folder: folder.file("x/y/set")).manifest == second)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("x/y")) == ["set"])
  }

  @Test func aReadOnlyFolderIsNamed() throws {
    let texts = try TemporaryFolder()
    try texts.write(SampleText.documents(20), to: "text.txt")
    try withReadOnly(folder) {
      let preparation = DatasetPreparation(
        inputs: [texts.file("text.txt")], output: folder.file("set"), tokenizer: .bytes)
      #expect(code { _ = try preparation.run() } == .notWritable)
    }
    #expect(try folder.names() == [])
  }

  #if os(Linux)
    @Test func aFullDiskLeavesNothing() throws {
      try folder.write(SampleText.documents(20), to: "text.txt")
      var full = preparation(["text.txt"])
      // The validation shard is the one that no longer fits.
      full.opener = { path in
        path.contains("validation") ? open("/dev/full", O_WRONLY) : AtomicFile.createFile(path)
      }
      #expect(code { _ = try full.run() } == .diskFull)
      #expect(try folder.names() == ["text.txt"])
      // A data set that was there before is still there.
      let first = try preparation(["text.txt"]).run()
      full.replacesExisting = true
      #expect(code { _ = try full.run() } == .diskFull)
      #expect(try TokenDataset(folder: folder.file("set")).manifest == first)
      #expect(try folder.names() == ["set", "text.txt"])
    }
  #endif

  @Test func progressGoesThroughTheStagesAndCanStopTheWork() throws {
    try folder.write(SampleText.documents(60), to: "text.txt")
    var seen: [DatasetPreparation.Progress] = []
    _ = try preparation(["text.txt"], .bpe(vocabularySize: 340)).run { seen.append($0) }
    #expect(seen.allSatisfy { $0.fraction >= 0 && $0.fraction <= 1 })
    var stages: [DatasetPreparation.Progress.Stage] = []
    for progress in seen where progress.stage != stages.last { stages.append(progress.stage) }
    #expect(stages == [.reading, .training, .encoding])
    for stage in stages {
      let fractions = seen.filter { $0.stage == stage }.map(\.fraction)
      #expect(fractions == fractions.sorted())
      #expect(fractions.first == 0)
    }
    struct Stop: Error {}
    for stage in stages {
      #expect(throws: Stop.self) {
        try preparation(["text.txt"], .bpe(vocabularySize: 340), output: "stopped").run {
          if $0.stage == stage { throw Stop() }
        }
      }
    }
    #expect(try folder.names() == ["set", "text.txt"])
  }
}
