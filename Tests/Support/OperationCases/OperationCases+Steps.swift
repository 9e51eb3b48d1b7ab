// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

@testable import TensorGraph

extension OperationCases {
  /// Whole training steps of small decoders with clipping and AdamW, in both precisions.
  static var steps: [OperationCase] {
    let sizes = [
      DecoderSizes(),
      DecoderSizes(
        sequences: 3, contextLength: 11, heads: 4, keyValueHeads: 2, headWidth: 6,
        vocabularySize: 37, feedForwardWidth: 61, norm: .rms, tied: true, window: 5,
        longestDocument: 7),
      DecoderSizes(
        sequences: 2, contextLength: 17, heads: 2, keyValueHeads: 2, headWidth: 16,
        vocabularySize: 131, feedForwardWidth: 67),
    ]
    let float32 = sizes.map(trainingStep)
    return float32
      + float32.map {
        var shared = $0
        shared = OperationCase(
          name: "\($0.name), shared cross entropy", fills: $0.fills, tolerance: $0.tolerance,
          steps: $0.steps,
          build: { [build = $0.build] in try build().sharingCrossEntropy() })
        return shared
      } + float32.map { $0.inBFloat16(tolerance: 0.05) }
  }

  private static func trainingStep(_ sizes: DecoderSizes) -> OperationCase {
    // One step to compare, from states that damp the division: later steps would compare accumulated rounding.
    var fills = sizes.fills
    fills["rate"] = .uniform(0.001...0.01)
    let labels = (try? traced(sizes))?.graph.nodes.compactMap { $0.operation as? Leaf } ?? []
    for leaf in labels where leaf.kind == .state {
      fills[leaf.label] = leaf.label.hasPrefix("second") ? .uniform(0.5...1) : .normal(0.1)
    }
    return OperationCase(
      name: "training step, \(GradientCases.decoder(sizes).name)", fills: fills, tolerance: 1e-4,
      steps: 2, build: { try traced(sizes) })
  }

  private static func traced(_ sizes: DecoderSizes) throws -> Program {
    let graph = Graph()
    let (loss, sum) = sizes.loss(graph)
    let parameters = graph.nodes.indices.compactMap { index -> (String, Tensor)? in
      guard let leaf = graph.nodes[index].operation as? Leaf, leaf.kind == .parameter else {
        return nil
      }
      return (leaf.label, graph.tensor(Graph.Value(node: index)))
    }
    let gradients = try gradients(of: loss, withRespectTo: parameters.map(\.1))
    let norm = squareRoot(gradients.map { square($0).sum() }.reduce(graph.constant(0), +))
    let factor = minimum(graph.constant(1), 1 / norm)
    let rate = graph.scalar("rate")
    var assignments: [(Tensor, Tensor)] = []
    for ((label, parameter), gradient) in zip(parameters, gradients) {
      let first = graph.state("first \(label)", parameter.shape)
      let second = graph.state("second \(label)", parameter.shape)
      let clipped = gradient * factor
      let m = 0.9 * first + 0.1 * clipped
      let v = 0.95 * second + 0.05 * square(clipped)
      assignments += [
        (first, m), (second, v), (parameter, parameter - rate * m / (squareRoot(v) + 1e-8)),
      ]
    }
    return try Program(
      graph: graph,
      outputs: [("loss", loss), ("cross entropy", sum), ("gradient norm", norm)]
        + zip(parameters, gradients).map { ("gradient \($0.0.0)", $0.1) },
      assignments: assignments)
  }
}

// MARK: - Random programs

extension OperationCases {
  /// Elementwise graphs drawn at random: many small regions, reductions between them, and kept tensors replaced.
  static var random: [OperationCase] {
    (0..<24).map { seed in
      OperationCase(name: "random elementwise program \(seed)", steps: 2) {
        try randomProgram(seed)
      }
    }
  }

  private static func randomProgram(_ seed: Int) throws -> Program {
    var source = NamedNumbers("random program \(seed)")
    let rows = Int.random(in: 1...9, using: &source)
    let columns = [1, 3, 17, 64, 513].randomElement(using: &source) ?? 5
    let full: Shape = [rows, columns]
    let graph = Graph()
    let kept = [graph.parameter("a", full), graph.state("b", full), graph.state("c", [columns])]
    var values =
      kept + [graph.input("column", [rows, 1], .float32), graph.scalar("scalar")]
    for _ in 0..<30 {
      guard let a = values.randomElement(using: &source),
        let b = values.suffix(8).randomElement(using: &source)
      else { continue }
      let new: Tensor =
        switch Int.random(in: 0..<13, using: &source) {
        case 0: a + b
        case 1: a - 0.5 * b
        case 2: tanh(a) * b
        case 3: maximum(a, b)
        case 4: b / (1 + square(a))
        case 5: sigmoid(b)
        case 6: select(less(a, b), a, -b)
        case 7: gelu(b)
        case 8: tanh(b.mean())
        case 9 where !b.shape.isScalar: b.mean(.columns)
        case 10 where !b.shape.isScalar: b.mean(.rows)
        case 11 where !b.shape.isScalar: b.maximum(.columns)
        case 12: b.reshaped([b.shape.count]).reshaped(b.shape)
        default: minimum(absolute(a), exp(tanh(b)))
        }
      values.append(new)
    }
    let ends = values.suffix(6)
    let replacements = kept.map { target -> (Tensor, Tensor) in
      let value = values.last { $0.shape == target.shape } ?? target
      return (target, 0.5 * target + 0.1 * value)
    }
    return try Program(
      graph: graph, outputs: ends.enumerated().map { ("value \($0)", $1) },
      assignments: replacements)
  }
}
