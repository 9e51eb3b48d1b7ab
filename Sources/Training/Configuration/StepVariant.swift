// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Schedules

/// What the compiled programs of a step differ in, while weights, state and clock are the same.
public struct StepVariant: Hashable, Sendable {
  /// Tokens of a sequence.
  public var contextLength: Int
  /// Whether tokens are looked up in the head's weight, and the table of their own rests.
  public var looksUpInHead: Bool

  /// Describes a variant.
  public init(contextLength: Int, looksUpInHead: Bool = false) {
    self.contextLength = contextLength
    self.looksUpInHead = looksUpInHead
  }
}

/// A variant and the steps of a run that are of it.
struct VariantSteps {
  var variant: StepVariant
  var steps: [Int]
}

/// Micro-batches of the steps of one variant.
struct MicroBatches: Equatable, Sendable {
  /// Sequences of each.
  var sequences: Int
  /// How many the largest batch has.
  var count: Int
}

extension TrainingConfiguration {
  /// The variant of a step.
  func variant(at step: Int) -> StepVariant {
    StepVariant(
      contextLength: contextLength(at: step),
      looksUpInHead: schedule.untie.map { step < $0.step } ?? false)
  }

  /// The variants of all steps, in the order in which they begin, with the steps of each.
  var variants: [VariantSteps] {
    var order: [StepVariant] = []
    var found: [StepVariant: [Int]] = [:]
    for step in 0..<training.steps {
      let variant = variant(at: step)
      if found[variant] == nil { order.append(variant) }
      found[variant, default: []].append(step)
    }
    return order.map { VariantSteps(variant: $0, steps: found[$0] ?? []) }
  }

  /// Tokens of a sequence at a step.
  func contextLength(at step: Int) -> Int {
    schedule.run.ownValue(of: SchedulableScalar.contextLength, at: step).map { Int($0) }
      ?? model.contextLength
  }

  /// Whether sequences have different lengths at different steps.
  public var schedulesContextLength: Bool {
    schedule.run.ownValue(of: SchedulableScalar.contextLength, at: 0) != nil
  }

  /// The micro-batches of a variant's steps: all of one size, as large as `accumulation_steps` allows.
  func microBatches(of entry: VariantSteps) -> MicroBatches {
    let contextLength = entry.variant.contextLength
    let sizes = Set(entry.steps.map(batchTokens))
    let common = sizes.reduce(0, greatestCommonDivisor)
    let sequences = common / training.accumulationSteps / contextLength
    precondition(
      sequences >= 1, "batches of \(common) tokens in sequences of \(contextLength)")
    return MicroBatches(
      sequences: sequences, count: (sizes.max() ?? common) / (sequences * contextLength))
  }

  /// Sequences of one micro-batch of the first steps: the same for batches of every size.
  public var sequences: Int { firstMicroBatches.sequences }

  /// Micro-batches of the largest batch of the steps like the first.
  var microBatches: Int { firstMicroBatches.count }

  private var firstMicroBatches: MicroBatches { microBatches(of: variants[0]) }

  /// Tokens of the largest batch of the run.
  var largestBatchTokens: Int { (0..<training.steps).reduce(0) { max($0, batchTokens(at: $1)) } }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  b == 0 ? a : greatestCommonDivisor(b, a % b)
}
