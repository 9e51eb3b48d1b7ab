// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

@testable import Comparison
@testable import Reports

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Texts and attributes that an XML parser finds.
final class ParsedPage: NSObject, XMLParserDelegate {
  private(set) var names: [String] = []
  private(set) var identities: [String] = []
  private(set) var links: [String] = []
  private(set) var text = ""
  private var isData = false

  init(_ page: String) throws {
    super.init()
    let body = page.replacing("<!DOCTYPE html>\n", with: "")
    let parser = XMLParser(data: Data(body.utf8))
    parser.delegate = self
    try #require(
      parser.parse(), "line \(parser.lineNumber): \(String(describing: parser.parserError))")
  }

  func parser(
    _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?,
    qualifiedName qName: String?, attributes attributeDict: [String: String]
  ) {
    names.append(elementName)
    if let id = attributeDict["id"] { identities.append(id) }
    if let link = attributeDict["href"] ?? attributeDict["src"] { links.append(link) }
    isData = elementName == "script" || elementName == "style"
  }

  func parser(
    _ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?,
    qualifiedName qName: String?
  ) {
    isData = false
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if !isData { text += string }
  }
}

@Suite struct ReportPageTests {
  static let awkwardName = "<script>alert(1)</script> & \"a name\" | _x_ `y` *z* =1+1"

  static var awkward: SyntheticStudy {
    var study = SyntheticStudy()
    study.armNames = (0..<16).map { $0 == 7 ? awkwardName : "arm-\($0)" }
    study.variantNames = ["main"]
    study.isComplete = false
    study.fragileArm = "arm-4"
    return study
  }

  static var tiny: SyntheticStudy {
    var study = SyntheticStudy()
    study.armNames = ["only"]
    study.variantNames = ["main"]
    study.seedCount = 1
    study.hasTargets = false
    study.hasTelemetry = false
    return study
  }

  static var empty: SyntheticStudy {
    var study = tiny
    study.seedCount = 0
    return study
  }

  /// Reports are made once for all tests: a debug build takes its time.
  static let reports = [SyntheticStudy(), tiny, empty, awkward].map { Report($0.analysis()) }
  static let full = reports[0]

  @Test(arguments: 0..<4)
  func pagesAreWellFormedAndNeedNothingFromOutside(index: Int) throws {
    let html = Self.reports[index].html
    let page = try ParsedPage(html)
    #expect(page.links.allSatisfy { $0.hasPrefix("#") })
    let targets = page.links.map { String($0.dropFirst()) }
    #expect(Set(targets).isSubset(of: page.identities), "a link of the contents leads nowhere")
    // The clips of charts have one name where they are the same.
    let own = page.identities.filter { !$0.hasPrefix("plot-") }
    #expect(Set(own).count == own.count, "two elements have one name")
    for word in ["http:", "https:", "@import", "<link", "<img", "<iframe", "javascript:", "onload"]
    {
      #expect(!html.contains(word), "\(word)")
    }
    #expect(page.names.filter { $0 == "script" }.count == 1, "the data, and nothing that runs")
    #expect(html.contains("<script type=\"application/json\""))
    #expect(html.matches(of: /url\((?!#)/).isEmpty)
  }

  @Test(arguments: 0..<4)
  func everyTrialAndEveryArmIsInEveryForm(index: Int) throws {
    let report = Self.reports[index]
    let analysis = report.analysis
    let markdown = report.markdown
    let text = try ParsedPage(report.html).text
    let csv = report.csvFiles
    for trial in analysis.trials {
      #expect(text.contains(trial.identity))
      #expect(markdown.contains(MarkdownPage.escaped(trial.identity)))
      #expect(csv["trials.csv"]?.contains(trial.identity.replacing("\"", with: "\"\"")) == true)
    }
    for arm in analysis.study.arms {
      #expect(text.contains(arm.name))
      #expect(markdown.contains(MarkdownPage.escaped(arm.name)))
    }
  }

  @Test func sectionsComeInTheirOrder() {
    let document = ReportContents(SyntheticStudy().analysis()).document()
    #expect(
      document.sections.map(\.name) == [
        "answer", "leaderboard", "tuning", "sweeps", "sensitivity", "loss-curves", "targets",
        "telemetry", "budget",
        "cost", "claims", "pairs", "noise", "contract", "rules", "stops", "trials", "marks",
        "reproduction",
      ])
  }

  @Test func sectionsWithoutDataAreLeftOut() {
    let names = ReportContents(Self.tiny.analysis()).document().sections.map(\.name)
    for name in ["targets", "telemetry", "claims", "pairs", "noise"] {
      #expect(!names.contains(name))
    }
    for name in ["answer", "leaderboard", "trials", "rules"] { #expect(names.contains(name)) }
  }

  @Test func theTitleHasDeclaredDifferences() throws {
    let html = Self.full.html
    let title = "six-optimizers, declared differences: schedule (schedule-free-adamw)"
    #expect(html.contains("<title>\(title)</title>") && html.contains("<h1>\(title)</h1>"))
    #expect(Self.full.markdown.hasPrefix("# \(title)\n"))
  }

  @Test func thePageHoldsTheWholeAnalysis() throws {
    let report = Self.reports[3]
    let html = report.html
    let start = try #require(html.range(of: "id=\"analysis\">")).upperBound
    let end = try #require(html.range(of: "</script>", range: start..<html.endIndex)).lowerBound
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    let decoded = try decoder.decode(StudyAnalysis.self, from: Data(html[start..<end].utf8))
    #expect(decoded == report.analysis)
  }

  @Test func theSameAnalysisGivesTheSameBytes() {
    let (first, second) = (Report(Self.tiny.analysis()), Report(Self.tiny.analysis()))
    #expect(first.files == second.files)
  }

  @Test func everyFigureOfTheMarkdownIsAFile() {
    for report in Self.reports {
      let named = report.markdown.matches(of: /\]\(figures\/([^)]+)\)/).map { String($0.output.1) }
      #expect(Set(named) == Set(report.figures.keys))
      #expect(named.count == report.figures.count, "two figures have one name")
    }
  }

  @Test func figuresStandAloneAndAreWellFormed() throws {
    for (name, svg) in Self.reports[3].figures {
      let page = try ParsedPage(svg)
      #expect(page.names.first == "svg" && svg.contains("xmlns="), "\(name)")
      #expect(!svg.contains("nan") && !svg.contains("inf\""), "\(name)")
    }
  }

  @Test func longCurvesAreThinned() throws {
    var analysis = Self.tiny.analysis()
    let steps = Array(0..<50_000)
    analysis.variants[0].arms[0].lossCurve = CourseAnalysis(
      steps: steps, mean: steps.map { 2 + 1 / (1 + Double($0)) }, lower: steps.map { _ in nil },
      upper: steps.map { _ in nil }, counts: steps.map { _ in 1 }, tokens: steps.map { _ in nil })
    let svg = try #require(Report(analysis).figures["loss-curves.svg"])
    #expect(svg.utf8.count < 60_000)
  }

  @Test func aTableInMarkdownHasAsManyCellsInEveryRow() {
    let markdown = Self.reports[3].markdown
    var expected: Int?
    for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
      guard line.hasPrefix("|") else {
        expected = nil
        continue
      }
      let bars = line.replacing("\\\\", with: "").replacing("\\|", with: "").filter { $0 == "|" }
        .count
      #expect(bars == expected ?? bars, "\(line)")
      expected = bars
    }
  }
}

@Suite struct ReportAnswerTests {
  func answer(_ analysis: StudyAnalysis) -> String {
    let section = ReportContents(analysis).document().sections.first { $0.name == "answer" }
    return (section?.blocks ?? []).compactMap { block in
      if case .answer(let text) = block { text } else { nil }
    }.joined(separator: "\n")
  }

  @Test func theAnswerSaysVerdictsFailuresAndScale() {
    var study = SyntheticStudy()
    study.variantNames = ["main"]
    let text = answer(study.analysis())
    #expect(
      text.contains(
        "The lowest mean loss is that of muon: 1.488 \u{00B1} 0.004 nats per token over 5 seeds"))
    #expect(text.contains("better; "))
    #expect(text.contains("equivalent within \u{00B1}0.012"))
    #expect(text.contains("Undecided against adamw: signum."))
    #expect(text.contains("Diverged on reporting seeds: signum (1 of 5)."))
    #expect(text.contains("models of 50k parameters, 819k tokens a run"))
    #expect(text.contains("no claim beyond"))
  }

  @Test func variantsAreNeverPooled() {
    let text = answer(ReportPageTests.full.analysis)
    #expect(text.split(separator: "\n").count == 2)
    #expect(
      text.contains("In 150m-plain, the lowest") && text.contains("In 150m-qk-norm, the lowest"))
  }

  @Test func anUnfinishedStudySaysSoFirst() {
    #expect(
      answer(ReportPageTests.reports[3].analysis).hasPrefix(
        "The study is not complete (7 to be run)"))
  }

  @Test func oneArmIsNoComparison() {
    let text = answer(ReportPageTests.tiny.analysis())
    #expect(text.contains("with one arm there is nothing to compare"))
    #expect(text.contains("a single seed"))
  }

  @Test func nothingIsSaidAboutNothing() {
    let analysis = ReportPageTests.empty.analysis()
    #expect(answer(analysis).hasPrefix("No arm has a final loss on a reporting seed yet."))
    #expect(Report(analysis).terminalText.contains("only"))
  }
}
