// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configurations
import Training

/// `assay train`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a model, or goes on with a run that was interrupted.",
    discussion: """
      Any key of the configuration can be given as --section.key=value; 'assay show config' lists them all.

      Ctrl-C (SIGINT) or SIGTERM finishes the step or the batch of an evaluation, saves and exits with 4; the same command goes on, with the same bits as \
      an uninterrupted run. A second signal ends the process at once.
      """)

  @Argument(help: ArgumentHelp("A TOML file, or the name of a preset.", valueName: "config"))
  var path: String

  @OptionGroup var overrides: Overrides

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The folder of the run; the same as --run.folder.", valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "First weights, instead of random ones.", valueName: "weights.safetensors"))
  var initial: String?

  @Flag(
    help: """
      Print one JSON object a line on standard output: started, step (at most four a second), evaluation, warning, ended.
      """)
  var events = false

  func run() throws {
    var overrides = overrides
    if let output { overrides.values.append("run.folder=" + output) }
    let configuration = try TrainingConfiguration(overrides.source(path))
    guard configuration.machine.batchRuns == 1 else {
      throw ConfigurationError(
        .contradiction, keys: ["machine.batch_runs"],
        "machine.batch_runs is \(configuration.machine.batchRuns): it says how many trials of a study share a program, and has no "
          + "effect on a run of its own; remove it, or run a study with 'assay compare'")
    }
    let report = TrainingReport()
    let stream = events ? TrialEventStream { Console.data($0) } : nil
    let summary = try TrainingRun.train(
      configuration, initialWeights: initial, stop: .onSignals()
    ) { event in
      report.observe(event)
      stream?.observe(event)
    }
    if summary.outcome != .finished { throw ExitCode(summary.outcome.exitCode) }
  }
}
