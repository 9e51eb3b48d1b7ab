// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// The state of one parameter while equations are written: makes tensors that are kept, and takes their new values.
///
/// ```swift
/// let m = state.zeros("momentum", like: parameter)
/// state["momentum"] = scalars.beta1 * m + (1 - scalars.beta1) * gradient
/// ```
public struct StateBuilder {
  /// How a state tensor starts.
  public enum Start: Hashable, Sendable {
    /// All zeros.
    case zeros
    /// All the same.
    case constant(Float)
    /// A copy of the parameter's first value.
    case parameter
  }

  /// A tensor that is kept between steps.
  public struct Declaration: Hashable, Sendable {
    /// `optimizer.NAME.PARAMETER`.
    public let label: String
    /// Its shape.
    public let shape: Shape
    /// How it is stored.
    public let elementType: ElementType
    /// How it starts.
    public let start: Start
    /// The parameter it belongs to; for state that a group shares, a name of the group's own.
    public let parameter: String

    /// Bytes of memory.
    public var byteCount: Int { shape.count * elementType.byteCount }
  }

  /// The parameter that the state belongs to, as its model declared it.
  public let parameter: Parameter
  /// The tensors made so far, in order.
  public private(set) var declarations: [Declaration] = []
  /// New values, in the order of the declarations that have one.
  public var assignments: [(target: Tensor, value: Tensor)] {
    declarations.compactMap { declaration in
      guard let target = tensors[declaration.label], let value = values[declaration.label] else {
        return nil
      }
      return (target, value.cast(to: declaration.elementType))
    }
  }

  private let graph: Graph
  private var tensors: [String: Tensor] = [:]
  private var values: [String: Tensor] = [:]

  /// Starts the state of one parameter.
  public init(_ parameter: Parameter, in graph: Graph) {
    self.parameter = parameter
    self.graph = graph
  }

  /// Starts the state that all parameters of a group share.
  public init(sharedBy group: String, in graph: Graph) {
    self.init(
      Parameter(
        name: "group." + group, role: .scalar, shape: [], initialization: .constant(0)), in: graph)
  }

  /// A tensor that starts as zeros, shaped like another.
  public mutating func zeros(
    _ name: String, like tensor: Tensor, storedAs elementType: ElementType = .float32
  ) -> Tensor {
    make(name, tensor.shape, .zeros, elementType)
  }

  /// A tensor of any shape that starts as zeros: per row, factored, or a single number.
  public mutating func zeros(_ name: String, _ shape: Shape) -> Tensor { make(name, shape, .zeros) }

  /// A tensor that starts with the same number everywhere.
  public mutating func constant(_ name: String, _ shape: Shape, _ number: Float) -> Tensor {
    make(name, shape, .constant(number))
  }

  /// A tensor that starts as a copy of the parameter: a second set of weights.
  public mutating func copy(_ name: String) -> Tensor { make(name, parameter.shape, .parameter) }

  /// The new value of a tensor made before.
  public subscript(name: String) -> Tensor? {
    get { values[label(name)] }
    set {
      precondition(
        tensors[label(name)] != nil, "state '\(name)' of '\(parameter.name)' was not made")
      values[label(name)] = newValue
    }
  }

  private func label(_ name: String) -> String { "optimizer.\(name).\(parameter.name)" }

  private mutating func make(
    _ name: String, _ shape: Shape, _ start: Start, _ elementType: ElementType = .float32
  ) -> Tensor {
    let label = label(name)
    if let known = tensors[label] { return known }
    let tensor = graph.state(label, shape, elementType)
    tensors[label] = tensor
    declarations.append(
      Declaration(
        label: label, shape: shape, elementType: elementType, start: start,
        parameter: parameter.name))
    return tensor
  }
}
