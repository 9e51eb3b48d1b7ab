// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Some entries of the leading axis: `[R, ...] -> [last - first, ...]`.
///
/// A projection that is stored fused, `[query + key + value, width]`, is split by three of these.
public struct Slice: Operation {
  /// The first entry.
  public let first: Int
  /// The entry after the last.
  public let end: Int

  /// `slice FIRST..<END`.
  public var name: String { "slice \(first)..<\(end)" }

  /// Fewer entries, the other axes and the element type kept.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    let axes = inputs[0].shape.dimensions
    guard let size = axes.first, 0 <= first, first < end, end <= size else {
      throw GraphError(
        .shape,
        "\(name): \(inputs[0].shape) has no such entries; a slice is not empty and ends within the "
          + "leading axis")
    }
    return [TensorType(Shape([end - first] + axes.dropFirst()), inputs[0].elementType)]
  }

  /// Zeros around.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    guard let dy = node.upstream[0] else { return [nil] }
    let whole = node.inputs[0].shape
    func zeros(_ count: Int) -> [Tensor] {
      if count == 0 { return [] }
      let shape = Shape([count] + whole.dimensions.dropFirst())
      return [dy.graph.constant(0).broadcast(to: shape).cast(to: dy.type.elementType)]
    }
    return [concatenated(zeros(first) + [dy] + zeros(whole[0] - end))]
  }

  /// No FLOPs.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(flops: 0, bytes: 2 * Double(results[0].byteCount))
  }
}

extension Tensor {
  /// The entries of the leading axis from `range.lowerBound` up to `range.upperBound`.
  public func slice(_ range: Range<Int>) -> Tensor {
    graph.apply(Slice(first: range.lowerBound, end: range.upperBound), self)
  }
}
