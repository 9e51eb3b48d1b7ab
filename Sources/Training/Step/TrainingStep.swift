// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Optimizers
public import TensorGraph

/// One optimizer step, compiled: forward, backward, clipping and update over one or more micro-batches.
public final class TrainingStep {
  /// The numbers a step is run with; the host may change them every step.
  public struct Settings: Sendable {
    /// The hyperparameters in force, by the names of the method's card.
    public var hyperparameters: [String: Double]
    /// The largest global gradient norm; infinity: no clipping.
    public var gradientClip: Double
    /// The number of the update, from 1; skipped steps do not count.
    public var update: Int

    /// Sets all three.
    public init(hyperparameters: [String: Double], gradientClip: Double, update: Int) {
      self.hyperparameters = hyperparameters
      self.gradientClip = gradientClip
      self.update = update
    }
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
    /// Whether weights and state were updated: loss and gradient norm were finite.
    public let isUpdated: Bool
    /// Time of forward and backward passes.
    public let forwardBackwardSeconds: Double
    /// Time of the update.
    public let optimizerSeconds: Double
  }

  /// Model, method and shapes.
  public let definition: StepDefinition
  /// The tokens of the next step; fill it, then `run`.
  public let batch: StepBatch
  /// Micro-batches of a step.
  public let accumulationSteps: Int

  private let runtime: any Runtime
  private let forward: BoundProgram
  /// The separate update of accumulated gradients; nil with one micro-batch, where one program does both.
  private let update: BoundProgram?

  /// Compiles a step.
  ///
  /// - Parameters:
  ///   - definition: model, method, shape of a micro-batch, precision.
  ///   - accumulationSteps: micro-batches, at least 1.
  ///   - revealsGradients: makes outputs `gradient.PARAMETER`, for one micro-batch only.
  ///   - runtime: what executes it, and keeps weights and state.
  /// - Throws: `GraphError`, or what the runtime throws.
  public init(
    _ definition: StepDefinition, accumulationSteps: Int = 1, revealsGradients: Bool = false,
    runtime: any Runtime
  ) throws {
    precondition(
      accumulationSteps >= 1 && !(revealsGradients && accumulationSteps > 1),
      "\(accumulationSteps) accumulation steps, gradients revealed: \(revealsGradients)")
    self.definition = definition
    self.accumulationSteps = accumulationSteps
    self.runtime = runtime
    batch = StepBatch(
      tokens: definition.tokens * accumulationSteps,
      hasDocuments: definition.model.configuration.masksDocuments)
    if accumulationSteps == 1 {
      forward = try BoundProgram(
        definition.stepProgram(revealsGradients: revealsGradients), runtime)
      update = nil
    } else {
      forward = try BoundProgram(definition.accumulationProgram(), runtime)
      update = try BoundProgram(definition.updateProgram(), runtime)
    }
    let card = type(of: definition.method).card
    let numbers = scalars(
      Settings(hyperparameters: card.defaults, gradientClip: 1, update: 1), lossScale: 1)
    for program in [forward, update].compactMap(\.self) {
      let missing = program.missing(numbers)
      precondition(missing.isEmpty, "\(card.name) reads scalars it does not compute: \(missing)")
    }
  }

  /// Runs forward, backward and, if loss and gradients are finite, the update; otherwise no weight or state changes.
  ///
  /// - Parameters:
  ///   - settings: the numbers of this step.
  ///   - beforeUpdate: sees the outputs between gradients and update.
  /// - Returns: loss, norm and times.
  public func run(
    _ settings: Settings, beforeUpdate: ((any Executable) -> Void)? = nil
  ) -> Result {
    let counted = batch.countedTargets
    var numbers = scalars(settings, lossScale: 1 / Double(max(1, counted)))
    let start = ContinuousClock.now
    var loss = 0.0
    var crossEntropy = 0.0
    for microBatch in 0..<accumulationSteps {
      batch.copy(
        from: microBatch * definition.tokens, count: definition.tokens, to: forward.inputs)
      numbers["overwrites"] = microBatch == 0 ? 1 : 0
      forward.set(numbers)
      forward.executable.run(.compute)
      loss += Double(forward.executable.scalar("loss"))
      crossEntropy += Double(forward.executable.scalar("cross_entropy_sum"))
      if update != nil { forward.executable.run(.commit) }
    }
    let middle = ContinuousClock.now
    let final = update ?? forward
    if let update {
      update.set(numbers)
      update.executable.run(.compute)
    }
    let norm = Double(final.executable.scalar("gradient_norm"))
    let isFinite = loss.isFinite && norm.isFinite
    beforeUpdate?(final.executable)
    if isFinite { final.executable.run(.commit) }
    let end = ContinuousClock.now
    return Result(
      loss: loss, crossEntropy: crossEntropy / Double(max(1, counted)), gradientNorm: norm,
      countedTargets: counted, isUpdated: isFinite,
      forwardBackwardSeconds: (middle - start).seconds, optimizerSeconds: (end - middle).seconds)
  }

  private func scalars(_ settings: Settings, lossScale: Double) -> [String: Double] {
    var numbers = [
      "loss_scale": lossScale, "gradient_clip": settings.gradientClip, "overwrites": 1,
    ]
    let computed = definition.method.scalars(settings.hyperparameters, update: settings.update)
    for (name, number) in computed { numbers[Scalars.prefix + name] = number }
    return numbers
  }
}

extension Duration {
  /// As a number of seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
