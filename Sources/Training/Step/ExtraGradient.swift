// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Optimizers
import RandomStreams
import TensorGraph

/// A group's extra gradient evaluations: a forward and backward pass that feeds state and leaves weights alone.
///
/// It sees all micro-batches of a step, and like the step it is thrown away when loss or gradients are not finite.
final class ExtraGradient {
  /// Whether labels are drawn from the model's own softmax.
  let samplesLabels: Bool
  private let tokens: Int
  private let forward: BoundProgram
  /// Feeds accumulated gradients to the state; nil with one micro-batch.
  private let observation: BoundProgram?
  private let uniforms: UnsafeMutableBufferPointer<Float>?

  init(
    _ definition: StepDefinition, group: ParameterGroup, accumulates: Bool, runtime: any Runtime
  ) throws {
    if case .sampledLabels = group.card?.observation {
      samplesLabels = true
    } else {
      samplesLabels = false
    }
    tokens = definition.tokens
    forward = try BoundProgram(
      definition.extraGradientProgram(
        of: group, samplesLabels: samplesLabels, accumulates: accumulates), runtime)
    observation =
      accumulates
      ? try BoundProgram(definition.accumulatedObservationProgram(of: group), runtime) : nil
    uniforms = forward.executable.hostBuffer(StepDefinition.uniformsLabel)?.bindMemory(
      to: Float.self)
  }

  /// Takes a batch in; whether it was finite.
  ///
  /// - Throws: what the runtime throws.
  func run(
    _ batch: StepBatch, _ numbers: [String: Double], _ vectors: [String: [Float]],
    lossDivisor: Double?, labels: RandomStream
  ) throws -> Bool {
    var numbers = numbers
    forward.set(vectors)
    numbers["loss_scale"] = 1 / (lossDivisor ?? Double(max(1, batch.countedTargets)))
    var isFinite = true
    for microBatch in 0..<batch.count / tokens {
      batch.copy(from: microBatch * tokens, count: tokens, to: forward.inputs)
      if let uniforms {
        labels.fillUniform(into: uniforms, startingAt: microBatch * tokens)
      }
      numbers["overwrites"] = microBatch == 0 ? 1 : 0
      forward.set(numbers)
      try forward.executable.run()
      isFinite =
        isFinite && forward.executable.scalar("loss").isFinite
        && forward.executable.scalar("gradient_norm").isFinite
    }
    guard isFinite else { return false }
    if let observation {
      observation.set(numbers)
      try observation.executable.run()
    }
    return true
  }
}
