// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import Optimizers

/// Section `[optimizer]`: the method, its hyperparameters (keys, ranges and defaults of its card), and clipping.
public struct OptimizerSettings: Sendable {
  /// `name`: the method; the registry's standard.
  public let name: String
  /// The hyperparameters by the names of the card.
  public let hyperparameters: [String: Double]
  /// `gradient_clip`: the largest global gradient norm; 1, and 0 switches clipping off.
  public let gradientClip: Double

  init(_ section: ConfigurationSection) {
    let names = OptimizerRegistry.names
    name = section.name(
      "name", default: OptimizerRegistry.standard.card.name, among: names, doc: "the method")
    var values: [String: Double] = [:]
    for hyperparameter in Self.method(name).card.hyperparameters {
      let (lower, upper) = (hyperparameter.range.lowerBound, hyperparameter.range.upperBound)
      values[hyperparameter.name] = section.number(
        hyperparameter.name, default: hyperparameter.defaultValue,
        in: hyperparameter.excludesUpperBound ? .within(lower..<upper) : .within(lower...upper),
        doc: hyperparameter.summary)
    }
    hyperparameters = values
    gradientClip = section.number(
      "gradient_clip", default: 1, in: .nonNegative,
      doc: "largest global norm of the gradients; 0: no clipping")
  }

  /// The method itself.
  public var method: any OptimizerMethod { Self.method(name).init() }

  private static func method(_ name: String) -> any OptimizerMethod.Type {
    OptimizerRegistry.methods.first { $0.card.name == name } ?? OptimizerRegistry.standard
  }
}
