// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import TensorGraph

/// A reference with what surrounds methods: decay, masks, multipliers and averages.
struct ReferenceRun {
  var reference: any OptimizerReference
  let parameters: [ReferenceParameter]
  let settings: GroupSettings
  private(set) var weights: [[Double]]
  private(set) var averages: [[Double]]

  init(_ subject: ContractSubject, weights: [[Double]], batchTokens: Int) throws {
    guard let type = OptimizerReferences.all[subject.card.name] else {
      throw ReferenceProblem.UnknownReference(name: subject.card.name)
    }
    parameters = subject.referenceParameters
    settings = subject.settings ?? subject.card.settings
    var values = subject.hyperparameters
    values["batch_tokens"] = Double(batchTokens)
    reference = type.init(
      parameters, hyperparameters: values, options: try subject.options().values)
    self.weights = weights
    averages = weights
  }

  mutating func observe(_ gradients: [[Double]]) {
    reference.observe(weights, gradients: gradients)
  }

  /// One update, with hyperparameters before the multipliers.
  mutating func step(_ gradients: [[Double]], _ hyperparameters: [String: Double]) {
    var values = hyperparameters
    let rate = values.value("learning_rate") * settings.learningRateMultiplier
    values["learning_rate"] = rate
    values["weight_decay"] = values.weightDecay * settings.weightDecayMultiplier
    var gradients = gradients
    if let largest = settings.gradientClip {
      gradients = WrapperReference.clipped(gradients, largest: largest)
    }
    if var proposing = reference as? any ProposingReference {
      let steps = proposing.propose(weights, gradients: gradients, hyperparameters: values)
      reference = proposing
      let decay = WrapperReference.decay(
        learningRate: rate, weightDecay: values.weightDecay,
        isSquared: settings.decayScale == .learningRateSquared)
      for p in weights.indices {
        apply(steps[p], gradient: gradients[p], decay: parameters[p].decays ? decay : 0, to: p)
      }
    } else {
      reference.step(&weights, gradients: gradients, hyperparameters: values)
    }
    guard let decay = settings.averageDecay else { return }
    for p in weights.indices {
      averages[p] = WrapperReference.movingAverage(averages[p], weights[p], decay: decay)
    }
  }

  private mutating func apply(
    _ proposed: [Double], gradient: [Double], decay: Double, to p: Int
  ) {
    var step = proposed
    if settings.caution != .off {
      step = WrapperReference.cautious(
        proposed, gradient: gradient, isRescaled: settings.caution == .rescaled)
    }
    if settings.decayCaution != .off {
      weights[p] = WrapperReference.cautiousDecay(
        weights[p], step: step, decay: decay, isStrict: settings.decayCaution == .strict)
      return
    }
    for i in step.indices { weights[p][i] = weights[p][i] * (1 - decay) - step[i] }
  }

  /// What evaluation reads.
  var evaluated: [[Double]] {
    settings.averageDecay == nil ? reference.evaluated(weights) : averages
  }
}
