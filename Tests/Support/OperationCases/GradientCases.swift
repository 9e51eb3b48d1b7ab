// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

@testable import TensorGraph

/// Every operation and compositions of them, small enough for finite differences.
enum GradientCases {
  static let all: [GradientCase] =
    unary(shape: [3, 5]) + binary(rows: 3, columns: 5) + ternary(rows: 3, columns: 5)
    + rankThree + reductions([3, 5]) + reductions([1, 7]) + reductions([7, 1])
    + reductions([1, 1]) + reductions([2, 3, 5]) + reductions([11]) + shapes
    + products + matrices + embeddings + rotaries + rotations + tokenShifts + norms + attentions
    + crossEntropies
    + compositions + drawnLabels
}

// MARK: - Elementwise

extension GradientCases {
  private static let positive: Set<Elementwise.Function> = [
    .squareRoot, .reciprocal, .reciprocalSquareRoot, .log,
  ]

  /// Functions that only gradients use, and roundings that gradients pass as if there were none.
  static let withoutDifferences: Set<Elementwise.Function> = [
    .geluDerivative, .siluDerivative, .roundToE4M3, .roundToE5M2,
  ]

  /// Every function of one operand whose gradient is its derivative.
  static func unary(shape: Shape) -> [GradientCase] {
    Elementwise.Function.allCases.filter {
      $0.arity == 1 && !withoutDifferences.contains($0)
    }.map { function in
      GradientCase(
        name: "\(function.rawValue) of \(shape)",
        fills: ["a": positive.contains(function) ? .uniform(0.5...2) : .normal(1.5)]
      ) { graph in
        .init(results: [graph.parameter("a", shape).unary(function)])
      }
    }
  }

  /// Every function of two operands on equal shapes and on every broadcast.
  static func binary(rows: Int, columns: Int) -> [GradientCase] {
    let full: Shape = [rows, columns]
    let pairs: [(Shape, Shape)] = [
      (full, full), (full, [columns]), (full, [1, columns]), (full, [rows, 1]), (full, []),
      (full, [1]), ([columns], full), ([rows, 1], full), ([], full), ([1, columns], [rows, 1]),
      ([rows, 1], [columns]), ([], []),
    ]
    let functions = Elementwise.Function.allCases.filter { $0.arity == 2 }
    return functions.flatMap { function in
      pairs.map { pair in
        let isPower = function == .power
        let byB: Fill = isPower ? .normal(1) : .uniform(0.5...2)
        return GradientCase(
          name: "\(function.rawValue) of \(pair.0) and \(pair.1)",
          fills: [
            "a": isPower ? .uniform(0.5...2) : .normal(1),
            "b": function == .divide || isPower ? byB : .normal(1),
          ]
        ) { graph in
          .init(results: [
            graph.parameter("a", pair.0).binary(function, graph.parameter("b", pair.1))
          ])
        }
      }
    }
  }

  /// `select` with operands stretched in every place, and powers with constant exponents.
  static func ternary(rows: Int, columns: Int) -> [GradientCase] {
    let full: Shape = [rows, columns]
    let triples: [(Shape, Shape, Shape)] = [
      (full, full, full), (full, [columns], [rows, 1]), ([rows, 1], full, []),
      ([columns], [rows, 1], full), ([], full, [1, columns]), ([], [], []),
    ]
    let selections = triples.map { (condition, b, c) in
      GradientCase(
        name: "select of \(condition), \(b) and \(c)", fills: ["condition": .integers(0..<2)]
      ) { graph in
        .init(results: [
          select(
            graph.input("condition", condition, .float32), graph.parameter("b", b),
            graph.parameter("c", c))
        ])
      }
    }
    let powers = [Float(3), 2, 1, -1].map { exponent in
      GradientCase(name: "power \(exponent) of \(full)") { graph in
        .init(results: [power(graph.parameter("a", full), graph.constant(exponent))])
      }
    }
    return selections + powers
  }

  /// Broadcasts of tensors with three axes.
  private static var rankThree: [GradientCase] {
    let shapes: [Shape] = [[5], [1, 5], [1, 1, 5], [2, 3, 1], [], [1, 1, 1], [2, 3, 5]]
    let broadcasts = shapes.map { shape in
      GradientCase(name: "multiply of [2, 3, 5] and \(shape)") { graph in
        .init(results: [graph.parameter("a", [2, 3, 5]) * graph.parameter("b", shape)])
      }
    }
    // Equal counts under another rank, and axes added in front.
    let pairs: [(Shape, Shape)] = [
      ([3, 5], [1, 3, 5]), ([3, 1], [1, 3, 5]), ([3, 1], [1, 1, 5]), ([1, 3, 1], [3, 5]),
    ]
    return broadcasts
      + pairs.map { a, b in
        GradientCase(name: "add of \(a) and \(b)") { graph in
          .init(results: [square(graph.parameter("a", a) + graph.parameter("b", b))])
        }
      }
  }
}

// MARK: - Reductions and shapes

extension GradientCases {
  /// Sums and maxima over all axes, with their mean.
  static func reductions(_ shape: Shape) -> [GradientCase] {
    [Reduce.Axes.all, .columns, .rows].flatMap { axes in
      [
        GradientCase(name: "sum over \(axes.rawValue) of \(shape)") { graph in
          .init(results: [square(graph.parameter("a", shape)).sum(axes)])
        },
        GradientCase(name: "mean over \(axes.rawValue) of \(shape)") { graph in
          .init(results: [exp(graph.parameter("a", shape)).mean(axes)])
        },
        GradientCase(name: "maximum over \(axes.rawValue) of \(shape)") { graph in
          .init(results: [graph.parameter("a", shape).maximum(axes)])
        },
      ]
    }
  }

  private static var shapes: [GradientCase] {
    [
      GradientCase(name: "reshape of [3, 10]") { graph in
        let a = graph.parameter("a", [3, 10])
        return .init(results: [
          a.reshaped([2, 3, 5]) * graph.parameter("b", [5]), a.reshaped([30]), a.reshaped([10, 3]),
        ])
      },
      GradientCase(name: "broadcast of a row, a column and a scalar") { graph in
        .init(results: [
          square(graph.parameter("row", [5])).broadcast(to: [3, 5]),
          square(graph.parameter("column", [3, 1])).broadcast(to: [3, 5]),
          square(graph.parameter("number", [])).broadcast(to: [2, 3, 5]),
        ])
      },
      GradientCase(name: "cast to bfloat16 and back") { graph in
        let a = graph.parameter("a", [3, 7])
        return .init(results: [square(square(a).cast(to: .bfloat16)).cast(to: .float32)])
      },
    ]
  }
}

// MARK: - Products and tables

extension GradientCases {
  /// y = op(a) op(b) with m, n and k of op(a) and op(b).
  static func product(_ m: Int, _ n: Int, _ k: Int, _ left: Bool, _ right: Bool) -> GradientCase {
    GradientCase(name: "product \(m) \(n) \(k)\(left ? " left'" : "")\(right ? " right'" : "")") {
      graph in
      let a = graph.parameter("a", left ? [k, m] : [m, k])
      let b = graph.parameter("b", right ? [n, k] : [k, n])
      return .init(results: [a.matrixProduct(b, transposeLeft: left, transposeRight: right)])
    }
  }

  private static var products: [GradientCase] {
    let sizes = [(1, 1, 1), (1, 7, 3), (7, 1, 2), (3, 5, 1), (5, 3, 7), (11, 2, 13)]
    return sizes.flatMap { m, n, k in
      [(false, false), (false, true), (true, false), (true, true)].map {
        product(m, n, k, $0, $1)
      }
    }
  }

  /// Rows of a table, and the sums that undo them.
  static func embedding(rows: Int, vocabularySize: Int, width: Int) -> [GradientCase] {
    let name = "of \(rows) tokens from [\(vocabularySize), \(width)]"
    let fills = ["tokens": Fill.integers(0..<vocabularySize)]
    return [
      GradientCase(name: "embedding \(name)", fills: fills) { graph in
        let table = graph.parameter("table", [vocabularySize, width])
        return .init(results: [square(table).rows(of: graph.input("tokens", [rows]))])
      },
      GradientCase(name: "embedding gradient \(name)", fills: fills) { graph in
        let dy = graph.parameter("dy", [rows, width])
        let tokens = graph.input("tokens", [rows])
        return .init(results: [
          graph.apply(EmbeddingGradient(vocabularySize: vocabularySize), dy, tokens)
        ])
      },
    ]
  }

  private static var embeddings: [GradientCase] {
    embedding(rows: 1, vocabularySize: 1, width: 1)
      + embedding(rows: 11, vocabularySize: 7, width: 5)
      + embedding(rows: 3, vocabularySize: 13, width: 1)
      + [
        GradientCase(
          name: "embedding of reshaped tokens", fills: ["tokens": .integers(0..<5)]
        ) { graph in
          let tokens = graph.input("tokens", [2, 3]).reshaped([6])
          return .init(results: [graph.parameter("table", [5, 3]).rows(of: tokens)])
        }
      ]
  }
}
