// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Training

/// Which weights of a run a verb uses.
struct WeightOptions: ParsableArguments {
  @Argument(help: "The folder of a run.")
  var folder: String

  @Option(
    help: ArgumentHelp(
      "evaluated: those that evaluation uses, an average where the optimizer keeps one; trained: those that gradients are taken at.",
      valueName: "evaluated|trained"))
  var weights = WeightChoice.evaluated.rawValue

  @Option(help: "The step of the checkpoint; the newest.")
  var step: Int?

  @Option(
    help: ArgumentHelp(
      "What computes instead of the device that the run was trained on.",
      valueName: "cpu|xla:cpu|xla:cuda|xla:FILE.so"))
  var device: String?

  func validate() throws {
    if let device, let problem = MachineSettings.problem(with: device) {
      throw ValidationError("--device is '\(device)': \(problem)")
    }
    guard WeightChoice(rawValue: weights) != nil else {
      throw ValidationError("--weights is '\(weights)'; use evaluated or trained")
    }
  }

  /// Opens the run.
  ///
  /// - Throws: what opening throws.
  func open() throws -> TrainedModel {
    try TrainedModel(
      run: folder, step: step, weights: WeightChoice(rawValue: weights) ?? .evaluated,
      device: device)
  }
}

/// `assay export`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a run's weights as safetensors, ready for use.")

  @OptionGroup var options: WeightOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write.", valueName: "weights.safetensors"))
  var output: String

  func run() throws {
    let model = try options.open()
    try model.export(to: output)
    Console.say("\(options.weights) weights of step \(model.step)")
    Console.data(output)
  }
}
