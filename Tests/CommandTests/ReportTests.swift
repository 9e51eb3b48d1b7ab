// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `assay report` as its user meets it.
@Suite(.timeLimit(.minutes(20))) struct ReportTests {
  @Test func aReportIsMadeFromRecordsAlone() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(steps: 8, seeds: 2, arms: Workspace.plainArms, tuning: "")
    let run = try workspace.run("compare", "study.toml")
    #expect(run.code == 0, "\(run)")
    // Neither the study's file nor its data is needed any more.
    try FileManager.default.removeItem(at: workspace.folder.appendingPathComponent("study.toml"))
    try FileManager.default.removeItem(at: workspace.folder.appendingPathComponent("data"))
    try FileManager.default.removeItem(at: workspace.folder.appendingPathComponent("study/report"))

    let result = try workspace.run("report", "study")
    #expect(result.code == 0 && result.output == "study/report/index.html\n", "\(result)")
    #expect(result.errors.contains("baseline"), "the leaderboard is for people: \(result)")
    for name in [
      "index.html", "report.md", "analysis.json", "leaderboard.csv", "trials.csv",
      "figures/seeds.svg",
    ] {
      #expect(workspace.exists("study/report/" + name), "\(name)")
    }
    let page = String(decoding: try workspace.read("study/report/index.html"), as: UTF8.self)
    #expect(page.contains("assay report study"), "the command that makes it again")
    for trial in try workspace.list("study/trials") { #expect(page.contains(trial)) }

    let json = try workspace.run("report", "study", "--json", "--output", "elsewhere")
    #expect((try json.json()["trials"] as? [Any])?.count == 4)
    #expect(
      workspace.exists("elsewhere/index.html") && json.errors.contains("wrote elsewhere/index.html")
    )
    let markdown = try workspace.run("report", "study", "--markdown")
    #expect(markdown.code == 0 && markdown.output.hasPrefix("# tiny"), "\(markdown)")
  }

  @Test func whatIsNoStudyIsAnErrorWithARemedy() throws {
    let workspace = try Workspace()
    let missing = try workspace.run("report", "nowhere")
    #expect(missing.code == 1 && missing.errors.contains("nowhere holds no study"), "\(missing)")
    #expect(missing.output.isEmpty)
    let both = try workspace.run("report", "nowhere", "--json", "--markdown")
    #expect(both.code == 64, "\(both)")
  }
}
