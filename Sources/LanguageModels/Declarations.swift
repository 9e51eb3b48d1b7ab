// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// How parameters of each kind start; the one place where the rule stands.
///
/// - Matrices, the token table and the head: normal, standard deviation 0.02 (Radford et al., 2019).
/// - Projections back into the residual stream (attention output, feed-forward output): normal, 0.02 / sqrt(2 L), since 2 L
///   of them add up.
/// - Gains: 1.
struct Declarations {
  private let layers: Int

  init(_ configuration: ModelConfiguration) { layers = configuration.layers }

  /// A matrix `[out, in]`.
  func matrix(
    _ name: String, _ role: ParameterRole, _ layer: Int?, _ shape: Shape, heads: Int? = nil
  ) -> Parameter {
    Parameter(
      name: name, role: role, layer: layer, shape: shape, heads: heads,
      initialization: .normal(standardDeviation: 0.02))
  }

  /// A matrix `[out, in]` whose result is added to the residual stream.
  func output(
    _ name: String, _ role: ParameterRole, _ layer: Int?, _ shape: Shape, heads: Int? = nil
  ) -> Parameter {
    let deviation = 0.02 / (2 * Double(layers)).squareRoot()
    return Parameter(
      name: name, role: role, layer: layer, shape: shape, heads: heads,
      initialization: .normal(standardDeviation: Float(deviation)))
  }

  /// The gain of a norm.
  func gain(_ name: String, _ role: ParameterRole, _ layer: Int?, _ width: Int) -> Parameter {
    Parameter(name: name, role: role, layer: layer, shape: [width], initialization: .constant(1))
  }
}
