// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// op(A) op(B) for matrices, with fp32 accumulation; op transposes or not.
///
/// Unless a result type is given, a product that sums over tokens (left operand transposed: a weight gradient) is stored
/// in float32, any other in the operands' own type.
public struct MatrixProduct: Operation {
  /// The left operand is stored transposed, `[K, M]`.
  public var transposeLeft = false
  /// The right operand is stored transposed, `[N, K]`.
  public var transposeRight = false
  /// How the result is stored; nil leaves it to the rule.
  public var resultType: ElementType?
  /// The operands' types are the author's choice: the precision pass leaves this product alone.
  public var isExact = false
  /// The author's promise that the result equals its transpose, as X X' does: one half may be computed and mirrored.
  public var isSymmetric = false

  /// `matrix product`.
  public var name: String { "matrix product" }

  /// M, N and K of the product.
  public func sizes(_ left: Shape, _ right: Shape) -> (m: Int, n: Int, k: Int) {
    (
      m: transposeLeft ? left[1] : left[0], n: transposeRight ? right[0] : right[1],
      k: transposeLeft ? left[0] : left[1]
    )
  }

  /// `[M, N]`; inner sizes must agree.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(2, inputs)
    try expectFloating(inputs)
    let left = inputs[0].shape
    let right = inputs[1].shape
    guard left.rank == 2, right.rank == 2 else { throw mismatch(inputs, "both must be matrices") }
    let (m, n, k) = sizes(left, right)
    guard k == (transposeRight ? right[1] : right[0]) else {
      throw mismatch(
        inputs,
        "inner sizes differ (left \(transposeLeft ? "transposed" : "as is"), right "
          + "\(transposeRight ? "transposed" : "as is"))")
    }
    guard inputs[0].elementType == inputs[1].elementType else {
      throw GraphError(
        .elementType, "\(name): operands \(inputs[0]) and \(inputs[1]) differ in type")
    }
    if isSymmetric, m != n {
      throw mismatch(inputs, "a result of \(m) x \(n) cannot be symmetric")
    }
    if let resultType, !resultType.isFloatingPoint {
      throw GraphError(.elementType, "\(name): the result cannot be \(resultType.rawValue)")
    }
    return [TensorType([m, n], resultType ?? (transposeLeft ? .float32 : inputs[0].elementType))]
  }

  /// For Y = A B: dA = dY B', dB = A' dY, with transposes moved into the product.
  ///
  /// The gradients of an exact product are exact products of the operands' type, stored in float32.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    guard var dy = node.upstream[0] else { return [nil, nil] }
    let (a, b) = (node.inputs[0], node.inputs[1])
    if isExact { dy = dy.cast(to: a.type.elementType) }
    let left =
      transposeLeft
      ? product(b, dy, transposeRight, true) : product(dy, b, false, !transposeRight)
    let right =
      transposeRight
      ? product(dy, a, true, transposeLeft) : product(a, dy, !transposeLeft, false)
    return [left, right]
  }

  private func product(_ a: Tensor, _ b: Tensor, _ left: Bool, _ right: Bool) -> Tensor {
    a.graph.apply(
      MatrixProduct(
        transposeLeft: left, transposeRight: right, resultType: isExact ? .float32 : nil,
        isExact: isExact), a, b)
  }

  /// 2 M N K FLOPs.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    let (m, n, k) = sizes(inputs[0].shape, inputs[1].shape)
    return Cost(
      flops: 2 * Double(m) * Double(n) * Double(k),
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// `self` times `other`, matrices.
  public func matrixProduct(
    _ other: Tensor, transposeLeft: Bool = false, transposeRight: Bool = false
  ) -> Tensor {
    graph.apply(
      MatrixProduct(transposeLeft: transposeLeft, transposeRight: transposeRight), self, other)
  }

  /// `self` times `other` in the operands' own type, whatever the precision of the run.
  ///
  /// For equations that choose their precision themselves, as an optimizer's do: cast the operands to it first. Sums are
  /// float32.
  ///
  /// - Parameters:
  ///   - other: the right operand, of the same element type.
  ///   - transposeLeft: `self` is stored transposed.
  ///   - transposeRight: `other` is stored transposed.
  ///   - resultType: how the result is stored; nil for the operands' type.
  ///   - isSymmetric: promises that the result equals its transpose, as X X' does, and A A for a symmetric A; about half of it
  ///     is computed, and both halves get the same numbers.
  public func exactProduct(
    _ other: Tensor, transposeLeft: Bool = false, transposeRight: Bool = false,
    resultType: ElementType? = nil, isSymmetric: Bool = false
  ) -> Tensor {
    graph.apply(
      MatrixProduct(
        transposeLeft: transposeLeft, transposeRight: transposeRight,
        resultType: resultType ?? type.elementType, isExact: true, isSymmetric: isSymmetric),
      self, other)
  }

  /// The linear map x W' for a weight stored `[out, in]`: `[N, in] -> [N, out]`.
  public func linear(_ weight: Tensor) -> Tensor { matrixProduct(weight, transposeRight: true) }
}
