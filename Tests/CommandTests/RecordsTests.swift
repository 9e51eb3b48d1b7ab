// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `assay records` as its user meets it.
@Suite(.timeLimit(.minutes(20))) struct RecordsTests {
  private static let baseline =
    "12-19-Baseline=3.2762@124.252,3.2788@124.305,3.2773@124.351,3.2817@124.617,3.2786@124.298"
  private static let smooth =
    "12-21-Smooth-Scalars-stps.2000=3.2790@122.131,3.2782@122.140,3.2784@122.007,3.2793@122.066,"
    + "3.2786@122.104,3.2804@122.045,3.2783@122.108"

  @Test func theTableOfAPullRequestIsPrintedToTheLetter() throws {
    let result = try Command.run(
      "records", Self.baseline, "--against", Self.smooth, "--track", "1", "--table")
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(
      lines[1]
        == "12-19-Baseline                        5 124.3646  0.1454    0.0000  3.2785  0.0021    0.0000   0.0922"
    )
    #expect(
      lines[2]
        == "12-21-Smooth-Scalars-stps.2000        7 122.0859  0.0484   -2.2787  3.2789  0.0008    0.0004   0.0045"
    )
  }

  @Test func theWholeReportNamesRulesDifferencesAndDoubts() throws {
    let result = try Command.run(
      "records", Self.baseline, "--against", Self.smooth, "--track", "1", "--steps",
      "12-19-Baseline=2035", "12-21-Smooth-Scalars-stps.2000=2000", "--exchange", "0.0069")
    #expect(result.code == 0, "\(result)")
    for part in [
      "below the target 3.28", "one-sided p = 0.0045: passes at 0.01", "what steps are worth",
      "0.00690 nats for 100 steps; given on the command line", "35 steps fewer",
      "gain at equal length", "[runs-not-fixed]", "nobody knows on which machines",
    ] {
      #expect(result.output.contains(part), "\(part)\n\(result)")
    }
    let json = try Command.run(
      "records", Self.baseline, "--against", Self.smooth, "--target", "3.28", "--json"
    ).json()
    #expect((json["rows"] as? [Any])?.count == 2 && json["schema"] as? Int == 1)
    let csv = try Command.run("records", Self.baseline, "--csv").output
    #expect(csv.hasPrefix("set,runs,steps,time_mean") && csv.split(separator: "\n").count == 2)
    let markdown = try Command.run("records", Self.baseline, "--markdown").output
    #expect(markdown.contains("| 12-19-Baseline | 5 | - | 124.3646 |"))
  }

  @Test func theRunsThatAClaimNeedsAreSaid() throws {
    let result = try Command.run("records", "power", "--margin", "0.0011", "--deviation", "0.0013")
    #expect(result.code == 0, "\(result)")
    #expect(result.output.contains("with 17 runs") && result.output.contains("with 22 runs"))
  }

  @Test(arguments: ["pack", "verify", "replicate"])
  func recordIsTheSameCommand(verb: String) throws {
    let (one, many) = (
      try Command.run("record", verb, "--help"), try Command.run("records", verb, "--help")
    )
    #expect(one.code == 0 && one.output == many.output && one.output.contains("records \(verb)"))
  }

  @Test(arguments: [
    (["records"], 64, "name runs, logs or numbers"),
    (["records", "nowhere"], 1, "neither a file, a folder nor a list of numbers"),
    (["records", "a=3.28,x"], 64, "'x' is no run"),
    (["records", "a=3.28", "--track", "4"], 64, "give 1, 2 or 3"),
    (["records", "a=3.28", "--level", "2"], 64, "between 0 and 1"),
    (["records", "a=3.28", "--against", "b=3.2", "--planned", "c=3"], 64, "the sets are a, b"),
    (["records", "a=3.28", "--against", "b=3.2", "--exchange", "x"], 64, "'published'"),
    (["records", "a=3.28", "--against", "b=3.2", "--exchange", "a", "b"], 2, "needs the steps"),
    (["records", "a=3.28", "--steps", "c=9"], 64, "the sets are a"),
    (
      ["records", "a=3.28", "--against", "b=3.2", "--exchange", "0.005", "--steps", "c=9"], 64,
      "--steps names 'c'"
    ),
    (["records", "a=3.28", "--tuned-on", "9"], 64, "no run has it"),
    (["records", "a=3.28", "--planned", "2000000"], 64, "give COUNT"),
    (["records", "a=3.28", "--csv", "--json"], 64, "exclude each other"),
    (["records", "power", "--margin", "0", "--deviation", "1"], 64, "--margin is 0"),
    (["records", "verify", "nowhere"], 1, "is no pack"),
    (["record", "verify", "nowhere"], 1, "is no pack"),
    (["record", "a=3.28", "--track", "4"], 64, "give 1, 2 or 3"),
  ])
  func mistakesAreOneLine(arguments: [String], code: Int32, says: String) throws {
    let result = try Command.run(arguments)
    #expect(result.code == code && result.errors.contains(says), "\(result)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
    #expect(result.output.isEmpty, "\(result)")
  }

  @Test func seedsThatCountTwiceAreRefusedWith2() throws {
    let workspace = try Workspace()
    try workspace.write("set,loss,seed\nA,3.28,1\nA,3.27,1\n", to: "a.csv")
    let result = try workspace.run("records", "a.csv", "--target", "3.28")
    #expect(result.code == 2 && result.errors.contains("both have seed 1"), "\(result)")
  }

  @Test func aRecordIsPackedVerifiedKilledReplicatedAndTampersAreFound() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 20)
    for (name, rate) in [("slow", "0.001"), ("fast", "0.01")] {
      for seed in ["1", "2"] {
        let run = try workspace.run(
          "train", "config.toml", "-o", "runs/\(name)/\(seed)", "--training.seed=\(seed)",
          "--training.data_seed=\(seed)", "--optimizer.learning_rate=\(rate)")
        guard run.code == 0 else { throw Workspace.Failed(run) }
      }
    }
    let packed = try workspace.run(
      "records", "pack", "slow=runs/slow", "--against", "fast=runs/fast", "--planned", "2", "-o",
      "pack")
    #expect(packed.code == 0 && packed.output == "pack\n", "\(packed)")
    #expect(packed.errors.contains("2 shared seeds, pair correlation"), "\(packed)")
    let verified = try workspace.run("records", "verify", "pack")
    #expect(
      verified.code == 0 && verified.errors.contains("follows from its 4 runs"), "\(verified)")

    // New seeds, with the first attempt killed on its way.
    let killed = try workspace.start("records", "replicate", "pack", "--runs", "2")
    #expect(killed.waitForErrors(containing: "seed 3"))
    killed.send(SIGKILL)
    _ = killed.wait()
    let new = try workspace.run("records", "replicate", "pack", "--runs", "2")
    #expect(new.code == 0, "\(new)")
    #expect(new.output.contains("2 of 2 planned runs of 'fast' have ended"), "\(new)")
    #expect(new.output.contains("seeds  = [3, 4]") && new.output.contains("seeds  = [1, 2, 3, 4]"))
    #expect(new.output.contains("fast, replicated against slow"), "\(new)")

    let same = try workspace.run("records", "replicate", "pack", "--runs", "2", "--same-seeds")
    #expect(same.code == 0, "\(same)")
    #expect(
      same.output.contains("seed 1: the same bits") && same.output.contains("seed 2: the same bits")
    )

    try workspace.alter("pack/runs/fast/2/metrics.jsonl") { data in
      var text = String(decoding: data, as: UTF8.self)
      if let range = text.range(of: "\"validationLoss\":", options: .backwards) {
        text.replaceSubrange(range.upperBound..<text.index(after: range.upperBound), with: "1")
      }
      data = Data(text.utf8)
    }
    let found = try workspace.run("records", "verify", "pack")
    #expect(found.code == 1, "\(found)")
    #expect(found.errors.contains("[changed] runs/fast/2/metrics.jsonl was changed"), "\(found)")
    #expect(found.errors.contains("[number] analysis.sets[1].runs[1]"), "\(found)")
    let refused = try workspace.run("records", "replicate", "pack", "--runs", "2")
    #expect(refused.code == 1 && refused.errors.contains("is not as it was packed"), "\(refused)")
  }
}
