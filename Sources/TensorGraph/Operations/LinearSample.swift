// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Labels drawn from a head's softmax, one a row, without the logits ever being stored whole.
///
/// Operands: x `[N, C]`, weight `[V, C]`, uniforms `[N]` in [0, 1), temperature (a scalar), and, when a row may be left out,
/// targets `[N]`. With the form's logits l of x W' and p = softmax(l / temperature), the label of row n is the first v for which
/// p_0 + ... + p_v > u_n: the inverse of the distribution function. Where a target is negative, the target is the result.
///
/// Temperatures count as at least 1e-30, where one of the largest logits is chosen, and at most 1e30, where all labels are
/// alike. A row whose logits are not numbers gets any label of the vocabulary. A uniform has 24 bits, so a label rarer than 2^-24 may be out of reach.
public struct LinearSample: Operation {
  /// Whether a last operand says which rows are left out.
  public let hasTargets: Bool
  /// Factor and cap of the logits; the rest is not read.
  public var form = HeadForm()

  /// `linear sample`.
  public var name: String { "linear sample" }

  /// int32 `[N]`.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(hasTargets ? 5 : 4, inputs)
    try expectFloating(Array(inputs[0..<4]))
    let (x, weight) = (inputs[0].shape, inputs[1].shape)
    guard x.rank == 2, weight.rank == 2, x[1] == weight[1], inputs[2].shape == [x[0]],
      inputs[3].shape.isScalar
    else {
      throw mismatch(inputs, "x [N, C], weight [V, C], uniforms [N] and a scalar are needed")
    }
    for (type, what) in [(inputs[2], "uniforms"), (inputs[3], "temperature")]
    where type.elementType != .float32 {
      throw GraphError(.elementType, "\(name): \(what) must be float32, not \(type)")
    }
    if hasTargets {
      try expectInteger(inputs[4], "targets")
      guard inputs[4].shape == [x[0]] else { throw mismatch(inputs, "targets must be [N]") }
    }
    return [TensorType([x[0]], .int32)]
  }

  /// A label is not differentiable; what is computed from labels does not differentiate through them.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    throw GraphError(.notDifferentiable, "\(name): a drawn label has no gradient")
  }

  /// 2 N V C FLOPs and the exponentials.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    let rows = Double(inputs[0].shape[0])
    let vocabulary = Double(inputs[1].shape[0])
    return Cost(
      flops: 2 * rows * vocabulary * Double(inputs[0].shape[1]) + 2 * rows * vocabulary,
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// Labels `[N]` drawn from softmax(l / temperature), with the logits l of the head `weight [V, C]` on `self [N, C]`.
  ///
  /// - Parameters:
  ///   - weight: `[V, C]`.
  ///   - uniforms: `[N]`, each in [0, 1) and used for its row alone.
  ///   - temperature: a scalar; nil: 1.
  ///   - targets: int32 `[N]`; where one is negative, it is the result.
  ///   - form: factor and cap of the logits.
  /// - Returns: int32 `[N]`.
  public func linearSample(
    weight: Tensor, uniforms: Tensor, temperature: Tensor? = nil, targets: Tensor? = nil,
    form: HeadForm = HeadForm()
  ) -> Tensor {
    let operands = [self, weight, uniforms, temperature ?? graph.constant(1)]
    return graph.apply(
      LinearSample(hasTargets: targets != nil, form: form),
      operands + (targets.map { [$0] } ?? []))[0]
  }
}
