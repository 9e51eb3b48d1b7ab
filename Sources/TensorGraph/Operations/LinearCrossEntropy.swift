// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The head's product, softmax, cross entropy and z-loss in one, so that logits are never stored whole.
///
/// Operands: x `[N, C]`, weight `[V, C]`, targets `[N]` (negative: not counted), scale and zLoss (scalars).
/// With l = x W', s = log sum exp l and c = s - l[target]: results are
/// loss = scale sum_n (c + zLoss s^2) and the plain sum of c, over rows that count. Scale is usually 1 / (tokens that count).
/// The weight of the squared log-sum-exp (Chowdhery et al., 2022) is a constant, or a number that is read at each run; 0
/// switches it off.
public struct LinearCrossEntropy: Operation {
  /// Loss and sum.
  public var resultCount: Int { 2 }

  /// `linear cross entropy`.
  public var name: String { "linear cross entropy" }

  /// Two scalars.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expectHead(inputs)
    return [TensorType([]), TensorType([])]
  }

  /// One node computes loss and gradients together; see `LinearCrossEntropyGradient`.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    if node.upstream[1] != nil {
      throw GraphError(.notDifferentiable, "\(name): differentiate the loss, not the plain sum")
    }
    guard let upstream = node.upstream[0] else { return node.inputs.map { _ in nil } }
    if node.wanted[4] {
      throw GraphError(.notDifferentiable, "\(name): the weight of the z-loss has no gradient")
    }
    let graph = upstream.graph
    let results = graph.apply(LinearCrossEntropyGradient(), node.inputs)
    // The loss is proportional to the scale.
    return [
      results[0] * upstream, results[1] * upstream, nil, upstream * results[2] / node.inputs[3],
      nil,
    ]
  }

  /// 2 N V C FLOPs and the softmax.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    let rows = Double(inputs[0].shape[0])
    let vocabulary = Double(inputs[1].shape[0])
    return Cost(
      flops: 2 * rows * vocabulary * Double(inputs[0].shape[1]) + 4 * rows * vocabulary,
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

/// `dx, dW` of the loss, and the two results of `LinearCrossEntropy` itself, in one sweep over the logits.
public struct LinearCrossEntropyGradient: Operation {
  /// How dx is stored.
  public var elementType: ElementType = .float32

  /// Two gradients, loss and sum.
  public var resultCount: Int { 4 }

  /// `linear cross entropy gradient`.
  public var name: String { "linear cross entropy gradient" }

  /// Like x, like the weight, and two scalars.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expectHead(inputs)
    return [
      TensorType(inputs[0].shape, elementType), TensorType(inputs[1].shape), TensorType([]),
      TensorType([]),
    ]
  }

  /// Not provided.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    throw GraphError(.notDifferentiable, "\(name): second derivatives are not provided")
  }

  /// 6 N V C FLOPs and the softmax.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    let rows = Double(inputs[0].shape[0])
    let vocabulary = Double(inputs[1].shape[0])
    return Cost(
      flops: 6 * rows * vocabulary * Double(inputs[0].shape[1]) + 6 * rows * vocabulary,
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Operation {
  /// Operands of a head: x, weight, targets, scale and the weight of the z-loss.
  fileprivate func expectHead(_ inputs: [TensorType]) throws(GraphError) {
    try expect(5, inputs)
    try expectFloating([inputs[0], inputs[1], inputs[3], inputs[4]])
    try expectInteger(inputs[2], "targets")
    let (x, weight) = (inputs[0].shape, inputs[1].shape)
    guard x.rank == 2, weight.rank == 2, x[1] == weight[1], inputs[2].shape == [x[0]],
      inputs[3].shape.isScalar, inputs[4].shape.isScalar
    else {
      throw mismatch(inputs, "x [N, C], weight [V, C], targets [N] and two scalars are needed")
    }
  }
}

extension Tensor {
  /// Loss and plain cross-entropy sum of the head `weight [V, C]` on `self [N, C]`.
  public func linearCrossEntropy(
    weight: Tensor, targets: Tensor, scale: Tensor, zLoss: Float
  ) -> (loss: Tensor, crossEntropySum: Tensor) {
    linearCrossEntropy(
      weight: weight, targets: targets, scale: scale, zLoss: graph.constant(zLoss))
  }

  /// The same with a scalar for the weight of the z-loss, which the host may change before each run.
  public func linearCrossEntropy(
    weight: Tensor, targets: Tensor, scale: Tensor, zLoss: Tensor
  ) -> (loss: Tensor, crossEntropySum: Tensor) {
    let results = graph.apply(LinearCrossEntropy(), [self, weight, targets, scale, zLoss])
    return (results[0], results[1])
  }
}
