// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

@testable import TensorGraph

/// Products as optimizers write them, and what moves matrices without computing.
extension GradientCases {
  static var matrices: [GradientCase] {
    exactProducts([3, 5]) + exactProducts([5, 2]) + exactProducts([2, 3, 4])
      + [batches(3, 2, 5, 4), batches(1, 3, 1, 2), newtonSchulz([3, 5]), newtonSchulz([2, 4, 3])]
      + moves([3, 5]) + moves([2, 3, 4]) + [splitProjection(width: 3)]
  }

  /// Sizes around tiles, strips, pieces and units.
  static var largerMatrices: [GradientCase] {
    let shapes: [Shape] = [
      [17, 33], [65, 31], [1, 129], [130, 5], [5, 130], [12, 33, 17], [3, 70, 9],
    ]
    return shapes.flatMap(exactProducts) + shapes.map(newtonSchulz) + shapes.flatMap(moves)
      + [batches(7, 33, 17, 29), batches(2, 65, 30, 3), batches(5, 1, 7, 64)]
      + [splitProjection(width: 37)]
  }

  /// X X' and X' X, scaled and added to, in both precisions and with every type of result.
  private static func exactProducts(_ shape: Shape) -> [GradientCase] {
    let cases: [(String, ElementType, Double)] = [
      ("float32", .float32, OperationCase.float32Tolerance),
      ("bfloat16", .bfloat16, OperationCase.bfloat16Tolerance),
    ]
    return cases.map { name, type, tolerance in
      GradientCase(
        name: "exact products of \(name)\(shape)", negligible: 0.1, tolerance: tolerance
      ) { graph in
        let x = graph.parameter("x", shape).cast(to: type)
        let gram = x.exactProduct(x, transposeRight: true, isSymmetric: true)
        let other = x.exactProduct(
          x, transposeLeft: true, resultType: .float32, isSymmetric: true, factor: 0.5)
        return .init(results: [
          gram, other,
          gram.exactProduct(gram, isSymmetric: true, factor: 0.25, addend: gram, addendFactor: -2),
          gram.exactProduct(x, addend: x),
          gram.exactProduct(
            x, resultType: .float32, factor: -0.5, addend: graph.parameter("x", shape)),
          x.exactProduct(other.cast(to: type), factor: 3),
          x.exactProduct(gram, transposeLeft: true),
        ])
      }
    }
  }

  /// Batches with every transpose, and one as a model has it.
  private static func batches(_ count: Int, _ m: Int, _ n: Int, _ k: Int) -> GradientCase {
    GradientCase(name: "products of \(count) matrices \(m) \(n) \(k)") { graph in
      let (a, aTransposed) = (
        graph.parameter("a", [count, m, k]), graph.parameter("a'", [count, k, m])
      )
      let (b, bTransposed) = (
        graph.parameter("b", [count, k, n]), graph.parameter("b'", [count, n, k])
      )
      return .init(results: [
        a.matrixProduct(b), a.matrixProduct(bTransposed, transposeRight: true),
        aTransposed.matrixProduct(b, transposeLeft: true),
        tanh(aTransposed).matrixProduct(bTransposed, transposeLeft: true, transposeRight: true),
      ])
    }
  }

  /// Two iterations towards the nearest orthogonal matrix, of every matrix of a batch.
  private static func newtonSchulz(_ shape: Shape) -> GradientCase {
    GradientCase(name: "newton schulz on \(shape)") { graph in
      let x = graph.parameter("x", shape)
      let entries = shape.rank == 2 ? 1 : shape[0]
      let flat = x.reshaped([entries, shape.count / entries])
      var y = (flat / squareRoot(square(flat).sum(.columns) + 1e-3)).reshaped(shape)
      let isTall = shape[shape.rank - 2] > shape.columns
      for (a, b, c): (Float, Float, Float) in [(3.5, -4.5, 2), (2, -1.5, 0.5)] {
        let gram = y.exactProduct(
          y, transposeLeft: isTall, transposeRight: !isTall, isSymmetric: true)
        let step = gram.exactProduct(
          gram, isSymmetric: true, factor: c, addend: gram, addendFactor: b)
        y =
          isTall
          ? y.exactProduct(step, addend: y, addendFactor: a)
          : step.exactProduct(y, addend: y, addendFactor: a)
      }
      return .init(results: [y])
    }
  }

  /// Transposes, slices and concatenations, in both types, with neighbours that chain and fuse.
  private static func moves(_ shape: Shape) -> [GradientCase] {
    [ElementType.float32, .bfloat16].map { type in
      GradientCase(
        name: "moves of \(type.rawValue)\(shape)", tolerance: OperationCase.bfloat16Tolerance
      ) { graph in
        let x = graph.parameter("x", shape).cast(to: type)
        let size = shape[0]
        let middle = x.slice(size / 2..<size)
        return .init(results: [
          tanh(x).cast(to: type).transposed(), tanh(x.transposed()), x.slice(0..<1), middle,
          square(x.slice(0..<size)), concatenated([middle, x, x.slice(0..<(size + 1) / 2)]),
          tanh(concatenated([x, x])),
        ])
      }
    }
  }

  /// A fused projection, split into its matrices and put together again.
  private static func splitProjection(width: Int) -> GradientCase {
    GradientCase(name: "split projection of \(width)") { graph in
      let (x, fused) = (
        graph.parameter("x", [5, width]), graph.parameter("w", [3 * width, width])
      )
      let parts = (0..<3).map { fused.slice($0 * width..<($0 + 1) * width) }
      return .init(results: [
        concatenated(parts.reversed()), x.linear(parts[0]) * x.linear(parts[2]),
        concatenated([x.linear(parts[1]), x]),
      ])
    }
  }
}
