// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams
import Testing

struct IntegerTests {
  let stream = RandomStream(seed: 0x0123_4567_89AB_CDEF, name: "initialization/embedding")

  /// Printed by `Scripts/fixtures/random_streams.py`; a quarter of these draws is rejected.
  @Test func matchesAnIndependentImplementationThroughRejections() {
    let drawn = (0..<6).map { stream.integer(below: 3 << 61, at: $0) }
    #expect(
      drawn == [
        2_558_214_185_587_652_845, 2_121_023_763_887_554_174, 4_681_646_286_695_872_481,
        4_279_109_032_655_997_783, 2_181_550_412_387_857_509, 947_286_067_541_774_193,
      ])
  }

  @Test(arguments: [1, 2, 3, 7, 10, 1000])
  func everyResultIsEquallyLikely(bound: Int) {
    let count = 20 * bound + 5_000
    var drawn = [Int](repeating: 0, count: bound)
    for index in 0..<count {
      drawn[stream.integer(below: bound, at: index)] += 1
    }
    let expected = Double(count) / Double(bound)
    let statistic = drawn.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
    let freedom = Double(bound - 1)
    #expect(abs(statistic / expected - freedom) <= 5 * (2 * freedom).squareRoot())
  }

  @Test func rejectionRemovesTheBiasOfAPlainProduct() {
    // Below 3 * 2^61 a plain multiplication would give the lower third of a residue class too often:
    // halves of the range must be equally likely.
    let bound = 3 << 61
    let count = 20_000
    let lower = (0..<count).count { stream.integer(below: bound, at: $0) % 3 == 0 }
    let share = Double(lower) / Double(count)
    #expect(abs(share - 1.0 / 3) < 5 * (2.0 / 9 / Double(count)).squareRoot())
  }

  @Test func permutationsAreFrozen() {
    let order = RandomStream(seed: stream.seed, name: "order").permutation(count: 10)
    #expect(order == [7, 3, 8, 5, 0, 2, 4, 1, 6, 9])
  }

  @Test(arguments: [0, 1, 2, 100, 4_097])
  func permutationsHoldEveryNumberOnce(count: Int) {
    #expect(stream.permutation(count: count).sorted() == Array(0..<count))
  }

  @Test func allOrdersOfFourAreEquallyLikely() {
    var seen: [[Int]: Int] = [:]
    let count = 4_800
    for seed in 0..<count {
      seen[RandomStream(seed: UInt64(seed), name: "four").permutation(count: 4), default: 0] += 1
    }
    #expect(seen.count == 24)
    let expected = Double(count) / 24
    let statistic = seen.values.reduce(0.0) {
      $0 + (Double($1) - expected) * (Double($1) - expected)
    }
    #expect(abs(statistic / expected - 23) < 5 * 46.0.squareRoot())
  }
}
