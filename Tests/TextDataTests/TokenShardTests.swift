// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams
import Testing

@testable import TextData

struct TokenShardTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A tokenizer whose vocabulary needs four bytes a token.
  static func wide() throws -> Tokenizer {
    let bytes = Tokenizer.bytes
    let model = try BytePairModel(
      byteTokens: bytes.model.byteTokens, merges: [], vocabularySize: 70_000, place: "wide")
    return try Tokenizer(
      kind: .bytes, model: model, vocabularySize: 70_000, endOfText: 69_999,
      specialTokens: [.init(content: "<|endoftext|>", token: 69_999)], place: "wide")
  }

  func write(_ tokens: [Int32], _ tokenizer: Tokenizer = .bytes, step: Int = .max) throws -> String
  {
    let path = folder.file("shard.tokens")
    let writer = try TokenShardWriter(path: path, tokenizer: tokenizer)
    var begin = 0
    while begin < tokens.count {
      let end = begin + min(step, tokens.count - begin)
      try tokens.withUnsafeBufferPointer {
        try writer.append(UnsafeBufferPointer(rebasing: $0[begin..<end]))
      }
      begin = end
    }
    _ = try writer.finish()
    return path
  }

  func stream(_ shard: TokenShard) -> TokenStream {
    TokenStream(
      segments: [shard.segment], endOfText: shard.header.endOfText,
      largestToken: shard.header.largestToken)
  }

  func code(_ body: () throws -> Void) -> DataError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? DataError)?.code
    }
  }

  @Test(arguments: [0, 1, 2, 1000, 70_001])
  func tokensComeBack(count: Int) throws {
    let random = RandomStream(seed: 2, name: "shard")
    for tokenizer in [Tokenizer.bytes, try Self.wide()] {
      let tokens = (0..<count).map {
        Int32(random.integer(below: tokenizer.vocabularySize, at: $0))
      }
      for step in [Int.max, 777] {
        let shard = try TokenShard(path: write(tokens, tokenizer, step: step))
        #expect(shard.header.width == (tokenizer.vocabularySize == 257 ? .two : .four))
        #expect(shard.header.tokenCount == count)
        #expect(shard.header.vocabularyHash == tokenizer.hash)
        #expect(shard.header.vocabularySize == tokenizer.vocabularySize)
        #expect(shard.header.largestToken == tokens.max() ?? 0)
        #expect(shard.header.documentCount == tokens.count { $0 == tokenizer.endOfText })
        #expect(throws: Never.self) { try shard.verifyChecksum() }
        let stream = stream(shard)
        #expect(stream.tokens(0..<stream.count) == tokens)
      }
    }
  }

  /// The layout is documented: other programs read it.
  @Test func theHeaderIsAsDocumented() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: write([256, 1, 2, 256, 3])))
    #expect(bytes.count == 128 + 10)
    #expect(String(decoding: bytes[0..<8], as: UTF8.self) == "ASSAYTOK")
    #expect([UInt8](bytes[8..<16]) == [1, 0, 0, 0, 2, 0, 0, 0])
    #expect([UInt8](bytes[24..<40]) == [5, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])
    #expect([UInt8](bytes[48..<60]) == [1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0])
    #expect(bytes[60..<120].allSatisfy { $0 == 0 })
    #expect([UInt8](bytes[128...]) == [0, 1, 1, 0, 2, 0, 0, 1, 3, 0])
  }

  @Test func idsBeyondTheVocabularyAreRefused() throws {
    for token: Int32 in [257, -1, 70_000] {
      #expect(code { _ = try write([1, token, 2]) } == .vocabularyMismatch)
    }
    // The failed shards left nothing.
    #expect(try folder.names() == [])
  }

  @Test func anAlteredHeaderIsRefused() throws {
    let path = try write([256, 1, 2, 3])
    let whole = try folder.read("shard.tokens")
    for place in 0..<128 {
      var bytes = whole
      bytes[place] ^= 4
      try folder.write(bytes, to: "shard.tokens")
      let expected: DataError.Code =
        switch place {
        case 0..<8: .wrongFormat
        case 8..<12: .wrongVersion
        default: .corruptData
        }
      #expect(code { _ = try TokenShard(path: path) } == expected, "byte \(place)")
    }
  }

  @Test func aTruncatedOrLongerFileIsRefused() throws {
    let path = try write([256, 1, 2, 3])
    let whole = try folder.read("shard.tokens")
    for count in [0, 7] {
      try folder.write(Array(whole[..<count]), to: "shard.tokens")
      #expect(code { _ = try TokenShard(path: path) } == .wrongFormat)
    }
    for count in [8, 127, 128, whole.count - 1] {
      try folder.write(Array(whole[..<count]), to: "shard.tokens")
      #expect(code { _ = try TokenShard(path: path) } == .truncatedData, "\(count) bytes")
    }
    try folder.write(whole + [0], to: "shard.tokens")
    #expect(code { _ = try TokenShard(path: path) } == .truncatedData)
    #expect(code { _ = try TokenShard(path: folder.file("none")) } == .unreadableFile)
  }

  @Test func anAlteredPayloadIsFoundByTheChecksum() throws {
    let path = try write((0..<40_000).map { Int32($0 % 257) })
    let whole = try folder.read("shard.tokens")
    for place in [128, 129, 50_000, whole.count - 1] {
      var bytes = whole
      bytes[place] ^= 1
      try folder.write(bytes, to: "shard.tokens")
      let shard = try TokenShard(path: path)
      #expect(code { try shard.verifyChecksum() } == .corruptData)
    }
  }

  @Test func streamsJoinShardsOfBothWidths() throws {
    let narrow = try TokenShard(path: write([1, 2, 3]))
    try FileManager.default.moveItem(
      atPath: folder.file("shard.tokens"), toPath: folder.file("narrow.tokens"))
    let empty = try TokenShard(path: write([]))
    try FileManager.default.moveItem(
      atPath: folder.file("shard.tokens"), toPath: folder.file("empty.tokens"))
    let wide = try TokenShard(path: write([66_000, 5, 6], Self.wide()))
    let stream = TokenStream(
      segments: [empty, narrow, empty, wide, narrow].map(\.segment), endOfText: 0,
      largestToken: 66_000)
    let expected: [Int32] = [1, 2, 3, 66_000, 5, 6, 1, 2, 3]
    #expect(stream.count == 9)
    for begin in 0...9 {
      for end in begin...9 {
        #expect(stream.tokens(begin..<end) == Array(expected[begin..<end]))
      }
    }
  }
}

struct LLMCShardTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func tokensComeBackInTheDocumentedLayout() throws {
    let path = folder.file("a.bin")
    try LLMCShard.write([50256, 1, 65535, 50256, 0], to: path)
    let bytes = try folder.read("a.bin")
    #expect(bytes.count == 1024 + 10)
    // 20240520 = 0x0134D888, version 1, count 5.
    #expect(Array(bytes[..<12]) == [0x88, 0xD8, 0x34, 0x01, 1, 0, 0, 0, 5, 0, 0, 0])
    #expect(bytes[12..<1024].allSatisfy { $0 == 0 })
    #expect(Array(bytes[1024...]) == [0x50, 0xC4, 1, 0, 0xFF, 0xFF, 0x50, 0xC4, 0, 0])
    let shard = try LLMCShard(path: path)
    #expect(shard.tokenCount == 5)
    #expect(shard.stream().tokens(0..<5) == [50256, 1, 65535, 50256, 0])
  }

  @Test func anIdThatDoesNotFitLeavesNothing() throws {
    #expect {
      try LLMCShard.write([1, 65536], to: folder.file("a.bin"))
    } throws: {
      ($0 as? DataError)?.code == .vocabularyMismatch
    }
    #expect(try folder.names() == [])
  }

  @Test func brokenFilesAreNamed() throws {
    try LLMCShard.write([50256, 1, 2], to: folder.file("a.bin"))
    let whole = try folder.read("a.bin")
    func code(_ bytes: [UInt8]) throws -> DataError.Code? {
      let path = try folder.write(bytes, to: "b.bin")
      do {
        _ = try LLMCShard(path: path)
        return nil
      } catch {
        return error.code
      }
    }
    func replaced(_ place: Int, _ byte: UInt8) -> [UInt8] {
      var bytes = whole
      bytes[place] = byte
      return bytes
    }
    #expect(try code(whole) == nil)
    #expect(try code([]) == .wrongFormat)
    #expect(try code(replaced(0, 0)) == .wrongFormat)
    #expect(try code(replaced(4, 2)) == .wrongVersion)
    #expect(try code(replaced(8, 4)) == .truncatedData)
    #expect(try code(replaced(8, 2)) == .truncatedData)
    #expect(try code(replaced(11, 0x80)) == .truncatedData)
    #expect(try code(Array(whole.dropLast())) == .truncatedData)
    #expect(try code(Array(whole[..<500])) == .truncatedData)
  }
}
