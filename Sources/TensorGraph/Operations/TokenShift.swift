// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Columns that take the value of the token before: `x [N, C] -> y [N, C]`, rows being sequences of T tokens.
///
/// In the columns whose number modulo `period` lies in one of `ranges`, y[n] = x[n - 1]; at the first token of a sequence y is x there, or
/// 0. In all other columns y = x. Borders of documents inside a sequence do not stop it.
public struct TokenShift: Operation {
  /// T.
  public let contextLength: Int
  /// Columns after which the ranges repeat: the width of a head, or C.
  public let period: Int
  /// Which columns of each period are shifted.
  public let ranges: [Range<Int>]
  /// Whether the first token of a sequence keeps its own value; else it gets 0.
  public let keepsFirst: Bool
  /// The transposed map, which gradients go through.
  public var isAdjoint = false

  /// `token shift`.
  public var name: String { "token shift" }

  /// The operand's type.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(1, inputs)
    try expectFloating(inputs)
    let shape = inputs[0].shape
    var end = 0
    let isOrdered = ranges.allSatisfy { range in
      defer { end = range.upperBound }
      return range.lowerBound >= end && range.upperBound <= period
    }
    guard shape.rank == 2, contextLength > 0, period > 0, shape[0] % contextLength == 0,
      shape[1] % period == 0, isOrdered
    else {
      throw mismatch(
        inputs,
        "[N, C] with N a multiple of T = \(contextLength), C of the period \(period), and rising ranges within it are needed"
      )
    }
    return inputs
  }

  /// The transposed map.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    var back = self
    back.isAdjoint.toggle()
    return [node.upstream[0].map { $0.graph.apply(back, $0) }]
  }

  /// No FLOPs.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(flops: 0, bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// The rows of the tokens before, `[N, C]`; zeros at the first of every T.
  public func precedingTokens(contextLength: Int) -> Tensor {
    graph.apply(
      TokenShift(
        contextLength: contextLength, period: shape.columns, ranges: [0..<shape.columns],
        keepsFirst: false), self)
  }

  /// Some columns of every head taken from the token before, where there is one.
  public func shifted(
    columns ranges: [Range<Int>], ofEvery period: Int, contextLength: Int
  ) -> Tensor {
    graph.apply(
      TokenShift(
        contextLength: contextLength, period: period, ranges: ranges, keepsFirst: true), self)
  }
}
