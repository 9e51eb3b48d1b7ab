// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// The effective learning rate of Adam's family, lr / (sqrt(v / (1 - beta2^t)) + epsilon), with v of any shape.
func effectiveRate(secondMoment v: Tensor, _ scalars: Scalars) -> Tensor {
  scalars.learningRate / (squareRoot(v / scalars.correction("beta2")) + scalars.epsilon)
}

extension Optimizer {
  /// The effective learning rates of all parameters of a role whose methods have them, from the state as it is.
  ///
  /// The scalars that they read are those of the last update.
  ///
  /// - Parameters:
  ///   - role: whose.
  ///   - graph: where the equations are written.
  /// - Returns: each parameter with its group's name and rates, one for each number or block; see
  ///   ``OptimizerMethod/effectiveRate(_:state:scalars:)``.
  public func effectiveRates(
    of role: ParameterRole, in graph: Graph
  ) -> [(parameter: Parameter, group: String, rates: Tensor)] {
    trained.flatMap { group in
      group.members.filter { $0.role == role }.compactMap { member in
        var state = StateBuilder(member, in: graph)
        let rates = group.method?.effectiveRate(
          graph.parameter(member.name, member.shape), state: &state,
          scalars: scalars(group, member, in: graph))
        return rates.map { (member, group.name, $0) }
      }
    }
  }
}
