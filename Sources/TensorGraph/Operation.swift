// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What one execution of an operation costs.
public struct Cost: Equatable, Sendable {
  /// Floating-point operations; a multiply-add counts as two, exp and its kind as one.
  public var flops: Double
  /// Bytes read and written when nothing is fused or cached.
  public var bytes: Double

  /// Makes a cost.
  public init(flops: Double, bytes: Double) {
    self.flops = flops
    self.bytes = bytes
  }

  /// The sum of two costs.
  public static func + (left: Cost, right: Cost) -> Cost {
    Cost(flops: left.flops + right.flops, bytes: left.bytes + right.bytes)
  }
}

/// One kind of node: a pure function of tensors with a shape rule, a gradient and a cost.
///
/// Operations are values: two nodes with equal operations and equal inputs are the same node.
public protocol Operation: Hashable, Sendable {
  /// The name that error messages and profiles use.
  var name: String { get }

  /// How many results there are, even where the operands do not fit.
  var resultCount: Int { get }

  /// The types of the results, or an error that names the operation and the operand shapes.
  ///
  /// - Throws: `GraphError` when the operands do not fit.
  func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType]

  /// Vector-Jacobian product: gradients for the inputs, given those of the results (nil = zero).
  ///
  /// - Throws: `GraphError` with code `notDifferentiable`.
  func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?]

  /// FLOPs and unfused bytes for operands of these types.
  func cost(inputs: [TensorType], results: [TensorType]) -> Cost
}

/// What a vector-Jacobian product sees of its node.
public struct DifferentiatedNode {
  /// The operands.
  public let inputs: [Tensor]
  /// The results.
  public let results: [Tensor]
  /// The gradient of the loss by each result; nil where the loss does not depend on it.
  public let upstream: [Tensor?]
  /// Which operands somebody wants a gradient of; those of the others may be nil.
  public let wanted: [Bool]
}

extension Operation {
  /// One result, as most operations have.
  public var resultCount: Int { 1 }

  /// Bytes of all operands and results, each touched once.
  public func touchedBytes(inputs: [TensorType], results: [TensorType]) -> Double {
    Double(inputs.reduce(0) { $0 + $1.byteCount } + results.reduce(0) { $0 + $1.byteCount })
  }

  func expect(_ count: Int, _ inputs: [TensorType]) throws(GraphError) {
    guard inputs.count == count else {
      throw GraphError(.structure, "\(name) takes \(count) operands, not \(inputs.count)")
    }
  }

  func mismatch(_ inputs: [TensorType], _ rule: String) -> GraphError {
    let shapes = inputs.map { $0.shape.description }.joined(separator: " and ")
    return GraphError(.shape, "\(name): shapes \(shapes) do not fit: \(rule)")
  }

  func expectInteger(_ type: TensorType, _ what: String) throws(GraphError) {
    guard type.elementType == .int32 else {
      throw GraphError(.elementType, "\(name): \(what) must be int32, not \(type)")
    }
  }

  func expectFloating(_ types: [TensorType]) throws(GraphError) {
    for type in types where !type.elementType.isFloatingPoint {
      throw GraphError(.elementType, "\(name): operands must be floating point, not \(type)")
    }
  }
}
