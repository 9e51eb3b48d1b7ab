// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Causal softmax attention of heads side by side, without the score matrix ever being stored whole.
///
/// Legend: B sequences of T tokens, N = B T rows, H query heads, G key/value heads (H a multiple of G), D head width.
/// For query i and key j <= i of one sequence (within the window, of the same document):
/// out_i = sum_j softmax_j(q_i k_j / sqrt(D)) v_j; query head h reads key/value head h / (H/G). The second result is the
/// logarithm of the softmax's denominator, `[B H T]` (Dao et al., 2022).
///
/// Operands: q, k, v, then documents `[N]` and the window (a scalar), each where the operation says so.
public struct Attention: Operation {
  /// D.
  public let headWidth: Int
  /// T.
  public let contextLength: Int
  /// How many keys back a query sees, itself included; nil: all of them.
  ///
  /// With a window that is read, the most that it can be.
  public let window: Int?
  /// An operand `[N]` numbers the documents; attention stays inside one.
  public let masksDocuments: Bool
  /// A last operand, a scalar, is the window at each run: rounded, at least 1, at most `window`.
  public var readsWindow = false
  /// How the result is stored.
  public var elementType: ElementType = .float32

  /// The output and the denominators.
  public var resultCount: Int { 2 }

  /// `attention`.
  public var name: String { "attention" }

  /// `[N, H D]` and `[B H T]`.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(3 + (masksDocuments ? 1 : 0) + (readsWindow ? 1 : 0), inputs)
    try expectFloating(Array(inputs[0..<3]))
    let (q, k, v) = (inputs[0].shape, inputs[1].shape, inputs[2].shape)
    guard headWidth > 0, contextLength > 0, q.rank == 2, k.rank == 2, k == v, q[0] == k[0],
      q[0] % contextLength == 0, q[1] % headWidth == 0, k[1] % headWidth == 0, k[1] > 0,
      q[1] % k[1] == 0
    else {
      throw mismatch(
        inputs,
        "q [N, H D], k and v [N, G D] with H a multiple of G, D = \(headWidth), N a multiple of T = "
          + "\(contextLength) are needed")
    }
    if let window, window < 1 {
      throw GraphError(.shape, "\(name): a window of \(window) sees nothing; use 1 or more")
    }
    if masksDocuments {
      try expectInteger(inputs[3], "documents")
      guard inputs[3].shape == [q[0]] else { throw mismatch(inputs, "documents must be [N]") }
    }
    if readsWindow { try expectWindow(inputs) }
    return [TensorType(q, elementType), TensorType([q[0] * (q[1] / headWidth)])]
  }

  /// Scores are computed again from q, k and the stored denominator.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    if node.upstream[1] != nil {
      throw GraphError(.notDifferentiable, "\(name): gradients flow through the output only")
    }
    guard let dout = node.upstream[0] else { return node.inputs.map { _ in nil } }
    let operation = AttentionGradient(
      headWidth: headWidth, contextLength: contextLength, window: window,
      masksDocuments: masksDocuments, readsWindow: readsWindow)
    let results = dout.graph.apply(
      operation, Array(node.inputs[0..<3]) + node.results + [dout] + node.inputs.dropFirst(3))
    return [results[0], results[1], results[2]] + node.inputs.dropFirst(3).map { _ in nil }
  }

  /// Score pairs that a causal, windowed mask leaves in one sequence.
  public static func pairs(contextLength: Int, window: Int?) -> Double {
    let t = Double(contextLength)
    guard let window, window < contextLength else { return t * (t + 1) / 2 }
    let w = Double(window)
    return w * (w + 1) / 2 + (t - w) * w
  }

  /// 4 D FLOPs for every pair of query and visible key, and head.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    let sequences = Double(inputs[0].shape[0] / contextLength)
    let pairs = Self.pairs(contextLength: contextLength, window: window)
    return Cost(
      flops: 4 * pairs * Double(inputs[0].shape[1]) * sequences,
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

/// Gradients of attention: `q, k, v, out, log-sum-exp, dout, (documents), (window) -> dq, dk, dv`.
public struct AttentionGradient: Operation {
  /// D.
  public let headWidth: Int
  /// T.
  public let contextLength: Int
  /// How many keys back a query sees, or the most when it is read.
  public let window: Int?
  /// An operand numbers the documents.
  public let masksDocuments: Bool
  /// A last operand is the window.
  public var readsWindow = false
  /// How the gradients are stored.
  public var elementType: ElementType = .float32

  /// Gradients of q, k and v.
  public var resultCount: Int { 3 }

  /// `attention gradient`.
  public var name: String { "attention gradient" }

  /// Like q, k and v.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expect(6 + (masksDocuments ? 1 : 0) + (readsWindow ? 1 : 0), inputs)
    try expectFloating(Array(inputs[0..<6]))
    let shape = inputs[0].shape
    guard shape.rank == 2, inputs[1].shape == inputs[2].shape, inputs[3].shape == shape,
      inputs[5].shape == shape, headWidth > 0,
      inputs[4].shape == [shape.count / headWidth]
    else {
      throw mismatch(inputs, "out and its gradient must be shaped like q, v like k")
    }
    if readsWindow { try expectWindow(inputs) }
    return inputs[0..<3].map { TensorType($0.shape, elementType) }
  }

  /// Not provided.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    throw GraphError(.notDifferentiable, "\(name): second derivatives are not provided")
  }

  /// 10 D FLOPs for every pair and head: scores again, and four products.
  public func cost(inputs: [TensorType], results: [TensorType]) -> Cost {
    let sequences = Double(inputs[0].shape[0] / contextLength)
    let pairs = Attention.pairs(contextLength: contextLength, window: window)
    return Cost(
      flops: 10 * pairs * Double(inputs[0].shape[1]) * sequences,
      bytes: touchedBytes(inputs: inputs, results: results))
  }
}

extension Operation {
  /// A window that is read comes last, and is one number.
  fileprivate func expectWindow(_ inputs: [TensorType]) throws(GraphError) {
    guard let window = inputs.last, window == TensorType([]) else {
      throw GraphError(
        .shape,
        "\(name): a window that is read must be float32[], not \(inputs.last?.description ?? "")")
    }
  }
}

extension Tensor {
  /// Causal attention with `self` as queries `[N, H D]`.
  ///
  /// - Parameters:
  ///   - keys: `[N, G D]`.
  ///   - values: `[N, G D]`.
  ///   - headWidth: D.
  ///   - contextLength: T.
  ///   - window: how many keys back a query sees, itself included; with `currentWindow`, the most; nil: all.
  ///   - currentWindow: a scalar that is read at each run, rounded, and kept between 1 and `window`.
  ///   - documents: int32 `[N]`; attention stays inside one document.
  /// - Returns: `[N, H D]`.
  public func attention(
    keys: Tensor, values: Tensor, headWidth: Int, contextLength: Int, window: Int? = nil,
    currentWindow: Tensor? = nil, documents: Tensor? = nil
  ) -> Tensor {
    let operation = Attention(
      headWidth: headWidth, contextLength: contextLength, window: window,
      masksDocuments: documents != nil, readsWindow: currentWindow != nil)
    let operands = [self, keys, values] + [documents, currentWindow].compactMap(\.self)
    return graph.apply(operation, operands)[0]
  }
}
