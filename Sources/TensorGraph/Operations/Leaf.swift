// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A value that comes from outside the graph.
public struct Leaf: Operation {
  /// Where the value comes from.
  public enum Kind: Hashable, Sendable {
    /// A trained tensor, kept between steps.
    case parameter
    /// An optimizer's or accumulator's tensor, kept between steps.
    case state
    /// A tensor the host writes before a step: tokens, targets, document numbers.
    case input
    /// A number the host sets before a step: learning rate, beta, weight decay.
    case scalar
  }

  /// Where the value comes from.
  public let kind: Kind
  /// Its unique name.
  public let label: String
  /// Its shape and storage.
  public let type: TensorType

  /// `parameter NAME` and so on.
  public var name: String { "\(kind) \(label)" }

  /// A leaf has its own type.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(0, inputs)
    guard type.shape.dimensions.allSatisfy({ $0 > 0 }) else {
      throw GraphError(.shape, "\(name): shape \(type.shape) is empty; sizes start at 1")
    }
    if kind == .state, !type.elementType.isFloatingPoint {
      throw GraphError(
        .elementType, "\(name): a state is float32 or bfloat16, not \(type.elementType.rawValue)")
    }
    return [type]
  }

  /// Nothing lies behind a leaf.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] { [] }

  /// Free.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost { Cost(flops: 0, bytes: 0) }
}

/// A number written in an equation.
public struct Constant: Operation {
  /// The number.
  public let number: Float

  /// The number as text.
  public var name: String { "constant \(number)" }

  /// A scalar.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(0, inputs)
    return [TensorType([])]
  }

  /// Nothing lies behind a constant.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] { [] }

  /// Free.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost { Cost(flops: 0, bytes: 0) }
}

extension Graph {
  /// A trained tensor.
  public func parameter(_ label: String, _ shape: Shape) -> Tensor {
    apply(Leaf(kind: .parameter, label: label, type: TensorType(shape)))
  }

  /// A tensor kept between steps that is not trained.
  ///
  /// A bfloat16 state is read like any other operand, as the numbers it holds; what is assigned to it must be cast.
  public func state(
    _ label: String, _ shape: Shape, _ elementType: ElementType = .float32
  ) -> Tensor {
    apply(Leaf(kind: .state, label: label, type: TensorType(shape, elementType)))
  }

  /// A tensor that the host writes before a step.
  public func input(_ label: String, _ shape: Shape, _ elementType: ElementType = .int32) -> Tensor
  {
    apply(Leaf(kind: .input, label: label, type: TensorType(shape, elementType)))
  }

  /// A number that the host sets before a step; changing it never traces again.
  public func scalar(_ label: String) -> Tensor {
    apply(Leaf(kind: .scalar, label: label, type: TensorType([])))
  }

  /// A number that is part of the program.
  public func constant(_ number: Float) -> Tensor { apply(Constant(number: number)) }
}
