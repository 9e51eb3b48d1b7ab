// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configurations
import Foundation
import Training

/// `assay show config`.
struct ShowConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Shows every key of a configuration with its value and where that comes from.",
    discussion: "Any key can be given as --section.key=value.")

  @Argument(help: ArgumentHelp("A TOML file, or the name of a preset.", valueName: "config"))
  var path: String

  @OptionGroup var overrides: Overrides

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let configuration = try TrainingConfiguration(overrides.source(path))
    if json {
      Console.data(String(decoding: try configuration.resolved.json, as: UTF8.self))
    } else {
      Console.write(configuration.resolved.tomlText)
    }
  }
}
