// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TextData

struct TokenizerFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func code(_ body: () throws -> Void) -> DataError.Code? {
    do {
      try body()
      return nil
    } catch let error as DataError {
      return error.code
    } catch {
      Issue.record("not a DataError: \(error)")
      return nil
    }
  }

  // MARK: Our own file

  @Test func aWrittenTokenizerComesBack() throws {
    for tokenizer in [Tokenizer.bytes, try TokenizerTests.small()] {
      let path = folder.file("tokenizer.json")
      try tokenizer.write(to: path)
      let read = try Tokenizer.file(path)
      #expect(read.hash == tokenizer.hash)
      #expect(read.kind == tokenizer.kind)
      #expect(read.specialTokens == tokenizer.specialTokens)
      #expect(read.encode("it's the fox, isn't it?") == tokenizer.encode("it's the fox, isn't it?"))
    }
    #expect(try folder.names() == ["tokenizer.json"])
  }

  @Test func anAlteredTokenizerIsRefused() throws {
    let path = folder.file("tokenizer.json")
    let json = try TokenizerTests.small().json
    func altered(_ text: String, by other: String) throws -> DataError.Code? {
      #expect(json.contains(text))
      try folder.write(json.replacingOccurrences(of: text, with: other), to: "tokenizer.json")
      return code { _ = try Tokenizer.file(path) }
    }
    #expect(try altered("\"end_of_text\": 576", by: "\"end_of_text\": 5") == .malformedTokenizer)
    #expect(try altered("\"version\": 1", by: "\"version\": 2") == .wrongVersion)
    #expect(try altered("\"kind\": \"bpe\"", by: "\"kind\": \"word\"") == .malformedTokenizer)
    #expect(try altered(", 256],", by: ", 577],") == .malformedTokenizer)
    #expect(try altered(", 256],", by: "],") == .malformedTokenizer)
    #expect(try altered("\"merges\"", by: "\"mergers\"") == .malformedTokenizer)
    let merge = try #require(try SmallVocabulary.read().merges.last)
    #expect(
      try altered("[\(merge[0]), \(merge[1]), \(merge[2])]", by: "[0, 1, \(merge[2])]")
        == .corruptData)
    try folder.write(String(json.dropLast(20)), to: "tokenizer.json")
    #expect(code { _ = try Tokenizer.file(path) } == .malformedTokenizer)
    try folder.write("[]", to: "tokenizer.json")
    #expect(code { _ = try Tokenizer.file(path) } == .malformedTokenizer)
    #expect(code { _ = try Tokenizer.file(folder.file("none.json")) } == .unreadableFile)
  }

  // MARK: GPT-2's files

  @Test func readsGPT2Files() throws {
    let tokenizer = try Tokenizer.gpt2(folder: Fixture.path("gpt2_format"))
    let small = try TokenizerTests.small()
    #expect(tokenizer.kind == .gpt2)
    #expect(tokenizer.vocabularySize == 577)
    #expect(tokenizer.endOfText == 576)
    for text in try AwkwardText.all() {
      let tokens = tokenizer.encode(text.text)
      // The same tokens; only single bytes have other numbers.
      #expect(
        try tokens.map { try tokenizer.decode([$0]) }
          == small.encode(text.text).map { try small.decode([$0]) })
    }
    // "!" is the first printable byte, so number 0 of GPT-2's order.
    #expect(tokenizer.encode("!") == [0])
    let path = folder.file("tokenizer.json")
    try tokenizer.write(to: path)
    #expect(try Tokenizer.file(path).hash == tokenizer.hash)
  }

  @Test func brokenGPT2FilesAreErrors() throws {
    let encoder = String(
      decoding: try Data(
        contentsOf: URL(fileURLWithPath: Fixture.path("gpt2_format/encoder.json"))),
      as: UTF8.self)
    let merges = String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: Fixture.path("gpt2_format/vocab.bpe"))),
      as: UTF8.self)
    func load(_ encoder: String, _ merges: String) throws -> DataError.Code? {
      try folder.write(encoder, to: "gpt2/encoder.json")
      try folder.write(merges, to: "gpt2/vocab.bpe")
      return code { _ = try Tokenizer.gpt2(folder: folder.file("gpt2")) }
    }
    #expect(try load(encoder, merges) == nil)
    #expect(try load(encoder, merges + "one two three\n") == .malformedTokenizer)
    #expect(try load(encoder, merges + "z q\n") == .malformedTokenizer)
    let first = try #require(merges.split(separator: "\n").dropFirst().first)
    #expect(try load(encoder, merges + first + "\n") == .malformedTokenizer)
    #expect(
      try load(encoder.replacingOccurrences(of: "<|endoftext|>", with: "<|end|>"), merges)
        == .malformedTokenizer)
    #expect(
      try load(encoder.replacingOccurrences(of: "\"a\":", with: "\"aaaaaaaaaaaa\":"), merges)
        == .malformedTokenizer)
    #expect(try load("{\"a\": \"b\"}", merges) == .malformedTokenizer)
    #expect(try load("not json", merges) == .malformedTokenizer)
    #expect(code { _ = try Tokenizer.gpt2(folder: folder.file("none")) } == .unreadableFile)
  }

  // MARK: Hugging Face's file

  @Test func readsAHuggingFaceFile() throws {
    let tokenizer = try Tokenizer.file(Fixture.path("hugging_face/tokenizer.json"))
    let gpt2 = try Tokenizer.gpt2(folder: Fixture.path("gpt2_format"))
    #expect(tokenizer.kind == .huggingFace)
    // One more special token, <|pad|>.
    #expect(tokenizer.vocabularySize == 578)
    #expect(tokenizer.endOfText == 576)
    #expect(try tokenizer.decodeText([577]) == "<|pad|>")
    for text in try AwkwardText.all() {
      #expect(tokenizer.encode(text.text) == gpt2.encode(text.text))
    }
  }

  @Test(arguments: [
    ("\"type\":\"BPE\"", "\"type\":\"Unigram\"", "Unigram"),
    ("\"byte_fallback\":false", "\"byte_fallback\":true", "byte_fallback"),
    ("\"byte_fallback\":false", "\"ignore_merges\":true", "ignore_merges"),
    ("\"dropout\":null", "\"dropout\":0.1", "dropout"),
    ("\"end_of_word_suffix\":\"\"", "\"end_of_word_suffix\":\"</w>\"", "end_of_word_suffix"),
    ("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}", "NFC"),
    ("\"add_prefix_space\":false", "\"add_prefix_space\":true", "add_prefix_space"),
    ("\"use_regex\":true", "\"use_regex\":false", "0 splits"),
    (
      "\"pre_tokenizer\":{\"type\":\"ByteLevel\"", "\"pre_tokenizer\":{\"type\":\"Metaspace\"",
      "Metaspace"
    ),
    ("\"pre_tokenizer\"", "\"pretokenizer\"", "without pre-tokenizer"),
    ("<|endoftext|>", "<|fin|>", "end of text"),
  ])
  func whatIsUnsupportedIsNamed(text: String, other: String, name: String) throws {
    let json = String(
      decoding: try Data(
        contentsOf: URL(fileURLWithPath: Fixture.path("hugging_face/tokenizer.json"))),
      as: UTF8.self)
    #expect(json.contains(text))
    let path = try folder.write(json.replacingOccurrences(of: text, with: other), to: "t.json")
    do {
      _ = try Tokenizer.file(path)
      Issue.record("accepted \(other)")
    } catch {
      #expect(error.code == .unsupportedTokenizer)
      #expect(error.message.contains(name), "\(error)")
    }
  }

  @Test func aSplitByGPT2sPatternIsSupportedAndOthersAreNot() throws {
    let json = String(
      decoding: try Data(
        contentsOf: URL(fileURLWithPath: Fixture.path("hugging_face/tokenizer.json"))),
      as: UTF8.self)
    let plain = """
      {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}
      """
    #expect(json.contains(plain))
    func sequence(_ pattern: String, behavior: String = "Isolated") throws -> Tokenizer {
      let quoted = String(decoding: try JSONEncoder().encode(pattern), as: UTF8.self)
      let split = """
        {"type":"Sequence","pretokenizers":[
        {"type":"Split","pattern":{"Regex":\(quoted)},"behavior":"\(behavior)","invert":false},
        {"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}
        """
      return try Tokenizer.file(
        folder.write(json.replacingOccurrences(of: plain, with: split), to: "t.json"))
    }
    let pattern =
      #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    #expect(
      try sequence(pattern).hash == Tokenizer.file(Fixture.path("hugging_face/tokenizer.json")).hash
    )
    #expect(code { _ = try sequence(#"\p{N}{1,3}|\p{L}+|\s+"#) } == .unsupportedTokenizer)
    #expect(code { _ = try sequence(pattern, behavior: "Removed") } == .unsupportedTokenizer)
  }

  // MARK: Specifications

  @Test func specificationsComeBackFromTheirText() throws {
    for text in ["bytes", "bpe:4096", "bpe:257", "gpt2:some/folder", "some/tokenizer.json"] {
      #expect(try TokenizerSpecification(parsing: text).description == text)
    }
    #expect(try TokenizerSpecification(parsing: "bpe:4096") == .bpe(vocabularySize: 4096))
    #expect(try TokenizerSpecification(parsing: "bpe:4096").load() == nil)
    #expect(try TokenizerSpecification(parsing: "bytes").load()?.vocabularySize == 257)
  }

  @Test(arguments: [
    ("bpe:256", DataError.Code.invalidOption), ("bpe:", .invalidOption), ("bpe:4k", .invalidOption),
    ("bpe:1000001", .invalidOption), ("gpt2:", .unsupportedTokenizer),
    ("word", .unsupportedTokenizer),
    ("", .unsupportedTokenizer),
  ])
  func unknownSpecificationsAreErrors(text: String, expected: DataError.Code) {
    #expect(code { _ = try TokenizerSpecification(parsing: text) } == expected)
  }
}
