// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Charts

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What an XML parser finds in an SVG text.
final class Parsed: NSObject, XMLParserDelegate {
  struct Element {
    var name: String
    var attributes: [String: String]
    var text = ""
    var title: String?
  }

  private(set) var elements: [Element] = []
  private var open: [Int] = []

  init(_ svg: String) throws {
    super.init()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = self
    try #require(parser.parse(), "\(String(describing: parser.parserError))")
  }

  func parser(
    _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?,
    qualifiedName qName: String?, attributes attributeDict: [String: String]
  ) {
    open.append(elements.count)
    elements.append(Element(name: elementName, attributes: attributeDict))
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if let last = open.last { elements[last].text += string }
  }

  func parser(
    _ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?,
    qualifiedName qName: String?
  ) {
    let index = open.removeLast()
    if elementName == "title", let parent = open.last {
      elements[parent].title = elements[index].text
    }
  }

  func named(_ className: String) -> [Element] {
    elements.filter { $0.attributes["class"] == className }
  }

  func texts(_ className: String) -> [String] { named(className).map(\.text) }
}

@Suite struct LineChartTests {
  let step = ChartAxis(title: "Step")
  let loss = ChartAxis(title: "Loss", unit: "nats per token")

  func line(_ count: Int, _ value: (Double) -> Double) -> [ChartPoint] {
    (0..<count).map { ChartPoint(Double($0), value(Double($0))) }
  }

  func chart(_ series: [ChartSeries], title: String = "T") -> LineChart {
    LineChart(title: title, xAxis: step, yAxis: loss, series: series)
  }

  @Test func aChartOfTrainingHasAllItsParts() throws {
    let raw = line(200) { 4 - $0 / 100 }
    let svg = LineChart(
      title: "Loss falls", subtitle: "two cores", xAxis: step, yAxis: loss,
      series: [
        ChartSeries(name: "raw", points: raw, style: .faintLine, color: .blue),
        ChartSeries(name: "training", points: raw, color: .blue),
        ChartSeries(
          name: "validation", points: [raw[0], raw[100], raw[199]], style: .markers,
          color: .vermilion),
      ]
    ).svg(width: 700, height: 400)
    let parsed = try Parsed(svg)
    let root = try #require(parsed.elements.first)
    #expect(root.name == "svg")
    #expect(root.attributes["width"] == "700")
    #expect(root.attributes["viewBox"] == "0 0 700 400")
    #expect(root.attributes["aria-label"]?.contains("Loss falls") == true)
    let background = try #require(parsed.named("background").first)
    #expect(background.attributes["fill"] == "#FFFFFF")
    #expect(background.attributes["width"] == "700")
    #expect(parsed.texts("title") == ["Loss falls"])
    #expect(parsed.texts("subtitle") == ["two cores"])
    #expect(parsed.texts("y-title") == ["Loss (nats per token)"])
    #expect(parsed.texts("x-title") == ["Step"])
    #expect(parsed.named("faint-line").count == 1)
    #expect(parsed.named("line").count == 1)
    #expect(parsed.named("line").first?.attributes["stroke"] == "#0072B2")
    #expect(parsed.texts("name") == ["training", "validation"])
    // Three points and the sample beside the name.
    #expect(parsed.named("marker").count == 4)
    #expect(
      parsed.named("marker").first?.title
        == "validation\nStep 0\nLoss 4 nats per token")
    #expect((100...120).contains(parsed.named("value").count))
    #expect(parsed.named("value").last?.title == "training\nStep 199\nLoss 2.01 nats per token")
    #expect(parsed.named("band").isEmpty)
  }

  @Test func theSameChartGivesTheSameTextAndAnotherOneAnotherName() {
    let first = chart([ChartSeries(name: "a", points: line(50) { $0 })])
    #expect(first.svg() == first.svg())
    func clipName(_ svg: String) -> Substring? {
      svg.split(separator: "clipPath id=\"").dropFirst().first?.prefix { $0 != "\"" }
    }
    let second = chart([ChartSeries(name: "a", points: line(50) { $0 * $0 })])
    #expect(clipName(first.svg()) != clipName(second.svg()))
  }

  @Test func textsAreEscapedEverywhere() throws {
    let odd = "a<b> & \"c\" 'd' \u{1} é\nf"
    let odder = ChartAxis(title: odd, unit: odd)
    let svg = LineChart(
      title: odd, subtitle: odd, xAxis: odder, yAxis: odder,
      series: [ChartSeries(name: odd, points: line(3) { $0 }, style: .markers)]
    ).svg(width: 1600)
    let parsed = try Parsed(svg)
    let shown = "a<b> & \"c\" 'd' \u{FFFD} é\nf"
    #expect(parsed.texts("name") == [shown])
    #expect(parsed.texts("title") == [shown])
    #expect(parsed.named("marker").first?.title?.hasPrefix(shown) == true)
  }

  @Test func gapsInterruptLinesAndBandsAndSkipMarkers() throws {
    var points = line(10) { ChartPoint($0, $0).y }
    points = points.map { ChartPoint($0.x, $0.y, lower: $0.y - 1, upper: $0.y + 1) }
    points[4].y = .nan
    points[7].y = .infinity
    let lines = try Parsed(chart([ChartSeries(name: "a", points: points)]).svg())
    let path = try #require(lines.named("line").first?.attributes["d"])
    #expect(path.filter { $0 == "M" }.count == 3)
    #expect(path.filter { $0 == "L" }.count == 5)
    #expect(lines.named("value").count == 8)
    let band = try #require(lines.named("band").first?.attributes["d"])
    #expect(band.filter { $0 == "Z" }.count == 3)
    let markers = try Parsed(
      chart([ChartSeries(name: "a", points: points, style: .markers)]).svg())
    #expect(markers.named("marker").count == 9)
    #expect(markers.named("line").isEmpty)
  }

  @Test func aPointBetweenGapsIsADot() throws {
    let points = [ChartPoint(0, 1), ChartPoint(1, .nan), ChartPoint(2, 3), ChartPoint(3, .nan)]
    let parsed = try Parsed(chart([ChartSeries(name: "a", points: points)]).svg())
    #expect(parsed.named("dot").count == 2)
    #expect(parsed.named("line").isEmpty)
  }

  @Test(arguments: [
    [], [ChartSeries(name: "a", points: [])],
    [ChartSeries(name: "a", points: [ChartPoint(.nan, .infinity), ChartPoint(1, 1e300)])],
  ])
  func withoutDataTheChartSaysSo(series: [ChartSeries]) throws {
    let parsed = try Parsed(chart(series).svg())
    #expect(parsed.texts("empty") == ["no data"])
    #expect(parsed.named("name").isEmpty)
    #expect(parsed.texts("title") == ["T"])
  }

  @Test func valuesThatAreNotPositiveAreLeftOutOfLogarithmicAxes() throws {
    let points = [-1, 0, 1, 10, 100].map { ChartPoint($0, 1) }
    let svg = LineChart(
      title: "", xAxis: ChartAxis(title: "Rate", scale: .logarithmic), yAxis: loss,
      series: [ChartSeries(name: "a", points: points, style: .markers)]
    ).svg()
    #expect(try Parsed(svg).named("marker").count == 4)
  }

  @Test(arguments: [
    [ChartPoint(5, 7)], [ChartPoint(0, 0), ChartPoint(0, 0)],
    [ChartPoint(-1e99, -1e99), ChartPoint(1e99, 1e99)], [ChartPoint(1e-99, 1e-99)],
    [ChartPoint(1, 1), ChartPoint(1 + 1e-15, 1 + 1e-15)],
  ])
  func awkwardRangesGiveFiniteCoordinates(points: [ChartPoint]) throws {
    for scale in [ChartScale.linear, .logarithmic] {
      let axis = ChartAxis(title: "a", scale: scale)
      let chart = LineChart(
        title: "", xAxis: axis, yAxis: axis,
        series: [ChartSeries(name: "a", points: points, style: .lineWithMarkers)])
      let svg = chart.svg(width: 240, height: 160)
      _ = try Parsed(svg)
      #expect(!svg.contains("nan") && !svg.contains("inf"))
    }
  }

  @Test func seriesDifferInColourAndDashAndMarker() throws {
    let series = (0..<7).map { index in
      ChartSeries(name: "s\(index)", points: line(5) { $0 + Double(index) })
    }
    let parsed = try Parsed(chart(series).svg())
    let lines = parsed.named("line")
    #expect(Set(lines.map { $0.attributes["stroke"] }).count == 7)
    #expect(Set(lines.map { $0.attributes["stroke-dasharray"] }).count == 7)
    let marked = (0..<4).map { index in
      ChartSeries(name: "s\(index)", points: [ChartPoint(0, 0)], style: .markers)
    }
    let shapes = try Parsed(chart(marked).svg()).named("marker").prefix(4).map {
      $0.attributes["d"]
    }
    #expect(Set(shapes).count == 4)
  }

  @Test func namesNeverOverlapEachOtherOrTheData() throws {
    for count in [1, 5, 12, 40, 200] {
      let series = (0..<count).map { index in
        ChartSeries(name: "series \(index)", points: line(5) { _ in 1 + Double(index) * 1e-3 })
      }
      let parsed = try Parsed(chart(series).svg(width: 700, height: 400))
      let names = parsed.named("name")
      #expect(names.count == count || (count == 200 && names.count < 200))
      let clip = try #require(
        parsed.elements.first { $0.attributes["height"] != "400" && $0.name == "rect" })
      func number(_ element: Parsed.Element, _ name: String) -> Double {
        element.attributes[name].flatMap(Double.init) ?? .nan
      }
      let right = number(clip, "x") + number(clip, "width")
      let bottom = number(clip, "y") + number(clip, "height")
      for name in names {
        let (x, y) = (number(name, "x"), number(name, "y"))
        #expect(x > right || y - 12 > bottom, "name \(name.text) covers data")
        #expect(y <= 400 && x < 700)
        let close = names.filter {
          abs(number($0, "y") - y) < 12 && abs(number($0, "x") - x) < 60
        }
        #expect(close.count == 1, "name \(name.text) is covered")
      }
      if names.count < count {
        #expect(parsed.elements.contains { $0.text == "and \(count - names.count) more" })
      }
    }
  }

  @Test func limitsCutLinesAndDropMarkersBeyond() throws {
    let axis = ChartAxis(title: "Loss", limits: 0...1)
    let points = [ChartPoint(0, 0.5), ChartPoint(1, 5), ChartPoint(2, 1)]
    let parsed = try Parsed(
      LineChart(
        title: "", xAxis: step, yAxis: axis,
        series: [ChartSeries(name: "", points: points, style: .markers)]
      ).svg())
    #expect(parsed.named("marker").count == 2)
    let data = try #require(parsed.named("data").first)
    #expect(data.attributes["clip-path"]?.hasPrefix("url(#plot-") == true)
  }

  @Test func longLinesAreThinnedWithoutLosingTheirExtremes() throws {
    let points = line(100_000) { $0 == 54_321 ? 100 : ($0.truncatingRemainder(dividingBy: 7)) }
    let svg = chart([ChartSeries(name: "a", points: points)]).svg()
    let parsed = try Parsed(svg)
    let path = try #require(parsed.named("line").first?.attributes["d"])
    let heights = path.split { "ML".contains($0) }.compactMap {
      $0.split(separator: " ").last.flatMap { Double($0) }
    }
    #expect(heights.count < 8000)
    #expect(svg.utf8.count < 200_000)
    let top = try #require(heights.min())
    #expect(heights.filter { $0 == top }.count == 1, "the one high point is not drawn")
  }
}

@Suite struct ChartMarkTests {
  func chart(_ marks: [ChartMark], width: Int = 760) throws -> Parsed {
    try Parsed(
      LineChart(
        title: "", xAxis: ChartAxis(title: "", limits: 0...100), yAxis: ChartAxis(title: "Rate"),
        series: [ChartSeries(name: "", points: [ChartPoint(0, 1), ChartPoint(100, 2)])],
        marks: marks
      ).svg(width: width))
  }

  @Test func momentsAreLinesAndTimesAreBandsAtTheirPlaces() throws {
    let parsed = try chart([
      ChartMark(50, label: "half"), ChartMark(25, to: 75, label: "middle"), ChartMark(200),
    ])
    let marks = parsed.named("mark")
    #expect(marks.map(\.name) == ["rect", "line"], "one beyond the axis is not drawn")
    let line = try #require(marks.last?.attributes["x1"].flatMap(Double.init))
    let band = try #require(marks.first?.attributes)
    let (x, width) = (Double(band["x"] ?? "") ?? 0, Double(band["width"] ?? "") ?? 0)
    #expect(abs(x + width / 2 - line) < 0.02, "the band lies around the line")
    #expect(marks.map(\.title) == ["middle", "half"])
  }

  @Test func labelsDoNotTouchEachOther() throws {
    let parsed = try chart(
      (0..<50).map { ChartMark(Double($0), label: "stage \($0)") }
        + [ChartMark(100, label: "the last one of all")])
    let labels = parsed.named("mark-label")
    #expect(labels.count > 3 && labels.count < 30)
    var end = 0.0
    for label in labels {
      let start = try #require(label.attributes["x"].flatMap(Double.init))
      #expect(start >= end, "\(label.text)")
      end = start + estimatedWidth(label.text, fontSize: 10)
      #expect(end <= 760)
    }
    #expect(labels.last?.text == "the last one of all")
  }

  @Test func aColumnPutsChartsBelowEachOtherWithOneMargin() throws {
    let charts = [1.0, 1e5].map { size in
      LineChart(
        title: "\(size)", xAxis: ChartAxis(title: ""), yAxis: ChartAxis(title: ""),
        series: [
          ChartSeries(name: "", points: [ChartPoint(0, 0), ChartPoint(1, 1.2345 * size)])
        ])
    }
    let parsed = try Parsed(ChartColumn(charts).svg(width: 400, heights: [160, 200]))
    #expect(parsed.elements.first?.attributes["height"] == "360")
    #expect(
      parsed.elements.compactMap { $0.attributes["transform"] }
        == ["translate(0 0)", "translate(0 160)"])
    let lefts = parsed.elements.filter { $0.name == "clipPath" || $0.name == "rect" }
      .compactMap { $0.attributes["x"] }
    #expect(Set(lefts).count == 1, "\(lefts)")
  }
}
