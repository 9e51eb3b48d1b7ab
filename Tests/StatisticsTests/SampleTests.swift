// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics
import Testing

/// Everything in `samples.json`.
struct SamplesFixture: Decodable {
  var summaries: [Summary]
  var comparisons: [Comparison]
  var adjustments: [Adjustment]

  struct Summary: Decodable {
    var values: [Double]
    var mean, deviation, median: Double
    var skewness: Double?
    var interquartileMean: Double
    var interval90, interval95, deviation90, deviation95: [Double]
    var upperLimit, target, less, greater, twoSided: Double

    enum CodingKeys: String, CodingKey {
      case values, mean, deviation, median, skewness, target, less, greater
      case interquartileMean = "interquartile mean"
      case interval90 = "interval 0.9"
      case interval95 = "interval 0.95"
      case deviation90 = "deviation 0.9"
      case deviation95 = "deviation 0.95"
      case upperLimit = "upper limit"
      case twoSided = "two-sided"
    }
  }

  struct Outcome: Decodable {
    var t, df, p: Double
    var interval, tost: [Double]
  }

  struct Comparison: Decodable {
    var a, b: [Double]
    var margin: Double
    var welch: Outcome
    var paired: Outcome?
    var correlation: [Double]?
  }

  struct Adjustment: Decodable {
    var p, holm, bh: [Double]
  }

  static func load() throws -> SamplesFixture {
    try Fixtures.load("samples.json", as: SamplesFixture.self)
  }
}

struct SampleTests {
  @Test func summariesAgreeWithSciPy() throws {
    for expected in try SamplesFixture.load().summaries {
      let sample = Sample(expected.values)
      // A mean of a million with a deviation of 0.01 has no more than eight digits in its deviation.
      let tolerance = expected.deviation < 1e-6 * abs(expected.mean) ? 1e-7 : 1e-10
      #expect(agree(sample.mean, expected.mean, tolerance: 1e-14, absolute: 1e-14))
      #expect(agree(sample.standardDeviation, expected.deviation, tolerance: tolerance))
      #expect(sample.median == expected.median)
      #expect(
        agree(
          sample.interquartileMean, expected.interquartileMean, tolerance: 1e-14, absolute: 1e-14))
      if let skewness = expected.skewness {
        #expect(agree(sample.skewness, skewness, tolerance: tolerance))
      } else {
        #expect(sample.skewness == nil)
      }
      for (level, ends) in [(0.9, expected.interval90), (0.95, expected.interval95)] {
        let interval = try #require(sample.interval(level: level))
        #expect(agree(interval.lower, ends[0]) && agree(interval.upper, ends[1]))
        #expect(interval.level == level)
      }
      for (level, ends) in [(0.9, expected.deviation90), (0.95, expected.deviation95)] {
        let interval = try #require(sample.deviationInterval(level: level))
        #expect(agree(interval.lower, ends[0], tolerance: tolerance))
        #expect(agree(interval.upper, ends[1], tolerance: tolerance))
      }
      let floor = try #require(NoiseFloor(expected.values))
      #expect(agree(floor.upperLimit, expected.upperLimit, tolerance: tolerance))
      #expect(floor.deviation == sample.standardDeviation && floor.count == sample.count)
    }
  }

  @Test func aDeviationFromEightReplicatesIsKnownWithinAFactorOfThree() throws {
    var noise = Noise("eight")
    let sample = Sample(noise.sample(8))
    let deviation = try #require(sample.standardDeviation)
    let interval = try #require(sample.deviationInterval())
    #expect((interval.lower / deviation * 100).rounded() == 66)
    #expect((interval.upper / deviation * 100).rounded() == 204)
  }

  @Test func emptyAndSingleSamplesHaveNoSpread() {
    let empty = Sample([])
    #expect(empty.mean == nil && empty.median == nil && empty.variance == nil)
    #expect(empty.interquartileMean == nil && empty.skewness == nil)
    #expect(empty.interval() == nil && empty.deviationInterval() == nil)
    let single = Sample([3.25])
    #expect(single.mean == 3.25 && single.median == 3.25 && single.interquartileMean == 3.25)
    #expect(single.variance == nil && single.interval() == nil && single.standardError == nil)
    #expect(NoiseFloor([3.25]) == nil && NoiseFloor([]) == nil)
  }

  @Test func identicalValuesHaveNoSpreadToTheBit() {
    // 0.1 summed three times is not three times 0.1.
    let sample = Sample([0.1, 0.1, 0.1])
    #expect(sample.mean == 0.1 && sample.variance == 0 && sample.skewness == 0)
    #expect(sample.interval() == ConfidenceInterval(lower: 0.1, upper: 0.1, level: 0.95))
    #expect(sample.deviationInterval() == ConfidenceInterval(lower: 0, upper: 0, level: 0.95))
  }

  @Test(arguments: [Double.nan, .infinity])
  func aFailedReplicateCountsAsTheHighestWhereOnlyOrderCounts(failure: Double) {
    let sample = Sample([3, failure, 1, 2, 4])
    #expect(sample.median == 3)
    #expect(sample.interquartileMean == 3)
    #expect(sample.mean == nil && sample.variance == nil && sample.interval() == nil)
    #expect(Sample([1, failure]).median == .infinity)
    #expect(Sample([1, failure]).interquartileMean == nil)
    #expect(NoiseFloor([1, failure, 2]) == nil)
  }

  @Test func hugeValuesDoNotTrap() {
    let sample = Sample([1e308, -1e308, 1e308])
    #expect(sample.variance == nil && sample.interval() == nil)
    #expect(sample.median == 1e308)
  }

  @Test func intervalsAreReadBackWithOpenEnds() throws {
    let open = ConfidenceInterval(lower: -.infinity, upper: 2.5, level: 0.95)
    let text = try JSONEncoder().encode(open)
    #expect(try JSONDecoder().decode(ConfidenceInterval.self, from: text) == open)
    #expect(!open.isBounded && open.contains(-1e300) && !open.contains(2.6) && !open.contains(.nan))
    #expect(ConfidenceInterval.union([]) == nil)
    let union = ConfidenceInterval.union([
      ConfidenceInterval(lower: 1, upper: 2, level: 0.95),
      ConfidenceInterval(lower: 1.5, upper: 4, level: 0.95),
    ])
    #expect(union == ConfidenceInterval(lower: 1, upper: 4, level: 0.95))
    #expect(union?.lies(within: 4) == false && union?.lies(within: 4.1) == true)
  }
}

struct CorrelationTests {
  @Test func correlationsAgreeWithSciPy() throws {
    for comparison in try SamplesFixture.load().comparisons {
      guard let expected = comparison.correlation else { continue }
      let correlation = Correlation(comparison.a, comparison.b)
      #expect(agree(correlation.coefficient, expected[0]))
      #expect(agree(correlation.interval?.lower, expected[1]))
      #expect(agree(correlation.interval?.upper, expected[2]))
    }
  }

  @Test func awkwardPairsHaveNoCorrelation() {
    #expect(Correlation([], []).coefficient == nil)
    #expect(Correlation([1], [2]).coefficient == nil)
    #expect(Correlation([1, 1, 1], [1, 2, 3]).coefficient == nil)
    #expect(Correlation([1, .nan, 1], [1, 2, 3]).coefficient == nil)
    #expect(Correlation([1, 2, 3], [1, 2, 3]).interval == nil)
  }

  @Test func perfectCorrelationIsOneAndCertain() {
    let a = [1.0, 2, 3.5, 4]
    #expect(agree(Correlation(a, a).coefficient, 1, tolerance: 1e-14))
    #expect(agree(Correlation(a, a.map { -1e-100 * $0 }).coefficient, -1, tolerance: 1e-12))
    #expect((Correlation(a, a).interval?.lower ?? 0) > 0.9999)
  }

  @Test func pairingNeedsACalibratedCorrelationAndFiveReplicates() {
    #expect(Correlation.favoursPairing(0.5, count: 5))
    #expect(!Correlation.favoursPairing(0.49, count: 20))
    #expect(!Correlation.favoursPairing(0.9, count: 4))
    #expect(!Correlation.favoursPairing(nil, count: 20))
    #expect(!Correlation.favoursPairing(.nan, count: 20))
  }
}
