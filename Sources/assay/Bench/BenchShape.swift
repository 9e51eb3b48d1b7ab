// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LanguageModels

/// The models that speed is measured on: the study's decoder in several sizes.
enum BenchShape: String, CaseIterable, ExpressibleByArgument {
  case s = "S"
  case p = "P"
  case m = "M"
  /// So small that one run cannot fill a large device.
  case tenMillion = "10m"
  /// As in the preset `deconstructing`, with its whole batch.
  case deconstructing = "150m"

  /// Either case is taken.
  init?(argument: String) {
    guard
      let known = Self.allCases.first(where: { $0.rawValue.lowercased() == argument.lowercased() })
    else { return nil }
    self = known
  }

  /// Sequences of one step.
  var sequences: Int {
    switch self {
    case .s: 8
    case .p, .tenMillion: 16
    case .m: 4
    case .deconstructing: 256
    }
  }

  private var sizes: (vocabulary: Int, width: Int, layers: Int, heads: Int, context: Int) {
    switch self {
    case .s: (4096, 256, 4, 4, 256)
    case .p: (8192, 384, 6, 6, 256)
    case .m: (50_304, 768, 12, 12, 512)
    case .tenMillion: (4096, 320, 6, 5, 256)
    case .deconstructing: (32_128, 1024, 12, 16, 512)
    }
  }

  /// Variant `standard`: query/key norms, z-loss 1e-4, untied.
  func model() throws -> any LanguageModel {
    let sizes = sizes
    return try ModelConfiguration(
      vocabularySize: sizes.vocabulary, width: sizes.width, layers: sizes.layers,
      heads: sizes.heads, contextLength: sizes.context
    ).makeModel()
  }

  /// What the peers are told, as JSON.
  func peerShape(microBatches: Int = 1) -> String {
    let sizes = sizes
    return """
      {"vocabulary_size": \(sizes.vocabulary), "width": \(sizes.width), "layers": \(sizes.layers), \
      "heads": \(sizes.heads), "context_length": \(sizes.context), "sequences": \(sequences), \
      "architecture": "decoder", "qk_norm": true, "z_loss": 1e-4, "tied": false, \
      "micro_batches": \(microBatches)}
      """
  }

  static var help: String {
    allCases.map { shape in
      let sizes = shape.sizes
      return "  \(shape.rawValue.padding(toLength: 4, withPad: " ", startingAt: 0))  "
        + "\(sizes.vocabulary), \(sizes.width), \(sizes.layers), "
        + "\(sizes.heads), \(sizes.context), \(shape.sequences)"
    }.joined(separator: "\n")
  }
}

/// `assay bench shapes`: what the peers are told of each, for scripts.
struct BenchShapes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shapes", abstract: "The models that speed is measured on, as one JSON object.",
    shouldDisplay: false)

  func run() {
    let shapes = BenchShape.allCases.map { "\"\($0.rawValue)\": \($0.peerShape())" }
    Console.data("{" + shapes.joined(separator: ", ") + "}")
  }
}
