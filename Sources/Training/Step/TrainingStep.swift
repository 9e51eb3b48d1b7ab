// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
public import Optimizers
public import RandomStreams
public import TensorGraph

/// One optimizer step, compiled: forward, backward, clipping and update over one or more micro-batches.
public final class TrainingStep {
  /// The numbers a step is run with; the host may change them every step.
  public struct Settings: Sendable {
    /// Hyperparameters in force, clipping, pauses.
    public var conditions = StepConditions()
    /// Scalars that the model reads, by their leaves' names.
    public var modelScalars: [String: Double] = [:]
    /// Float32 inputs that the model reads beside its tokens, by their leaves' names.
    public var modelVectors: [String: [Float]] = [:]
    /// Micro-batches of this step; nil: all there is room for.
    public var microBatches: Int?
    /// What the sum of all targets' losses is divided by for the gradients; nil: targets that count.
    public var lossDivisor: Double?
    /// What the labels of extra gradients are drawn with; another stream at every step.
    public var labels = RandomStream(seed: 0, name: "labels")

    /// The optimizer's own numbers.
    public init() {}
  }

  /// What the host keeps between steps beside the tensors.
  public struct State: Codable, Equatable, Sendable {
    /// How far each group has come.
    public var clock = OptimizerClock()
    /// The recent steps, when spikes are skipped.
    public var spikes: SpikeGuard?
  }

  /// Why a step changed neither weights nor state.
  public enum Skip: String, Sendable {
    /// Its loss or gradient norm was not finite.
    case notFinite
    /// Its loss or gradient norm was out of line with the recent steps.
    case spike
  }

  /// What a step found.
  public struct Result: Sendable {
    /// The training loss, z-loss included, a mean over the targets that count.
    public let loss: Double
    /// Cross-entropy in nats for each target that counts.
    public let crossEntropy: Double
    /// The global norm of the gradients before clipping.
    public let gradientNorm: Double
    /// Targets that count.
    public let countedTargets: Int
    /// Why weights and state were left alone; nil: they were updated.
    public let skip: Skip?
    /// Gradient evaluations, the extra ones included.
    public let gradientEvaluations: Int
    /// Time of forward and backward passes, the extra ones included.
    public let forwardBackwardSeconds: Double
    /// Time of the update; 0 where update and passes are one program and the runtime cannot tell them apart.
    public let optimizerSeconds: Double

    /// Whether weights and state were updated.
    public var isUpdated: Bool { skip == nil }
  }

  /// Model, optimizer and shapes.
  public let definition: StepDefinition
  /// The tokens of the next step; fill it, then `run`.
  public let batch: StepBatch
  /// Micro-batches that a step has room for.
  public let accumulationSteps: Int
  /// What a checkpoint needs beside the tensors.
  public var state: State {
    get { memory.state }
    set { memory.state = newValue }
  }

  /// What variants of a step have in common.
  private final class Memory {
    var state = State()
  }

  private let memory: Memory
  private let forward: BoundProgram
  /// The separate update of accumulated gradients; nil with one micro-batch, where one program does both.
  private let update: BoundProgram?
  private var extras: [String: ExtraGradient] = [:]
  private var upkeeps: [String: [Upkeep: BoundProgram]] = [:]

  /// Compiles a step.
  ///
  /// - Parameters:
  ///   - definition: model, optimizer, shape of a micro-batch, precision.
  ///   - accumulationSteps: micro-batches, at least 1.
  ///   - revealsGradients: makes outputs `gradient.PARAMETER`, for one micro-batch only.
  ///   - batchTokens: room for so many tokens; nil: for those of all micro-batches.
  ///   - other: a variant of the same run, whose state and batch the step shares; the batch must have room.
  ///   - runtime: what executes it, and keeps weights and state.
  /// - Throws: `GraphError`, or what the runtime throws.
  public init(
    _ definition: StepDefinition, accumulationSteps: Int = 1, revealsGradients: Bool = false,
    batchTokens: Int? = nil, sharing other: TrainingStep? = nil, runtime: any Runtime
  ) throws {
    precondition(
      accumulationSteps >= 1 && !(revealsGradients && accumulationSteps > 1),
      "\(accumulationSteps) accumulation steps, gradients revealed: \(revealsGradients)")
    self.definition = definition
    self.accumulationSteps = accumulationSteps
    batch =
      other?.batch
      ?? StepBatch(
        tokens: batchTokens ?? definition.tokens * accumulationSteps,
        contextLength: definition.model.configuration.contextLength,
        hasDocuments: definition.model.configuration.masksDocuments)
    memory = other?.memory ?? Memory()
    if accumulationSteps == 1 {
      forward = try BoundProgram(
        definition.stepProgram(revealsGradients: revealsGradients), runtime)
      update = nil
    } else {
      forward = try BoundProgram(definition.accumulationProgram(), runtime)
      update = try BoundProgram(definition.updateProgram(), runtime)
    }
    for group in definition.optimizer.trained {
      if group.card?.observation != nil {
        extras[group.name] = try ExtraGradient(
          definition, group: group, accumulates: accumulationSteps > 1, runtime: runtime)
      }
      for upkeep in Upkeep.allCases {
        guard let program = try definition.optimizer.upkeepProgram(of: group, upkeep) else {
          continue
        }
        upkeeps[group.name, default: [:]][upkeep] = try BoundProgram(program, runtime)
      }
    }
    var numbers = numbers(Settings()).values
    // The host gives these where the model asks for them.
    for name in TrainingConfiguration.modelScalars + ["attention_scale"] { numbers[name] = 0 }
    for program in [forward, update].compactMap(\.self) + upkeeps.values.flatMap(\.values) {
      let missing = program.missing(numbers)
      precondition(missing.isEmpty, "the optimizer reads scalars it does not compute: \(missing)")
    }
  }

  /// The compiled forward and backward pass, with the update where there is one micro-batch: for profiles.
  public var executable: any Executable { forward.executable }

  /// Whether the host is free while the step's programs run.
  var runsAhead: Bool { forward.executable.runsAhead }

  /// The names of the scalars and vectors that forward and backward pass read.
  var numberNames: [String] { forward.numberNames }

  /// The value of every scalar that the next step's programs read, and the clock after it.
  public func numbers(
    _ settings: Settings
  ) -> (values: [String: Double], clock: OptimizerClock) {
    var clock = state.clock
    var values = definition.optimizer.numbers(settings.conditions, advancing: &clock)
    values["loss_scale"] = 1
    values["overwrites"] = 1
    values["proceeds"] = 1
    let limits = state.spikes?.limits ?? (.infinity, .infinity)
    values["loss_limit"] = Double(limits.loss)
    values["gradient_norm_limit"] = Double(limits.gradientNorm)
    values.merge(settings.modelScalars) { $1 }
    return (values, clock)
  }

  /// Runs forward, backward and, if loss and gradients are sound, the update; otherwise no weight or state changes.
  ///
  /// The programs decide that themselves, from limits that are given to them beforehand.
  ///
  /// - Parameters:
  ///   - settings: the numbers of this step.
  ///   - inspect: sees the outputs of the program that made the update, or would have.
  ///   - meanwhile: what the host has to do while gradients are computed, where ``runsAhead``; by then the batch was sent.
  /// - Returns: loss, norm and times.
  /// - Throws: what the runtime throws.
  public func run(
    _ settings: Settings, inspect: ((any Executable) -> Void)? = nil,
    meanwhile: (() throws -> Void)? = nil
  ) throws -> Result {
    let start = ContinuousClock.now
    let counted = batch.countedTargets
    var settings = settings
    settings.conditions.batchTokens = counted
    let extra = try observe(settings, sampled: true)
    var (numbers, clock) = numbers(settings)
    let mean = 1 / Double(max(1, counted))
    let scale = settings.lossDivisor.map { 1 / $0 } ?? mean
    numbers["loss_scale"] = scale
    // The programs' loss is the reported one only where gradients are taken of the mean.
    if settings.lossDivisor != nil, let limit = numbers["loss_limit"] {
      numbers["loss_limit"] = limit * scale / mean
    }
    forward.set(settings.modelVectors)
    var loss = 0.0
    var crossEntropy = 0.0
    func take() throws {
      try forward.executable.finish()
      loss += Double(forward.executable.scalar("loss"))
      crossEntropy += Double(forward.executable.scalar("cross_entropy_sum"))
    }
    let microBatches = batch.count / definition.tokens
    for microBatch in 0..<microBatches {
      batch.copy(
        from: microBatch * definition.tokens, count: definition.tokens, to: forward.inputs)
      numbers["overwrites"] = microBatch == 0 ? 1 : 0
      forward.set(numbers)
      try forward.executable.start()
      if !runsAhead { try take() }
    }
    if runsAhead {
      try meanwhile?()
      for _ in 0..<microBatches { try take() }
    }
    let middle = ContinuousClock.now
    if let update {
      let isSound = loss.isFinite && loss <= numbers["loss_limit"] ?? .infinity
      numbers["proceeds"] = isSound ? 1 : 0
      update.set(numbers)
      try update.executable.run()
    }
    // The same loss whatever gradients are taken of.
    if settings.lossDivisor != nil { loss *= mean / scale }
    let final = (update ?? forward).executable
    let norm = Double(final.scalar("gradient_norm"))
    inspect?(final)
    let isUpdated = final.scalar("is_updated") != 0
    let commitSeconds = update == nil ? final.commitSeconds ?? 0 : 0
    state.spikes?.take(loss: loss, gradientNorm: norm)
    if isUpdated {
      try maintain(settings.conditions, numbers, before: state.clock, after: clock)
      state.clock = clock
    }
    let end = ContinuousClock.now
    return Result(
      loss: loss, crossEntropy: crossEntropy / Double(max(1, counted)), gradientNorm: norm,
      countedTargets: counted,
      skip: isUpdated ? nil : loss.isFinite && norm.isFinite ? .spike : .notFinite,
      gradientEvaluations: 1 + extra,
      forwardBackwardSeconds: (middle - start).seconds - commitSeconds,
      optimizerSeconds: (end - middle).seconds + commitSeconds)
  }

  private func maintain(
    _ conditions: StepConditions, _ numbers: [String: Double], before: OptimizerClock,
    after: OptimizerClock
  ) throws {
    for group in definition.optimizer.trained {
      guard
        let due = definition.optimizer.upkeepDue(
          group, conditions, before: before, after: after),
        let program = upkeeps[group.name]?[due]
      else { continue }
      program.set(numbers)
      try program.executable.run()
    }
  }

  // MARK: - Extra gradients

  /// Batches that some group wants to see before the first update.
  public func batchesBeforeTraining(_ settings: Settings) -> Int {
    definition.optimizer.trained.filter { extras[$0.name]?.samplesLabels == false }.map {
      definition.optimizer.observationsDue($0, settings.conditions, state.clock)
    }.max() ?? 0
  }

  /// Takes the batch into the statistics of the groups that want it, weights untouched.
  ///
  /// - Parameters:
  ///   - settings: the numbers of this step.
  ///   - sampled: for groups that draw labels from the model, or for those that use the true ones before training.
  /// - Returns: gradient evaluations made.
  /// - Throws: what the runtime throws.
  @discardableResult
  public func observe(_ settings: Settings, sampled: Bool = false) throws -> Int {
    var evaluations = 0
    for group in definition.optimizer.trained {
      guard let extra = extras[group.name], extra.samplesLabels == sampled,
        definition.optimizer.observationsDue(group, settings.conditions, state.clock) > 0
      else { continue }
      if try extra.run(
        batch, numbers(settings).values, settings.modelVectors,
        lossDivisor: settings.lossDivisor, labels: settings.labels)
      {
        state.clock[group.name].observations += 1
      }
      evaluations += 1
    }
    return evaluations
  }
}

extension Duration {
  /// As a number of seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
