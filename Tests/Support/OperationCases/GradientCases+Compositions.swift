// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

@testable import TensorGraph

extension GradientCases {
  /// Values used twice, chains across every kind of operation, and whole layers.
  static var compositions: [GradientCase] {
    [
      GradientCase(name: "a value used on four paths") { graph in
        let a = graph.parameter("a", [3, 5])
        let b = tanh(a)
        return .init(results: [b * a + sigmoid(b) * b, b.sum(.rows), (a * b).maximum(.columns)])
      },
      GradientCase(name: "softmax written out") { graph in
        let a = graph.parameter("a", [3, 7])
        let shifted = exp(a - a.maximum(.columns))
        return .init(results: [shifted / shifted.sum(.columns)])
      },
      GradientCase(name: "clipping by the global norm") { graph in
        let (a, b) = (graph.parameter("a", [3, 5]), graph.parameter("b", [7]))
        let norm = squareRoot(square(a).sum() + square(b).sum())
        let factor = minimum(graph.constant(1), 1 / norm)
        return .init(results: [a * factor, b * factor])
      },
      GradientCase(name: "outer product of row and column statistics") { graph in
        let squares = square(graph.parameter("a", [3, 5]))
        let (row, column) = (squares.mean(.rows), squares.mean(.columns))
        return .init(results: [reciprocalSquareRoot(row * column / squares.mean())])
      },
      GradientCase(name: "a Newton-Schulz iteration") { graph in
        let a = graph.parameter("a", [3, 5])
        let x = a * reciprocalSquareRoot(square(a).sum())
        let gram = x.matrixProduct(x, transposeRight: true)
        let polynomial = -4.775 * gram + 2.0315 * gram.matrixProduct(gram)
        return .init(results: [3.4445 * x + polynomial.matrixProduct(x)])
      },
      GradientCase(name: "feed-forward layer with residual") { graph in
        let x = graph.parameter("x", [5, 3])
        let hidden = gelu(
          x.normalized(.layer, gain: graph.parameter("gain", [3]), epsilon: 1e-5)
            .linear(graph.parameter("in", [7, 3])))
        return .init(results: [x + hidden.linear(graph.parameter("out", [3, 7]))])
      },
      GradientCase(name: "gated feed-forward layer") { graph in
        let x = graph.parameter("x", [5, 3]).normalized(
          .rms, gain: graph.parameter("gain", [3]), epsilon: 1e-5)
        let gate = silu(x.linear(graph.parameter("gate", [7, 3])))
        let hidden = gate * x.linear(graph.parameter("in", [7, 3]))
        return .init(results: [hidden.linear(graph.parameter("out", [3, 7]))])
      },
      decoder(DecoderSizes()), decoder(DecoderSizes(tied: true, window: 2, longestDocument: 3)),
      decoder(DecoderSizes(sequences: 1, keyValueHeads: 1, norm: .rms)),
    ]
  }
}

/// Sizes of a decoder with one layer.
struct DecoderSizes: Sendable {
  var sequences = 2
  var contextLength = 5
  var heads = 2
  var keyValueHeads = 2
  // Layer norm over two channels would leave only their signs, and gradients that are all rounding.
  var headWidth = 4
  var vocabularySize = 7
  var feedForwardWidth = 5
  var norm = RowNorm.Kind.layer
  var tied = false
  var window: Int?
  var longestDocument: Int?

  var width: Int { heads * headWidth }
  var rows: Int { sequences * contextLength }

  var attention: AttentionSizes {
    AttentionSizes(
      sequences: sequences, contextLength: contextLength, heads: heads,
      keyValueHeads: keyValueHeads, headWidth: headWidth, window: window,
      longestDocument: longestDocument)
  }

  var fills: [String: Fill] {
    [
      "tokens": .integers(0..<vocabularySize), "targets": .integers(-1..<vocabularySize),
      "documents": attention.documents, "scale": .values([1 / Double(rows)]),
    ]
  }

  /// The loss of a decoder on tokens: norms, per-head norms of queries and keys, rotary embedding, attention, a
  /// feed-forward layer, and the head.
  func loss(_ graph: Graph) -> (loss: Tensor, crossEntropySum: Tensor) {
    func normalized(_ x: Tensor, _ label: String) -> Tensor {
      x.normalized(norm, gain: graph.parameter(label, [x.shape.columns]), epsilon: 1e-5)
    }
    func perHead(_ x: Tensor, _ label: String) -> Tensor {
      let shape = x.shape
      let heads = x.reshaped([shape.count / headWidth, headWidth])
      return normalized(heads, label).reshaped(shape)
        .rotary(headWidth: headWidth, contextLength: contextLength, base: 10_000)
    }
    let table = graph.parameter("table", [vocabularySize, width])
    var x = table.rows(of: graph.input("tokens", [rows]))
    let a = normalized(x, "attention gain")
    let narrow = keyValueHeads * headWidth
    let q = perHead(a.linear(graph.parameter("query", [width, width])), "query gain")
    let k = perHead(a.linear(graph.parameter("key", [narrow, width])), "key gain")
    let v = a.linear(graph.parameter("value", [narrow, width]))
    let mixed = q.attention(
      keys: k, values: v, headWidth: headWidth, contextLength: contextLength, window: window,
      documents: longestDocument.map { _ in graph.input("documents", [rows]) })
    x = x + mixed.linear(graph.parameter("output", [width, width]))
    let hidden = gelu(
      normalized(x, "mlp gain").linear(graph.parameter("in", [feedForwardWidth, width])))
    x = x + hidden.linear(graph.parameter("out", [width, feedForwardWidth]))
    return normalized(x, "final gain").linearCrossEntropy(
      weight: tied ? table : graph.parameter("head", [vocabularySize, width]),
      targets: graph.input("targets", [rows]), scale: graph.scalar("scale"), zLoss: 1e-2)
  }
}

extension GradientCases {
  /// A whole decoder.
  static func decoder(_ sizes: DecoderSizes) -> GradientCase {
    GradientCase(
      name: "decoder, \(sizes.norm.rawValue) norm, \(sizes.attention.name), vocabulary "
        + "\(sizes.vocabularySize)\(sizes.tied ? ", tied" : "")",
      fills: sizes.fills, tolerance: 1e-4
    ) { graph in
      let (loss, sum) = sizes.loss(graph)
      return .init(results: [loss], observed: [sum])
    }
  }
}
