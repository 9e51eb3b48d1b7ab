// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Optimizers
public import TensorGraph

/// AdaGrad: a step size for every number, which falls with the gradients that the number has seen.
///
/// Duchi, Hazan and Singer, *Adaptive Subgradient Methods*, 2011 (https://jmlr.org/papers/v12/duchi11a.html), figure 1,
/// diagonal form, with decoupled weight decay.
public struct AdaGrad: OptimizerMethod {
  /// One fp32 number of state for each parameter.
  public static let card = OptimizerCard(
    name: "adagrad",
    paper:
      "Duchi, Hazan and Singer, Adaptive Subgradient Methods, 2011, https://jmlr.org/papers/v12/duchi11a.html",
    equation: """
      s = s + g^2
      w = w - lr wd w - lr g / (sqrt(s) + epsilon)
      """,
    hyperparameters: [
      .learningRate(1e-2, search: 1e-3...1, source: "PyTorch 2, torch.optim.Adagrad"),
      .epsilon(1e-10, source: "PyTorch 2, torch.optim.Adagrad", summary: "added to the root of s"),
      .weightDecay(0, source: "Duchi, Hazan and Singer, 2011: none"),
    ],
    state: .perNumber(1))

  /// Makes the method; it has no options.
  public init(_ options: MethodOptions) {}

  /// The equations.
  public func update(
    _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
  ) -> Update {
    let s = state.zeros("sum_of_squares", like: w) + square(g)
    state["sum_of_squares"] = s
    return .step(scalars.learningRate * g / (squareRoot(s) + scalars.epsilon))
  }
}
