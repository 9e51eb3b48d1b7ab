// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams
import Testing

@testable import TextData

struct TokenizerTests {
  static func small() throws -> Tokenizer {
    let fixture = try SmallVocabulary.read()
    return try Tokenizer(
      trained: fixture.merges.map { .init(left: $0[0], right: $0[1], result: $0[2]) }, kind: .bpe)
  }

  @Test func encodesAsTiktokenDoesWithASmallVocabulary() throws {
    let tokenizer = try Self.small()
    let encoder = tokenizer.makeEncoder()
    for text in try AwkwardText.all() {
      #expect(tokenizer.encode(text.text) == text.small, "\(text.text.debugDescription)")
      // Again with an encoder whose cache has seen all texts before.
      var tokens: [Int32] = []
      Array(text.text.utf8).withUnsafeBytes { encoder.encode($0, into: &tokens) }
      #expect(tokens == text.small, "\(text.text.debugDescription)")
      #expect(try tokenizer.decode(tokens) == Array(text.text.utf8))
    }
  }

  /// Words longer and shorter than the bound between the two merge loops give the same tokens.
  @Test(arguments: [1, 2, 63, 64, 65, 66, 500])
  func longWordsMergeAsShortOnesDo(count: Int) throws {
    let tokenizer = try Self.small()
    let random = RandomStream(seed: 3, name: "long-words/\(count)")
    let letters = Array("aabxytheingoß")
    let word = String((0..<count).map { letters[random.integer(below: letters.count, at: $0)] })
    // The rule itself: the lowest rank, leftmost.
    var expected = Array(word.utf8).map { Int32($0) }
    let ranks = Dictionary(
      uniqueKeysWithValues: tokenizer.model.merges.enumerated().map { ([$1.left, $1.right], $0) })
    while true {
      let candidates = zip(expected, expected.dropFirst()).map { ranks[[$0, $1]] ?? .max }
      guard let lowest = candidates.min(), lowest != .max,
        let place = candidates.firstIndex(of: lowest)
      else { break }
      expected.replaceSubrange(
        place...place + 1, with: [tokenizer.model.merges[lowest].result])
    }
    #expect(tokenizer.encode(word) == expected)
  }

  @Test func anyBytesComeBack() throws {
    let random = RandomStream(seed: 9, name: "bytes")
    for tokenizer in [Tokenizer.bytes, try Self.small()] {
      for index in 0..<200 {
        let count = random.integer(below: 90, at: index)
        let bytes = (0..<count).map {
          UInt8(truncatingIfNeeded: random.uint32(at: 1000 + 100 * index + $0))
        }
        #expect(try tokenizer.decode(tokenizer.encode(bytes)) == bytes)
      }
    }
  }

  @Test func bytesAreTheirOwnTokens() throws {
    let tokenizer = Tokenizer.bytes
    #expect(tokenizer.vocabularySize == 257)
    #expect(tokenizer.endOfText == 256)
    #expect(tokenizer.encode("aé") == [0x61, 0xC3, 0xA9])
    #expect(tokenizer.encode([0, 255]) == [0, 255])
    #expect(try tokenizer.decodeText([256, 0x61]) == "<|endoftext|>a")
    #expect(try tokenizer.decode([256, 0x61]) == [0x61])
    #expect(try tokenizer.byteCount(of: 256) == 0)
  }

  @Test func textCannotSpellASpecialToken() throws {
    let tokenizer = try Self.small()
    #expect(!tokenizer.encode("a<|endoftext|>b").contains(tokenizer.endOfText))
  }

  @Test(arguments: [-1, 257, Int32.max])
  func idsOutsideTheVocabularyAreErrors(token: Int32) {
    #expect {
      try Tokenizer.bytes.decode([0, token])
    } throws: {
      ($0 as? DataError)?.code == .vocabularyMismatch
    }
  }

  @Test func hashesTellVocabulariesApart() throws {
    let small = try Self.small()
    let fixture = try SmallVocabulary.read()
    let shorter = try Tokenizer(
      trained: fixture.merges.dropLast().map { .init(left: $0[0], right: $0[1], result: $0[2]) },
      kind: .bpe)
    #expect(Set([small.hash, shorter.hash, Tokenizer.bytes.hash]).count == 3)
    #expect(try Self.small().hash == small.hash)
    // Frozen: data sets on disk name it.
    #expect(Tokenizer.bytes.hashText == "c21430cc4a7417ef")
  }
}
