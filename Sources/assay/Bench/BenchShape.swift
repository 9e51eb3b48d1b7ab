// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import LanguageModels

/// The models that speed is measured on: the study's decoder in three sizes.
enum BenchShape: String, CaseIterable, ExpressibleByArgument {
  case s = "S"
  case p = "P"
  case m = "M"

  /// Either case is taken.
  init?(argument: String) { self.init(rawValue: argument.uppercased()) }

  /// Sequences of one step.
  var sequences: Int {
    switch self {
    case .s: 8
    case .p: 16
    case .m: 4
    }
  }

  private var sizes: (vocabulary: Int, width: Int, layers: Int, heads: Int, context: Int) {
    switch self {
    case .s: (4096, 256, 4, 4, 256)
    case .p: (8192, 384, 6, 6, 256)
    case .m: (50_304, 768, 12, 12, 512)
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
  var peerShape: String {
    let sizes = sizes
    return """
      {"vocabulary_size": \(sizes.vocabulary), "width": \(sizes.width), "layers": \(sizes.layers), \
      "heads": \(sizes.heads), "context_length": \(sizes.context), "sequences": \(sequences), \
      "architecture": "decoder", "qk_norm": true, "z_loss": 1e-4, "tied": false}
      """
  }

  static var help: String {
    allCases.map { shape in
      let sizes = shape.sizes
      return "  \(shape.rawValue)  \(sizes.vocabulary), \(sizes.width), \(sizes.layers), "
        + "\(sizes.heads), \(sizes.context), \(shape.sequences)"
    }.joined(separator: "\n")
  }
}
