// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configurations

/// Keys of the configuration given on the command line: `--section.key=value`, as many as wanted.
///
/// The parser only knows options that are declared. So dotted options are folded into one declared option, `--set`, before it
/// sees them; what the keys are is the business of the configuration.
struct Overrides: ParsableArguments {
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "A key of the configuration and its value; usually written --section.key=value.",
      valueName: "section.key=value"))
  var values: [String] = []

  /// The verbs that take overrides.
  private static let verbs = [
    ["train"], ["plan"], ["trace"], ["compare"], ["calibrate"], ["claims"], ["show", "config"],
    ["show", "schedule"], ["show", "program"],
  ]

  /// Arguments with `--a.b=c` written as `--set=a.b=c`, where the verb takes overrides.
  static func folded(_ arguments: [String]) -> [String] {
    guard verbs.contains(where: { arguments.starts(with: $0) }) else { return arguments }
    var isOption = true
    return arguments.map { argument in
      if argument == "--" { isOption = false }
      return isOption && isOverride(argument) ? "--set=" + argument.dropFirst(2) : argument
    }
  }

  /// Whether an argument is an option whose name has a dot.
  private static func isOverride(_ argument: String) -> Bool {
    guard argument.hasPrefix("--") else { return false }
    return argument.dropFirst(2).prefix { $0 != "=" }.contains(".")
  }

  /// A configuration file, or a preset by name, with the overrides on top.
  ///
  /// - Throws: `ConfigurationError` when the file cannot be read, no such preset exists, or an override is malformed.
  func source(_ configuration: String) throws -> ConfigurationSource {
    var source = ConfigurationSource()
    if let preset = try Presets.find(configuration) {
      try source.add(preset: preset.name, text: preset.text)
    } else {
      try source.add(file: configuration)
    }
    try source.add(overrides: values)
    return source
  }
}
