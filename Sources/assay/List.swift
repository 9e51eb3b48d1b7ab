// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import LanguageModels
import Optimizers

/// `assay list`.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists optimizers, models or presets.",
    subcommands: [ListOptimizers.self, ListModels.self, ListPresets.self])
}

/// `assay list optimizers`.
struct ListOptimizers: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "optimizers",
    abstract:
      "Lists every optimizer with its price: state and FLOPs for each number of a large matrix.",
    discussion: "'assay show optimizer NAME' shows everything that is known about one.")

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
    let pages = try OptimizerRegistry.methods.map { try CardPage($0) }
    if json { return try Console.json(["optimizers": pages]) }
    if markdown { return Console.data(CardPage.index(pages)) }
    var table = Table([
      ("optimizer", .left), ("state bytes", .right), ("FLOPs", .right), ("learning rate", .right),
      ("takes", .left), ("paper", .left),
    ])
    for page in pages {
      table.add(
        page.name, Numbers.short(page.stateBytesPerParameter),
        page.flops, CardPage.number(page.hyperparameters[0].default),
        page.parameters == "all" ? "all" : "matrices",
        String(page.paper.prefix { $0 != "," }) + ", " + year(page.paper))
    }
    Console.data(table.text)
  }

  /// The first year in a reference.
  private func year(_ paper: String) -> String {
    paper.split { !$0.isNumber }.first {
      $0.count == 4 && ($0.hasPrefix("19") || $0.hasPrefix("20"))
    }
    .map(String.init) ?? ""
  }
}

/// `assay list models`.
struct ListModels: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "Lists every model architecture.")

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let architectures = ModelConfiguration.Architecture.allCases
    if json {
      try Console.json([
        "models": architectures.map { ["name": $0.rawValue, "summary": $0.summary] }
      ])
      return
    }
    var table = Table([.left, .left])
    for architecture in architectures { table.add(architecture.rawValue, architecture.summary) }
    Console.data(table.text)
  }
}

extension ModelConfiguration.Architecture {
  /// One line for a list.
  fileprivate var summary: String {
    switch self {
    case .decoder:
      "pre-norm, layer norm without biases, exact GeLU, rotary positions, optional query-key norm"
    case .llama: "RMS norm, SwiGLU, rotary positions, grouped queries, optional query-key norm"
    case .speedrun:
      "the NanoGPT speedrun's: value embeddings, gates, learned mixing of layers, windows, part by part"
    }
  }
}

/// `assay list presets`.
struct ListPresets: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "presets", abstract: "Lists the configurations that come with Assay.")

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let presets = Presets.all()
    if json {
      try Console.json(["presets": presets.map { ["name": $0.name, "summary": $0.summary] }])
      return
    }
    if presets.isEmpty {
      Console.say("no folder Presets here or beside the executable; run this from the package")
    }
    var table = Table([.left, .left])
    for preset in presets { table.add(preset.name, preset.summary) }
    Console.data(table.text)
  }
}
