// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

extension LanguageModel {
  /// The loss with labels drawn from the model's own softmax.
  public func sampledLoss(
    _ inputs: ModelInputs, uniforms: Tensor, scale: Tensor, _ weights: ModelWeights
  ) -> (loss: Tensor, crossEntropySum: Tensor) {
    preconditionFailure("labels cannot be drawn yet")
  }
}
