// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configurations
import SpeedRecords
import Training

/// `assay records replicate`.
struct RecordsReplicateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replicate",
    abstract: "Runs a packed set again, with new seeds or the same, and updates the evidence.",
    discussion: """
      New seeds follow the largest of the pack, so nobody chooses them, and their number is written down before the first run. With \
      --same-seeds the packed runs have to come out to the last byte; that shows that the pack is true on this machine and is no new \
      evidence.

      Ctrl-C saves and exits with 4; the same command goes on, also after a kill. A larger --runs adds runs to an earlier \
      replication, and is noted as such.
      """)

  @Argument(help: ArgumentHelp("The folder of a pack of Assay's runs.", valueName: "pack"))
  var path: String

  @Option(help: ArgumentHelp("Runs in all.", valueName: "count"))
  var runs: Int

  @Option(help: ArgumentHelp("Which set; without it the only candidate.", valueName: "name"))
  var set: String?

  @Flag(help: "Run seeds of the pack, for a check to the last byte.")
  var sameSeeds = false

  @Option(
    help: ArgumentHelp(
      "The data set, where it lies elsewhere than it did; its content is checked.",
      valueName: "folder"))
  var data: String?

  @Option(
    help: ArgumentHelp("Threads; 0: one for every core. No bit depends on it.", valueName: "count"))
  var threads = 0

  @Flag(help: "Print the evidence as one JSON object.")
  var json = false

  func validate() throws {
    if runs < 1 { throw ValidationError("--runs is \(runs); give 1 or more") }
    if threads < 0 { throw ValidationError("--threads is \(threads); give 0 or more") }
  }

  func run() throws {
    let stop = StopRequest.onSignals()
    let pack = try RecordPack(reading: path)
    let verification = PackVerification(pack)
    if let problem = verification.problems.first {
      throw CommandFailure(
        .failed,
        "\(path) is not as it was packed (\(problem.text)); 'assay records verify \(path)' says everything that differs"
      )
    }
    let replication = try Replication(
      pack, set: set, seeds: sameSeeds ? .same : .new, count: runs)
    for (index, seed) in replication.plan.runs.enumerated() {
      Console.say("run \(index + 1) of \(replication.plan.runs.count), seed \(seed)")
      try run(seed, of: replication, stop)
    }
    let evidence = try ReplicationEvidence(replication)
    if json { try Console.json(evidence) } else { Console.data(evidence.text) }
    if let other = evidence.checks.first(where: { !$0.isIdentical }) {
      throw CommandFailure(
        .failed,
        "seed \(other.seed) did not give the packed bits: another machine type, another version of Assay, or an untrue pack"
      )
    }
  }

  private func run(_ seed: RunSeed, of replication: Replication, _ stop: StopRequest) throws {
    var source = ConfigurationSource()
    try source.add(
      layer: "file \(replication.template)/configuration.toml",
      text: replication.configurationText())
    var overrides = [
      "run.folder=\(replication.folder(of: seed))", "training.seed=\(seed.initial)",
      "training.data_seed=\(seed.data)", "machine.threads=\(threads)",
      // A kill costs some seconds, and what has ended fills no disk.
      "checkpoint.seconds=20", "checkpoint.final=none",
    ]
    if let data { overrides.append("data.path=\(data)") }
    try source.add(overrides: overrides)
    let report = TrainingReport()
    let summary = try TrainingRun.train(TrainingConfiguration(source), stop: stop) { event in
      report.observe(event)
    }
    switch summary.outcome {
    case .finished: break
    case .diverged: Console.say("seed \(seed) diverged; it counts as a run")
    case .interrupted, .stopped:
      Console.say("the same command goes on")
      throw ExitStatus.interrupted.exit
    }
    let differences = try replication.differences(of: seed)
    guard differences.isEmpty else {
      throw CommandFailure(
        .refused,
        "seed \(seed) ran under other conditions than the pack: \(differences.joined(separator: "; ")); give the data set of the "
          + "pack with --data, or the version of Assay that it names")
    }
  }
}
