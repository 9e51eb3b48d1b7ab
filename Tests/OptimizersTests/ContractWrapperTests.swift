// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// What surrounds methods, held against plain functions.
@Suite("Around every method")
struct ContractWrapperTests {
  /// Methods that propose a step, which masks and decay then act on.
  static let proposing = ContractSubject.methods.filter {
    OptimizerReferences.all[$0.card.name] is any ProposingReference.Type
  }

  /// Twelve steps of a method with other settings; the largest error against the reference.
  private func error(
    _ subject: ContractSubject, steps: Int = 12, change: (inout GroupSettings) -> Void
  ) throws -> (error: Double, run: ContractRun) {
    var changed = subject
    var settings = subject.card.settings
    change(&settings)
    changed.settings = settings
    var run = try ContractRun(changed, on: .reference, steps: steps)
    var worst = 0.0
    for _ in 0..<steps {
      try run.advance()
      worst = max(worst, run.error(run.weights, run.reference.weights).relative)
      worst = try max(worst, run.error(run.evaluated(), run.reference.evaluated).relative)
    }
    return (worst, run)
  }

  private func tolerance(_ subject: ContractSubject) -> Double {
    subject.card.eligibility == .all
      ? Contract.Tolerance.double : Contract.Tolerance.singleConstants
  }

  @Test(
    "cautious steps follow the gradient's sign", arguments: proposing,
    GroupSettings.Caution.allCases)
  func caution(_ subject: ContractSubject, _ caution: GroupSettings.Caution) throws {
    let (error, run) = try error(subject) { $0.caution = caution }
    #expect(error <= tolerance(subject))
    let (_, plain) = try self.error(subject) { $0.caution = .off }
    #expect((run.weights == plain.weights) == (caution == .off), "a mask that masks nothing")
  }

  @Test(
    "decay acts where it is told to, and is scaled as told", arguments: proposing,
    GroupSettings.DecayCaution.allCases)
  func decay(_ subject: ContractSubject, _ caution: GroupSettings.DecayCaution) throws {
    for scale in GroupSettings.DecayScale.allCases {
      let (error, _) = try error(subject) {
        $0.decayCaution = caution
        $0.decayScale = scale
      }
      #expect(error <= tolerance(subject), "\(scale)")
    }
  }

  @Test("multipliers multiply, and a multiplier of 0 freezes", arguments: ContractSubject.methods)
  func multipliers(_ subject: ContractSubject) throws {
    let (error, _) = try error(subject) {
      $0.learningRateMultiplier = 3
      $0.weightDecayMultiplier = 0.5
    }
    #expect(error <= tolerance(subject))
    let (_, frozen) = try self.error(subject) { $0.learningRateMultiplier = 0 }
    #expect(frozen.weights == frozen.problem.weights)
  }

  @Test("decay applies where a rule says so, gains included", arguments: ContractSubject.methods)
  func decays(_ subject: ContractSubject) throws {
    for decays in [true, false] {
      let (error, _) = try error(subject) { $0.decays = decays }
      #expect(error <= tolerance(subject))
    }
  }

  @Test("a group's clip takes the norm of the group", arguments: ContractSubject.methods)
  func groupClip(_ subject: ContractSubject) throws {
    // Norms of the group's gradients are several times this.
    let (error, _) = try error(subject) { $0.gradientClip = 0.3 }
    // Adopted bases come from the unclipped gradient: the same eigenvectors, by another road.
    #expect(error <= max(tolerance(subject), subject.sharesBases ? 1e-6 : 0))
  }

  @Test("an average of the weights is what evaluation reads", arguments: ContractSubject.methods)
  func average(_ subject: ContractSubject) throws {
    let (error, run) = try error(subject) { $0.averageDecay = 0.9 }
    #expect(error <= tolerance(subject))
    #expect(try run.evaluated() != run.weights)
  }

  @Test("the global clip takes one norm over all groups, and is counted without paused ones")
  func globalClip() throws {
    let subject = ContractSubject(method: try OptimizerRegistry.method(named: "sgd"))
    let parameters = subject.parameters
    let problem = subject.problem(steps: 3)
    var settings = GroupSettings()
    settings.isPausable = true
    let groups = [Array(parameters[..<4]), Array(parameters[4...])].enumerated().map {
      ParameterGroup(
        name: "\($0)", method: subject.method,
        hyperparameters: ["learning_rate": 1, "momentum": 0, "weight_decay": 0],
        settings: settings, members: $1)
    }
    let bench = try OptimizerBench(
      Optimizer(groups: groups), on: .reference,
      initial: Dictionary(
        uniqueKeysWithValues: zip(parameters.map(\.name), problem.weights)))
    bench.conditions.gradientClip = 0.25
    var expected = problem.weights
    for step in 0..<3 {
      let isPaused = step == 1
      bench.conditions.paused = isPaused ? ["1"] : []
      let gradients = problem.gradients[step]
      try bench.step { parameter in
        gradients[parameters.firstIndex { $0.name == parameter.name } ?? 0]
      }
      let attending = isPaused ? Array(gradients[..<4]) : gradients
      for (p, gradient) in WrapperReference.clipped(attending, largest: 0.25).enumerated() {
        for i in gradient.indices { expected[p][i] -= gradient[i] }
      }
      let found = parameters.map { bench.kept($0.name) ?? [] }
      #expect(relativeDifference(found, expected) < 1e-14)
    }
  }

  @Test("two gradients summed are one gradient of both", arguments: ContractSubject.methods)
  func cadence(_ subject: ContractSubject) throws {
    // Halves of a gradient are exact, and so is their sum: bit for bit the trajectory of the whole ones.
    var whole = try ContractRun(subject, on: .cpu, steps: 6)
    var resting = subject
    var settings = subject.card.settings
    settings.every = 2
    resting.settings = settings
    var halves = try ContractRun(resting, on: .cpu, steps: 6)
    for step in 0..<6 {
      let gradient = whole.problem.gradients[step]
      let half = gradient.map { $0.map { $0 / 2 } }
      try whole.stepMethod(gradient, subject.hyperparameters)
      try halves.stepMethod(half, subject.hyperparameters)
      try halves.stepMethod(half, subject.hyperparameters)
    }
    #expect(halves.weights == whole.weights)
  }
}
