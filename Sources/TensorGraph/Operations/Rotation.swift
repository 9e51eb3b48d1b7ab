// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Cosines and sines of every position: `frequencies [P] -> [T, P], [T, P]`, the angle of position t and pair j being t f_j.
///
/// For rotations whose frequencies change from run to run. Angles are reckoned in double precision, so that long contexts lose nothing.
public struct RotaryTables: Operation {
  /// T.
  public let contextLength: Int

  /// Cosines and sines.
  public var resultCount: Int { 2 }

  /// `rotary tables`.
  public var name: String { "rotary tables" }

  /// Twice `[T, P]`.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    guard contextLength > 0, inputs[0].shape.rank == 1, inputs[0].elementType == .float32 else {
      throw mismatch(inputs, "float32 frequencies [P] and T = \(contextLength) above 0 are needed")
    }
    let table = TensorType([contextLength, inputs[0].shape[0]])
    return [table, table]
  }

  /// Not provided.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    throw GraphError(.notDifferentiable, "\(name): frequencies are not trained")
  }

  /// Two functions an element.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(
      flops: 2 * Double(results[0].shape.count),
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

/// Rotation of heads side by side by tables: `x [N, H D], cosines [T, D/2], sines [T, D/2] -> [N, H D]`.
///
/// Row n stands at position n mod T. Within a head, pair (j, j + D/2) becomes x1 c - x2 s, x2 c + x1 s: with angles of positions, a
/// rotary embedding (Su et al., 2021); with tables of another length, a rotation and a factor at once.
public struct Rotation: Operation {
  /// D, even.
  public let headWidth: Int
  /// Turns backwards: the transposed map.
  public var inverse = false
  /// How the result is stored.
  public var elementType: ElementType = .float32
  /// Set on the copy that the backward pass computes again instead of keeping the first; otherwise they would be one node.
  public var isRecomputed = false

  /// `rotation`.
  public var name: String { "rotation" }

  /// The first operand's shape.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(3, inputs)
    try expectFloating(inputs)
    let (shape, table) = (inputs[0].shape, inputs[1])
    guard shape.rank == 2, headWidth > 0, headWidth % 2 == 0, shape[1] % headWidth == 0,
      table == inputs[2], table.elementType == .float32, table.shape.rank == 2,
      table.shape[1] == headWidth / 2, shape[0] % table.shape[0] == 0
    else {
      throw mismatch(
        inputs,
        "x [N, H D] with even D = \(headWidth) and two tables [T, D/2] with N a multiple of T are needed"
      )
    }
    return [TensorType(shape, elementType)]
  }

  /// The transposed map; tables have no gradient.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    if node.wanted[1] || node.wanted[2] {
      throw GraphError(.notDifferentiable, "\(name): tables have no gradient")
    }
    let back = Rotation(headWidth: headWidth, inverse: !inverse)
    return [node.upstream[0].map { $0.graph.apply(back, [$0] + node.inputs[1...])[0] }, nil, nil]
  }

  /// Three FLOPs an element.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(
      flops: 3 * Double(inputs[0].shape.count),
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// Cosines and sines `[T, P]` of positions 0 to T - 1 at these frequencies `[P]`.
  public func rotaryTables(contextLength: Int) -> (cosines: Tensor, sines: Tensor) {
    let results = graph.apply(RotaryTables(contextLength: contextLength), [self])
    return (results[0], results[1])
  }

  /// This `[N, H D]` with every head turned by the tables `[T, D/2]`.
  public func rotated(cosines: Tensor, sines: Tensor, headWidth: Int) -> Tensor {
    graph.apply(Rotation(headWidth: headWidth), [self, cosines, sines])[0]
  }
}
