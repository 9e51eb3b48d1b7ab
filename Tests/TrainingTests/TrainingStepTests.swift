// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LanguageModels
import Optimizers
import TensorGraph
import Testing
import Training

@Suite struct TrainingStepTests {
  /// AdamW written plainly, one number at a time.
  struct ScalarAdamW {
    var m = 0.0
    var v = 0.0

    mutating func update(
      _ w: Double, _ g: Double, _ h: [String: Double], decays: Bool, t: Int
    ) -> Double {
      let (lr, b1, b2) = (h["learning_rate"] ?? 0, h["beta1"] ?? 0, h["beta2"] ?? 0)
      m = b1 * m + (1 - b1) * g
      v = b2 * v + (1 - b2) * g * g
      let first = m / (1 - pow(b1, Double(t)))
      let second = v / (1 - pow(b2, Double(t)))
      let shrunk = decays ? w * (1 - lr * (h["weight_decay"] ?? 0)) : w
      return shrunk - lr * first / (second.squareRoot() + (h["epsilon"] ?? 0))
    }
  }

  @Test("AdamW in the graph equals AdamW one number at a time", arguments: TestRuntime.allCases)
  func adamW(_ which: TestRuntime) throws {
    let small = try SmallStep(which, revealsGradients: true)
    let source = smallSource()
    var references: [String: [ScalarAdamW]] = [:]
    var weights: [String: [Double]] = [:]
    for parameter in small.parameters {
      weights[parameter.name] = small.values(parameter.name).map(Double.init)
      references[parameter.name] = Array(
        repeating: ScalarAdamW(), count: parameter.shape.count)
    }
    for t in 1...20 {
      try source.fill(small.step.batch)
      // A large epsilon and a clip that bites, so that neither can be forgotten.
      let settings = try small.settings(
        clip: 0.1, ["learning_rate": 0.01 / Double(t), "epsilon": 1e-3, "beta2": 0.98])
      var gradients: [String: [Float]] = [:]
      let result = try small.step.run(settings) { executable in
        for parameter in small.parameters {
          let bytes = executable.output("gradient." + parameter.name)
          gradients[parameter.name] = Array(bytes.bindMemory(to: Float.self))
        }
      }
      #expect(result.isUpdated)
      var squares = 0.0
      for gradient in gradients.values {
        for g in gradient { squares += Double(g) * Double(g) }
      }
      #expect(abs(result.gradientNorm / squares.squareRoot() - 1) < 1e-6)
      let factor = min(1, 0.1 / squares.squareRoot())
      #expect(factor < 1)
      for parameter in small.parameters {
        let decays = parameter.shape.rank == 2
        for index in 0..<parameter.shape.count {
          let g = Double(gradients[parameter.name]?[index] ?? .nan) * factor
          let old = weights[parameter.name]?[index] ?? .nan
          let new = references[parameter.name]?[index].update(
            old, g, settings.conditions.hyperparameters["all"] ?? [:], decays: decays, t: t)
          weights[parameter.name]?[index] = new ?? .nan
        }
        let error = relativeError(
          small.values(parameter.name), weights[parameter.name] ?? [])
        #expect(error < 2e-6, "\(parameter.name) at step \(t)")
        let m = references[parameter.name]?.map(\.m) ?? []
        let mError = relativeError(
          small.values("optimizer.first_moment." + parameter.name), m)
        #expect(mError < 2e-6, "first moment of \(parameter.name) at step \(t)")
      }
    }
  }

  @Test("Two micro-batches equal one batch of both", arguments: TestRuntime.allCases)
  func accumulation(_ which: TestRuntime) throws {
    let whole = try SmallStep(which, sequences: 4)
    let halves = try SmallStep(which, sequences: 2, accumulationSteps: 2)
    let (first, second) = (smallSource(), smallSource())
    for _ in 1...3 {
      try first.fill(whole.step.batch)
      try second.fill(halves.step.batch)
      // Unequal numbers of targets in the micro-batches: a mean of means would show.
      for index in 0..<11 {
        whole.step.batch.targets[index] = -1
        halves.step.batch.targets[index] = -1
      }
      let a = try whole.step.run(try whole.settings(clip: 0.5))
      let b = try halves.step.run(try halves.settings(clip: 0.5))
      #expect(a.countedTargets == 21)
      #expect(b.countedTargets == 21)
      #expect(abs(a.loss / b.loss - 1) < 1e-6)
      #expect(abs(a.crossEntropy / b.crossEntropy - 1) < 1e-6)
      #expect(abs(a.gradientNorm / b.gradientNorm - 1) < 1e-5)
    }
    for parameter in whole.parameters {
      let error = relativeError(
        whole.values(parameter.name), halves.values(parameter.name).map(Double.init))
      #expect(error < 1e-5, "\(parameter.name)")
    }
  }

  @Test(
    "The first micro-batch overwrites whatever an accumulator holds",
    arguments: TestRuntime.allCases)
  func accumulatorStartsAfresh(_ which: TestRuntime) throws {
    let clean = try SmallStep(which, accumulationSteps: 2)
    let dirty = try SmallStep(which, accumulationSteps: 2)
    for parameter in dirty.parameters {
      let memory = try #require(
        try dirty.runtime.kept("accumulated." + parameter.name, for: .writing))
      memory.bindMemory(to: Float.self).update(repeating: .nan)
    }
    for small in [clean, dirty] {
      try smallSource().fill(small.step.batch)
      #expect(try small.step.run(try small.settings()).isUpdated)
    }
    #expect(clean.everything == dirty.everything)
  }

  @Test(
    "A step that is not finite changes neither weights nor state", arguments: TestRuntime.allCases,
    [1, 2])
  func nonFinite(_ which: TestRuntime, accumulationSteps: Int) throws {
    let small = try SmallStep(which, accumulationSteps: accumulationSteps)
    let source = smallSource()
    try source.fill(small.step.batch)
    #expect(try small.step.run(try small.settings()).isUpdated)

    // One weight that makes the loss infinite or NaN, then one that leaves only the gradients to show it.
    func replace(_ number: Float) throws -> Float {
      let gain = try #require(try small.tensors.values("final_norm.gain", for: .readingAndWriting))
      defer { gain[0] = number }
      return gain[0]
    }
    let saved = try replace(.nan)
    let before = small.everything
    try source.fill(small.step.batch)
    let result = try small.step.run(try small.settings())
    #expect(!result.isUpdated)
    #expect(!result.loss.isFinite)
    let after = small.everything
    for (label, values) in before {
      #expect(values.map(\.bitPattern) == after[label]?.map(\.bitPattern), "\(label)")
    }
    // The next finite step works as if nothing had been.
    _ = try replace(saved)
    try source.fill(small.step.batch)
    #expect(try small.step.run(try small.settings()).isUpdated)
    let isFinite = small.values("embedding.weight").allSatisfy { $0.isFinite }
    #expect(isFinite)
  }

  @Test(
    "Clipping scales gradients to the limit, and leaves smaller ones alone",
    arguments: TestRuntime.allCases)
  func clipping(_ which: TestRuntime) throws {
    // Without decay, the first moment after one step is (1 - beta1) times the clipped gradient.
    func momentNorm(clip: Double) throws -> (moment: Double, norm: Double) {
      let small = try SmallStep(which)
      try smallSource().fill(small.step.batch)
      let result = try small.step.run(try small.settings(clip: clip))
      var squares = 0.0
      for parameter in small.parameters {
        for m in small.values("optimizer.first_moment." + parameter.name) {
          squares += Double(m) * Double(m)
        }
      }
      return (squares.squareRoot() / (1 - 0.9), result.gradientNorm)
    }
    let free = try momentNorm(clip: .infinity)
    #expect(abs(free.moment / free.norm - 1) < 1e-5)
    let clipped = try momentNorm(clip: free.norm / 4)
    #expect(abs(clipped.norm / free.norm - 1) < 1e-6)
    #expect(abs(clipped.moment / (free.norm / 4) - 1) < 1e-5)
    let loose = try momentNorm(clip: free.norm * 4)
    #expect(loose.moment == free.moment)
  }

  @Test("Gains do not decay, matrices do", arguments: TestRuntime.allCases)
  func decay(_ which: TestRuntime) throws {
    // With gradients switched off by a clip of nearly 0, only decay moves weights.
    let small = try SmallStep(which)
    let before = small.everything
    try smallSource().fill(small.step.batch)
    let settings = try small.settings(
      clip: 1e-30, ["learning_rate": 0.5, "weight_decay": 0.25, "epsilon": 1])
    #expect(try small.step.run(settings).isUpdated)
    for parameter in small.parameters {
      let factor: Double = parameter.shape.rank == 2 ? 1 - 0.125 : 1
      let expected = (before[parameter.name] ?? []).map { Double($0) * factor }
      #expect(relativeError(small.values(parameter.name), expected) < 1e-6, "\(parameter.name)")
    }
  }

  @Test(
    "Statistics are those of the weights, and measuring changes nothing",
    arguments: TestRuntime.allCases)
  func statistics(_ which: TestRuntime) throws {
    let measured = try SmallStep(which)
    let plain = try SmallStep(which)
    let statistics = WeightStatistics(measured.parameters, runtime: measured.runtime)
    let source = smallSource()
    try source.fill(measured.step.batch)
    try smallSource().fill(plain.step.batch)
    let before = measured.everything
    try statistics.rememberWeights()
    _ = try measured.step.run(try measured.settings())
    _ = try plain.step.run(try plain.settings())
    let found = try statistics.measure()
    #expect(measured.everything == plain.everything)
    #expect(Set(found.keys) == Set(measured.parameters.map(\.role)))
    for role in found.keys {
      var (squares, moved, count) = (0.0, 0.0, 0)
      for parameter in measured.parameters where parameter.role == role {
        let now = measured.values(parameter.name)
        for (w, old) in zip(now, before[parameter.name] ?? []) {
          squares += Double(w) * Double(w)
          moved += (Double(w) - Double(old)) * (Double(w) - Double(old))
          count += 1
        }
      }
      let measurement = try #require(found[role])
      #expect(abs(measurement.weightNorm / squares.squareRoot() - 1) < 1e-5)
      let rms = (moved / Double(count)).squareRoot()
      #expect(abs(measurement.updateRootMeanSquare / rms - 1) < 1e-4)
    }
  }
}
