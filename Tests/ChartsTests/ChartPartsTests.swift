// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Charts

@Suite struct TickTests {
  func labels(
    _ values: [Double], _ scale: ChartScale = .linear, count: Int = 5, isWidened: Bool = false
  ) -> [String] {
    AxisRange(
      ChartAxis(title: "", scale: scale), values: values, count: count, isWidened: isWidened
    ).ticks.compactMap(\.label)
  }

  @Test func linearMarksAreRoundNumbers() {
    #expect(labels([0, 1]) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels([0, 1199]) == ["0", "250", "500", "750", "1,000"])
    #expect(labels([0, 3_000_000]) == ["0", "1M", "2M", "3M"])
    #expect(labels([0, 250_000]) == ["0", "50k", "100k", "150k", "200k", "250k"])
    #expect(labels([-1, 1], count: 4) == ["\u{2212}1.0", "\u{2212}0.5", "0.0", "0.5", "1.0"])
    #expect(labels([0, 3e-4], count: 3) == ["0", "1×10⁻⁴", "2×10⁻⁴", "3×10⁻⁴"])
    #expect(labels([1.9, 2.1], count: 4) == ["1.90", "1.95", "2.00", "2.05", "2.10"])
  }

  @Test func logarithmicMarksArePowersOrOneTwoFive() {
    #expect(labels([1e-5, 0.03], .logarithmic) == ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²"])
    #expect(labels([1, 1000], .logarithmic) == ["1", "10", "100", "1,000"])
    #expect(labels([1, 60], .logarithmic) == ["1", "2", "5", "10", "20", "50"])
    #expect(labels([2.1, 2.9], .logarithmic, count: 4) == ["2.2", "2.4", "2.6", "2.8"])
    let many = labels([1e-30, 1e30], .logarithmic, count: 5)
    #expect(many.count <= 6 && many.count >= 3)
  }

  @Test(arguments: [
    (0.0, 1.0), (3.0, 3.0), (0.0, 0.0), (-5.0, -4.0), (1e-90, 1e90), (1e99, 1e100), (2.0, 2.1),
    (1.0, 1.0000001),
  ])
  func everyRangeHasFewMarksAllInside(lower: Double, upper: Double) {
    for scale in [ChartScale.linear, .logarithmic] where scale == .linear || lower > 0 {
      for isWidened in [false, true] {
        let range = AxisRange(
          ChartAxis(title: "", scale: scale), values: [lower, upper], count: 6,
          isWidened: isWidened)
        #expect(range.lower < range.upper)
        #expect(range.lower <= lower && range.upper >= upper)
        let labelled = range.ticks.filter { $0.label != nil }
        #expect((1...13).contains(labelled.count), "\(range)")
        for tick in range.ticks {
          #expect(range.fraction(tick.value) > -1e-6 && range.fraction(tick.value) < 1 + 1e-6)
        }
        #expect(Set(labelled.map(\.label)).count == labelled.count, "\(labelled)")
      }
    }
  }

  @Test func limitsAreKeptExactly() {
    let axis = ChartAxis(title: "", limits: 1.7...3.3)
    let range = AxisRange(axis, values: [0, 10], count: 5, isWidened: true)
    #expect(range.lower == 1.7 && range.upper == 3.3)
    let wrong = ChartAxis(title: "", scale: .logarithmic, limits: -1...3)
    #expect(AxisRange(wrong, values: [1, 2], count: 5, isWidened: false).lower == 1)
  }

  @Test func stepsAreOneTwoTwoAndAHalfOrFive() {
    #expect(AxisRange.niceStep(0.9) == 1)
    #expect(AxisRange.niceStep(1) == 1)
    #expect(AxisRange.niceStep(1.1) == 2)
    #expect(AxisRange.niceStep(21) == 25)
    #expect(AxisRange.niceStep(0.03) == 0.05)
    #expect(AxisRange.niceStep(6e9) == 1e10)
  }
}

@Suite struct OddScaleTests {
  func range(_ scale: ChartScale, _ values: [Double], count: Int = 6) -> AxisRange {
    AxisRange(
      ChartAxis(title: "", scale: scale), values: values, count: count, isWidened: false)
  }

  @Test func zeroHasAPlaceBelowTheSmallestValueOfALogarithmicAxis() {
    let axis = range(.logarithmicFromZero, [0, 0.01, 0.1, 1])
    #expect(axis.ticks.first == Tick(value: 0, label: "0"))
    #expect(axis.fraction(0) == 0 && axis.fraction(1) == 1)
    // One decade between values, so one decade to the place of zero.
    #expect(abs(axis.fraction(0.01) - 1.0 / 3) < 1e-9)
    #expect(AxisRange.isDrawable(0, .logarithmicFromZero))
    #expect(!AxisRange.isDrawable(-1, .logarithmicFromZero))
  }

  @Test func withoutZeroThatAxisIsLogarithmic() {
    let (own, plain) = (
      range(.logarithmicFromZero, [1, 10, 100]), range(.logarithmic, [1, 10, 100])
    )
    #expect(own.ticks == plain.ticks && own.lower == plain.lower)
    #expect(range(.logarithmicFromZero, [0]).ticks.map(\.label) == ["0"])
  }

  @Test func momentumIsSpacedByWhatIsMissingToOne() {
    let axis = range(.complement, [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99])
    #expect(abs(axis.fraction(0.9) - 0.5) < 1e-9)
    let labels = axis.ticks.compactMap(\.label)
    for label in ["0", "0.5", "0.9", "0.99"] { #expect(labels.contains(label)) }
    #expect(!AxisRange.isDrawable(1, .complement))
  }

  @Test(arguments: [[0.9], [0.0, 0.999999], [-5.0, 0.5], [0.99, 0.999], []])
  func awkwardDecayRatesHaveFiniteMarks(values: [Double]) {
    let axis = range(.complement, values)
    #expect(axis.ticks.allSatisfy { axis.fraction($0.value).isFinite })
    #expect(axis.lower < axis.upper && axis.upper < 1)
  }
}

@Suite struct NumberFormatTests {
  @Test func singleValuesHaveFiveDigits() {
    #expect(NumberFormat.significant(0) == "0")
    #expect(NumberFormat.significant(1200) == "1,200")
    #expect(NumberFormat.significant(3.14159265) == "3.1416")
    #expect(NumberFormat.significant(-0.001234567) == "\u{2212}0.0012346")
    #expect(NumberFormat.significant(1e-7) == "1×10⁻⁷")
    #expect(NumberFormat.significant(2.5e20) == "2.5×10²⁰")
    #expect(NumberFormat.significant(123_456_789) == "123,456,789")
    #expect(NumberFormat.significant(0.5) == "0.5")
    #expect(NumberFormat.significant(99.99999) == "100")
  }

  @Test func fixedNumbersHaveCommasAndNoNegativeZero() {
    #expect(NumberFormat.fixed(1_234_567.891, decimals: 2) == "1,234,567.89")
    #expect(NumberFormat.fixed(-0.001, decimals: 2) == "0.00")
    #expect(NumberFormat.fixed(0.05, decimals: 1) == "0.1")
    #expect(NumberFormat.fixed(999.5, decimals: 0) == "1,000")
    #expect(NumberFormat.plain(0.001) == "0.001")
    #expect(superscript(-120) == "⁻¹²⁰")
  }

  @Test func coordinatesHaveAtMostTwoDecimals() {
    #expect(coordinate(1) == "1")
    #expect(coordinate(1.5) == "1.5")
    #expect(coordinate(1.05) == "1.05")
    #expect(coordinate(-0.25) == "-0.25")
    #expect(coordinate(0.001) == "0")
    #expect(coordinate(1e9) == "1000000")
  }
}

@Suite struct LabelLayoutTests {
  @Test func labelsWithRoomStayWhereTheyAre() {
    #expect(spread([10, 50, 90], distance: 15, bounds: 0...100) == [10, 50, 90])
    #expect(spread([], distance: 15, bounds: 0...100) == [])
  }

  @Test func closeLabelsMoveApartEvenly() {
    #expect(spread([50, 50], distance: 10, bounds: 0...100) == [45, 55])
    #expect(spread([52, 48], distance: 10, bounds: 0...100) == [55, 45])
    #expect(spread([99, 100], distance: 10, bounds: 0...100) == [90, 100])
    #expect(spread([-20, 0], distance: 10, bounds: 0...100) == [0, 10])
  }

  @Test func distancesHoldForManyLabels() {
    var state: UInt64 = 7
    for count in 1...30 {
      let wanted = (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 40) / Double(1 << 24) * 120 - 10
      }
      let places = spread(wanted, distance: 5, bounds: 0...100)
      let sorted = places.sorted()
      let gap = count > 1 ? min(5, 100 / Double(count - 1)) : 0
      for (first, second) in zip(sorted, sorted.dropFirst()) {
        #expect(second - first >= gap - 1e-9)
      }
      #expect(sorted.allSatisfy { $0 >= -1e-9 && $0 <= 100 + 1e-9 })
      let order = wanted.indices.sorted { wanted[$0] < wanted[$1] }
      #expect(zip(order, order.dropFirst()).allSatisfy { places[$0] <= places[$1] })
    }
  }
}

@Suite struct SmoothingTests {
  /// The definition, written straight.
  func reference(_ points: [ChartPoint], at i: Int, halfLife: Double) -> Double {
    var (s0, s1, s2, t0, t1) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for point in points where point.y.isFinite {
      let d = point.x - points[i].x
      let w = exp2(-abs(d) / halfLife)
      s0 += w
      s1 += w * d
      s2 += w * d * d
      t0 += w * point.y
      t1 += w * d * point.y
    }
    return (s2 * t0 - s1 * t1) / (s0 * s2 - s1 * s1)
  }

  @Test func followsItsDefinition() {
    var x = 0.0
    var points = (0..<60).map { index in
      x += 1 + Double(index % 3)
      return ChartPoint(x, sin(Double(index)) + 0.1 * Double(index))
    }
    points[10].y = .nan
    let smooth = ChartPoint.smoothed(points, halfLife: 7)
    for index in points.indices where index != 10 {
      #expect(abs(smooth[index].y - reference(points, at: index, halfLife: 7)) < 1e-9)
    }
    #expect(smooth[10].y.isNaN)
    #expect(smooth.map(\.x) == points.map(\.x))
  }

  @Test func aStraightLineStaysAStraightLine() {
    let points = (0..<50).map { ChartPoint(Double($0), 3 - 0.5 * Double($0)) }
    let smooth = ChartPoint.smoothed(points, halfLife: 4)
    for (point, straight) in zip(smooth, points) { #expect(abs(point.y - straight.y) < 1e-9) }
  }

  @Test func noiseIsReduced() {
    let points = (0..<400).map { ChartPoint(Double($0), $0 % 2 == 0 ? 1 : -1) }
    let smooth = ChartPoint.smoothed(points, halfLife: 20)
    #expect(smooth.allSatisfy { abs($0.y) < 0.15 })
  }

  @Test func fewPointsAreNoProblem() {
    #expect(ChartPoint.smoothed([], halfLife: 1).isEmpty)
    #expect(ChartPoint.smoothed([ChartPoint(3, 5)], halfLife: 1) == [ChartPoint(3, 5)])
    let same = ChartPoint.smoothed([ChartPoint(3, 5), ChartPoint(3, 7)], halfLife: 1)
    #expect(same.map(\.y) == [6, 6])
  }
}
