// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// One second moment for each block of numbers.
struct BlockMoments {
  /// Numbers in a block, which are neighbours.
  let size: Int
  var v: [Double]

  init(_ count: Int, size: Int) {
    precondition(count % size == 0, "\(count) numbers do not fall into blocks of \(size)")
    self.size = size
    v = [Double](repeating: 0, count: count / size)
  }

  /// v = decay v + (1-decay) s, s the mean of squares, or the sum over the root of the count.
  mutating func average(_ decay: Double, _ g: [Double], isLiteral: Bool = false) {
    for block in v.indices {
      let sum = squares(Array(g[block * size..<(block + 1) * size]))
      let s = isLiteral ? sum / Double(size).squareRoot() : sum / Double(size)
      v[block] = decay * v[block] + (1 - decay) * s
    }
  }

  func moment(_ i: Int) -> Double { v[i / size] }
}

/// Adalayer (Zhao et al., 2024, algorithm 1): Adam with one second moment for each tensor.
///
///     v = b2 v + (1-b2) s,   s = mean(g^2), or as the algorithm prints it ||g||^2 / sqrt(p), p numbers
///     w = w - lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)
struct AdalayerReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private var core: AdalayerCore

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    core = AdalayerCore(parameters, options) { $0.count }
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    core.average(gradients, hyperparameters)
    return core.steps(gradients, hyperparameters)
  }
}

/// Adalayer*: the head has one second moment for each logit, that is for each row.
struct AdalayerStarReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private var core: AdalayerCore

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    core = AdalayerCore(parameters, options) { $0.role == .head ? $0.columns : $0.count }
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    core.average(gradients, hyperparameters)
    return core.steps(gradients, hyperparameters)
  }
}

/// Frozen Adalayer*: the second moments come from first batches, before any update, and stay; m starts with training.
///
/// Blocks that go on (`running`) continue from what the first batches left.
struct FrozenAdalayerReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private let isRunning: Bool
  private let first: [String: Double]
  private var core: AdalayerCore

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    isRunning = options.choice("statistics") == "running"
    first = hyperparameters
    core = AdalayerCore(parameters, options) { $0.role == .head ? $0.columns : $0.count }
  }

  mutating func observe(_ weights: [[Double]], gradients: [[Double]]) {
    core.average(gradients, first)
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    if isRunning { core.average(gradients, hyperparameters) }
    return core.steps(gradients, hyperparameters)
  }
}

/// What the forms of Adalayer share.
struct AdalayerCore {
  private let isLiteral: Bool
  private var m: [[Double]]
  private var blocks: [BlockMoments]
  private var correction1 = BiasCorrection()
  private var correction2 = BiasCorrection()
  private var c2 = 1.0

  /// Blocks of so many numbers for each parameter.
  init(
    _ parameters: [ReferenceParameter], _ options: [String: String],
    blockSize: (ReferenceParameter) -> Int
  ) {
    isLiteral = options.choice("statistic") == "literal"
    m = zeros(parameters)
    blocks = parameters.map { BlockMoments($0.count, size: blockSize($0)) }
  }

  /// A gradient for the second moments; their correction counts these.
  mutating func average(_ gradients: [[Double]], _ hyperparameters: [String: Double]) {
    let beta2 = hyperparameters.value("beta2")
    c2 = correction2.advance(beta2)
    for p in gradients.indices { blocks[p].average(beta2, gradients[p], isLiteral: isLiteral) }
  }

  mutating func steps(
    _ gradients: [[Double]], _ hyperparameters: [String: Double]
  ) -> [[Double]] {
    let beta1 = hyperparameters.value("beta1")
    let rate = hyperparameters.value("learning_rate")
    let epsilon = hyperparameters.value("epsilon")
    let c1 = correction1.advance(beta1)
    var steps = gradients
    for p in gradients.indices {
      m[p].average(beta1, gradients[p])
      for i in gradients[p].indices {
        let denominator = (blocks[p].moment(i) / c2).squareRoot() + epsilon
        steps[p][i] = rate * m[p][i] / c1 / denominator
      }
    }
    return steps
  }
}
