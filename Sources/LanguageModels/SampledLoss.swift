// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

extension LanguageModel {
  /// Labels drawn from the model's own softmax, int32 `[N]`: one for every target that counts, the others as they are.
  ///
  /// - Parameters:
  ///   - inputs: as for the loss; of the targets only their sign is read.
  ///   - uniforms: float32 `[N]` in [0, 1), one for each row.
  ///   - weights: the parameters' values.
  /// - Returns: int32 `[N]`.
  public func sampledLabels(
    _ inputs: ModelInputs, uniforms: Tensor, _ weights: ModelWeights
  ) -> Tensor {
    hidden(inputs, weights).linearSample(
      weight: head(weights), uniforms: uniforms, targets: inputs.targets, form: headForm)
  }

  /// The loss with labels drawn from the model's own softmax in place of the targets; there is no z-loss in it.
  ///
  /// loss = scale sum_n c_n, with the cross-entropy c of row n under a label drawn by its uniform, over targets that count.
  /// Its gradients are those of given labels, and their squares estimate the diagonal of the Gauss-Newton matrix (Liu et
  /// al., 2023, https://arxiv.org/abs/2305.14342, algorithm 2). The hidden state is computed once: drawing and loss read the
  /// same nodes.
  ///
  /// - Parameters:
  ///   - inputs: as for the loss; of the targets only their sign is read.
  ///   - uniforms: float32 `[N]` in [0, 1), one for each row, new for each estimate.
  ///   - scale: a scalar, usually 1 / (targets that count in all micro-batches of the estimate).
  ///   - weights: the parameters' values.
  /// - Returns: the loss, and the plain sum of cross-entropies.
  public func sampledLoss(
    _ inputs: ModelInputs, uniforms: Tensor, scale: Tensor, _ weights: ModelWeights
  ) -> (loss: Tensor, crossEntropySum: Tensor) {
    hidden(inputs, weights).linearCrossEntropy(
      weight: head(weights), targets: sampledLabels(inputs, uniforms: uniforms, weights),
      scale: scale, zLoss: scale.graph.constant(0), form: headForm)
  }
}
