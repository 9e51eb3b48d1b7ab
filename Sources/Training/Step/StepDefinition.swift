// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import LanguageModels
public import Optimizers
public import TensorGraph

/// A model, a method and a batch shape: from these follow all programs of a run.
///
/// Labels of leaves: parameters by their names; `optimizer.STATE.PARAMETER` for the method's state; `accumulated.PARAMETER` for
/// gradients of several micro-batches; inputs `tokens`, `targets`, `documents`; scalars `loss_scale`, `gradient_clip`, `overwrites`
/// and `optimizer.NAME`.
public struct StepDefinition {
  /// The model.
  public let model: any LanguageModel
  /// The optimizer.
  public let method: any OptimizerMethod
  /// Sequences of one micro-batch.
  public let sequences: Int
  /// What products are computed in.
  public let precision: Precision

  /// Defines a step.
  public init(
    model: any LanguageModel, method: any OptimizerMethod, sequences: Int, precision: Precision
  ) {
    self.model = model
    self.method = method
    self.sequences = sequences
    self.precision = precision
  }

  /// Tokens of one micro-batch.
  public var tokens: Int { sequences * model.configuration.contextLength }

  /// Whether weight decay applies to a role: to matrices and the token table, not to gains and scalars.
  public static func decays(_ role: ParameterRole) -> Bool {
    switch role {
    case .normGain, .queryKeyNormGain, .scalar: false
    case .embedding, .head, .attentionQuery, .attentionKey, .attentionValue, .attentionOutput,
      .mlpIn, .mlpGate, .mlpOut:
      true
    }
  }

  // MARK: - Programs

  /// A whole step on one micro-batch.
  ///
  /// Outputs `loss`, `cross_entropy_sum`, `gradient_norm`; `commit` carries out the update.
  ///
  /// - Parameter revealsGradients: adds outputs `gradient.PARAMETER`, as they are before clipping.
  /// - Returns: the program, lowered to the precision.
  /// - Throws: `GraphError`.
  public func stepProgram(revealsGradients: Bool = false) throws(GraphError) -> Program {
    let graph = Graph()
    let forward = try differentiated(in: graph)
    let (norm, assignments, _) = update(forward.parameters, forward.gradients, in: graph)
    var outputs = [
      ("loss", forward.loss), ("cross_entropy_sum", forward.crossEntropySum),
      ("gradient_norm", norm),
    ]
    if revealsGradients {
      for (parameter, gradient) in zip(model.parameters, forward.gradients) {
        outputs.append(("gradient." + parameter.name, gradient))
      }
    }
    return try lowered(Program(graph: graph, outputs: outputs, assignments: assignments))
  }

  /// One micro-batch of several.
  ///
  /// Adds its gradients to `accumulated.PARAMETER`, or overwrites them where the scalar `overwrites` is 1, whatever they
  /// hold. Outputs `loss` and `cross_entropy_sum`.
  ///
  /// - Throws: `GraphError`.
  public func accumulationProgram() throws(GraphError) -> Program {
    let graph = Graph()
    let forward = try differentiated(in: graph)
    let overwrites = graph.scalar("overwrites")
    let assignments = zip(model.parameters, forward.gradients).map { parameter, gradient in
      let sum = graph.state("accumulated." + parameter.name, parameter.shape)
      return (sum, select(overwrites, gradient, sum + gradient))
    }
    return try lowered(
      Program(
        graph: graph,
        outputs: [("loss", forward.loss), ("cross_entropy_sum", forward.crossEntropySum)],
        assignments: assignments))
  }

  /// The update from accumulated gradients.
  ///
  /// Outputs `gradient_norm`.
  ///
  /// - Throws: `GraphError`.
  public func updateProgram() throws(GraphError) -> Program {
    let graph = Graph()
    let weights = ModelWeights(model.parameters, in: graph)
    let gradients = model.parameters.map { graph.state("accumulated." + $0.name, $0.shape) }
    let (norm, assignments, _) = update(
      model.parameters.map { weights[$0.name] }, gradients, in: graph)
    return try lowered(
      Program(graph: graph, outputs: [("gradient_norm", norm)], assignments: assignments))
  }

  /// Cross-entropy of a batch under the weights that the method evaluates with.
  ///
  /// Outputs `cross_entropy_sum`.
  ///
  /// - Throws: `GraphError`.
  public func evaluationProgram(sequences: Int) throws(GraphError) -> Program {
    let graph = Graph()
    let inputs = ModelInputs(model.configuration, sequences: sequences, in: graph)
    let (_, sum) = model.loss(inputs, scale: graph.constant(1), evaluated(in: graph))
    return try lowered(Program(graph: graph, outputs: [("cross_entropy_sum", sum)]))
  }

  /// Logits of a batch `[N, V]` under the weights that the method evaluates with.
  ///
  /// Outputs `logits`.
  ///
  /// - Throws: `GraphError`.
  public func logitsProgram(sequences: Int) throws(GraphError) -> Program {
    let graph = Graph()
    let inputs = ModelInputs(model.configuration, sequences: sequences, in: graph)
    let logits = model.logits(inputs, evaluated(in: graph)).cast(to: .float32)
    return try lowered(Program(graph: graph, outputs: [("logits", logits)]))
  }

  /// The state that the method keeps.
  public var stateDeclarations: [StateBuilder.Declaration] {
    let graph = Graph()
    let weights = ModelWeights(model.parameters, in: graph)
    let parameters = model.parameters.map { weights[$0.name] }
    return update(parameters, parameters, in: graph).states.flatMap(\.declarations)
  }

  // MARK: - Equations

  private struct Forward {
    let loss: Tensor
    let crossEntropySum: Tensor
    let parameters: [Tensor]
    let gradients: [Tensor]
  }

  private func differentiated(in graph: Graph) throws(GraphError) -> Forward {
    let inputs = ModelInputs(model.configuration, sequences: sequences, in: graph)
    let weights = ModelWeights(model.parameters, in: graph)
    let (loss, sum) = model.loss(inputs, scale: graph.scalar("loss_scale"), weights)
    let parameters = model.parameters.map { weights[$0.name] }
    return Forward(
      loss: loss, crossEntropySum: sum, parameters: parameters,
      gradients: try gradients(of: loss, withRespectTo: parameters))
  }

  /// norm = sqrt(sum of all squares); every gradient times min(1, clip / norm); then the method's equations.
  private func update(
    _ parameters: [Tensor], _ gradients: [Tensor], in graph: Graph
  ) -> (norm: Tensor, assignments: [(Tensor, Tensor)], states: [StateBuilder]) {
    let norm = squareRoot(gradients.map { square($0).sum() }.reduce(graph.constant(0), +))
    let factor = minimum(graph.constant(1), graph.scalar("gradient_clip") / norm)
    var states = model.parameters.map { StateBuilder($0, in: graph) }
    let updated = method.update(
      parameters, gradients: gradients.map { $0 * factor }, states: &states,
      scalars: model.parameters.map { Scalars(in: graph, decays: Self.decays($0.role)) })
    let assignments =
      Array(zip(parameters, updated)) + states.flatMap(\.assignments).map { ($0.target, $0.value) }
    return (norm, assignments, states)
  }

  private func evaluated(in graph: Graph) -> ModelWeights {
    let weights = ModelWeights(model.parameters, in: graph)
    return ModelWeights(
      Dictionary(
        uniqueKeysWithValues: model.parameters.map { parameter in
          var state = StateBuilder(parameter, in: graph)
          let scalars = Scalars(in: graph, decays: Self.decays(parameter.role))
          return (
            parameter.name,
            method.evaluated(weights[parameter.name], state: &state, scalars: scalars)
          )
        }))
  }

  private func lowered(_ program: Program) throws(GraphError) -> Program {
    let shared = try program.sharingCrossEntropy()
    return precision == .bf16 ? try shared.withBFloat16Products() : shared
  }
}
