// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// What a reference is told about one tensor.
struct ReferenceParameter {
  var rows: Int
  var columns: Int
  /// Two axes; a vector has one row.
  var isMatrix: Bool
  var role: ParameterRole
  var heads: Int?
  var decays: Bool

  var count: Int { rows * columns }

  static func vector(_ count: Int, role: ParameterRole = .normGain) -> Self {
    Self(
      rows: 1, columns: count, isMatrix: false, role: role, heads: nil, decays: role.decays)
  }

  static func matrix(
    _ rows: Int, _ columns: Int, role: ParameterRole = .mlpIn, heads: Int? = nil
  ) -> Self {
    Self(
      rows: rows, columns: columns, isMatrix: true, role: role, heads: heads,
      decays: role.decays)
  }
}

/// A method once more: plain loops over arrays of `Double`, written from its paper and from nothing else.
///
/// The contract tests hold the traced equations against these. Matrices are row-major, `[out, in]`.
protocol OptimizerReference: Sendable {
  /// Whether the paper speaks of hidden matrices only.
  static var needsHiddenMatrices: Bool { get }

  init(
    _ parameters: [ReferenceParameter], hyperparameters: [String: Double],
    options: [String: String])

  /// One update of all tensors; the hyperparameters are those in force at this step.
  mutating func step(
    _ weights: inout [[Double]], gradients: [[Double]], hyperparameters: [String: Double])

  /// The weights for evaluation.
  func evaluated(_ weights: [[Double]]) -> [[Double]]

  /// A gradient that only feeds statistics.
  mutating func observe(_ weights: [[Double]], gradients: [[Double]])
}

extension OptimizerReference {
  static var needsHiddenMatrices: Bool { false }
  func evaluated(_ weights: [[Double]]) -> [[Double]] { weights }
  mutating func observe(_ weights: [[Double]], gradients: [[Double]]) {}
}

/// A method that proposes steps u; decoupled decay comes first: w = w (1 - lr wd), then w = w - u.
protocol ProposingReference: OptimizerReference {
  var parameters: [ReferenceParameter] { get }

  /// The steps, before any decay; the state has moved on.
  mutating func propose(
    _ weights: [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) -> [[Double]]
}

extension ProposingReference {
  mutating func step(
    _ weights: inout [[Double]], gradients: [[Double]], hyperparameters: [String: Double]
  ) {
    let steps = propose(weights, gradients: gradients, hyperparameters: hyperparameters)
    let decay = hyperparameters.value("learning_rate") * hyperparameters.weightDecay
    for p in weights.indices {
      for i in weights[p].indices {
        if parameters[p].decays { weights[p][i] *= 1 - decay }
        weights[p][i] -= steps[p][i]
      }
    }
  }
}

extension [String: Double] {
  /// A hyperparameter that must be there: a reference has no defaults of its own.
  func value(_ name: String) -> Double {
    guard let value = self[name] else {
      preconditionFailure("the reference reads '\(name)', which is not among \(keys.sorted())")
    }
    return value
  }

  /// The decoupled decay; methods whose papers have none take none.
  var weightDecay: Double { self["weight_decay"] ?? 0 }
}

extension [String: String] {
  /// An option that must be there.
  func choice(_ name: String) -> String {
    guard let value = self[name] else {
      preconditionFailure("the reference reads option '\(name)', not among \(keys.sorted())")
    }
    return value
  }
}

/// Every reference by its method's name.
enum OptimizerReferences {
  static let all: [String: any OptimizerReference.Type] = [
    "sgd": MomentumDescentReference.self,
    "adamw": AdamReference.self,
    "nadamw": NesterovAdamReference.self,
    "adafactor-adam": FactoredAdamReference.self,
    "adafactor-bv": BigVisionAdafactorReference.self,
    "adafactor-2018": OriginalAdafactorReference.self,
    "lion": LionReference.self,
    "signum": SignumReference.self,
    "sophia-g": SophiaReference.self,
    "adalayer": AdalayerReference.self,
    "adalayer-star": AdalayerStarReference.self,
    "adalayer-frozen": FrozenAdalayerReference.self,
    "muon": MuonReference.self,
    "normuon": NorMuonReference.self,
    "schedule-free-adamw": ScheduleFreeAdamReference.self,
    "schedule-free-sgd": ScheduleFreeDescentReference.self,
    "ademamix": AdEMAMixReference.self,
    "adopt": ADOPTReference.self,
    "mars-adamw": MARSReference.self,
    "adam-mini": AdamMiniReference.self,
    "lamb": LAMBReference.self,
    "prodigy": ProdigyReference.self,
    "soap": SOAPReference.self,
  ]
}
