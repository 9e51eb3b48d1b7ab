// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What a head makes of its products, and which targets a row has.
public struct HeadForm: Hashable, Sendable {
  /// What products are multiplied by, above 0: l = factor x w'.
  public var logitFactor: Float = 1
  /// c > 0: l = c tanh(l / c), which is c (2 sigmoid(2 l / c) - 1) (Gemma Team, 2024); nil: none.
  ///
  /// At most ``largestSoftCap``: its slope is found again from exp(l - largest l), which must not run out of range.
  public var softCap: Float?
  /// Logits between -c and c, so exponentials down to exp(-2 c): with 40 still normal numbers of float32 and bfloat16.
  public static let largestSoftCap: Float = 40
  /// K: how many tokens ahead a row predicts (Gloeckle et al., 2024), from 1 to 8.
  public var predictions = 1
  /// T: predictions end with their sequence; read where K > 1.
  public var contextLength = 1
  /// s > 0: gradients by logits are kept as float8 e5m2 numbers times s; nil: as they are.
  public var gradientScale: Float?

  /// One token ahead, nothing scaled, capped or rounded.
  public init() {}
}

/// The head's product, softmax, cross entropy and z-loss in one, so that logits are never stored whole.
///
/// Operands: x `[N, C]`, weight `[V, C]`, targets `[N]` (negative: not counted), scale and zLoss (scalars), and K - 1 scalars, the
/// weights w_2 ... w_K of the second token ahead and so on. With the logits l of the form, s = log sum exp l and c_k = s - l[target
/// of row n + k - 1]: results are loss = scale sum_n (c_1 + w_2 c_2 + ... + zLoss s^2) and the plain sum of c_1, over rows that
/// count; terms beyond the end of a sequence are left out. Scale is usually 1 / (tokens that count).
/// The weight of the squared log-sum-exp (Chowdhery et al., 2022) is a constant, or a number that is read at each run; 0
/// switches it off.
public struct LinearCrossEntropy: Operation {
  /// Caps, factors, tokens ahead.
  public var form = HeadForm()

  /// Loss and sum.
  public var resultCount: Int { 2 }

  /// `linear cross entropy`.
  public var name: String { "linear cross entropy" }

  /// Two scalars.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expectHead(inputs, form)
    return [TensorType([]), TensorType([])]
  }

  /// One node computes loss and gradients together; see `LinearCrossEntropyGradient`.
  public func gradients(_ node: DifferentiatedNode) throws(GraphError) -> [Tensor?] {
    if node.upstream[1] != nil {
      throw GraphError(.notDifferentiable, "\(name): differentiate the loss, not the plain sum")
    }
    guard let upstream = node.upstream[0] else { return node.inputs.map { _ in nil } }
    if node.wanted.dropFirst(4).contains(true) {
      throw GraphError(
        .notDifferentiable, "\(name): weights of the z-loss and of predictions have no gradient")
    }
    let graph = upstream.graph
    let results = graph.apply(LinearCrossEntropyGradient(form: form), node.inputs)
    let number = form.logitFactor * (form.gradientScale ?? 1)
    let factor = number == 1 ? upstream : upstream * number
    // The loss is proportional to the scale.
    return [
      results[0] * factor, results[1] * factor, nil, upstream * results[2] / node.inputs[3],
    ] + node.inputs.dropFirst(4).map { _ in nil }
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
///
/// dx and dW lack the form's factors: they are products of the kept gradients by l with W and x.
public struct LinearCrossEntropyGradient: Operation {
  /// Caps, factors, tokens ahead.
  public var form = HeadForm()
  /// How dx is stored.
  public var elementType: ElementType = .float32

  /// Two gradients, loss and sum.
  public var resultCount: Int { 4 }

  /// `linear cross entropy gradient`.
  public var name: String { "linear cross entropy gradient" }

  /// Like x, like the weight, and two scalars.
  public func resultTypes(of inputs: [TensorType]) throws(GraphError) -> [TensorType] {
    try expectHead(inputs, form)
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
  /// Operands of a head: x, weight, targets, scale, the weight of the z-loss, and those of further predictions.
  fileprivate func expectHead(_ inputs: [TensorType], _ form: HeadForm) throws(GraphError) {
    try expect(4 + form.predictions, inputs)
    try expectFloating(Array(inputs[0..<2]) + Array(inputs[3...]))
    try expectInteger(inputs[2], "targets")
    let (x, weight) = (inputs[0].shape, inputs[1].shape)
    guard x.rank == 2, weight.rank == 2, x[1] == weight[1], inputs[2].shape == [x[0]],
      inputs.dropFirst(3).allSatisfy(\.shape.isScalar)
    else {
      throw mismatch(
        inputs,
        "x [N, C], weight [V, C], targets [N] and \(1 + form.predictions) scalars are needed")
    }
    guard (1...8).contains(form.predictions),
      form.predictions == 1 || (form.contextLength > 0 && x[0] % form.contextLength == 0)
    else {
      throw GraphError(
        .shape,
        "\(name): \(form.predictions) tokens ahead in sequences of \(form.contextLength) of \(x[0]) rows; 1 to 8 in whole "
          + "sequences are possible")
    }
    guard form.logitFactor > 0,
      form.softCap.map({ $0 > 0 && $0 <= HeadForm.largestSoftCap }) ?? true,
      form.gradientScale.map({ $0 > 0 }) ?? true
    else {
      throw GraphError(
        .structure,
        "\(name): factor, cap and scale of \(form) must be above 0, the cap at most "
          + "\(HeadForm.largestSoftCap)")
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
  ///
  /// - Parameters:
  ///   - weight: `[V, C]`.
  ///   - targets: int32 `[N]`; negative: not counted.
  ///   - scale: a scalar, usually 1 / (targets that count).
  ///   - zLoss: a scalar.
  ///   - form: caps, factors, tokens ahead.
  ///   - predictionWeights: scalars, one for each token ahead after the first.
  /// - Returns: the loss, and the plain sum of the first token's cross entropy.
  public func linearCrossEntropy(
    weight: Tensor, targets: Tensor, scale: Tensor, zLoss: Tensor, form: HeadForm = HeadForm(),
    predictionWeights: [Tensor] = []
  ) -> (loss: Tensor, crossEntropySum: Tensor) {
    let results = graph.apply(
      LinearCrossEntropy(form: form), [self, weight, targets, scale, zLoss] + predictionWeights)
    return (results[0], results[1])
  }
}
