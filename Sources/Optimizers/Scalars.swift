// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// The run-time scalars that one parameter's equations read: leaves `optimizer.NAME` that the host sets before each step.
public struct Scalars {
  /// Leaves are called this and the scalar's name.
  public static let prefix = "optimizer."

  /// Whether weight decay applies to this parameter.
  public let decays: Bool
  private let graph: Graph

  /// The scalars of a parameter.
  public init(in graph: Graph, decays: Bool) {
    self.graph = graph
    self.decays = decays
  }

  /// The scalar of that name.
  public subscript(name: String) -> Tensor { graph.scalar(Self.prefix + name) }

  /// The learning rate in force at this step.
  public var learningRate: Tensor { self["learning_rate"] }
  /// The decoupled weight decay.
  public var weightDecay: Tensor { self["weight_decay"] }
  /// The decay of the first average.
  public var beta1: Tensor { self["beta1"] }
  /// The decay of the second average.
  public var beta2: Tensor { self["beta2"] }
  /// Added to a denominator.
  public var epsilon: Tensor { self["epsilon"] }

  /// w (1 - learningRate weightDecay) where decay applies, else w (Loshchilov and Hutter, 2019).
  public func decayed(_ parameter: Tensor) -> Tensor {
    decays ? parameter * (1 - learningRate * weightDecay) : parameter
  }
}
