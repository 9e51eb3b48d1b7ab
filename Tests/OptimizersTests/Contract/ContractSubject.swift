// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import TensorGraph
import Testing

/// A method with some options, on parameters of every kind that its card accepts.
struct ContractSubject: Sendable, CustomTestStringConvertible {
  var method: any OptimizerMethod.Type
  /// Choices that differ from the standard ones.
  var choices: [String: String] = [:]
  /// Hyperparameters that differ from the card's.
  var changes: [String: Double] = [:]
  /// What surrounds the method; nil: what its card says.
  var settings: GroupSettings?

  var card: OptimizerCard { method.card }

  var testDescription: String {
    ([card.name] + choices.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" })
      .joined(separator: ", ")
  }

  /// Every registered method with its standard options.
  static let methods = OptimizerRegistry.methods.map { ContractSubject(method: $0) }

  /// Every registered method, with its standard options, with each other choice by itself, and with the last of all together.
  static let all = OptimizerRegistry.methods.flatMap { method -> [ContractSubject] in
    let options = method.card.options
    var subjects = [ContractSubject(method: method)]
    for option in options {
      for choice in option.choices.dropFirst() {
        subjects.append(ContractSubject(method: method, choices: [option.name: choice]))
      }
    }
    if options.count > 1 {
      let others = options.compactMap { option in option.choices.last.map { (option.name, $0) } }
      subjects.append(
        ContractSubject(method: method, choices: Dictionary(uniqueKeysWithValues: others)))
    }
    return subjects
  }

  /// Whether products are rounded to bfloat16 on the way.
  var roundsProducts: Bool { choices["precision"] == "bf16" }

  /// Hyperparameters under which a hundred steps show every part of the equations: decay, warm-ups, clipping, epsilons.
  var hyperparameters: [String: Double] {
    let lively = [
      "weight_decay": 0.1, "warmup_steps": 10, "alpha_warmup": 20, "beta3_warmup": 30,
      "statistics_batches": 5, "d0": 1e-2, "precondition_every": 7, "epsilon": 1e-3,
      "clip_threshold": 0.8, "rho": 2, "curvature_every": 3, "step_power": 1,
      "growth_rate": 1.02,
    ]
    var values = card.defaults
    // A momentum that is off by default is shown too.
    if values["beta1"] == 0 { values["beta1"] = 0.9 }
    return values.merging(lively.filter { card.defaults[$0.key] != nil }) { $1 }
      .merging(changes) { $1 }
  }

  /// The choices of all options.
  func options() throws -> MethodOptions { try MethodOptions(card, choices) }

  /// The tensors: vectors, and matrices that are tall, wide and square, in every role.
  var parameters: [Parameter] {
    let shapes: [(ParameterRole, Shape, Int?)] = [
      (.normGain, [7], nil), (.queryKeyNormGain, [3], nil), (.scalar, [2], nil),
      (.embedding, [8, 5], nil), (.head, [8, 5], nil),
      (.attentionQuery, [6, 6], 2), (.attentionKey, [6, 6], 3), (.attentionValue, [6, 6], 2),
      (.attentionOutput, [6, 6], 2), (.mlpIn, [4, 9], nil), (.mlpOut, [9, 4], nil),
      (.mlpGate, factorsLargeOnly ? [33, 40] : [5, 7], nil),
    ]
    return shapes.filter { card.eligibility.accepts($0.0) }.map { role, shape, heads in
      Parameter(
        name: role.key, role: role, shape: shape, heads: heads,
        initialization: .normal(standardDeviation: 1))
    }
  }

  /// The parameters as a reference sees them.
  var referenceParameters: [ReferenceParameter] {
    let settings = settings ?? card.settings
    return parameters.map { parameter in
      let isMatrix = parameter.shape.rank == 2
      return ReferenceParameter(
        rows: isMatrix ? parameter.shape.rows : 1,
        columns: isMatrix ? parameter.shape.columns : parameter.shape.count,
        isMatrix: isMatrix, role: parameter.role, heads: parameter.heads,
        decays: settings.decays ?? parameter.role.decays)
    }
  }

  /// Weights and gradients that single precision holds exactly; one row of the token table is never touched.
  func problem(steps: Int, seed: UInt64 = 1) -> ReferenceProblem {
    var problem = ReferenceProblem(referenceParameters, steps: steps, seed: seed)
    func single(_ x: [Double]) -> [Double] { x.map { Double(Float($0)) } }
    problem.weights = problem.weights.map(single)
    problem.gradients = problem.gradients.map { $0.map(single) }
    guard
      !sharesBases,
      let table = problem.parameters.firstIndex(where: { $0.role == .embedding })
    else { return problem }
    let row = problem.parameters[table].columns
    for step in problem.gradients.indices {
      for i in 0..<row { problem.gradients[step][table][i] = 0 }
    }
    return problem
  }

  /// Whether the method keeps eigenvectors, of which there are many equally good ones where eigenvalues coincide.
  ///
  /// Then the reference, having checked them, goes on with those of the method.
  var sharesBases: Bool { OptimizerReferences.all[card.name] == SOAPReference.self }

  /// Whether matrices are factored from 32 rows and columns on; smaller ones would show nothing.
  private var factorsLargeOnly: Bool {
    OptimizerReferences.all[card.name] == BigVisionAdafactorReference.self
  }

  /// The method by itself, in one group.
  func optimizer() throws -> Optimizer {
    Optimizer(
      method, hyperparameters, options: try options(), settings: settings,
      parameters: parameters)
  }
}
