// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `assay scalars` as its user meets it.
@Suite(.timeLimit(.minutes(20))) struct ScalarsTests {
  @Test func runsAreLaidOverEachOther() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 12)
    for (name, options) in [
      ("base-1", ["--training.seed=1"]), ("base-2", ["--training.seed=2"]),
      ("fast-1", ["--training.seed=1", "--optimizer.learning_rate=0.02"]),
    ] {
      let run = try Command.run(
        ["train", "config.toml", "--run.folder=runs/\(name)", "--metrics.trajectories=small"]
          + options, in: workspace.folder)
      #expect(run.code == 0, "\(run)")
    }
    let result = try workspace.run("scalars", "runs", "--output", "page.html", "--csv", "tables")
    #expect(result.code == 0, "\(result)")
    #expect(result.output.contains("baseline  base, 2 runs"), "\(result)")
    #expect(result.output.contains("arm       fast-1, 1 run"), "\(result)")
    #expect(result.output.contains("norm"), "the gains of norms: \(result)")
    #expect(result.output.hasSuffix("page.html\n"), "\(result)")
    let page = String(decoding: try workspace.read("page.html"), as: UTF8.self)
    #expect(page.contains("Scalars against base") && page.contains("assay scalars runs"))
    #expect(try workspace.list("tables").contains("scalars-roughness.csv"))

    let json = try workspace.run(
      "scalars", "runs/fast-1", "--baseline", "runs/base-1", "runs/base-2", "--json")
    #expect((try json.json()["baseline"] as? String) == "base", "\(json)")
    #expect((try json.json()["alignment"] as? String) == "step")
  }

  @Test func whatIsNoRunOrHasNoRecordIsAnErrorWithARemedy() throws {
    let workspace = try Workspace()
    #expect(try workspace.run("scalars").code == 64)
    let missing = try workspace.run("scalars", "nowhere")
    #expect(missing.code == 1 && missing.errors.contains("nowhere holds no run"), "\(missing)")
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 12)
    let train = try workspace.run(
      "train", "config.toml", "--run.folder=run", "--metrics.trajectories=none")
    #expect(train.code == 0, "\(train)")
    let silent = try workspace.run("scalars", "run")
    #expect(silent.code == 1 && silent.errors.contains("metrics.trajectories"), "\(silent)")
  }
}
