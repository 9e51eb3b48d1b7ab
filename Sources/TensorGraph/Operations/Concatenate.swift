// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Tensors one after the other along the leading axis: `[R1, ...], [R2, ...], ... -> [R1 + R2 + ..., ...]`.
public struct Concatenate: Operation {
  /// `concatenate`.
  public var name: String { "concatenate" }

  /// The sum of the leading sizes; the other axes and the element type must agree.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    guard let first = inputs.first else {
      throw GraphError(.structure, "\(name) needs an operand")
    }
    for input in inputs {
      guard !input.shape.isScalar,
        input.shape.dimensions.dropFirst() == first.shape.dimensions.dropFirst()
      else { throw mismatch(inputs, "all but the leading axis must agree") }
      guard input.elementType == first.elementType else {
        throw GraphError(.elementType, "\(name): operands \(first) and \(input) differ in type")
      }
    }
    let size = inputs.reduce(0) { $0 + $1.shape[0] }
    return [TensorType(Shape([size] + first.shape.dimensions.dropFirst()), first.elementType)]
  }

  /// Each operand's slice.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    guard let dy = node.upstream[0] else { return node.inputs.map { _ in nil } }
    var begin = 0
    return node.inputs.map { input in
      begin += input.shape[0]
      return dy.slice(begin - input.shape[0]..<begin)
    }
  }

  /// No FLOPs.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    Cost(flops: 0, bytes: touchedBytes(inputs: inputs, results: results))
  }
}

/// Tensors, at least one, one after the other along the leading axis.
public func concatenated(_ tensors: [Tensor]) -> Tensor {
  precondition(!tensors.isEmpty, "nothing to concatenate")
  return tensors.count == 1 ? tensors[0] : tensors[0].graph.apply(Concatenate(), tensors)[0]
}
