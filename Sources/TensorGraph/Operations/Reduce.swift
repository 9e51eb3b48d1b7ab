// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The sum or maximum over axes of a tensor seen as `[rows, columns]`.
///
/// Results are float32.
public struct Reduce: Operation {
  /// How elements combine.
  public enum Kind: String, Hashable, Sendable {
    case sum, maximum
  }

  /// Which elements combine.
  public enum Axes: String, Hashable, Sendable {
    /// All of them: the result is a scalar.
    case all
    /// Those of a row: `[..., C] -> [..., 1]`.
    case columns
    /// Those of a column: `[..., C] -> [C]`.
    case rows
  }

  /// How elements combine.
  public let kind: Kind
  /// Which elements combine.
  public let axes: Axes

  /// For example `sum over columns`.
  public var name: String { "\(kind.rawValue) over \(axes.rawValue)" }

  /// Scalar, `[..., 1]` or `[C]`.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    try expectFloating(inputs)
    let shape = inputs[0].shape
    if axes != .all, shape.isScalar { throw mismatch(inputs, "a scalar has no rows or columns") }
    switch axes {
    case .all: return [TensorType([])]
    case .columns: return [TensorType(Shape(shape.dimensions.dropLast() + [1]))]
    case .rows: return [TensorType([shape.columns])]
    }
  }

  /// A sum hands its gradient to every element; a maximum to the elements that reach it.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    guard let upstream = node.upstream[0] else { return [nil] }
    let input = node.inputs[0]
    switch kind {
    case .sum: return [upstream.broadcast(to: input.shape)]
    case .maximum: return [upstream * equal(input, node.results[0])]
    }
  }

  /// One FLOP an element.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(
      flops: Double(inputs[0].shape.count), bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// The sum over axes.
  public func sum(_ axes: Reduce.Axes = .all) -> Tensor {
    graph.apply(Reduce(kind: .sum, axes: axes), self)
  }

  /// The largest element over axes.
  public func maximum(_ axes: Reduce.Axes = .all) -> Tensor {
    graph.apply(Reduce(kind: .maximum, axes: axes), self)
  }

  /// The mean over axes.
  public func mean(_ axes: Reduce.Axes = .all) -> Tensor {
    let total = sum(axes)
    return total * (Float(total.shape.count) / Float(max(1, shape.count)))
  }

  /// Stretched to a larger shape.
  public func broadcast(to shape: Shape) -> Tensor {
    self.shape == shape ? self : graph.apply(Broadcast(shape: shape), self)
  }

  /// Undoes a broadcast: sums the axes along which an operand of `shape` was stretched.
  func sum(toShape shape: Shape) -> Tensor {
    if self.shape == shape { return self }
    if self.shape.count == shape.count { return reshaped(shape) }
    if shape.count == 1 {
      let total = sum(.all)
      return shape.isScalar ? total : total.reshaped(shape)
    }
    let columns = shape.columns
    if columns == self.shape.columns, shape.rows == 1 { return sum(.rows).reshaped(shape) }
    if columns == 1, shape.rows == self.shape.rows { return sum(.columns).reshaped(shape) }
    graph.fail(
      GraphError(
        .shape,
        "gradient of a broadcast from \(shape) to \(self.shape): only rows, columns or scalars "
          + "may be stretched; reshape the operand first"))
    return self
  }
}
