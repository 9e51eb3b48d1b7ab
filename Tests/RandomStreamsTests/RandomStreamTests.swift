// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams
import Testing

/// Values here were printed by `Scripts/fixtures/random_streams.py`, an independent implementation.
struct RandomStreamTests {
  let stream = RandomStream(seed: 0x0123_4567_89AB_CDEF, name: "initialization/embedding")

  @Test func hashesOfNamesAreFrozen() {
    #expect(StableHash.hash("initialization/embedding") == 0xf3ae_52a5_56e4_4808)
    #expect(StableHash.hash("") == 0xefd0_1f60_ba99_2926)
  }

  @Test(
    arguments: [
      (0, 0x7e2d_ed25), (1, 0x5eac_45fe), (2, 0x6722_4580), (3, 0x3511_df8d), (4, 0x8e8b_9568),
      (1_000_003, 0x4ba4_e02e), ((1 << 50) - 1, 0xf316_812a),
    ] as [(Int, UInt32)])
  func wordsMatchAnIndependentImplementation(index: Int, expected: UInt32) {
    #expect(stream.uint32(at: index) == expected)
  }

  @Test(
    arguments: [
      (0, 0x5eac_45fe_7e2d_ed25), (1, 0x3511_df8d_6722_4580), (7, 0xeb40_bd15_f354_9676),
      (1_000_003, 0x6c7d_e584_d055_e05c),
    ] as [(Int, UInt64)])
  func doubleWordsMatchAnIndependentImplementation(index: Int, expected: UInt64) {
    #expect(stream.uint64(at: index) == expected)
    #expect(stream.uniform(at: index) == Double(expected >> 11) / 0x1p53)
  }

  @Test func everyPartOfTheAddressMatters() {
    let words = [
      stream, RandomStream(seed: stream.seed + 1, name: stream.name),
      RandomStream(seed: stream.seed ^ (1 << 63), name: stream.name),
      RandomStream(seed: stream.seed, name: "initialization/embeddinh"),
      stream.child("0"), stream.child("1"),
    ].map { $0.uint64(at: 5) }
    #expect(Set(words).count == words.count)
    #expect(stream.child("a/b").uint64(at: 0) == stream.child("a").child("b").uint64(at: 0))
  }

  @Test func generatorReadsTheDoubleWordsInOrder() {
    var generator = stream.generator(startingAt: 3)
    let read = (0..<5).map { _ in generator.next() }
    #expect(read == (3..<8).map { stream.uint64(at: $0) })
    #expect(generator.index == 8)
  }

  @Test func bitsAreBalanced() {
    var ones = [Int](repeating: 0, count: 32)
    let count = 20_000
    for index in 0..<count {
      let word = stream.uint32(at: index)
      for bit in 0..<32 { ones[bit] += Int(word >> bit & 1) }
    }
    // Five standard deviations of a fair coin.
    let tolerance = 5 * Double(count).squareRoot() / 2
    for bit in 0..<32 {
      #expect(abs(Double(ones[bit]) - Double(count) / 2) < tolerance, "bit \(bit)")
    }
  }
}
