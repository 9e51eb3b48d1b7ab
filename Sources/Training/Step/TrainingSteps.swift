// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import LanguageModels
import Optimizers
import Schedules
import TensorGraph

/// The compiled steps of a run: one for each variant, over the same weights, state, clock and batch.
///
/// All are made before the first step, so that a change of variant costs nothing and a run that does not fit is known at once.
final class TrainingSteps {
  /// Model and optimizer with all their parameters, on the first micro-batch's shape: what is kept between steps.
  let definition: StepDefinition
  private let configuration: TrainingConfiguration
  private let steps: [StepVariant: TrainingStep]

  /// Compiles all steps of a configuration.
  ///
  /// - Parameters:
  ///   - configuration: of the run.
  ///   - model: its model.
  ///   - optimizer: of all parameters.
  ///   - precision: of products.
  ///   - runtime: what executes them.
  ///   - willCompile: is told what comes next.
  /// - Throws: `GraphError`, what the runtime throws, ``ConfigurationError`` when a scalar is scheduled that the model does not read.
  init(
    _ configuration: TrainingConfiguration, model: ModelConfiguration, optimizer: Optimizer,
    precision: Precision, runtime: any Runtime,
    willCompile: (VariantSteps, MicroBatches) -> Void = { _, _ in }
  ) throws {
    self.configuration = configuration
    definition = configuration.definition(
      configuration.variants[0], model, optimizer, precision: precision, isWhole: true)
    var steps: [StepVariant: TrainingStep] = [:]
    var first: TrainingStep?
    for entry in configuration.variants {
      let microBatches = configuration.microBatches(of: entry)
      willCompile(entry, microBatches)
      let step = try TrainingStep(
        configuration.definition(entry, model, optimizer, precision: precision),
        accumulationSteps: microBatches.count,
        batchTokens: configuration.largestBatchTokens, sharing: first, runtime: runtime)
      steps[entry.variant] = step
      first = first ?? step
    }
    self.steps = steps
    try configuration.checkModelReads(Set(steps.values.flatMap(\.numberNames)))
  }

  /// Fills the token table from the head, which has been looked up in so far.
  ///
  /// - Throws: what the runtime throws.
  func untie(_ tensors: KeptTensors, _ state: UntieSettings.State) throws {
    guard let step = steps.values.first else { return }
    try state.untie(tensors, step, definition.optimizer)
  }

  /// The step of an index, with its batch set to the size it takes.
  ///
  /// - Parameter index: of a step of the run; after the last, the last one's.
  /// - Returns: the compiled step.
  func prepared(at index: Int) -> TrainingStep {
    let index = min(index, configuration.training.steps - 1)
    let variant = configuration.variant(at: index)
    guard let step = steps[variant] else {
      preconditionFailure("no step was compiled for \(variant)")
    }
    step.batch.contextLength = variant.contextLength
    step.batch.count = configuration.batchTokens(at: index)
    return step
  }
}

extension UntieSettings.State {
  /// Fills the token table from the head: weights, and state with its clock or a fresh start of both.
  ///
  /// - Parameters:
  ///   - tensors: of the run.
  ///   - step: any of its steps, for the clock that they share.
  ///   - optimizer: of all parameters.
  /// - Throws: what the runtime throws.
  func untie(_ tensors: KeptTensors, _ step: TrainingStep, _ optimizer: Optimizer) throws {
    let (source, target) = (ModelConfiguration.headName, ModelConfiguration.tableName)
    try tensors.copy(source, to: target, copiesState: self == .copy)
    let groups = [source, target].compactMap { optimizer.group(of: $0)?.name }
    guard groups.count == 2, groups[0] != groups[1] else { return }
    step.state.clock.restart(groups[1], from: self == .copy ? groups[0] : nil)
  }
}

extension TrainingConfiguration {
  /// Model, optimizer and shape of the steps of one variant.
  ///
  /// - Parameters:
  ///   - entry: a variant and its steps.
  ///   - model: of the run.
  ///   - optimizer: of all parameters.
  ///   - precision: of products.
  ///   - isWhole: with the model that looks up in its own table, and no parameter resting.
  ///   - sequences: of a micro-batch; nil: as many as the configuration asks for.
  /// - Returns: what the steps are compiled from.
  func definition(
    _ entry: VariantSteps, _ model: ModelConfiguration, _ optimizer: Optimizer,
    precision: Precision, isWhole: Bool = false, sequences: Int? = nil
  ) -> StepDefinition {
    let variant = entry.variant
    let looksUpInHead = variant.looksUpInHead && !isWhole
    return StepDefinition(
      model: model.variant(contextLength: variant.contextLength, looksUpInHead: looksUpInHead)
        .makeModel(),
      optimizer: looksUpInHead ? optimizer.without([ModelConfiguration.tableName]) : optimizer,
      sequences: sequences ?? microBatches(of: entry).sequences,
      precision: precision)
  }

  /// Refuses a configuration that gives the model's programs no number for what they read, or an evaluation what they do not.
  func checkModelReads(_ names: Set<String>) throws(ConfigurationError) {
    let given = modelNumbers(at: 0).scalars
    if let open = Self.modelScalars.first(where: { names.contains($0) && given[$0] == nil }) {
      throw ConfigurationError(
        .contradiction, keys: ["schedule.\(open)"],
        "schedule.\(open): the model reads it and nothing gives it; schedule it, if only with kind = \"constant\""
      )
    }
    if let idle = evaluation.final.keys.sorted().first(where: { !names.contains($0) }) {
      throw ConfigurationError(
        .contradiction, keys: ["evaluation.final.\(idle)"],
        "evaluation.final.\(idle): the model '\(model.architecture.rawValue)' does not read it, or nothing schedules it; "
          + "schedule it or remove the key")
    }
  }
}
