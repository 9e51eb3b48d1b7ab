// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// The run-time scalars that one parameter's equations read, and what is fixed when they are traced.
///
/// A scalar is a leaf `optimizer.GROUP.NAME` that the host sets before each step.
public struct Scalars {
  /// Leaves are called this, the group and the scalar's name.
  public static let prefix = "optimizer."

  /// The element type of products that leave their precision open: bfloat16 where the run multiplies in it.
  public let productType: ElementType
  /// Whether weight decay applies to this parameter; methods that apply decay themselves must ask.
  public let decays: Bool
  private let graph: Graph
  private let group: String

  /// The scalars of a group.
  public init(
    in graph: Graph, group: String, decays: Bool = true, productType: ElementType = .float32
  ) {
    self.decays = decays
    self.graph = graph
    self.group = group
    self.productType = productType
  }

  /// The leaf of a scalar.
  public static func label(_ name: String, group: String) -> String { "\(prefix)\(group).\(name)" }

  /// The scalar of that name.
  public subscript(name: String) -> Tensor { graph.scalar(Self.label(name, group: group)) }

  /// The learning rate in force at this step.
  public var learningRate: Tensor { self["learning_rate"] }
  /// The decoupled weight decay; what shrinks a parameter in one step is ``decay``.
  public var weightDecay: Tensor { self["weight_decay"] }
  /// The share of a parameter that one step takes away: learning rate times weight decay.
  public var decay: Tensor { self["decay"] }
  /// The decay of the first average.
  public var beta1: Tensor { self["beta1"] }
  /// The decay of the second average.
  public var beta2: Tensor { self["beta2"] }
  /// The decay of a momentum.
  public var momentum: Tensor { self["momentum"] }
  /// Added to a denominator.
  public var epsilon: Tensor { self["epsilon"] }

  /// The complement of a decay factor, 1 - NAME, from the host's double precision.
  public func complement(_ name: String) -> Tensor { self["one_minus_\(name)"] }
  /// The bias correction of a decay factor, 1 - NAME^t.
  public func correction(_ name: String) -> Tensor { self["\(name)_correction"] }

  /// NAME a + (1 - NAME) b: an exponential average with the decay factor NAME.
  public func average(_ name: String, _ a: Tensor, _ b: Tensor) -> Tensor {
    self[name] * a + complement(name) * b
  }
}
