// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Statistics
import Testing

struct PowerTests {
  /// The protocol's table: detectable difference in sigma at 80 % power, two-sided 0.05; unpaired, then paired by correlation.
  @Test(arguments: [
    (3, [3.07, 4.62, 3.26, 2.06, 1.46]), (5, [2.02, 2.38, 1.68, 1.06, 0.75]),
    (8, [1.51, 1.63, 1.16, 0.73, 0.52]), (10, [1.32, 1.41, 1.00, 0.63, 0.45]),
    (20, [0.91, 0.93, 0.66, 0.42, 0.30]),
  ])
  func theProtocolsTableIsReproducedToItsDigits(count: Int, expected: [Double]) throws {
    let correlations: [Double?] = [nil, 0, 0.5, 0.8, 0.9]
    for (correlation, printed) in zip(correlations, expected) {
      let exact = try #require(
        Power.detectableDifference(count: count, correlation: correlation))
      #expect(
        (exact * 100).rounded() / 100 == printed, "\(count), \(String(describing: correlation))")
    }
  }
}

extension PowerTests {
  struct Content: Decodable {
    var power: [[Double?]]
    var pocock: [[Cell]]
  }

  @Test func powerAgreesWithSciPy() throws {
    for row in try Fixtures.load("power.json", as: Content.self).power {
      let count = Int(try #require(row[0]))
      let difference = try #require(row[2])
      let power = Power.power(
        difference: difference, count: count, correlation: row[1], level: try #require(row[3]))
      #expect(agree(power, try #require(row[4]), tolerance: 1e-8), "\(row)")
    }
  }

  @Test func requiredCountsAreTheSmallestThatReachThePower() throws {
    for difference in [0.3, 0.75, 1.5, 4] {
      for correlation: Double? in [nil, 0.5] {
        let count = try #require(
          Power.requiredCount(difference: difference, correlation: correlation))
        #expect(Power.power(difference: difference, count: count, correlation: correlation) >= 0.8)
        #expect(
          count == 2
            || Power.power(difference: difference, count: count - 1, correlation: correlation) < 0.8
        )
      }
    }
    #expect(Power.requiredCount(difference: 0) == nil)
    #expect(Power.requiredCount(difference: .nan) == nil)
    #expect(Power.requiredCount(difference: 1e-9) == nil)
    #expect(Power.requiredCount(difference: .infinity) == 2)
    #expect(Power.requiredCount(difference: -1.5) == Power.requiredCount(difference: 1.5))
    #expect(Power.requiredCountForEquivalence(margin: 0) == nil)
    #expect(Power.detectableDifference(count: 1) == nil)
    #expect(Power.detectableDifference(count: 5, correlation: .nan) == nil)
    #expect(Power.detectableDifference(count: 5, correlation: 1) == 0)
    #expect(Power.requiredCount(difference: 1, correlation: .nan) == nil)
    #expect(agree(Power.power(difference: 0, count: 6), 0.05, tolerance: 1e-9))
  }

  @Test func levelsOfSeveralLooksAreThoseOfPocock() throws {
    let looks = [[1, 2, 3], [5, 8, 12], [4, 8], [7]]
    for (counts, row) in zip(looks, try Fixtures.load("power.json", as: Content.self).pocock) {
      let expected = try #require(row[1].number)
      let level = GroupSequential.pocockLevel(counts: counts)
      #expect(abs(level - expected) < 2e-6, "\(counts): \(level), \(expected)")
      #expect(
        agree(
          GroupSequential.falseClaims(counts: counts, levelOfEach: level), 0.05, tolerance: 1e-6))
    }
    // The published constant.
    #expect((GroupSequential.pocockLevel(counts: [4, 8, 12]) * 1e4).rounded() == 221)
  }
}
