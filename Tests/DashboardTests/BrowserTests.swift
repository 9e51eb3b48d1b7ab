// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

@testable import Dashboard

/// The page in a real browser, without a screen.
///
/// They need a program of 300 MB, and most of their time is spent waiting: only `Scripts/test-dashboard.sh` runs them.
@Suite(
  .enabled(
    if: Browser.isWanted,
    "run 'Scripts/test-dashboard.sh': it installs Chromium and runs these tests"),
  .serialized, .timeLimit(.minutes(20)))
struct BrowserTests {
  @Test func thePageShowsLeaderboardCurvesAndRunningTrials() async throws {
    let study = try InventedStudy(arms: ["base", "other", "<i>third</i>"], tuned: true)
    for (rate, loss) in [(0.001, 3.2), (0.01, 3.0), (0.1, 3.4)] {
      for (index, arm) in study.record.arms.map(\.name).enumerated() {
        try study.add(
          study.point(arm, .tuning, seed: 101, rate: rate), loss: loss - 0.1 * Double(index))
      }
    }
    for seed in 1...3 {
      try study.add(study.point("base", .reporting, seed: seed), loss: 3 + Double(seed) * 0.004)
      try study.add(study.point("other", .reporting, seed: seed), loss: 2.9 + Double(seed) * 0.003)
    }
    let trial = try study.begin(study.point("<i>third</i>", .reporting, seed: 1))
    try study.step(trial, 0..<40)
    try await Served.run(study.path) { address in
      let browser = try Browser()
      defer { browser.end() }
      try await browser.open(address)
      try await browser.wait(for: "document.querySelectorAll('figure svg').length == 3")
      let page = try await browser.text("document.documentElement.outerHTML")
      #expect(page.contains("<h1 id=\"title\">which is best</h1>"))
      // The leaderboard, best first.
      let arms = try await browser.text(
        "[...document.querySelectorAll('tr[data-arm]')].map(row => row.dataset.arm).join('|')")
      #expect(arms == "other|base|<i>third</i>")
      #expect(page.contains("<b>2.9060</b>") && page.contains("<b>3.0080</b>"))
      #expect(page.contains(">better"))
      // Names are text.
      #expect(try await browser.text("document.querySelectorAll('main i, header i').length") == "1")
      #expect(page.contains("&lt;i&gt;third"))
      // Curves.
      let figures = try await browser.text(
        "[...document.querySelectorAll('figure')].map(figure => figure.dataset.name).join()")
      #expect(figures == "running,losses/main,tuning/main")
      // The running trial.
      #expect(page.contains("data-trial=\"\(trial)\" data-step=\"40\""))
      #expect(page.contains("40 of 100"))
      // It is dark where the reader's screen is.
      let paper = "getComputedStyle(document.body).backgroundColor"
      #expect(try await browser.text(paper) == "rgb(255, 255, 255)")
      try await browser.picture("light")
      try await browser.setDark()
      #expect(try await browser.text(paper) == "rgb(22, 25, 29)")
      try await browser.picture("dark")
      // Nothing was refused by the page's own policy, and nothing went wrong.
      #expect(browser.complaints.isEmpty, "\(browser.complaints)")
    }
  }

  @Test func thePageUpdatesItselfWhenRecordsChange() async throws {
    let study = try InventedStudy()
    try study.add(study.point("base", .reporting, seed: 1), loss: 3)
    let trial = try study.begin(study.point("other", .reporting, seed: 1))
    try study.step(trial, 0..<10)
    try await Served.run(study.path) { address in
      let browser = try Browser()
      defer { browser.end() }
      try await browser.open(address)
      let row = "document.querySelector('#running tr[data-trial]')"
      try await browser.wait(for: "\(row)?.dataset.step == '10'")
      // Loading the page again would forget this.
      _ = try await browser.text("window.mark = 'same page'")
      try study.step(trial, 10..<60)
      try await browser.wait(for: "\(row)?.dataset.step == '60'")
      try study.end(trial, loss: 2.5)
      try await browser.wait(for: "\(row) === null")
      try await browser.wait(
        for: "document.querySelector('tr[data-arm=other]').textContent.includes('2.5000')")
      #expect(try await browser.text("window.mark") == "same page")
      #expect(
        try await browser.text("document.getElementById('progress').textContent")
          .hasPrefix("2 of about 6 trials"))
    }
  }

  @Test func aDashboardThatEndedIsNoticedAndComesBack() async throws {
    let study = try InventedStudy()
    let browser = try Browser()
    defer { browser.end() }
    let complaint = "!document.getElementById('connection').hidden"
    let place = Place()
    try await Served.run(study.path) { address in
      place.address = address
      try await browser.open(address)
      try await browser.wait(for: "document.querySelectorAll('tr[data-arm]').length == 2")
      #expect(try await browser.text(complaint) == "false")
    }
    try await browser.wait(for: complaint)
    let port = try #require(UInt16(place.address.split(separator: ":").last?.dropLast() ?? ""))
    try await Served.run(study.path, port: port) { _ in
      try await browser.wait(for: "document.getElementById('connection').hidden")
    }
  }

  /// Where the first server was.
  private final class Place: @unchecked Sendable {
    var address = ""
  }
}
