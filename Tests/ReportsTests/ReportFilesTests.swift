// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Foundation
import Testing

@testable import Reports

/// Reads comma-separated values as RFC 4180 has them.
private func fields(_ text: String) -> [[String]] {
  var rows: [[String]] = []
  var row: [String] = []
  var field = ""
  var isQuoted = false
  var wasQuote = false
  for character in text {
    switch character {
    case "\"":
      if isQuoted {
        isQuoted = false
        wasQuote = true
      } else {
        // A quotation mark right after one is a mark in the text.
        if wasQuote { field.append("\"") }
        isQuoted = true
        wasQuote = false
      }
    case "," where !isQuoted:
      row.append(field)
      (field, wasQuote) = ("", false)
    case "\r\n" where !isQuoted:
      rows.append(row + [field])
      (row, field, wasQuote) = ([], "", false)
    default: field.append(character)
    }
  }
  return rows
}

@Suite struct ReportCSVTests {
  @Test func everyTableIsRectangularWithOneNameForEachColumn() throws {
    let files = ReportPageTests.reports[3].csvFiles
    #expect(files.count >= 12)
    for (name, text) in files {
      let rows = fields(text)
      let head = try #require(rows.first)
      #expect(Set(head).count == head.count, "\(name)")
      #expect(rows.allSatisfy { $0.count == head.count }, "\(name)")
      #expect(rows.count > 1, "\(name)")
    }
  }

  @Test func tablesHoldWhatTheAnalysisHolds() throws {
    let analysis = ReportPageTests.full.analysis
    let files = ReportPageTests.full.csvFiles
    let board = fields(try #require(files["leaderboard.csv"]))
    #expect(board.count == 1 + 12)
    let loss = try #require(board[0].firstIndex(of: "loss"))
    #expect(
      board[1][loss] == "\(analysis.variants[0].leaderboard[0].loss.value ?? 0)", "all digits")
    #expect(fields(try #require(files["trials.csv"])).count == 1 + analysis.trials.count)
    #expect(fields(try #require(files["claims.csv"])).count == 1 + analysis.claims.count)
    #expect(fields(try #require(files["curves.csv"])).count == 1 + 12 * 41)
  }

  @Test func namesComeBackAsTheyWere() throws {
    let text = try #require(ReportPageTests.reports[3].csvFiles["seeds.csv"])
    #expect(fields(text).contains { $0[1] == ReportPageTests.awkwardName })
  }

  @Test func textsThatLookLikeFormulasStayTexts() {
    var file = CSVFile(["a", "b"])
    file.add([.text("=1+1"), .number(-0.5)])
    file.add([.text("two\nlines, \"quoted\""), .number(nil)])
    file.add([.text("-3"), .number(.infinity)])
    #expect(file.text == "a,b\r\n'=1+1,-0.5\r\n\"two\nlines, \"\"quoted\"\"\",\r\n-3,inf\r\n")
  }
}

@Suite struct ReportFolderTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "assay-report-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test func everythingIsWrittenAndNothingElseTouched() throws {
    try withFolder { folder in
      let report = ReportPageTests.full
      try report.write(to: folder)
      try "mine".write(toFile: folder + "/figures/notes.svg", atomically: true, encoding: .utf8)
      for (name, text) in report.files {
        #expect(try String(contentsOfFile: folder + "/" + name, encoding: .utf8) == text, "\(name)")
      }
      // A report with fewer figures takes the place of the first.
      let smaller = ReportPageTests.reports[1]
      try smaller.write(to: folder)
      let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/figures")
      #expect(Set(left) == Set(smaller.figures.keys).union(["notes.svg"]))
    }
  }

  @Test func aFolderThatCannotBeMadeIsAnErrorWithARemedy() throws {
    try withFolder { folder in
      try "a file".write(toFile: folder, atomically: true, encoding: .utf8)
      let error = #expect(throws: ReportError.self) {
        try ReportPageTests.reports[1].write(to: folder + "/report")
      }
      #expect(error?.message.contains("choose another --output") == true)
    }
  }
}

@Suite struct TerminalTests {
  @Test func theLeaderboardIsAlignedAndSaysVerdicts() {
    var study = SyntheticStudy()
    study.variantNames = ["main"]
    study.armNames = ["adamw", "lion", "muon", "schedule-free-adamw"]
    let report = Report(study.analysis())
    let expected = """
      contract    12 of 13 conditions equal; schedule differs for schedule-free-adamw (declared); 9 tuning trials each
      rule        declared 2026-09-21 14:13 UTC at 3f2c1e9; Holm over 3 comparisons; margin 0.012
      arm                  runs  val loss (95 %)  vs adamw                 lr       speed-up to 1.55          ms/step  verdict
      muon                 5/5   1.488 +/- 0.004  -0.028 [-0.034, -0.022]  0.00316  0.816x [0.742x, 0.897x]   110      better
      adamw                5/5   1.516 +/- 0.006  baseline                 3.16e-4  1x, 248 [230, 268] steps  104      baseline
      schedule-free-adamw  5/5   1.518 +/- 0.009  +0.002 [-0.008, +0.012]  0.01     0.747x [0.679x, 0.822x]   113      equivalent within margin
      lion                 5/5   1.521 +/- 0.002  +0.004 [-0.002, +0.010]  0.001    0.899x [0.817x, 0.988x]   107      equivalent within margin
      smallest difference that every comparison could have seen: 0.012
      """
    #expect(report.terminalText.hasPrefix(expected))
    #expect(
      report.verdictLines.first
        == "lion against adamw: equivalent within 0.012, +0.004 [-0.002, +0.010]")
  }

  @Test func namesCannotMoveTheCursor() {
    var study = ReportPageTests.tiny
    study.armNames = ["bell\u{7}\u{1B}[2J\nname"]
    let text = Report(study.analysis()).terminalText
    #expect(text.contains("bell??[2J?name"))
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value < 0x7F) })
  }
}

@Suite struct ReportNumberTests {
  @Test func uncertaintyDecidesAboutDigits() {
    for (uncertainty, decimals) in [
      (0.0063, 3), (0.013, 3), (0.4, 1), (0.0096, 3), (0.096, 2), (25, 0), (1e-9, 6),
    ] {
      #expect(ReportNumber.decimals(for: uncertainty) == decimals, "\(uncertainty)")
    }
    for unknown in [nil, 0, -1, .nan, .infinity] as [Double?] {
      #expect(ReportNumber.decimals(for: unknown) == 4)
    }
  }

  @Test func numbersAreWrittenWithSense() {
    #expect(ReportNumber.fixed(-0.0004, 3) == "0.000")
    #expect(ReportNumber.signed(0.0312, 3) == "+0.031")
    #expect(ReportNumber.signed(-0.0312, 3) == "\u{2212}0.031")
    #expect(ReportNumber.signed(0, 3) == "0.000")
    #expect(ReportNumber.knob(0.00316228) == "0.00316")
    #expect(ReportNumber.knob(3.16228e-4) == "3.16e-4")
    #expect(ReportNumber.knob(9.9999e-5) == "1e-4")
    #expect(ReportNumber.knob(0) == "0" && ReportNumber.knob(-2) == "\u{2212}2")
    #expect(ReportNumber.significant(123_456, 3) == "123456")
    #expect(ReportNumber.count(1_638_400) == "1,638,400")
    #expect(ReportNumber.short(819_200) == "819k" && ReportNumber.short(999_950) == "1M")
    #expect(ReportNumber.bytes(4_400_000) == "4.4 MB" && ReportNumber.bytes(0) == "0 B")
    #expect(ReportNumber.duration(65) == "1 min 05 s" && ReportNumber.duration(0.42) == "0.42 s")
    #expect(
      ReportNumber.factor(1.2345) == "1.23\u{00D7}" && ReportNumber.factor(0.9999) == "1.00\u{00D7}"
    )
    #expect(ReportNumber.probability(1e-9) == "< 1e-6" && ReportNumber.percent(0.95) == "95 %")
    #expect(ReportNumber.fixed(.nan, 2) == "NaN" && ReportNumber.short(.infinity) == "\u{221E}")
  }

  @Test func markdownTakesNothingForMarkup() {
    #expect(
      MarkdownPage.escaped("a|b *c* `d` [e](f) <g> & _h_ i_j")
        == "a\\|b \\*c\\* \\`d\\` \\[e\\](f) &lt;g&gt; &amp; \\_h\\_ i_j")
    #expect(MarkdownPage.escaped("two\nlines") == "two lines")
  }

  @Test func seedsAreShortened() {
    let contents = ReportContents(ReportPageTests.full.analysis)
    #expect(contents.seeds([1, 2, 3, 5, 8, 9]) == "1\u{2013}3, 5, 8, 9")
    #expect(contents.seeds([]) == "")
  }

  @Test func anAxisLeavesWhatIsFarAwayToAnArrow() throws {
    let close = [(0.0, 0.1), (0.05, 0.2), (-0.1, 0.0)]
    #expect(ReportContents.limits(close) == nil)
    let limits = try #require(ReportContents.limits(close + [(50.0, 60.0)]))
    #expect(limits.contains(0.2) && limits.contains(-0.1) && limits.upperBound < 1)
  }
}
