// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// Adam-mini (Zhang et al., 2024): one second moment for each block that the Hessian's structure suggests.
///
///     v_block = b2 v_block + (1-b2) mean of g^2 in the block;   the rest as in Adam
///
/// Blocks: the heads of query and key; the rows of value, output, feed-forward, token table and head; else the tensor.
struct AdamMiniReference: ProposingReference {
  let parameters: [ReferenceParameter]
  private var m: [[Double]]
  private var blocks: [BlockMoments]
  private var correction1 = BiasCorrection()
  private var correction2 = BiasCorrection()

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String]
  ) {
    self.parameters = parameters
    m = zeros(parameters)
    blocks = parameters.map { parameter in
      switch parameter.role {
      case .attentionQuery, .attentionKey:
        BlockMoments(parameter.count, size: parameter.count / (parameter.heads ?? 1))
      case .attentionValue, .attentionOutput, .mlpIn, .mlpGate, .mlpOut, .embedding, .head,
        .valueEmbedding, .gate:
        BlockMoments(parameter.count, size: parameter.columns)
      case .normGain, .queryKeyNormGain, .scalar:
        BlockMoments(parameter.count, size: parameter.count)
      }
    }
  }

  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]] {
    let rate = hyperparameters.value("learning_rate")
    let epsilon = hyperparameters.value("epsilon")
    let beta1 = hyperparameters.value("beta1")
    let beta2 = hyperparameters.value("beta2")
    let c1 = correction1.advance(beta1)
    let c2 = correction2.advance(beta2)
    var steps = gradients
    for p in gradients.indices {
      m[p].average(beta1, gradients[p])
      blocks[p].average(beta2, gradients[p])
      for i in gradients[p].indices {
        let denominator = (blocks[p].moment(i) / c2).squareRoot() + epsilon
        steps[p][i] = rate * m[p][i] / c1 / denominator
      }
    }
    return steps
  }
}
