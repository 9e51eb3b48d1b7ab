// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

@testable import TensorGraph

extension OperationCases {
  /// Drawn labels on sizes around groups, tiles and blocks.
  ///
  /// A label is a discrete thing: one uniform within rounding of an edge would differ by a whole label. None of these is.
  static var samples: [OperationCase] {
    [
      sample(rows: 1, width: 1, vocabulary: 1), sample(rows: 3, width: 2, vocabulary: 2),
      sample(rows: 7, width: 5, vocabulary: 63), sample(rows: 5, width: 3, vocabulary: 64),
      sample(rows: 129, width: 4, vocabulary: 65), sample(rows: 131, width: 7, vocabulary: 513),
      sample(rows: 9, width: 33, vocabulary: 1091),
      sample(rows: 67, width: 6, vocabulary: 131, temperature: 0.3, hasTargets: true),
      sample(rows: 33, width: 6, vocabulary: 37, temperature: 3),
      sample(rows: 33, width: 6, vocabulary: 37, temperature: 0),
      sample(rows: 67, width: 6, vocabulary: 131, hasTargets: true, isNarrow: true),
    ]
  }

  private static func sample(
    rows: Int, width: Int, vocabulary: Int, temperature: Double? = nil, hasTargets: Bool = false,
    isNarrow: Bool = false
  ) -> OperationCase {
    OperationCase(
      name: "sample of \(rows) rows of \(width), vocabulary \(vocabulary)"
        + (temperature.map { ", temperature \($0)" } ?? "") + (hasTargets ? ", some left out" : "")
        + (isNarrow ? ", from bfloat16" : ""),
      fills: [
        "uniforms": .uniform(0...0.9999), "temperature": .values([temperature ?? 1]),
        "targets": .integers(-2..<vocabulary),
      ], steps: 3
    ) {
      let graph = Graph()
      let labels = graph.parameter("x", [rows, width]).linearSample(
        weight: graph.parameter("weight", [vocabulary, width]),
        uniforms: graph.input("uniforms", [rows], .float32),
        temperature: temperature.map { _ in graph.scalar("temperature") },
        targets: hasTargets ? graph.input("targets", [rows]) : nil)
      let program = try Program(graph: graph, outputs: [("labels", labels)])
      return isNarrow ? try program.withBFloat16Products() : program
    }
  }
}

extension GradientCases {
  /// The loss under labels that the model draws itself: as if they were given.
  static var drawnLabels: [GradientCase] {
    [false, true].map { hasTargets in
      GradientCase(
        name: "cross entropy of drawn labels" + (hasTargets ? ", some left out" : ""),
        fills: ["uniforms": .uniform(0...0.9999), "targets": .integers(-1..<11)]
      ) { graph in
        let x = graph.parameter("x", [7, 3])
        let weight = graph.parameter("weight", [11, 3])
        let labels = x.linearSample(
          weight: weight, uniforms: graph.input("uniforms", [7], .float32),
          targets: hasTargets ? graph.input("targets", [7]) : nil)
        let (loss, sum) = x.linearCrossEntropy(
          weight: weight, targets: labels, scale: graph.parameter("scale", []), zLoss: 0)
        return .init(results: [loss], observed: [sum])
      }
    }
  }
}
