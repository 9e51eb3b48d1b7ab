// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Optimizers

/// `assay show optimizer`.
struct ShowOptimizer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "optimizer", abstract: "Shows everything that is known about a method.")

  @Argument(help: "The name of a method; 'assay list optimizers' has them all.")
  var name: String

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "Print Markdown.")
  var markdown = false

  func validate() throws {
    if json, markdown {
      throw ValidationError("--json and --markdown exclude each other; choose one")
    }
  }

  func run() throws {
    let page = try CardPage(OptimizerRegistry.method(named: name))
    if json { return try Console.json(page) }
    Console.data(markdown ? page.markdown : page.text)
  }
}
