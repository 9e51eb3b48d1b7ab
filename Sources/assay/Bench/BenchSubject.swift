// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import LanguageModels
import Optimizers
import RandomStreams
import TensorGraph
import Training

/// A training step of a bench shape, ready to run: the standard optimizer, clipping at 1, one batch of random tokens.
final class BenchSubject<Machine: Runtime> {
  let precision: Precision
  let runtime: Machine
  /// Of one micro-batch.
  let definition: StepDefinition
  private let step: TrainingStep

  /// The card's numbers, clipping at 1.
  private let settings: TrainingStep.Settings = {
    var settings = TrainingStep.Settings()
    settings.conditions.gradientClip = 1
    return settings
  }()

  /// The optimizer's card.
  let card = OptimizerRegistry.standard.card

  /// Tokens of one step.
  var tokens: Int { definition.tokens * step.accumulationSteps }

  /// The tokens of its steps.
  var batch: StepBatch { step.batch }

  /// Makes weights, state and a batch.
  ///
  /// - Parameters:
  ///   - shape: the model and its batch.
  ///   - precision: of products.
  ///   - microBatches: parts of the batch whose gradients are added up; a divisor of its sequences.
  ///   - runtime: what runs it.
  /// - Throws: what the runtime throws.
  init(
    _ shape: BenchShape, precision: Precision, microBatches: Int = 1, runtime: Machine
  ) throws {
    self.precision = precision
    self.runtime = runtime
    let model = try shape.model()
    definition = StepDefinition(
      model: model,
      optimizer: Optimizer(OptimizerRegistry.standard, parameters: model.parameters),
      sequences: shape.sequences / microBatches, precision: precision)
    step = try TrainingStep(definition, accumulationSteps: microBatches, runtime: runtime)
    for parameter in definition.model.parameters {
      guard let memory = try runtime.kept(parameter.name, for: .writing) else { continue }
      parameter.initialize(memory.bindMemory(to: Float.self), seed: 1)
    }
    let stream = RandomStream(seed: 1, name: "bench/tokens")
    let vocabulary = UInt64(definition.model.configuration.vocabularySize)
    for index in 0..<tokens {
      step.batch.tokens[index] = Int32(UInt64(stream.uint32(at: 2 * index)) % vocabulary)
      step.batch.targets[index] = Int32(UInt64(stream.uint32(at: 2 * index + 1)) % vocabulary)
    }
  }

  /// Runs steps; returns seconds.
  func run(_ steps: Int) throws -> Double {
    var last: TrainingStep.Result?
    let seconds = try ContinuousClock().measure {
      for _ in 0..<steps {
        last = try step.run(settings)
      }
    }
    loss = last?.loss ?? .nan
    return seconds / .seconds(1)
  }

  /// Runs steps at a learning rate; returns what each found.
  func results(_ steps: Int, learningRate: Double) throws -> [TrainingStep.Result] {
    var settings = settings
    for group in definition.optimizer.trained {
      settings.conditions.hyperparameters[group.name] = ["learning_rate": learningRate]
    }
    return try (0..<steps).map { _ in try step.run(settings) }
  }

  /// The programs of a step.
  func programs() throws -> [Program] {
    step.accumulationSteps == 1
      ? [try definition.stepProgram()]
      : [try definition.accumulationProgram(), try definition.updateProgram()]
  }

  /// Gives another program of this step the same batch and numbers.
  func bind(_ executable: any Executable) {
    for (label, source) in [("tokens", step.batch.tokens), ("targets", step.batch.targets)] {
      executable.hostBuffer(label)?.copyMemory(from: UnsafeRawBufferPointer(source))
    }
    for (label, number) in step.numbers(settings).values { executable.set(label, Float(number)) }
    executable.set("loss_scale", 1 / Float(definition.tokens))
  }

  /// The loss of the last step.
  private(set) var loss = Double.nan

  /// Checks the first step before anything is timed: at the start the loss is near log V, and finite gradients move it.
  func check() throws {
    _ = try run(1)
    let first = loss
    _ = try run(1)
    let expected = log(Double(definition.model.configuration.vocabularySize))
    guard first.isFinite, abs(first - expected) < 1, loss < first else {
      throw CommandFailure(
        .failed,
        "the \(precision.rawValue) step is wrong: losses \(first), \(loss); expected about "
          + "\(expected), falling; run 'assay doctor'")
    }
  }
}

extension BenchSubject where Machine == CPURuntime {
  /// On this machine's processor.
  convenience init(
    _ shape: BenchShape, precision: Precision, microBatches: Int = 1, threads: Int?
  ) throws {
    try self.init(
      shape, precision: precision, microBatches: microBatches,
      runtime: CPURuntime(threads: threads))
  }
}
