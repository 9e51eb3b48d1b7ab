// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Statistics
import Testing

struct PermutationTests {
  struct Case: Decodable {
    var a, b: [Double]
    var label: Double
    var sign: Double?
  }

  @Test func exactTestsAgreeWithEnumeration() throws {
    for expected in try Fixtures.load("permutations.json", as: [Case].self) {
      let label = Tests.permutation(expected.a, expected.b)
      #expect(label.isExact && agree(label.pValue, expected.label, tolerance: 1e-12))
      #expect(label.pValue >= label.smallestPossible * (1 - 1e-12))
      if let wanted = expected.sign {
        let sign = Tests.permutation(expected.a, expected.b, paired: true)
        #expect(sign.isExact && agree(sign.pValue, wanted, tolerance: 1e-12))
      }
    }
  }

  /// The protocol's last column: with 5 pairs or fewer an exact test is never significant.
  @Test(arguments: [
    (1, 1.0), (3, 0.25), (5, 0.0625), (8, 0.0078125), (10, 0.001953125), (20, 1.9073486328125e-6),
  ])
  func theSmallestPossiblePIsReportedAndReached(count: Int, smallest: Double) {
    let high = (0..<count).map { 10 + 0.1 * Double($0) }
    let low = (0..<count).map { -0.2 * Double($0) }
    let sign = Tests.permutation(high, low, paired: true)
    #expect(sign.smallestPossible == smallest && agree(sign.pValue, smallest, tolerance: 1e-12))
    guard count <= 15 else { return }
    let label = Tests.permutation(high, low)
    #expect(label.isExact && agree(label.pValue, label.smallestPossible, tolerance: 1e-12))
  }

  @Test func unequalArmsAreOneArrangementFromTheirSmallest() {
    let test = Tests.permutation([9, 10], [1, 2, 3, 4])
    #expect(agree(test.pValue, 1.0 / 15, tolerance: 1e-12))
    #expect(agree(test.smallestPossible, 1.0 / 15, tolerance: 1e-12))
  }

  @Test func drawnArrangementsComeCloseToCountedOnes() {
    var noise = Noise("drawn")
    // 15 + 15 are counted; one more on each side is drawn. Neighbouring problems have close answers; the draws themselves err by 0.005.
    let a = noise.sample(15, mean: 0.6)
    let b = noise.sample(15)
    let counted = Tests.permutation(a, b)
    let mean = Sample(a).mean ?? 0
    let drawn = Tests.permutation(a + [mean], b + [Sample(b).mean ?? 0])
    #expect(counted.isExact && !drawn.isExact)
    #expect(abs(counted.pValue - drawn.pValue) < 0.03)
    #expect(drawn == Tests.permutation(a + [mean], b + [Sample(b).mean ?? 0]))
    #expect(drawn.pValue >= 1.0 / 20_001)
    let pairs = Tests.permutation(noise.sample(40, mean: 3), noise.sample(40), paired: true)
    #expect(
      !pairs.isExact && pairs.pValue == 1.0 / 20_001 && pairs.smallestPossible == 1.0 / 20_001)
  }

  @Test func tiesCountAsAtLeastAsLarge() {
    // Sums of 0.1, 0.2 and 0.3 differ in the last bit by the order of adding; every arrangement of equal size is a hit.
    #expect(agree(Tests.permutation([0.3, 0.3, 0.1], [0.2, 0.1, 0.2], paired: true).pValue, 0.75))
    #expect(Tests.permutation([1, 1, 1], [1, 1]).pValue == 1)
    // Sums that overflow say nothing.
    #expect(Tests.permutation([1e308, 1e308, 1], [0, 0, 0], paired: true).pValue == 1)
    #expect(Tests.permutation([1e308, 1e308, 1], [0, -1e308, 0]).pValue == 1)
    #expect(Tests.permutation([2, 1], [1, 2], paired: true).pValue == 1)
  }
}
