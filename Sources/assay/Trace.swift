// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Training

/// `assay trace`.
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Writes weights, batch, loss, gradients and optimizer state of the first steps.",
    discussion: """
      For checking Assay, or a new optimizer, against another framework: safetensors files, one for the initial weights and \
      one for each step. Any key of the configuration can be given as --section.key=value.
      """)

  @Argument(help: ArgumentHelp("A TOML file, or the name of a preset.", valueName: "config"))
  var path: String

  @OptionGroup var overrides: Overrides

  @Option(help: ArgumentHelp("How many steps.", valueName: "count"))
  var steps = 1

  @Option(
    help: ArgumentHelp(
      "First weights, instead of random ones.", valueName: "weights.safetensors"))
  var initial: String?

  @Option(
    help: ArgumentHelp(
      "Tensors 'tokens' and 'targets', instead of the data set's.", valueName: "tokens.safetensors")
  )
  var batch: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write to.", valueName: "folder"))
  var output: String

  func validate() throws {
    if steps < 1 { throw ValidationError("--steps is \(steps); trace at least 1 step") }
  }

  func run() throws {
    let configuration = try TrainingConfiguration(overrides.source(path))
    let trace = try Trace(
      configuration, steps: steps, initialWeights: initial, batchFile: batch, output: output)
    let paths = try trace.run { step, loss in
      Console.say("step \(step): loss \(loss)")
    }
    for path in paths { Console.data(path) }
  }
}
