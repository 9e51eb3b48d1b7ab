// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams
import Testing

@testable import TextData

struct BytePairTrainerTests {
  func triples(_ tokenizer: Tokenizer) -> [[Int32]] {
    tokenizer.model.merges.map { [$0.left, $0.right, $0.result] }
  }

  @Test func learnsWhatRecountingEverythingLearns() throws {
    let fixture = try SmallVocabulary.read()
    let tokenizer = try Tokenizer.train(
      on: fixture.training, vocabularySize: 257 + fixture.merges.count)
    #expect(triples(tokenizer) == fixture.merges)
    #expect(tokenizer.vocabularySize == 257 + fixture.merges.count)
    #expect(tokenizer.endOfText == Int32(256 + fixture.merges.count))
    #expect(tokenizer.kind == .bpe)
  }

  /// Random words over two letters: overlapping pairs, ties and tokens that two pairs spell.
  @Test(arguments: 0..<20)
  func agreesWithANaiveTrainerOnAwkwardWords(seed: Int) throws {
    let random = RandomStream(seed: UInt64(seed), name: "words")
    var documents: [String] = []
    for index in 0..<40 {
      let length = 1 + random.integer(below: 12, at: 100 * index)
      documents.append(
        String((0..<length).map { random.uint32(at: 100 * index + $0 + 50) & 1 == 0 ? "a" : "b" }))
    }
    var merges: [[Int32]] = []
    var words = documents.map { Array($0.utf8).map { Int32($0) } }
    var texts = (0..<256).map { [UInt8($0)] }
    while texts.count < 300 {
      var counts: [[Int32]: Int] = [:]
      for word in words {
        for (left, right) in zip(word, word.dropFirst()) { counts[[left, right], default: 0] += 1 }
      }
      let best = counts.min {
        $0.value != $1.value ? $0.value > $1.value : $0.key.lexicographicallyPrecedes($1.key)
      }
      guard let (pair, count) = best, count >= 2 else { break }
      let text = texts[Int(pair[0])] + texts[Int(pair[1])]
      let token = Int32(texts.firstIndex(of: text) ?? texts.count)
      if token == texts.count { texts.append(text) }
      merges.append(pair + [token])
      for index in words.indices {
        var place = 0
        while place + 1 < words[index].count {
          if words[index][place] == pair[0], words[index][place + 1] == pair[1] {
            words[index].replaceSubrange(place...place + 1, with: [token])
          }
          place += 1
        }
      }
    }
    let tokenizer = try Tokenizer.train(on: documents, vocabularySize: texts.count + 1)
    // The size is reached with the first of the merges that make no new token.
    let learned = triples(tokenizer)
    #expect(learned.count > 10)
    #expect(learned == Array(merges.prefix(learned.count)))
  }

  @Test func threadsAndOrderChangeNothing() throws {
    let documents = (0..<600).map { SampleText.document($0) }
    let one = try Tokenizer.train(on: documents, vocabularySize: 400, threads: 1)
    for threads in [2, 3, 7] {
      let many = try Tokenizer.train(
        on: documents.reversed(), vocabularySize: 400, threads: threads)
      #expect(many.hash == one.hash)
      #expect(triples(many) == triples(one))
    }
  }

  @Test func aTextTooSmallForTheVocabularyIsNamed() throws {
    do {
      _ = try Tokenizer.train(on: ["abab abab"], vocabularySize: 4096)
      Issue.record("4,096 entries from nine bytes")
    } catch let error as DataError {
      #expect(error.code == .vocabularyMismatch)
      // " abab" occurs once, "abab" within it twice: ab, abab and no more.
      #expect(error.message.contains("after 259 entries"), "\(error)")
    }
    let largest = try Tokenizer.train(on: ["abab abab"], vocabularySize: 259)
    #expect(largest.encode("abab") == [257])
  }

  @Test(arguments: [256, 0, -1, 1_000_001])
  func impossibleSizesAreErrors(size: Int) {
    #expect(throws: DataError.self) {
      try Tokenizer.train(on: ["aaaa"], vocabularySize: size)
    }
  }
}
