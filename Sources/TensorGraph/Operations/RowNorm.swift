// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Layer norm or RMS norm of every row, times a gain: `x [..., C], gain [C] -> y [..., C]`.
///
/// Layer: y = (x - mean) r gain with r = 1/sqrt(variance + epsilon) (Ba et al., 2016). RMS: y = x r gain with
/// r = 1/sqrt(mean(x^2) + epsilon) (Zhang and Sennrich, 2019). Also results in r `[..., 1]` and, for layer norm, mean.
public struct RowNorm: Operation {
  /// Which norm.
  public enum Kind: String, Hashable, Sendable {
    case layer, rms
  }

  /// Which norm.
  public let kind: Kind
  /// Added to the variance or mean square.
  public let epsilon: Float
  /// How y is stored; the precision pass narrows it when only products read it.
  public var elementType: ElementType = .float32
  /// Set on the copy that the backward pass computes again instead of keeping the first; otherwise they would be one node.
  public var isRecomputed = false

  /// Makes a norm.
  public init(kind: Kind, epsilon: Float) {
    self.kind = kind
    self.epsilon = epsilon
  }

  /// y and the statistics.
  public var resultCount: Int { kind == .layer ? 3 : 2 }

  /// `layer norm` or `rms norm`.
  public var name: String { "\(kind.rawValue) norm" }

  /// y, reciprocal deviation and, for layer norm, mean.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(2, inputs)
    try expectFloating(inputs)
    guard inputs[1].shape == [inputs[0].shape.columns] else {
      throw mismatch(inputs, "the gain must be as wide as a row")
    }
    let statistics = TensorType(Shape(inputs[0].shape.dimensions.dropLast() + [1]))
    let y = TensorType(inputs[0].shape, elementType)
    return kind == .layer ? [y, statistics, statistics] : [y, statistics]
  }

  /// Through y only; the statistics are for the backward pass.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    if node.upstream.dropFirst().contains(where: { $0 != nil }) {
      throw GraphError(.notDifferentiable, "\(name): gradients flow through y, not the statistics")
    }
    guard let dy = node.upstream[0] else { return [nil, nil] }
    let results = dy.graph.apply(
      RowNormGradient(kind: kind), [dy] + node.inputs + node.results.dropFirst())
    return [results[0], results[1]]
  }

  /// About eight FLOPs an element.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(
      flops: 8 * Double(inputs[0].shape.count),
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

/// Gradients of a row norm: `dy, x, gain, r, (mean) -> dx, dgain`.
public struct RowNormGradient: Operation {
  /// Which norm.
  public let kind: RowNorm.Kind
  /// How dx is stored.
  public var elementType: ElementType = .float32

  init(kind: RowNorm.Kind) { self.kind = kind }

  /// Gradients of x and the gain.
  public var resultCount: Int { 2 }

  /// `layer norm gradient` or `rms norm gradient`.
  public var name: String { "\(kind.rawValue) norm gradient" }

  /// dx like x, dgain like the gain.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(kind == .layer ? 5 : 4, inputs)
    try expectFloating(inputs)
    let x = inputs[1].shape
    let statistics = Shape(x.dimensions.dropLast() + [1])
    guard inputs[0].shape == x, inputs[2].shape == [x.columns],
      inputs.dropFirst(3).allSatisfy({ $0.shape == statistics })
    else {
      throw mismatch(
        inputs, "dy must be shaped like x, the gain like a row, statistics like a column")
    }
    return [TensorType(inputs[1].shape, elementType), TensorType(inputs[2].shape)]
  }

  /// Not provided.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    throw GraphError(.notDifferentiable, "\(name): second derivatives are not provided")
  }

  /// About twelve FLOPs an element.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(
      flops: 12 * Double(inputs[1].shape.count),
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// The norm of every row, times a gain `[C]`.
  public func normalized(_ kind: RowNorm.Kind, gain: Tensor, epsilon: Float) -> Tensor {
    graph.apply(RowNorm(kind: kind, epsilon: epsilon), [self, gain])[0]
  }
}
