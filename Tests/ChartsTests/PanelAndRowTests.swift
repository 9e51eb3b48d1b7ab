// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Charts

@Suite struct ChartPanelsTests {
  func panel(_ title: String, _ values: [String: Double]) -> LineChart {
    LineChart(
      title: title, xAxis: ChartAxis(title: "Step"), yAxis: ChartAxis(title: "Loss"),
      series: values.sorted { $0.key < $1.key }.map { name, value in
        ChartSeries(
          name: name, points: [ChartPoint(0, value), ChartPoint(1, value)], style: .lineWithMarkers)
      })
  }

  @Test func equalValuesHaveEqualHeightsInEveryPanel() throws {
    let panels = [
      panel("one", ["a": 1, "b": 3]),
      panel("a title so long that it needs a second line above its panel, surely", ["a": 1]),
      panel("three", ["b": 3, "c": 9]),
    ]
    let parsed = try Parsed(ChartPanels(title: "All", panels: panels).svg())
    let heights = parsed.named("line").map { line in
      (
        line.attributes["data-look"] ?? "",
        line.attributes["d"]?.split(separator: " ").last.map(String.init) ?? ""
      )
    }
    #expect(heights.count == 5)
    for look in ["0", "1"] {
      let same = heights.filter { $0.0 == look }.map(\.1)
      #expect(same.count == 2 && Set(same).count == 1, "\(heights)")
    }
  }

  @Test func aNameHasOneLookAndStandsOnce() throws {
    let panels = [panel("one", ["a": 1, "b": 2]), panel("two", ["b": 2, "c": 3])]
    let parsed = try Parsed(ChartPanels(title: "All", panels: panels).svg())
    #expect(parsed.texts("name") == ["a", "b", "c"])
    #expect(parsed.texts("title") == ["All", "one", "two"])
    #expect(parsed.texts("y-title") == ["Loss"])
    let colors = parsed.named("line").map { $0.attributes["stroke"] ?? "" }
    #expect(colors[1] == colors[2] && Set(colors).count == 3)
  }

  @Test func panelsStayInsideTheImage() throws {
    for count in [1, 2, 3, 5, 9] {
      let panels = (0..<count).map { panel("p\($0)", ["a": 1, "b": 2]) }
      let parsed = try Parsed(ChartPanels(title: "", panels: panels).svg(width: 900))
      let height = try #require(parsed.elements.first?.attributes["height"].flatMap(Double.init))
      let places = parsed.named("panel").compactMap { $0.attributes["transform"] }
      #expect(Set(places).count == count)
      for place in places {
        let numbers = place.dropFirst(10).dropLast().split(separator: " ").compactMap { Double($0) }
        #expect(numbers[0] >= 0 && numbers[0] < 900 && numbers[1] + 320 <= height)
      }
    }
  }

  @Test func noPanelsAndEmptyPanelsAreNoProblem() throws {
    _ = try Parsed(ChartPanels(title: "", panels: []).svg())
    let parsed = try Parsed(
      ChartPanels(title: "", panels: [panel("a", [:]), panel("b", ["x": .nan])]).svg())
    #expect(parsed.texts("empty") == ["no data", "no data"])
  }
}

@Suite struct RowChartTests {
  let axis = ChartAxis(title: "Difference", unit: "nats per token")

  func row(_ name: String, _ cell: RowChart.Cell, words: [String] = []) -> RowChart.Row {
    RowChart.Row(name: name, look: ChartLook(0), cells: [cell], words: words)
  }

  func number(_ element: Parsed.Element?, _ name: String) throws -> Double {
    try #require(element?.attributes[name].flatMap(Double.init))
  }

  @Test func aForestHasMarginEstimatesIntervalsAndVerdicts() throws {
    let parsed = try Parsed(
      RowChart(
        title: "Forest",
        scales: [.init(axis, marks: [ChartMark(-0.1, to: 0.1, label: "margin"), ChartMark(0)])],
        headings: ["verdict"],
        rows: [
          .init(heading: "small model"),
          row(
            "lion", .init(estimate: -0.2, lower: -0.3, upper: -0.1, note: "n = 5"),
            words: ["better"]),
          row("sgd", .init(estimate: .infinity), words: ["diverged"]),
        ]
      ).svg())
    #expect(parsed.texts("group") == ["small model"])
    #expect(parsed.texts("name") == ["lion", "sgd"])
    #expect(parsed.texts("word") == ["better", "diverged"])
    #expect(parsed.named("interval").count == 1)
    #expect(parsed.named("beyond").count == 1)
    // Two samples beside names, one estimate.
    let markers = parsed.named("marker")
    #expect(markers.count == 3)
    #expect(markers[1].title == "lion\n\u{2212}0.2\n[\u{2212}0.3, \u{2212}0.1]\nn = 5")
    let band = parsed.named("mark").first
    let line = parsed.named("mark").last
    let middle = try number(band, "x") + number(band, "width") / 2
    #expect(abs(try middle - number(line, "x1")) < 0.02, "the margin lies around zero")
  }

  @Test func barsBeginAtZeroAndAreAsLongAsTheirValues() throws {
    let rows = [2.0, 4].map { (length: Double) in row("r", .init(bar: length, note: "\(length) ms"))
    }
    let parsed = try Parsed(RowChart(title: "", scales: [.init(axis)], rows: rows).svg())
    let bars = parsed.named("bar")
    #expect(try number(bars[0], "x") == number(bars[1], "x"))
    #expect(abs(try number(bars[1], "width") / number(bars[0], "width") - 2) < 0.001)
    #expect(parsed.texts("bar-note") == ["2.0 ms", "4.0 ms"])
  }

  @Test func everySeedIsADotAndWhatDivergedAnArrow() throws {
    let dots = [1.0, 2, .infinity, .nan].map { RowChart.Cell.Dot($0, note: "seed \($0)") }
    let parsed = try Parsed(
      RowChart(title: "", scales: [.init(axis)], rows: [row("a", .init(dots: dots))]).svg())
    #expect(parsed.named("dot").map(\.title) == ["seed 1.0", "seed 2.0"])
    #expect(parsed.named("beyond").map(\.title) == ["seed inf"])
  }

  @Test func anIntervalWithoutEndReachesTheEdge() throws {
    let rows = [
      row("a", .init(estimate: 1, lower: -.infinity, upper: .infinity)),
      row("b", .init(estimate: 2, lower: 1, upper: 3)),
      row("c", .init(estimate: 2, lower: .nan, upper: 3)),
    ]
    let svg = RowChart(title: "", scales: [.init(axis)], rows: rows).svg()
    let paths = try Parsed(svg).named("interval").compactMap { $0.attributes["d"] }
    #expect(paths.count == 2)
    #expect(paths[0].filter { $0 == "M" }.count == 1, "no feet")
    #expect(paths[1].filter { $0 == "M" }.count == 3)
    #expect(!svg.contains("nan") && !svg.contains("inf\""))
  }

  @Test(arguments: [0, 1, 40])
  func longNamesAreCutAndRowsDoNotTouch(count: Int) throws {
    let rows = (0..<count).map {
      row(
        String(repeating: "long ", count: 30) + "\($0)", .init(estimate: .nan),
        words: [String(repeating: "w", count: 90)])
    }
    let parsed = try Parsed(
      RowChart(title: "T", scales: [.init(axis)], headings: ["words"], rows: rows).svg(width: 600))
    let names = parsed.named("name")
    #expect(names.count == count && names.allSatisfy { $0.text.hasSuffix("\u{2026}") })
    let places = try names.map { try number($0, "y") }
    #expect(zip(places, places.dropFirst()).allSatisfy { $1 - $0 >= 20 })
    let height = try number(parsed.elements.first, "height")
    #expect(places.allSatisfy { $0 < height })
  }
}
