// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// f op(A) op(B), or f op(A) op(B) + g C, with fp32 sums; op transposes or not, f and g are numbers.
///
/// Operands are matrices, or batches of them with one leading axis, multiplied entry by entry. Unless a result type is
/// given, a product that sums over tokens (left operand transposed: a weight gradient) is stored in float32, any other in
/// the operands' own type.
public struct MatrixProduct: Operation {
  /// The left operand is stored transposed, `[..., K, M]`.
  public var transposeLeft = false
  /// The right operand is stored transposed, `[..., N, K]`.
  public var transposeRight = false
  /// How the result is stored; nil leaves it to the rule.
  public var resultType: ElementType?
  /// The operands' types are the author's choice: the precision pass leaves this product alone.
  public var isExact = false
  /// The author's promise that the result equals its transpose, as X X' does: one half may be computed and mirrored.
  public var isSymmetric = false
  /// What the product is multiplied by.
  public var factor: Float = 1
  /// What the third operand, if there is one, is multiplied by.
  public var addendFactor: Float = 1

  /// The sizes of a product.
  public struct Sizes: Hashable, Sendable {
    /// Entries of a batch; 1 for matrices.
    public let batch: Int
    /// Rows of the result.
    public let m: Int
    /// Columns of the result.
    public let n: Int
    /// Terms of a sum.
    public let k: Int
  }

  /// `matrix product`.
  public var name: String { "matrix product" }

  /// The sizes of the product of two operands.
  public func sizes(_ left: Shape, _ right: Shape) -> Sizes {
    let (a, b) = (left.dimensions.suffix(2), right.dimensions.suffix(2))
    return Sizes(
      batch: left.rank > 2 ? left[0] : 1, m: (transposeLeft ? a.last : a.first) ?? 1,
      n: (transposeRight ? b.first : b.last) ?? 1, k: (transposeLeft ? a.first : a.last) ?? 1)
  }

  /// `[..., M, N]`; inner sizes and batches must agree.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    if inputs.count != 3 { try expect(2, inputs) }
    try expectFloating(inputs)
    let (left, right) = (inputs[0].shape, inputs[1].shape)
    guard left.rank == right.rank, left.rank == 2 || left.rank == 3 else {
      throw mismatch(inputs, "both must be matrices, or both batches of matrices")
    }
    guard left.rank == 2 || left[0] == right[0] else {
      throw mismatch(inputs, "the batches differ in size")
    }
    let sizes = sizes(left, right)
    guard sizes.k == right[right.rank - (transposeRight ? 1 : 2)] else {
      throw mismatch(
        inputs,
        "inner sizes differ (left \(transposeLeft ? "transposed" : "as is"), right "
          + "\(transposeRight ? "transposed" : "as is"))")
    }
    guard inputs[0].elementType == inputs[1].elementType else {
      throw GraphError(
        .elementType, "\(name): operands \(inputs[0]) and \(inputs[1]) differ in type")
    }
    if isSymmetric, sizes.m != sizes.n {
      throw mismatch(inputs, "a result of \(sizes.m) x \(sizes.n) cannot be symmetric")
    }
    if let resultType, !resultType.isFloatingPoint {
      throw GraphError(.elementType, "\(name): the result cannot be \(resultType.rawValue)")
    }
    let result = Shape(left.dimensions.dropLast(2) + [sizes.m, sizes.n])
    if inputs.count == 3, inputs[2].shape != result {
      throw mismatch(inputs, "what is added must be shaped like the product, \(result)")
    }
    return [TensorType(result, resultType ?? (transposeLeft ? .float32 : inputs[0].elementType))]
  }

  /// For Y = f A B + g C: dA = f dY B', dB = f A' dY, dC = g dY, with transposes moved into the product.
  ///
  /// The gradients of an exact product are exact products of the operands' type, stored in float32.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    guard let upstream = node.upstream[0] else { return node.inputs.map { _ in nil } }
    let (a, b) = (node.inputs[0], node.inputs[1])
    let dy = isExact ? upstream.cast(to: a.type.elementType) : upstream
    let left =
      transposeLeft
      ? product(b, dy, transposeRight, true) : product(dy, b, false, !transposeRight)
    let right =
      transposeRight
      ? product(dy, a, true, transposeLeft) : product(a, dy, !transposeLeft, false)
    return node.inputs.count == 2 ? [left, right] : [left, right, upstream * addendFactor]
  }

  private func product(_ a: Tensor, _ b: Tensor, _ left: Bool, _ right: Bool) -> Tensor {
    a.graph.apply(
      MatrixProduct(
        transposeLeft: left, transposeRight: right, resultType: isExact ? .float32 : nil,
        isExact: isExact, factor: factor), a, b)
  }

  /// 2 K FLOPs for each number that is computed: of a symmetric result, those on and below the diagonal.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    let sizes = sizes(inputs[0].shape, inputs[1].shape)
    let (m, n) = (Double(sizes.m), Double(sizes.n))
    return Cost(
      flops: 2 * Double(sizes.batch) * Double(sizes.k) * (isSymmetric ? m * (n + 1) / 2 : m * n),
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Tensor {
  /// `self` times `other`, matrices or batches of them.
  public func matrixProduct(
    _ other: Tensor, transposeLeft: Bool = false, transposeRight: Bool = false
  ) -> Tensor {
    graph.apply(
      MatrixProduct(transposeLeft: transposeLeft, transposeRight: transposeRight), self, other)
  }

  /// `self` times `other` in the operands' own type, whatever the precision of the run.
  ///
  ///     result = factor op(self) op(other) + addendFactor addend
  ///
  /// For equations that choose their precision themselves, as an optimizer's do: cast the operands to it first. Sums and
  /// what follows them are float32, and are rounded once, when the result is stored.
  ///
  /// - Parameters:
  ///   - other: the right operand, of the same element type: `[K, N]`, or a batch `[B, K, N]` where `self` is one.
  ///   - transposeLeft: `self` is stored transposed.
  ///   - transposeRight: `other` is stored transposed.
  ///   - resultType: how the result is stored; nil for the operands' type.
  ///   - isSymmetric: promises that the result equals its transpose, as X X' does, and A A for a symmetric A; about half of it
  ///     is computed, and both halves get the same numbers.
  ///   - factor: what the product is multiplied by.
  ///   - addend: added to it, `[M, N]`, of either floating-point type; costs less than a sum of its own.
  ///   - addendFactor: what the addend is multiplied by.
  /// - Returns: `[M, N]`, or `[B, M, N]`.
  public func exactProduct(
    _ other: Tensor, transposeLeft: Bool = false, transposeRight: Bool = false,
    resultType: ElementType? = nil, isSymmetric: Bool = false, factor: Float = 1,
    addend: Tensor? = nil, addendFactor: Float = 1
  ) -> Tensor {
    let product = MatrixProduct(
      transposeLeft: transposeLeft, transposeRight: transposeRight,
      resultType: resultType ?? type.elementType, isExact: true, isSymmetric: isSymmetric,
      factor: factor, addendFactor: addend == nil ? 1 : addendFactor)
    return graph.apply(product, [self, other] + (addend.map { [$0] } ?? []))[0]
  }

  /// The linear map x W' for a weight stored `[out, in]`: `[N, in] -> [N, out]`.
  public func linear(_ weight: Tensor) -> Tensor { matrixProduct(weight, transposeRight: true) }
}
