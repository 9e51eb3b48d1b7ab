// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LanguageModels
import Optimizers
import Schedules
import TensorFiles
import TensorGraph

/// Writes out everything that happens in the first steps of a run, for comparison with another program.
///
/// - `initial.safetensors`: every parameter by its name; `--initial` reads such files.
/// - `step-00000001.safetensors` and so on, one for each step: `batch.tokens`, `batch.targets`, `batch.documents` (`[S, T]`),
///   `loss`, `cross_entropy` (mean over the targets that count), `gradient_norm`, `learning_rate` (scalars),
///   `gradient.PARAMETER` (before clipping), `parameter.PARAMETER` (after the update), and the optimizer's state under its own
///   labels `optimizer.STATE.PARAMETER`.
///
/// A step is traced as one batch whatever `training.accumulation_steps` is, and only what the traced steps need is compiled; z-loss is part of `loss`. While a parameter rests, as a
/// table does before it is untied, it has no gradient.
public struct Trace {
  private let configuration: TrainingConfiguration
  private let model: any LanguageModel
  private let runtime: any Runtime
  /// Steps that are traced.
  private let count: Int
  /// One for each size of batch and each variant among them.
  let steps: [Key: TrainingStep]
  private let definition: StepDefinition
  private let tensors: KeptTensors
  private let given: TraceBatch?
  private let source: (any BatchSource)?
  private let output: String

  /// Prepares a trace.
  ///
  /// - Parameters:
  ///   - configuration: model, optimizer, schedule, batch and precision.
  ///   - count: how many steps, at least 1.
  ///   - initialWeights: a safetensors file of first weights; nil: from the seed.
  ///   - batchFile: a safetensors file with integer tensors `tokens`, `targets` (negative: not counted) and, with document masks,
  ///     `documents`, of one batch for every step or of one for each step in turn; nil: the configuration's data.
  ///   - output: the folder to write to; made if it is not there.
  ///   - givenRuntime: what executes the steps; nil: what the configuration asks for.
  ///   - given: the data; nil: the data set of `data.path`, which is not opened when a batch and
  ///     `model.vocabulary_size` are given.
  /// - Throws: errors of configuration, data, files and graphs.
  public init(
    _ configuration: TrainingConfiguration, steps count: Int, initialWeights: String? = nil,
    batchFile: String? = nil, output: String, runtime givenRuntime: RuntimeProvider? = nil,
    source given: (any BatchSource)? = nil
  ) throws {
    precondition(count >= 1, "\(count) steps to trace")
    self.configuration = configuration
    self.output = output
    self.count = count
    let vocabularySize: Int
    if batchFile != nil, given == nil, let size = configuration.model.vocabularySize {
      source = nil
      vocabularySize = size
    } else {
      let opened = try given ?? TextSource(configuration)
      source = opened
      vocabularySize = opened.vocabularySize
    }
    model = try configuration.modelConfiguration(vocabularySize: vocabularySize).makeModel()
    let modelConfiguration = model.configuration
    self.given = try batchFile.map {
      try TraceBatch(
        path: $0, tokens: configuration.batchTokens(at: 0), model: modelConfiguration)
    }
    let keys = configuration.traced(count)
    guard self.given == nil || Set(keys.map(\.tokens)).count == 1 else {
      throw TrainingError(
        .batch,
        "a file of batches holds batches of one size, and the schedule changes batch_tokens; leave the file out, or the schedule"
      )
    }
    let provider = givenRuntime ?? RuntimeProvider(configuration.machine)
    let precision = provider.precision(configuration.machine.precision)
    let threads = configuration.machine.threads
    runtime = try provider.make(precision, threads > 0 ? threads : nil)
    let optimizer = try configuration.optimizer(for: model.parameters)
    func define(_ key: Key, isWhole: Bool) -> StepDefinition {
      configuration.definition(
        VariantSteps(variant: key.variant, steps: []), modelConfiguration, optimizer,
        precision: precision, isWhole: isWhole,
        sequences: key.tokens / key.variant.contextLength)
    }
    definition = define(keys[0], isWhole: true)
    var (steps, first) = ([Key: TrainingStep](), TrainingStep?.none)
    for key in keys {
      let step = try TrainingStep(
        define(key, isWhole: false), revealsGradients: true,
        batchTokens: keys.map(\.tokens).max(), sharing: first, runtime: runtime)
      steps[key] = step
      first = first ?? step
    }
    self.steps = steps
    try definition.makeRoom(runtime)
    tensors = KeptTensors(definition, runtime: runtime)
    if let initialWeights {
      try tensors.loadWeights(initialWeights)
    } else {
      try tensors.initialize(seed: UInt64(configuration.training.seed))
    }
  }

  /// Runs and writes.
  ///
  /// - Parameter progress: is told the number of each step, from 1, with its loss.
  /// - Returns: the paths of the files, in order.
  /// - Throws: errors of data and files.
  public func run(progress: (Int, Double) -> Void = { _, _ in }) throws -> [String] {
    do {
      try FileManager.default.createDirectory(
        atPath: output, withIntermediateDirectories: true)
    } catch {
      throw TrainingError(.file, "cannot make \(output): \(error.localizedDescription)")
    }
    let initial = output + "/initial.safetensors"
    let names = Set(model.parameters.map(\.name))
    try TensorFileWriter.write(
      tensors.written(only: names), metadata: metadata(step: 0),
      to: initial)
    let schedule = try configuration.learningRateSchedule()
    var paths = [initial]
    for index in 0..<count {
      let step = prepared(at: index)
      if let given { given.fill(step.batch, step: index) } else { try source?.fill(step.batch) }
      let result = try take(step, index, schedule)
      if let untie = configuration.schedule.untie, untie.step == index + 1 {
        try untie.state.untie(tensors, step, definition.optimizer)
      }
      let path = output + "/" + CheckpointStore.name(index + 1) + ".safetensors"
      try result.write(
        batch: step.batch, contextLength: step.batch.contextLength,
        kept: tensors.written(), parameters: names, metadata: metadata(step: index + 1), to: path)
      paths.append(path)
      progress(index + 1, Double(result.scalars["loss"] ?? 0))
    }
    return paths
  }

  /// What compiled steps differ in.
  struct Key: Hashable {
    let variant: StepVariant
    let tokens: Int
  }

  /// The step of an index, its batch set to the size that it takes; after the run's last, like that.
  private func prepared(at index: Int) -> TrainingStep {
    let key = configuration.traced(at: min(index, configuration.training.steps - 1))
    guard let step = steps[key] else { preconditionFailure("no step was compiled for \(key)") }
    step.batch.contextLength = key.variant.contextLength
    step.batch.count = key.tokens
    return step
  }

  /// One step, with copies of its gradients.
  private func take(
    _ step: TrainingStep, _ index: Int, _ schedule: Schedule
  ) throws -> TraceResult {
    var gradients: [TraceResult.Gradient] = []
    let optimizer = step.definition.optimizer
    let last = configuration.training.steps - 1
    let settings = configuration.settings(at: min(index, last), definition.optimizer)
    let result = try step.run(settings) { executable in
      gradients = optimizer.trainedParameters.map { parameter in
        TraceResult.Gradient(
          name: parameter.name, shape: parameter.shape.dimensions,
          bytes: Array(executable.output("gradient." + parameter.name)))
      }
    }
    guard result.isUpdated else {
      throw TrainingError(
        .weights,
        "step \(index + 1): the loss is \(result.loss) and the gradient norm \(result.gradientNorm), so there was no "
          + "update to compare")
    }
    return TraceResult(
      scalars: [
        "loss": Float(result.loss), "cross_entropy": Float(result.crossEntropy),
        "gradient_norm": Float(result.gradientNorm),
        "learning_rate": Float(schedule.value(at: index)),
      ], gradients: gradients)
  }

  private func metadata(step: Int) -> [String: String] {
    [
      "step": String(step), "runtime": runtime.summary,
      "configuration": configuration.identity,
    ]
  }
}

extension TrainingConfiguration {
  /// What the step of an index is compiled for when it is traced.
  fileprivate func traced(at index: Int) -> Trace.Key {
    Trace.Key(variant: variant(at: index), tokens: batchTokens(at: index))
  }

  /// Those of the first steps, in the order in which they come.
  fileprivate func traced(_ count: Int) -> [Trace.Key] {
    var found: [Trace.Key] = []
    for index in 0..<min(count, training.steps) where !found.contains(traced(at: index)) {
      found.append(traced(at: index))
    }
    return found
  }
}

extension StepDefinition {
  /// Makes room for parameters and state that no compiled program reads, such as a table that rests in all of them.
  ///
  /// - Throws: `GraphError`, or what the runtime throws.
  fileprivate func makeRoom(_ runtime: any Runtime) throws {
    let graph = Graph()
    let weights = try model.parameters.filter { try runtime.kept($0.name, for: .reading) == nil }
      .map { ($0.name, graph.parameter($0.name, $0.shape)) }
    let state = try stateDeclarations.filter { try runtime.kept($0.label, for: .reading) == nil }
      .map { ($0.label, graph.state($0.label, $0.shape, $0.elementType)) }
    if weights.isEmpty && state.isEmpty { return }
    _ = try runtime.compile(Program(graph: graph, outputs: weights + state))
  }
}
