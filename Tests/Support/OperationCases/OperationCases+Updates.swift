// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

@testable import TensorGraph

// MARK: - Stages

extension OperationCases {
  /// Programs whose assignments read and write the same tensors.
  static var stages: [OperationCase] {
    let shapes: [Shape] = [[1], [3, 5], [1031], [7, 129]]
    return shapes.map(exchange) + shapes.map(inPlace) + shapes.map(narrowState)
      + [accumulator, commitScalar, productState, constantAssignments, untouched]
  }

  /// An average kept as bfloat16 beside one kept as float32, and both exchanged through casts.
  private static func narrowState(_ shape: Shape) -> OperationCase {
    OperationCase(name: "states of \(shape) kept as bfloat16", steps: 4) {
      let graph = Graph()
      let gradient = graph.input("gradient", shape, .float32)
      let average = graph.state("average", shape, .bfloat16)
      let (wide, narrow) = (graph.state("wide", shape), graph.state("narrow", shape, .bfloat16))
      let weight = graph.parameter("weight", shape)
      let new = 0.9 * average + 0.1 * gradient
      return try Program(
        graph: graph, outputs: [("average", average), ("step", (new * wide).sum())],
        assignments: [
          (average, new.cast(to: .bfloat16)), (weight, weight - 0.1 * new),
          (wide, narrow.cast(to: .float32)), (narrow, wide.cast(to: .bfloat16)),
        ])
    }
  }

  /// Two tensors exchange places while a third keeps a running sum of both.
  private static func exchange(_ shape: Shape) -> OperationCase {
    OperationCase(name: "exchange of two kept tensors of \(shape)", steps: 3) {
      let graph = Graph()
      let (a, b) = (graph.parameter("a", shape), graph.state("b", shape))
      let sum = graph.state("sum", shape)
      return try Program(
        graph: graph, outputs: [("difference", (a - b).sum()), ("a", a)],
        assignments: [(a, b), (b, a), (sum, sum + a + 2 * b)])
    }
  }

  /// Every assignment reads old values of tensors that others replace.
  private static func inPlace(_ shape: Shape) -> OperationCase {
    OperationCase(
      name: "assignments that read each other's old values of \(shape)", steps: 3
    ) {
      let graph = Graph()
      let (a, b) = (graph.parameter("a", shape), graph.state("b", shape))
      let c = graph.state("c", shape)
      let y = tanh(a + b)
      return try Program(
        graph: graph, outputs: [("y", y), ("norm", square(y).sum()), ("kept", c)],
        assignments: [
          (a, a - 0.1 * y), (b, 0.9 * b + 0.1 * square(a)), (c, maximum(c, a * b) - y.mean()),
        ])
    }
  }

  /// Micro-batches: gradients add up in a state; another program would use and clear it.
  private static var accumulator: OperationCase {
    OperationCase(name: "gradient accumulation", fills: ["x": .normal(0.5)], steps: 4) {
      let graph = Graph()
      let weight = graph.parameter("weight", [5, 3])
      let loss = square(graph.input("x", [7, 3], .float32).linear(weight)).mean()
      let gradient = try gradients(of: loss, withRespectTo: [weight])[0]
      let sum = graph.state("sum", [5, 3])
      return try Program(
        graph: graph, outputs: [("loss", loss), ("gradient norm", square(gradient).sum())],
        assignments: [(sum, sum + gradient)])
    }
  }

  /// Outputs that are leaves, and nothing to compute.
  private static var untouched: OperationCase {
    OperationCase(name: "outputs that no operation touches") {
      let graph = Graph()
      return try Program(
        graph: graph,
        outputs: [("kept", graph.parameter("a", [3, 5])), ("given", graph.scalar("b"))])
    }
  }

  /// Scalars that only the commit stage reads, and a commit stage with its own products and reductions.
  private static var commitScalar: OperationCase {
    OperationCase(name: "work of the commit stage", fills: ["rate": .uniform(0...0.1)], steps: 2) {
      let graph = Graph()
      let a = graph.parameter("a", [7, 5])
      let gram = a.matrixProduct(a, transposeRight: true)
      let step = gram.matrixProduct(a) * reciprocalSquareRoot(1 + square(gram).sum())
      return try Program(
        graph: graph, outputs: [("sum", a.sum())],
        assignments: [(a, a - graph.scalar("rate") * step)])
    }
  }

  /// A state that is a product, and one that is a reshaped tensor.
  private static var productState: OperationCase {
    OperationCase(name: "states that are products and reshapes", steps: 2) {
      let graph = Graph()
      let a = graph.parameter("a", [3, 5])
      let (gram, flat) = (graph.state("gram", [3, 3]), graph.state("flat", [15]))
      return try Program(
        graph: graph, outputs: [("trace", (gram * gram).sum())],
        assignments: [
          (gram, a.matrixProduct(a, transposeRight: true)), (flat, a.reshaped([15])),
          (a, flat.reshaped([3, 5])),
        ])
    }
  }

  /// Clearing, counting, and two tensors that take one value.
  private static var constantAssignments: OperationCase {
    OperationCase(name: "clearing and counting", steps: 3) {
      let graph = Graph()
      let (cleared, count) = (graph.state("cleared", [3, 5]), graph.state("count", []))
      let (a, b) = (graph.parameter("a", [7]), graph.parameter("b", [7]))
      let value = exp(-square(a))
      return try Program(
        graph: graph, outputs: [("sum", cleared.sum()), ("count", count)],
        assignments: [
          (cleared, graph.constant(0).broadcast(to: [3, 5])), (count, count + 1), (a, value),
          (b, value),
        ])
    }
  }
}

// MARK: - Updates

extension OperationCases {
  /// Optimizers' equations on tensors of awkward sizes, for several steps.
  static var updates: [OperationCase] {
    let shapes: [Shape] = [[], [1], [3, 5], [1031], [65, 33]]
    let factored: [Shape] = [[1, 1], [3, 5], [65, 33]]
    return shapes.map(adamW) + shapes.map(lion) + shapes.map(nesterov) + shapes.map(averaging)
      + factored.map(adafactor) + factored.map(muon)
  }

  private static func update(
    _ name: String, _ shape: Shape, fills: [String: Fill] = [:],
    _ body:
      @escaping @Sendable (Graph, _ parameter: Tensor, _ gradient: Tensor) -> [(
        Tensor, Tensor
      )]
  ) -> OperationCase {
    var fills = fills
    fills["gradient"] = .normal(0.3)
    fills["rate"] = .uniform(0.001...0.01)
    return OperationCase(name: "\(name) on \(shape)", fills: fills, steps: 3) {
      let graph = Graph()
      let gradient = graph.input("gradient", shape, .float32)
      // Clipped by a norm that the compute stage leaves behind.
      let norm = squareRoot(square(gradient).sum())
      let clipped = gradient * minimum(graph.constant(1), 0.5 / norm)
      let parameter = graph.parameter("parameter", shape)
      return try Program(
        graph: graph, outputs: [("gradient norm", norm), ("finite", isFinite(norm))],
        assignments: body(graph, parameter, clipped))
    }
  }

  private static func adamW(_ shape: Shape) -> OperationCase {
    update(
      "AdamW", shape,
      fills: [
        "first": .normal(0.1), "second": .uniform(0...0.1), "correction 1": .uniform(0.1...1),
        "correction 2": .uniform(0.1...1), "decay": .uniform(0...0.1),
      ]
    ) { graph, parameter, gradient in
      let (first, second) = (graph.state("first", shape), graph.state("second", shape))
      let m = 0.9 * first + 0.1 * gradient
      let v = 0.95 * second + 0.05 * square(gradient)
      let rate = graph.scalar("rate")
      let step =
        (m / graph.scalar("correction 1"))
        / (squareRoot(v / graph.scalar("correction 2")) + 1e-8)
      let new = parameter * (1 - rate * graph.scalar("decay")) - rate * step
      return [(first, m), (second, v), (parameter, new)]
    }
  }

  private static func lion(_ shape: Shape) -> OperationCase {
    update("Lion", shape) { graph, parameter, gradient in
      let momentum = graph.state("momentum", shape)
      let direction = sign(0.9 * momentum + 0.1 * gradient)
      return [
        (momentum, 0.99 * momentum + 0.01 * gradient),
        (parameter, parameter - graph.scalar("rate") * direction),
      ]
    }
  }

  private static func nesterov(_ shape: Shape) -> OperationCase {
    update("SGD with Nesterov momentum", shape) { graph, parameter, gradient in
      let momentum = graph.state("momentum", shape)
      let new = 0.9 * momentum + gradient
      return [
        (momentum, new),
        (parameter, parameter - graph.scalar("rate") * (gradient + 0.9 * new)),
      ]
    }
  }

  /// Two sets of weights, as schedule-free methods keep them; the average's weight is a power of a counter.
  private static func averaging(_ shape: Shape) -> OperationCase {
    update("averaged weights", shape, fills: ["count": .values([3])]) {
      graph, parameter, gradient in
      let (average, count) = (graph.state("average", shape), graph.state("count", []))
      let share = 1 / power(count + 1, graph.constant(0.75))
      let new = parameter - graph.scalar("rate") * gradient
      return [
        (parameter, new), (average, (1 - share) * average + share * new), (count, count + 1),
      ]
    }
  }

  private static func adafactor(_ shape: Shape) -> OperationCase {
    let (rows, columns) = (shape[0], shape[1])
    return update(
      "factored second moments", shape,
      fills: ["row": .uniform(0.01...0.1), "column": .uniform(0.01...0.1)]
    ) { graph, parameter, gradient in
      let (row, column) = (graph.state("row", [columns]), graph.state("column", [rows, 1]))
      let squares = square(gradient) + 1e-6
      let newRow = 0.9 * row + 0.1 * squares.mean(.rows)
      let newColumn = 0.9 * column + 0.1 * squares.mean(.columns)
      let step = gradient * reciprocalSquareRoot(newRow * newColumn / newColumn.mean())
      let size = squareRoot(square(step).mean())
      return [
        (row, newRow), (column, newColumn),
        (
          parameter,
          parameter - graph.scalar("rate") * step / maximum(graph.constant(1), size)
        ),
      ]
    }
  }

  private static func muon(_ shape: Shape) -> OperationCase {
    update("orthogonalised momentum", shape) { graph, parameter, gradient in
      let momentum = graph.state("momentum", shape)
      let new = 0.95 * momentum + gradient
      var x = new * reciprocalSquareRoot(square(new).sum() + 1e-12)
      for _ in 0..<3 {
        let gram = x.matrixProduct(x, transposeRight: true)
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram.matrixProduct(gram)).matrixProduct(x)
      }
      return [(momentum, new), (parameter, parameter - graph.scalar("rate") * x)]
    }
  }
}
