// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Charts

@Suite struct IntervalAndEdgeTests {
  let rate = ChartAxis(title: "Rate", scale: .logarithmic)

  func chart(
    _ series: [ChartSeries], limits: ClosedRange<Double>? = 1...2, levels: [ChartLevel] = []
  )
    throws -> Parsed
  {
    try Parsed(
      LineChart(
        title: "T", xAxis: rate, yAxis: ChartAxis(title: "Loss", limits: limits), series: series,
        levels: levels
      ).svg())
  }

  let rising = [
    ChartPoint(0.01, 1.5, lower: 1.4, upper: 1.6), ChartPoint(0.1, 1.2, lower: 1.1, upper: 1.3),
    ChartPoint(1, 5, note: "seed 3"), ChartPoint(10, .infinity, note: "diverged"),
    ChartPoint(100, .nan),
  ]

  @Test func whatLiesAboveTheAxisIsAnArrowAtItsUpperEdge() throws {
    let parsed = try chart([
      ChartSeries(name: "a", points: rising, style: .lineWithMarkers, marksBeyond: true)
    ])
    let arrows = parsed.named("beyond")
    #expect(
      arrows.map(\.title) == ["a\nRate 1\nLoss 5\nseed 3", "a\nRate 10\nLoss: none\ndiverged"])
    // Two points inside, and the sample beside the name.
    #expect(parsed.named("marker").count == 3)
    #expect(parsed.texts("empty").isEmpty)
  }

  @Test func withoutTheWishNothingIsMarkedBeyond() throws {
    let parsed = try chart([ChartSeries(name: "a", points: rising, style: .lineWithMarkers)])
    #expect(parsed.named("beyond").isEmpty)
  }

  @Test func aChartOfNothingButDivergedPointsShowsThem() throws {
    let points = [ChartPoint(1, .infinity), ChartPoint(2, .infinity)]
    let parsed = try chart(
      [ChartSeries(name: "a", points: points, style: .lineWithMarkers, marksBeyond: true)],
      limits: nil)
    #expect(parsed.named("beyond").count == 2)
    #expect(parsed.texts("empty").isEmpty)
  }

  @Test func arrowsThatMeetStandBelowEachOther() throws {
    let series = (0..<4).map {
      ChartSeries(
        name: "s\($0)", points: [ChartPoint(1, 1.5), ChartPoint(2, .infinity)], style: .markers,
        marksBeyond: true)
    }
    let shapes = try chart(series).named("beyond").map { $0.attributes["d"] }
    #expect(Set(shapes).count == 4)
  }

  @Test func intervalsAreBandsOrBars() throws {
    let bars = try chart([
      ChartSeries(name: "a", points: rising, style: .lineWithMarkers, intervals: .bars)
    ])
    let path = try #require(bars.named("errors").first?.attributes["d"])
    // Two points have intervals, each a bar with two feet.
    #expect(path.filter { $0 == "M" }.count == 6)
    #expect(bars.named("band").isEmpty)
    let band = try chart([ChartSeries(name: "a", points: rising, style: .lineWithMarkers)])
    #expect(band.named("errors").isEmpty && band.named("band").count == 1)
  }

  @Test func levelsAreLinesAndBandsAtTheirValues() throws {
    let parsed = try chart(
      [ChartSeries(name: "a", points: rising)],
      levels: [
        ChartLevel(1.5, label: "target"), ChartLevel(1.25, to: 1.75, label: "margin"),
        ChartLevel(7, label: "too high"),
      ])
    let levels = parsed.named("level")
    #expect(levels.map(\.name) == ["rect", "line"])
    #expect(levels.map(\.title) == ["margin", "target"])
    let band = try #require(levels.first?.attributes)
    let middle = (Double(band["y"] ?? "") ?? 0) + (Double(band["height"] ?? "") ?? 0) / 2
    let line = try #require(levels.last?.attributes["y1"].flatMap(Double.init))
    #expect(abs(middle - line) < 0.02)
    #expect(parsed.texts("level-label") == ["target", "margin"])
  }

  @Test func aFanHasBandsFromTheWidestToTheNarrowestAndOneName() throws {
    let fan = ChartSeries.fan(
      name: "median", x: [0, 1, 2],
      quantiles: (0..<5).map { low in (0..<3).map { Double(low + $0) } },
      look: ChartLook(2))
    #expect(fan.count == 3)
    #expect(fan[0].points[1] == ChartPoint(1, 3, lower: 1, upper: 5))
    #expect(fan[1].points[1] == ChartPoint(1, 3, lower: 2, upper: 4))
    #expect(fan[2].points.map(\.y) == [2, 3, 4])
    let axis = ChartAxis(title: "x")
    let parsed = try Parsed(LineChart(title: "", xAxis: axis, yAxis: axis, series: fan).svg())
    #expect(parsed.named("band").count == 2 && parsed.named("line").count == 1)
    #expect(parsed.texts("name") == ["median"])
  }

  @Test func factorsSayTimes() throws {
    let axis = ChartAxis(title: "Rate / optimum", scale: .logarithmic, isFactor: true)
    let parsed = try Parsed(
      LineChart(
        title: "", xAxis: axis, yAxis: ChartAxis(title: "Loss"),
        series: [
          ChartSeries(name: "", points: [ChartPoint(0.1, 1), ChartPoint(1, 2), ChartPoint(10, 3)])
        ]
      ).svg())
    let texts = parsed.elements.map(\.text)
    for label in ["\u{00D7}0.1", "\u{00D7}1", "\u{00D7}10"] { #expect(texts.contains(label)) }
  }
}

@Suite struct LookTests {
  @Test func looksDifferInColourAndDashAndInColourAndMarker() {
    let lines = (0..<49).map { ChartLook($0) }.map { "\($0.color) \($0.dash)" }
    #expect(Set(lines).count == 49)
    let markers = (0..<98).map { ChartLook($0) }.map { "\($0.color) \($0.marker)" }
    #expect(Set(markers).count == 98)
  }

  @Test func neighboursDifferWithoutColourToo() {
    for index in 0..<48 {
      let (one, other) = (ChartLook(index), ChartLook(index + 1))
      #expect(one.marker != other.marker && one.dash != other.dash)
    }
  }

  @Test func everyColourAndInkHasADarkTwin() {
    let style = ChartTheme.darkStyle(scope: "figure")
    for color in ChartColor.allCases {
      #expect(style.contains("figure [fill=\"\(color.rawValue)\"]{"))
    }
    for ink in [
      Ink.paper, Ink.title, Ink.name, Ink.axisTitle, Ink.text, Ink.faint, Ink.axis, Ink.grid,
    ] {
      #expect(style.contains("figure [stroke=\"\(ink)\"]{"))
    }
    #expect(ChartTheme.highlightStyle(count: 3).split(separator: "\n").count == 3)
  }
}
