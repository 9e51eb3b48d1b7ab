// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

@testable import TensorGraph

extension OperationCases {
  /// Elementwise expressions that fuse, with every kind of operand, cast and reduction.
  static var regions: [OperationCase] {
    let shapes: [Shape] = [
      [1, 1], [3, 5], [7, 513], [1, 1025], [129, 3], [513, 1], [2, 3, 5],
    ]
    return shapes.map(everything) + shapes.map(derivatives)
      + [inputLimit, repeatedRows, specialValues, sharedOutputs]
  }

  /// Full, row, column and scalar operands, a cast on the way, results used twice, and all reductions of one region.
  private static func everything(_ shape: Shape) -> OperationCase {
    let column = Shape(shape.dimensions.dropLast() + [1])
    return OperationCase(
      name: "region of every kind of operand on \(shape)", fills: ["rate": .uniform(0.5...2)],
      // A rounding of the cast value may fall the other way.
      tolerance: OperationCase.bfloat16Tolerance
    ) {
      let graph = Graph()
      let a = graph.parameter("a", shape)
      let b = graph.input("b", shape, .float32)
      let mixed =
        a * graph.parameter("row", [shape.columns]) + graph.parameter("column", column)
        * graph.scalar("rate")
      let narrow = mixed.cast(to: .bfloat16)
      let y = tanh(narrow) * b - 0.25
      let chosen = select(less(b, y), y, maximum(a, b))
      return try Program(
        graph: graph,
        outputs: [
          ("mixed", mixed), ("narrow", narrow), ("chosen", chosen), ("total", square(y).sum()),
          ("largest", chosen.maximum()), ("rows", y.sum(.rows)), ("columns", chosen.sum(.columns)),
          ("largest of rows", y.maximum(.columns)), ("largest of columns", y.maximum(.rows)),
          ("centered", y - y.mean(.columns)), ("scaled", y / (1 + square(y).sum())),
        ], assignments: [(a, a - 0.1 * chosen)])
    }
  }

  /// Functions that only gradients use, and those whose gradient is not defined.
  private static func derivatives(_ shape: Shape) -> OperationCase {
    OperationCase(name: "derivative functions on \(shape)", fills: ["a": .normal(2)]) {
      let graph = Graph()
      let a = graph.parameter("a", shape)
      return try Program(
        graph: graph,
        outputs: [
          ("gelu", a.unary(.geluDerivative)), ("silu", a.unary(.siluDerivative)),
          ("rounded", a.unary(.roundToBFloat16)), ("floor", a.unary(.floor)),
          ("e4m3", (a * 100).unary(.roundToE4M3)), ("e5m2", (a * 1e-4).unary(.roundToE5M2)),
          ("finite", isFinite(a)), ("sign", sign(a)),
        ])
    }
  }

  /// More operands than one region takes.
  private static var inputLimit: OperationCase {
    OperationCase(name: "sum of 61 tensors") {
      let graph = Graph()
      var sum = graph.parameter("p 0", [5, 7])
      for index in 1...60 { sum = sum + tanh(graph.parameter("p \(index)", [5, 7])) }
      return try Program(graph: graph, outputs: [("sum", sum)])
    }
  }

  /// Operands that repeat along an axis other than the first or last: position tables, one number a sequence.
  private static var repeatedRows: OperationCase {
    OperationCase(name: "operands that repeat along outer and middle axes") {
      let graph = Graph()
      let a = graph.parameter("a", [4, 3, 5])
      let table = graph.parameter("table", [3, 5])
      let perSequence = graph.parameter("per sequence", [4, 1, 5])
      let perPosition = graph.parameter("per position", [3, 1])
      let perBoth = graph.parameter("per both", [4, 1, 1])
      return try Program(
        graph: graph,
        outputs: [
          ("table", a + table), ("sequence", a * perSequence), ("position", a - perPosition),
          ("both", square(a * perBoth) + table), ("outer", table * perSequence),
          ("sums", (a * table).sum(.columns)),
        ])
    }
  }

  /// NaN and infinities where the equations say what becomes of them.
  private static var specialValues: OperationCase {
    let numbers: [Double] = [.nan, .infinity, -.infinity, 0, -1, 2]
    return OperationCase(
      name: "NaN and infinities",
      fills: [
        "a": .values(numbers.flatMap { [Double](repeating: $0, count: 6) }),
        "b": .values(numbers),
        // Rows of which every other has a NaN.
        "c": .values([1, .nan, -2, .infinity, -.infinity, 2]),
      ]
    ) {
      let graph = Graph()
      let c = graph.parameter("c", [12, 3])
      let (a, b) = (graph.parameter("a", [36]), graph.parameter("b", [36]))
      return try Program(
        graph: graph,
        outputs: [
          ("maximum", maximum(a, b)), ("minimum", minimum(a, b)), ("less", less(a, b)),
          ("row maximum", c.maximum(.columns)),
          ("less or equal", lessOrEqual(a, b)), ("equal", equal(a, b)), ("finite", isFinite(a)),
          ("sign", sign(a)), ("sum", a + b), ("product", a * b),
          ("selected", select(isFinite(a), a, b)),
          ("exp", exp(a)), ("narrow", a.cast(to: .bfloat16)), ("total", a.sum()),
          ("finite share", isFinite(a).mean()),
        ])
    }
  }

  /// Outputs that are leaves, constants, reshapes, or each other.
  private static var sharedOutputs: OperationCase {
    OperationCase(name: "outputs that need no work") {
      let graph = Graph()
      let a = graph.parameter("a", [3, 5])
      let y = exp(a)
      return try Program(
        graph: graph,
        outputs: [
          ("leaf", a), ("input", graph.input("b", [7], .float32)), ("scalar", graph.scalar("c")),
          ("number", graph.constant(2.5)), ("reshaped leaf", a.reshaped([15])), ("y", y),
          ("y again", y), ("reshaped y", y.reshaped([5, 3])),
          ("stretched", graph.constant(3).broadcast(to: [2, 3])),
        ], assignments: [(a, y)])
    }
  }
}
