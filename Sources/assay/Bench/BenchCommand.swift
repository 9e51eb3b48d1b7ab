// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `assay bench`.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures a training step and its parts.",
    discussion: """
      Shapes (vocabulary, width, layers, heads, context, sequences):
      \(BenchShape.help)

      Nothing is timed before its results were checked in the same process. Times on a shared machine wander: compare
      the ratios, which come from alternating runs.
      """,
    subcommands: [
      BenchStep.self, BenchProducts.self, BenchProfile.self, BenchOptimizers.self, BenchTrials.self,
      BenchSpeedrun.self, BenchRuns.self, BenchShapes.self,
    ])
}

/// What every bench command takes.
struct BenchOptions: ParsableArguments {
  @Option(help: "S, P, M, 10m or 150m.")
  var shape: BenchShape = .s

  @Option(help: "Threads; all cores unless given.")
  var threads: Int?

  @Flag(help: "One JSON object on standard output.")
  var json = false
}
