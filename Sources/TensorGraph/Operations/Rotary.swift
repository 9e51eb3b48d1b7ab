// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Rotary position embedding (Su et al., 2021) of heads side by side: `[N, H D] -> [N, H D]`.
///
/// Row n stands at position p = n mod T. Within a head, pair (j, j + D/2) turns by p base^(-2j/D):
/// y1 = x1 cos - x2 sin, y2 = x2 cos + x1 sin.
public struct Rotary: Operation {
  /// D, even.
  public let headWidth: Int
  /// T: positions restart every T rows.
  public let contextLength: Int
  /// The base of the wavelengths.
  public let base: Float
  /// Turns backwards.
  public let inverse: Bool
  /// How the result is stored.
  public var elementType: ElementType = .float32
  /// Set on the copy that the backward pass computes again instead of keeping the first; otherwise they would be one node.
  public var isRecomputed = false

  /// Makes a rotation.
  public init(headWidth: Int, contextLength: Int, base: Float, inverse: Bool = false) {
    self.headWidth = headWidth
    self.contextLength = contextLength
    self.base = base
    self.inverse = inverse
  }

  /// `rotary`.
  public var name: String { "rotary" }

  /// The operand's shape.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    try expectFloating(inputs)
    let shape = inputs[0].shape
    guard shape.rank == 2, headWidth > 0, contextLength > 0, headWidth % 2 == 0,
      shape[1] % headWidth == 0, shape[0] % contextLength == 0
    else {
      throw mismatch(
        inputs,
        "[N, H D] with even D = \(headWidth) and N a multiple of T = \(contextLength) is needed")
    }
    return [TensorType(shape, elementType)]
  }

  /// The rotation turned back.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    let back = Rotary(
      headWidth: headWidth, contextLength: contextLength, base: base, inverse: !inverse)
    return [node.upstream[0].map { $0.graph.apply(back, $0) }]
  }

  /// Three FLOPs an element.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(
      flops: 3 * Double(inputs[0].shape.count),
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// Rotary position embedding of `[N, H D]`.
  public func rotary(headWidth: Int, contextLength: Int, base: Float) -> Tensor {
    graph.apply(
      Rotary(headWidth: headWidth, contextLength: contextLength, base: base), self)
  }
}
