// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import LanguageModels
public import Optimizers
public import TensorGraph

/// A model, an optimizer and a batch shape: from these follow all programs of a run.
///
/// Labels of leaves: parameters by their names; `optimizer.STATE.PARAMETER` for the optimizer's state; `accumulated.PARAMETER` for
/// gradients of several micro-batches; inputs `tokens`, `targets`, `documents`; scalars `loss_scale`, `loss_limit`,
/// `gradient_norm_limit`, `gradient_clip`, `overwrites`, `proceeds` and `optimizer.GROUP.NAME`.
public struct StepDefinition {
  /// The model.
  public let model: any LanguageModel
  /// The optimizer, all of whose parameters are the model's.
  public let optimizer: Optimizer
  /// Sequences of one micro-batch.
  public let sequences: Int
  /// What products are computed in.
  public let precision: Precision

  /// Defines a step.
  public init(
    model: any LanguageModel, optimizer: Optimizer, sequences: Int, precision: Precision
  ) {
    self.model = model
    var optimizer = optimizer
    optimizer.productType = precision == .bf16 ? .bfloat16 : .float32
    self.optimizer = optimizer
    self.sequences = sequences
    self.precision = precision
  }

  /// The input that labels are drawn with: a number in [0, 1) for each token.
  static let uniformsLabel = "uniforms"

  /// Where gradients of several micro-batches are added up.
  static func accumulatedLabel(_ parameter: Parameter) -> String { "accumulated." + parameter.name }

  /// Tokens of one micro-batch.
  public var tokens: Int { sequences * model.configuration.contextLength }

  // MARK: - Programs

  /// A whole step on one micro-batch.
  ///
  /// Outputs `loss`, `cross_entropy_sum`, `gradient_norm`, and `is_updated`, the program's condition: 1 where loss and norm are finite
  /// and within the scalars `loss_limit` and `gradient_norm_limit`, 0 where weights and state stay as they are.
  ///
  /// - Parameter revealsGradients: adds outputs `gradient.PARAMETER`, as they are before clipping.
  /// - Returns: the program, lowered to the precision.
  /// - Throws: `GraphError`.
  public func stepProgram(revealsGradients: Bool = false) throws(GraphError) -> Program {
    let graph = Graph()
    let forward = try differentiated(optimizer.trainedParameters, in: graph)
    let update = optimizer.update(
      in: graph, parameter: { forward.weights[$0.name] }, gradient: { forward.gradient($0) })
    let isUpdated =
      isSound(forward.loss, limit: "loss_limit")
      * isSound(update.gradientNorm, limit: "gradient_norm_limit")
    var outputs = [
      ("loss", forward.loss), ("cross_entropy_sum", forward.crossEntropySum),
      ("gradient_norm", update.gradientNorm), ("is_updated", isUpdated),
    ]
    if revealsGradients {
      for parameter in optimizer.trainedParameters {
        outputs.append(("gradient." + parameter.name, forward.gradient(parameter)))
      }
    }
    return try lowered(
      Program(
        graph: graph, outputs: outputs, assignments: update.assignments, condition: isUpdated))
  }

  /// One micro-batch of several.
  ///
  /// Adds its gradients to `accumulated.PARAMETER`, or overwrites them where the scalar `overwrites` is 1, whatever they
  /// hold. Outputs `loss` and `cross_entropy_sum`.
  ///
  /// - Throws: `GraphError`.
  public func accumulationProgram() throws(GraphError) -> Program {
    let graph = Graph()
    let parameters = optimizer.trainedParameters
    let forward = try differentiated(parameters, in: graph)
    let overwrites = graph.scalar("overwrites")
    let assignments = parameters.map { parameter in
      let sum = accumulated(parameter, in: graph)
      let gradient = forward.gradient(parameter)
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
  /// Outputs `gradient_norm`, and `is_updated`, the program's condition: 1 where the norm is finite and within the scalar
  /// `gradient_norm_limit`, and the host, which knows the loss of all micro-batches, allows it by the scalar `proceeds`.
  ///
  /// - Throws: `GraphError`.
  public func updateProgram() throws(GraphError) -> Program {
    let graph = Graph()
    let weights = ModelWeights(model.parameters, in: graph)
    let update = optimizer.update(
      in: graph, parameter: { weights[$0.name] }, gradient: { accumulated($0, in: graph) })
    let isUpdated =
      graph.scalar("proceeds") * isSound(update.gradientNorm, limit: "gradient_norm_limit")
    return try lowered(
      Program(
        graph: graph, outputs: [("gradient_norm", update.gradientNorm), ("is_updated", isUpdated)],
        assignments: update.assignments, condition: isUpdated))
  }

  /// One micro-batch's extra gradients of a group.
  ///
  /// Adds them to `accumulated.PARAMETER` where `accumulates`, else feeds them to the group's state if loss and norm are finite.
  /// Outputs `loss` and `gradient_norm`.
  ///
  /// - Throws: `GraphError`.
  func extraGradientProgram(
    of group: ParameterGroup, samplesLabels: Bool, accumulates: Bool
  ) throws(GraphError) -> Program {
    let graph = Graph()
    let forward = try differentiated(group.members, samplesLabels: samplesLabels, in: graph)
    let squares = group.members.map { square(forward.gradient($0)).sum() }
    let norm = squareRoot(squares.reduce(graph.constant(0), +))
    let assignments: [(Tensor, Tensor)]
    var condition: Tensor?
    if accumulates {
      let overwrites = graph.scalar("overwrites")
      assignments = group.members.map { parameter in
        let sum = accumulated(parameter, in: graph)
        let gradient = forward.gradient(parameter)
        return (sum, select(overwrites, gradient, sum + gradient))
      }
    } else {
      assignments = optimizer.observation(
        of: group, in: graph, parameter: { forward.weights[$0.name] },
        gradient: { forward.gradient($0) })
      condition = isFinite(forward.loss) * isFinite(norm)
    }
    return try lowered(
      Program(
        graph: graph, outputs: [("loss", forward.loss), ("gradient_norm", norm)],
        assignments: assignments, condition: condition))
  }

  /// Feeds accumulated extra gradients of a group to its state.
  ///
  /// - Throws: `GraphError`.
  func accumulatedObservationProgram(of group: ParameterGroup) throws(GraphError) -> Program {
    let graph = Graph()
    let weights = ModelWeights(model.parameters, in: graph)
    return try lowered(
      Program(
        graph: graph, outputs: [],
        assignments: optimizer.observation(
          of: group, in: graph, parameter: { weights[$0.name] },
          gradient: { accumulated($0, in: graph) })))
  }

  /// Cross-entropy of a batch under the weights that the optimizer evaluates with.
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

  /// The labels of all tensors that evaluation reads: weights, and the state that an average is made of.
  ///
  /// - Throws: `GraphError`.
  func evaluatedLabels() throws(GraphError) -> Set<String> {
    let program = try evaluationProgram(sequences: 1)
    let kept = program.leaves.filter { $0.kind == .parameter || $0.kind == .state }
    return Set(kept.map(\.label) + model.parameters.map(\.name))
  }

  /// Logits of a batch `[N, V]` under the weights that the optimizer evaluates with.
  ///
  /// Outputs `logits`.
  ///
  /// - Throws: `GraphError`.
  public func logitsProgram(
    sequences: Int, weights: WeightChoice = .evaluated
  ) throws(GraphError) -> Program {
    let graph = Graph()
    let inputs = ModelInputs(model.configuration, sequences: sequences, in: graph)
    let weights =
      weights == .evaluated ? evaluated(in: graph) : ModelWeights(model.parameters, in: graph)
    let logits = model.logits(inputs, weights).cast(to: .float32)
    return try lowered(Program(graph: graph, outputs: [("logits", logits)]))
  }

  /// The state that the optimizer keeps.
  public var stateDeclarations: [StateBuilder.Declaration] { optimizer.stateDeclarations }

  // MARK: - Equations

  private struct Forward {
    let loss: Tensor
    let crossEntropySum: Tensor
    let weights: ModelWeights
    let gradients: [String: Tensor]

    func gradient(_ parameter: Parameter) -> Tensor {
      guard let gradient = gradients[parameter.name] else {
        preconditionFailure("no gradient was taken of '\(parameter.name)'")
      }
      return gradient
    }
  }

  private func differentiated(
    _ parameters: [Parameter], samplesLabels: Bool = false, in graph: Graph
  ) throws(GraphError) -> Forward {
    let inputs = ModelInputs(model.configuration, sequences: sequences, in: graph)
    let weights = ModelWeights(model.parameters, in: graph)
    let scale = graph.scalar("loss_scale")
    let loss: Tensor
    var sum: Tensor?
    if samplesLabels {
      let uniforms = graph.input(Self.uniformsLabel, [tokens], .float32)
      loss = model.sampledLoss(inputs, uniforms: uniforms, scale: scale, weights).loss
    } else {
      (loss, sum) = model.trainingLoss(inputs, scale: scale, weights)
    }
    let found = try gradients(of: loss, withRespectTo: parameters.map { weights[$0.name] })
    return Forward(
      loss: loss, crossEntropySum: sum ?? loss, weights: weights,
      gradients: Dictionary(uniqueKeysWithValues: zip(parameters.map(\.name), found)))
  }

  /// 1 where a number is finite and not above a scalar, else 0.
  private func isSound(_ number: Tensor, limit: String) -> Tensor {
    isFinite(number) * lessOrEqual(number, number.graph.scalar(limit))
  }

  private func accumulated(_ parameter: Parameter, in graph: Graph) -> Tensor {
    graph.state(Self.accumulatedLabel(parameter), parameter.shape)
  }

  private func evaluated(in graph: Graph) -> ModelWeights {
    let weights = ModelWeights(model.parameters, in: graph)
    return ModelWeights(
      Dictionary(
        uniqueKeysWithValues: model.parameters.map {
          ($0.name, optimizer.evaluated($0, weights[$0.name]))
        }))
  }

  private func lowered(_ program: Program) throws(GraphError) -> Program {
    let shared = try program.sharingCrossEntropy()
    return precision == .bf16 ? try shared.withBFloat16Products() : shared
  }
}
