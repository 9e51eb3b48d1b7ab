// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

@testable import TensorGraph

extension OperationCases {
  /// Bases, orders and columns in order, on matrices whose bases are well conditioned: others are tested by what they must be,
  /// for two right answers may differ.
  static var bases: [OperationCase] {
    let tall: [(Int, Int)] = [
      (1, 1), (2, 1), (3, 3), (31, 31), (32, 32), (33, 32), (40, 17), (65, 65), (97, 64), (70, 33),
    ]
    return tall.map(orthogonalBasis) + [1, 2, 5, 31, 32, 33, 34, 64, 65, 67].map(eigenbasis)
      + [1, 5, 16, 300].map(order) + [columns, refresh, refresh.inBFloat16()]
  }

  /// 1 on the diagonal of a matrix with that many columns.
  static func identity(_ columns: Int) -> Fill {
    .values([1] + [Double](repeating: 0, count: columns))
  }

  /// The numbers 1, 2, 3 and so on, on the diagonal of a square matrix.
  static func counting(_ size: Int) -> Fill {
    .values((0..<size * size).map { $0 % (size + 1) == 0 ? Double($0 / (size + 1) + 1) : 0 })
  }

  private static func orthogonalBasis(_ rows: Int, _ columns: Int) -> OperationCase {
    OperationCase(
      name: "orthogonal basis of [\(rows), \(columns)]",
      fills: ["identity": identity(columns), "a": .normal(0.3 / Double(rows).squareRoot())]
    ) {
      let graph = Graph()
      let a = graph.parameter("a", [rows, columns])
      let q = (a + graph.input("identity", [rows, columns], .float32)).orthogonalBasis()
      return try Program(graph: graph, outputs: [("q", q)], assignments: [(a, q)])
    }
  }

  /// Eigenvalues about 1 apart: rounding of about n 2^-24 of the size n turns vectors by as much again.
  private static func eigenbasis(_ size: Int) -> OperationCase {
    OperationCase(
      name: "symmetric eigenbasis of [\(size), \(size)]",
      fills: ["diagonal": counting(size), "a": .normal(0.2 / Double(size).squareRoot())],
      tolerance: 1e-4
    ) {
      let graph = Graph()
      let a = graph.parameter("a", [size, size])
      let v = (a + graph.input("diagonal", [size, size], .float32)).symmetricEigenbasis()
      return try Program(graph: graph, outputs: [("v", v)], assignments: [(a, v)])
    }
  }

  /// Few different numbers, so that equals must keep their order.
  private static func order(_ count: Int) -> OperationCase {
    OperationCase(
      name: "descending order of [\(count)]",
      fills: ["x": .values([3, -1, 0, -0.0, 2.5, -1, 1e-30, 7, 3, -1e30])]
    ) {
      let graph = Graph()
      let x = graph.parameter("x", [count])
      return try Program(graph: graph, outputs: [("order", x.descendingOrder())])
    }
  }

  private static var columns: OperationCase {
    OperationCase(name: "gathered columns", fills: ["positions": .integers(0..<7)]) {
      let graph = Graph()
      let x = graph.parameter("x", [35, 7])
      return try Program(
        graph: graph, outputs: [("y", x.columns(of: graph.input("positions", [19])))])
    }
  }

  /// A step of orthogonal iteration on kept tensors, with columns in the order of their Rayleigh quotients.
  private static var refresh: OperationCase {
    OperationCase(
      name: "orthogonal iteration",
      fills: [
        "a": .normal(0.03), "diagonal": counting(33), "basis": identity(33),
        "second": .uniform(0.5...2),
      ], tolerance: 1e-4, steps: 3
    ) {
      let graph = Graph()
      let a = graph.state("a", [33, 33])
      let basis = graph.state("basis", [33, 33])
      let second = graph.state("second", [33, 5])
      let turned = (a + graph.state("diagonal", [33, 33])).matrixProduct(basis)
      let order = (basis * turned).sum(.rows).descendingOrder()
      return try Program(
        graph: graph, outputs: [("turned", turned)],
        assignments: [
          (basis, turned.columns(of: order).orthogonalBasis()), (second, second.rows(of: order)),
        ])
    }
  }
}
