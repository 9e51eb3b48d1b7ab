// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A function applied to every element, on operands that broadcast.
///
/// Results are float32.
public struct Elementwise: Operation {
  /// The functions, by number of operands.
  public enum Function: String, Hashable, Sendable, CaseIterable {
    // One operand.
    case negate, absolute, sign, square, squareRoot, reciprocal, reciprocalSquareRoot
    case exp, log, tanh, sigmoid, erf, relu, gelu, geluDerivative, silu, siluDerivative
    case floor, isFinite, roundToBFloat16, roundToE4M3, roundToE5M2, sine, cosine
    // Two operands.
    case add, subtract, multiply, divide, maximum, minimum, power, less, lessOrEqual, equal
    // Three operands.
    case select

    /// The number of operands.
    public var arity: Int {
      switch self {
      case .select: 3
      case .add, .subtract, .multiply, .divide, .maximum, .minimum, .power, .less, .lessOrEqual,
        .equal:
        2
      default: 1
      }
    }
  }

  /// The function.
  public let function: Function
  /// Set on the copy that the backward pass computes again instead of keeping the first; otherwise they would be one node.
  public var isRecomputed = false

  /// The function's name.
  public var name: String { function.rawValue }

  /// The broadcast of the operand shapes.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(function.arity, inputs)
    try expectFloating(inputs)
    var shape = inputs[0].shape
    for input in inputs.dropFirst() {
      guard let joint = shape.broadcast(with: input.shape) else {
        throw mismatch(inputs, "axes must be equal or 1, counted from the innermost")
      }
      shape = joint
    }
    return [TensorType(shape)]
  }

  /// The derivative of each function, times the upstream gradient, summed over broadcast axes.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    guard let upstream = node.upstream[0] else { return node.inputs.map { _ in nil } }
    let result = node.results[0]
    return try partials(node.inputs, result, upstream).enumerated().map {
      (index, gradient) -> Tensor? in
      node.wanted[index] ? gradient?.sum(toShape: node.inputs[index].shape) : nil
    }
  }

  private func partials(
    _ inputs: [Tensor], _ y: Tensor, _ dy: Tensor
  ) throws(GraphError) -> [Tensor?] {
    let a = inputs[0]
    let b = inputs.count > 1 ? inputs[1] : a
    switch function {
    case .negate: return [-dy]
    case .absolute: return [dy * TensorGraph.sign(a)]
    case .square: return [dy * 2 * a]
    case .squareRoot: return [dy * 0.5 / y]
    case .reciprocal: return [-dy * y * y]
    case .reciprocalSquareRoot: return [dy * -0.5 * y * y * y]
    case .exp: return [dy * y]
    case .log: return [dy / a]
    case .tanh: return [dy * (1 - y * y)]
    case .sigmoid: return [dy * y * (1 - y)]
    case .erf: return [dy * Float(1.1283791670955126) * TensorGraph.exp(-(a * a))]
    case .relu: return [dy * less(a.graph.constant(0), a)]
    case .gelu: return [dy * a.unary(.geluDerivative)]
    case .silu: return [dy * a.unary(.siluDerivative)]
    case .sine: return [dy * a.unary(.cosine)]
    case .cosine: return [-dy * a.unary(.sine)]
    case .roundToBFloat16, .roundToE4M3, .roundToE5M2: return [dy]
    case .sign, .floor, .isFinite, .less, .lessOrEqual, .equal: return inputs.map { _ in nil }
    case .add: return [dy, dy]
    case .subtract: return [dy, -dy]
    case .multiply: return [dy * b, dy * a]
    case .divide: return [dy / b, -dy * y / b]
    case .maximum: return [dy * lessOrEqual(b, a), dy * less(a, b)]
    case .minimum: return [dy * lessOrEqual(a, b), dy * less(b, a)]
    case .power:
      // A constant exponent is the usual case; then log(a), undefined for a < 0, is never needed.
      let byBase = dy * b * TensorGraph.power(a, b - 1)
      return [byBase, b.constant == nil ? dy * y * TensorGraph.log(a) : nil]
    case .select:
      let zero = a.graph.constant(0)
      return [nil, TensorGraph.select(a, dy, zero), TensorGraph.select(a, zero, dy)]
    case .geluDerivative, .siluDerivative:
      throw GraphError(.notDifferentiable, "\(name): second derivatives are not provided")
    }
  }

  /// One FLOP an element and function.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(
      flops: Double(results[0].shape.count), bytes: touchedBytes(inputs: inputs, results: results))
  }
}
