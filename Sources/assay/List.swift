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
    commandName: "optimizers", abstract: "Lists every optimizer with its hyperparameters.")

  @Flag(help: "Print one JSON object.")
  var json = false

  private struct Entry: Encodable {
    struct Hyperparameter: Encodable {
      let name: String
      let `default`: Double
      let range: String
      let summary: String
      let source: String
    }
    let name: String
    let paper: String
    let equation: String
    let stateBytesPerParameter: Double
    let hyperparameters: [Hyperparameter]
  }

  func run() throws {
    let cards = OptimizerRegistry.methods.map { $0.card }
    if json {
      let entries = cards.map { card in
        Entry(
          name: card.name, paper: card.paper, equation: card.equation,
          stateBytesPerParameter: card.stateBytesPerParameter,
          hyperparameters: card.hyperparameters.map {
            .init(
              name: $0.name, default: $0.defaultValue, range: $0.rangeDescription,
              summary: $0.summary, source: $0.source)
          })
      }
      try Console.json(["optimizers": entries])
      return
    }
    for card in cards {
      Console.data(
        "\(card.name): \(Numbers.short(card.stateBytesPerParameter)) bytes of state for each parameter"
      )
      Console.data("  " + card.paper)
      for line in card.equation.split(separator: "\n") { Console.data("    " + line) }
      var table = Table([
        ("  hyperparameter", .left), ("default", .right), ("range", .left), ("", .left),
      ])
      for number in card.hyperparameters {
        table.add(
          "  " + number.name, "\(number.defaultValue)", number.rangeDescription, number.summary)
      }
      Console.data(table.text)
    }
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
