// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Studies as their user meets them: price, trials, refusals, leaderboard, report.
@Suite(.timeLimit(.minutes(20))) struct StudyTests {
  @Test func aStudyFromItsFileToItsReport() throws {
    let workspace = try Workspace()
    try workspace.writeStudy()
    let result = try workspace.run("compare", "study.toml")
    #expect(result.code == 0, "\(result)")
    for part in [
      "a trial", " trials; ", "at a time", "[1/", "adamw, learning_rate 0.001, seed 101",
    ] {
      #expect(result.errors.contains(part), "'\(part)' is missing: \(result)")
    }
    #expect(!result.errors.contains("\u{1B}"), "no cursor tricks where nobody watches: \(result)")
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines.last == "study/report/index.html", "\(result)")
    #expect(lines.contains { $0.hasPrefix("lion against adamw: ") }, "\(result)")
    #expect(workspace.exists("study/report/index.html") && workspace.exists("study/study.toml"))
    #expect(try Set(workspace.statuses().values) == ["finished"])

    // Nothing is left to do, so nothing is done; and the records alone give the same words.
    let before = try workspace.deterministicFiles()
    let again = try workspace.run("compare", "study.toml")
    #expect(again.code == 0 && again.output == result.output, "\(again)")
    #expect(!again.errors.contains("[1/"), "\(again)")
    #expect(try workspace.deterministicFiles() == before)
    let folder = try workspace.run("compare", "study")
    #expect(folder.code == 0 && folder.output == result.output, "\(folder)")
    let json = try workspace.run("compare", "study", "--json", "--output", "elsewhere").json()
    #expect((json["variants"] as? [Any])?.count == 1)
    #expect(workspace.exists("elsewhere/index.html"))
  }

  @Test func aDryRunShowsThePriceAndStartsNothing() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(seeds: 3)
    let result = try workspace.run("compare", "study.toml", "--dry-run")
    #expect(result.code == 0 && result.output.contains("trials; "), "\(result)")
    #expect(!workspace.exists("study"))
    let json = try workspace.run("compare", "study.toml", "--dry-run", "--json").json()
    #expect(!workspace.exists("study"))
    // Each arm: three rates, an extension at most, three reporting seeds.
    let trials = try #require(json["trials"] as? [String: Int])
    #expect(trials["least"] == 12 && trials["most"] == 14, "\(json)")
    let tokens = try #require(json["tokens"] as? [String: Double])
    #expect(tokens["least"] == 12 * 20 * 128 && tokens["most"] == 14 * 20 * 128)
    let seconds = try #require(json["seconds"] as? [String: Double])
    #expect(try #require(seconds["least"]) > 0 && seconds["most"]! < 120)
    let arms = try #require(json["arms"] as? [[String: Any]])
    #expect(arms.compactMap { $0["arm"] as? String } == ["adamw", "lion"])
    let memory = arms.compactMap { arm in
      ((arm["cost"] as? [String: Any])?["estimate"] as? [String: Any])?["memory"] as? [String: Int]
    }
    // Two numbers of four bytes for each trained one in AdamW, one in Lion.
    #expect(memory[0]["weights"] == 45_440 && memory[0]["optimizerState"] == 90_880)
    #expect(memory[1]["optimizerState"] == 45_440)
    #expect(memory.allSatisfy { ($0["activations"] ?? 0) > 0 })
  }

  @Test func aPlanOfAStudyIsItsPriceByCounting() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(seeds: 3)
    let json = try workspace.run("plan", "study.toml", "--flops-per-second=1e9", "--json").json()
    #expect((json["trials"] as? [String: Int])?["most"] == 14)
    let arms = try #require(json["arms"] as? [[String: Any]])
    #expect(arms.allSatisfy { $0["isMeasured"] as? Bool == false })
    #expect(!workspace.exists("study"))
    let size = try workspace.run("plan", "config.toml", "--size", "paper")
    #expect(size.code == 64 && size.errors.contains("no study"), "\(size)")
  }

  @Test func aBudgetInSecondsIsMeasuredOnceAndThenStands() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(seeds: 1, arms: Workspace.plainArms, tuning: "")
    try workspace.alter("study.toml") { data in
      data = Data(
        String(decoding: data, as: UTF8.self).replacing("steps = 20", with: "seconds = 0.05").utf8)
    }
    let first = try workspace.run("compare", "study.toml")
    #expect(first.code == 0, "\(first)")
    let before = try workspace.deterministicFiles()
    // Measured again, the speed would be another one and the study another study.
    let second = try workspace.run("compare", "study.toml")
    #expect(second.code == 0, "\(second)")
    #expect(try workspace.deterministicFiles() == before)
  }

  @Test func aStudyWithRacesHasTheSameBitsHoweverItsTrialsAreTimed() throws {
    let workspace = try Workspace()
    // Rates that change places among each other, and one without hope.
    try workspace.writeStudy(
      steps: 60, seeds: 1, arms: "[[arm]]\noptimizer.name = \"adamw\"",
      tuning: """
        tuning = [101]
        [tuning]
        learning_rate = [0.02, 0.021, 0.025, 0.026, 0.03, 0.031, 0.036, 0.037, 0.042, 3.0, 8.0]
        extensions = 0
        refine = false
        """, more: "[stopping]\nrace = true\naudit = 1.0")
    for jobs in ["1", "4"] {
      let result = try workspace.run(
        "compare", "study.toml", "--jobs", jobs, "--common.evaluation.every=5")
      #expect(result.code == 0, "\(result)")
      try FileManager.default.moveItem(
        atPath: workspace.path("study"), toPath: workspace.path("study" + jobs))
    }
    #expect(
      try workspace.deterministicFiles(of: "study1") == workspace.deterministicFiles(of: "study4"))
    let statuses = try workspace.statuses(of: "study1")
    let stopped = statuses.filter { $0.value == "stopped" }.keys
    #expect(!stopped.isEmpty, "hopeless rates lose: \(statuses)")
    for trial in stopped {
      #expect(statuses[trial + ".audit"] == "finished", "each is audited here: \(statuses)")
    }
  }

  @Test func jobsDecideHowManyRunAtATimeAndNothingElse() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(seeds: 1)
    for jobs in ["1", "3"] {
      let result = try workspace.run("compare", "study.toml", "--jobs", jobs)
      #expect(result.code == 0 && result.errors.contains("\(jobs) at a time"), "\(result)")
      try FileManager.default.moveItem(
        atPath: workspace.path("study"), toPath: workspace.path("study" + jobs))
    }
    #expect(
      try workspace.deterministicFiles(of: "study1") == workspace.deterministicFiles(of: "study3"))
    let none = try workspace.run("compare", "study.toml", "--jobs", "0")
    #expect(none.code == 64 && none.errors.contains("give 1 or more"), "\(none)")
  }

  @Test func twoNamesForTheSameArmAreATieAndShareNothing() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(
      arms: """
        [[arm]]
        name = "one"
        optimizer.name = "adamw"
        [[arm]]
        name = "other"
        optimizer.name = "adamw"
        """)
    let result = try workspace.run("compare", "study.toml")
    #expect(result.code == 0, "\(result)")
    let trials = try workspace.list("study/trials")
    func hashes(_ arm: String) -> [String] {
      trials.filter { $0.hasPrefix("main.\(arm).") }.map { String($0.suffix(12)) }
    }
    #expect(!hashes("one").isEmpty && hashes("one") == hashes("other"), "equal settings: \(trials)")
    for hash in hashes("one") {
      let (first, second) = ("study/trials/main.one.\(hash)", "study/trials/main.other.\(hash)")
      #expect(
        try workspace.read(first + "/metrics.jsonl") == workspace.read(second + "/metrics.jsonl"))
      func number(_ path: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: workspace.path(path))
        return attributes?[.systemFileNumber] as? Int
      }
      #expect(number(first + "/metrics.jsonl") != number(second + "/metrics.jsonl"))
    }
    #expect(result.output.contains("other against one: "), "\(result)")
    let json = try workspace.run("compare", "study", "--json").json()
    let variant = try #require((json["variants"] as? [[String: Any]])?.first)
    let difference = try #require((variant["differences"] as? [[String: Any]])?.first)
    let verdict = try #require(difference["verdict"] as? [String: Any])
    #expect(verdict["word"] as? String == "tie", "\(verdict)")
  }

  // MARK: - Refusals

  @Test func armsThatDifferInWhatTheyDidNotDeclareAreRefused() throws {
    let arms = """
      [[arm]]
      optimizer.name = "adamw"
      [[arm]]
      optimizer.name = "lion"
      schedule.kind = "constant"
      """
    let workspace = try Workspace()
    try workspace.writeStudy(arms: arms)
    let refused = try workspace.run("compare", "study.toml")
    #expect(refused.code == 2 && refused.errors.contains("schedule"), "\(refused)")
    #expect(!workspace.exists("study"), "what a file shows is refused before anything starts")
    let declared = try Workspace()
    try declared.writeStudy(arms: arms + "\ndiffers = [\"schedule\"]")
    let allowed = try declared.run("compare", "study.toml")
    #expect(allowed.code == 0 && allowed.output.contains("schedule"), "\(allowed)")
  }

  @Test func recordsThatDifferAreRefusedWithTheirOwnCode() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(seeds: 1)
    #expect(try workspace.run("compare", "study.toml").code == 0)
    // Runs of nobody's study, which no declaration has checked before.
    for (run, arguments) in [
      ("a", ["--optimizer.name=adamw"]), ("b", ["--optimizer.name=lion"]),
      ("c", ["--optimizer.name=lion", "--schedule.kind=constant"]),
    ] {
      let result = try Command.run(
        ["train", "config.toml", "-o", run, "--training.steps=4"] + arguments, in: workspace.folder)
      #expect(result.code == 0, "\(result)")
    }
    let equal = try workspace.run("compare", "a", "b")
    #expect(equal.code == 0 && equal.output.contains("lion against adamw"), "\(equal)")
    let different = try workspace.run("compare", "a", "c")
    #expect(different.code == 2 && different.errors.contains("schedule"), "\(different)")
    // And a study whose records somebody changed.
    let trial = try #require(
      try workspace.list("study/trials").first { $0.hasPrefix("main.lion.") })
    try workspace.alter("study/trials/\(trial)/contract.json") { data in
      data = Data(
        String(decoding: data, as: UTF8.self).replacing(
          "\"clipping\" : \"", with: "\"clipping\" : \"x"
        ).utf8)
    }
    for target in ["study.toml", "study"] {
      let changed = try workspace.run("compare", target)
      #expect(changed.code == 2 && changed.errors.contains("clipping"), "\(changed)")
    }
  }

  @Test func aChangedDeclarationIsRefusedWithWhatChanged() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(steps: 4, seeds: 1)
    #expect(try workspace.run("compare", "study.toml").code == 0)
    let before = try workspace.deterministicFiles()
    try workspace.writeStudy(steps: 8, seeds: 1)
    let steps = try workspace.run("compare", "study.toml")
    #expect(steps.code == 2 && steps.errors.contains("budget.amount: 4 before, 8 now"), "\(steps)")
    #expect(steps.errors.contains("another 'folder'"), "\(steps)")
    // Even what stands in the base alone.
    try workspace.writeStudy(steps: 4, seeds: 1)
    try workspace.alter("config.toml") { data in
      data = Data(
        String(decoding: data, as: UTF8.self).replacing("width = 16", with: "width = 32").utf8)
    }
    let base = try workspace.run("compare", "study.toml")
    #expect(base.code == 2 && base.errors.contains("another declaration"), "\(base)")
    #expect(try workspace.deterministicFiles() == before, "nothing was touched")
  }

  @Test func mistakesAreRefusedBeforeAnythingStarts() throws {
    let workspace = try Workspace()
    try workspace.writeStudy()
    for (arguments, code, text) in [
      (["compare", "missing.toml"], Int32(64), "there is no such configuration file"),
      (["compare", "study.toml", "data"], 64, "holds no run"),
      (["compare", "study.toml", "--size", "paper"], 64, "no sizes"),
      (["compare", "study.toml", "--seeds.reporting=0"], 64, "reporting"),
      (["claims", "study.toml"], 1, "no study yet"),
      (["calibrate", "study.toml", "--arms", "lyon"], 64, "no arm 'lyon'"),
      (["calibrate", "study.toml", "--replicates", "1"], 64, "2 or more"),
    ] {
      let result = try Command.run(arguments, in: workspace.folder)
      #expect(result.code == code && result.errors.contains(text), "\(result)")
      #expect(!workspace.exists("study"), "\(result)")
    }
  }

  // MARK: - Calibration and claims

  @Test func aCalibrationMeasuresTheNoiseAndTheCorrelation() throws {
    let workspace = try Workspace()
    try workspace.writeStudy()
    let result = try workspace.run("calibrate", "study.toml", "--replicates", "3")
    #expect(result.code == 0, "\(result)")
    for part in ["both seeds", "initial weights", "order of the data", "adamw, lion", "last byte"] {
      #expect(result.output.contains(part), "'\(part)' is missing: \(result)")
    }
    let json =
      try JSONSerialization.jsonObject(with: workspace.read("study/calibration.json"))
      as? [String: Any]
    let spreads = try #require(json?["spreads"] as? [[String: Any]])
    #expect(spreads.count == 4, "the baseline's three and Lion's one: \(spreads)")
    for spread in spreads {
      #expect((spread["losses"] as? [Double])?.count == 3, "\(spread)")
      #expect(try #require(spread["deviation"] as? Double) > 0)
    }
    // 3 + 2 + 2 of the baseline, 3 of the other, and one again.
    #expect(try workspace.list("study/calibration/trials").count == 11)
    // A calibration is not a study: comparing goes on from there.
    let compared = try workspace.run("compare", "study.toml")
    #expect(compared.code == 0, "\(compared)")
    let again = try workspace.run("calibrate", "study.toml", "--replicates", "3", "--json")
    #expect(again.code == 0 && !again.errors.contains("[1/"), "\(again)")
    #expect(try again.json()["format"] as? Int == 1)
  }

  @Test func aCalibrationRunsAtTheValuesThatTuningChose() throws {
    let workspace = try Workspace()
    try workspace.writeStudy()
    let result = try workspace.run("calibrate", "study.toml", "--replicates", "2", "--arms", "none")
    #expect(result.code == 0, "\(result)")
    func points(_ folder: String) throws -> [[String: Any]] {
      try workspace.list(folder).compactMap { name in
        let data = try workspace.read("\(folder)/\(name)/trial.json")
        return (try JSONSerialization.jsonObject(with: data) as? [String: Any])?["point"]
          as? [String: Any]
      }
    }
    func purpose(_ point: [String: Any]) -> String? {
      (point["seed"] as? [String: Any])?["purpose"] as? String
    }
    let tuning = try points("study/trials")
    #expect(tuning.count >= 6 && tuning.allSatisfy { purpose($0) == "tuning" })
    let compared = try workspace.run("compare", "study.toml")
    #expect(compared.code == 0, "\(compared)")
    let reported = try points("study/trials").first {
      purpose($0) == "reporting" && $0["arm"] as? String == "adamw"
    }
    let chosen = try #require(reported?["knobs"] as? [String: Double])
    let calibrated = try points("study/calibration/trials")
    #expect(!calibrated.isEmpty)
    #expect(calibrated.allSatisfy { $0["knobs"] as? [String: Double] == chosen })
  }

  @Test func claimsAreEvaluatedFromTheRecords() throws {
    let workspace = try Workspace()
    try workspace.writeStudy(
      seeds: 4,
      more: """
        [[claim]]
        name = "far"
        statement = "Lion ends below the loss of an untrained model."
        left = { kind = "loss", arm = "lion" }
        relation = "below"
        value = 5.0
        family = "all"
        """)
    #expect(try workspace.run("compare", "study.toml").code == 0)
    for target in ["study.toml", "study"] {
      let result = try workspace.run("claims", target)
      #expect(result.code == 0 && result.output.contains("far"), "\(result)")
      #expect(result.output.contains("holds"), "\(result)")
    }
    let json = try workspace.run("claims", "study", "--json").json()
    let claims = try #require(json["claims"] as? [[String: Any]])
    #expect(claims.map { $0["outcome"] as? String } == ["holds"])
    let csv = try workspace.run("claims", "study", "--csv")
    #expect(csv.code == 0 && csv.output.contains("far"), "\(csv)")
    let both = try workspace.run("claims", "study", "--csv", "--json")
    #expect(both.code == 64, "\(both)")
  }
}
