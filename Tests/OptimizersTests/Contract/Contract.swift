// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph

/// What every method keeps to; each check returns what is wrong, in words, and nothing where all is well.
///
/// A check does not know the method: exceptions follow from its card or from its reference.
enum Contract: String, CaseIterable, Sendable {
  /// A hundred steps under a schedule as the reference in double precision, evaluation included.
  case follows
  /// The same in single precision.
  case followsInSinglePrecision
  /// Without gradients weights shrink by decay and by nothing else.
  case shrinks
  /// Twice the learning rate, twice the first step.
  case scalesWithRate
  /// A fresh state is zeros or a copy of the weights, under the names of checkpoints, in as many bytes as the card says.
  case declaresItsState
  /// What came first still shows later: momentum is kept.
  case remembers
  /// Decay leaves alone what does not decay.
  case sparesGains
  /// The gradient's bits are as they were.
  case readsGradients
  /// Saved, restored and continued: the same bits.
  case resumes
  /// At steps without an update every bit stays, and nothing is counted.
  case rests
  /// No tensor is larger than what the method keeps for its parameter.
  case staysSmall
  /// The card takes the parameters that the paper is about.
  case takesItsParameters

  /// Whether options can matter to it.
  var concernsEquations: Bool {
    switch self {
    case .follows, .followsInSinglePrecision, .scalesWithRate, .declaresItsState, .remembers,
      .sparesGains, .staysSmall:
      true
    case .shrinks, .readsGradients, .resumes, .rests, .takesItsParameters: false
    }
  }

  /// What is wrong with a method.
  func violations(of subject: ContractSubject) throws -> [String] {
    switch self {
    case .follows: try Self.following(subject, on: .reference)
    case .followsInSinglePrecision: try Self.following(subject, on: .cpu)
    case .shrinks: try Self.shrinking(subject)
    case .scalesWithRate: try Self.scaling(subject)
    case .declaresItsState: try Self.declarations(subject)
    case .remembers: try Self.memory(subject)
    case .sparesGains: try Self.gains(subject)
    case .readsGradients: try Self.gradients(subject)
    case .resumes: try Self.resumption(subject)
    case .rests: try Self.rest(subject)
    case .staysSmall: try Self.sizes(subject)
    case .takesItsParameters: Self.eligibility(subject)
    }
  }

  /// How far a method may be from its reference.
  enum Tolerance {
    /// In double precision, of the distance moved.
    static let double = 1e-10
    /// The coefficients of Newton-Schulz are constants of the graph, in single precision, and its slope is up to 8^5.
    static let singleConstants = 2e-5
    /// Five iterations in bfloat16, 2^-9 each, amplified.
    static let bfloat16Products = 0.2
    /// In single precision, units in the last place of a tensor's largest weight after a hundred steps: rounding of weights
    /// alone is a random walk of half a unit a step, about 5 units.
    static let ulps = 64.0
    /// Where a moment is kept in bfloat16, now and then it rounds the other way.
    static let ulpsOfBFloat16State = 256.0
  }

  // MARK: - Trajectories

  private static func following(
    _ subject: ContractSubject, on machine: OptimizerBench.Subject
  ) throws -> [String] {
    // Options choose between equations that forty steps show as well; rounded products show all they can in ten.
    let steps = subject.roundsProducts ? 10 : subject.choices.isEmpty ? 100 : 40
    var run = try ContractRun(subject, on: machine, steps: steps)
    for step in 1...steps {
      try run.advance()
      var pairs = [("weights", run.weights, run.reference.weights)]
      if step % 10 == 0 {
        pairs.append(("evaluated weights", try run.evaluated(), run.reference.evaluated))
      }
      for (what, ours, theirs) in pairs {
        let error = run.error(ours, theirs)
        if isTooFar(error, subject, machine) {
          return [
            "\(what) after step \(step): off by \(error.relative) of the distance moved, \(error.ulps) ULPs"
          ]
        }
      }
    }
    return []
  }

  private static func isTooFar(
    _ error: (relative: Double, ulps: Double), _ subject: ContractSubject,
    _ machine: OptimizerBench.Subject
  ) -> Bool {
    if subject.roundsProducts { return !(error.relative <= Tolerance.bfloat16Products) }
    if machine == .reference {
      let isIteration = subject.card.eligibility != .all
      return !(error.relative <= (isIteration ? Tolerance.singleConstants : Tolerance.double))
    }
    let roundsState =
      (try? subject.optimizer().stateDeclarations.contains { $0.elementType == .bfloat16 }) ?? false
    return !(error.ulps <= (roundsState ? Tolerance.ulpsOfBFloat16State : Tolerance.ulps))
  }

  private static func shrinking(_ subject: ContractSubject) throws -> [String] {
    var violations: [String] = []
    for machine in OptimizerBench.Subject.allCases {
      var run = try ContractRun(subject, on: machine, steps: 20, zeroGradients: true)
      var expected = run.problem.weights
      for step in 0..<20 {
        let values = ContractRun.scheduled(subject, step)
        try run.advance()
        let settings = subject.settings ?? subject.card.settings
        let decay = WrapperReference.decay(
          learningRate: values.value("learning_rate"), weightDecay: values.weightDecay,
          isSquared: settings.decayScale == .learningRateSquared)
        for p in expected.indices where run.reference.parameters[p].decays {
          expected[p] = expected[p].map { $0 * (1 - decay) }
        }
      }
      // Methods with a decay of their own state it by their reference.
      if !(run.reference.reference is any ProposingReference) { expected = run.reference.weights }
      let error = run.error(run.weights, expected)
      if error.ulps > (machine == .reference ? 1e-6 : 20) {
        violations.append("\(machine): off by \(error.ulps) ULPs after 20 steps without gradient")
      }
      for (p, parameter) in subject.parameters.enumerated()
      where !run.reference.parameters[p].decays && run.weights[p] != run.problem.weights[p] {
        // LAMB's ratio and Prodigy's distance are 0 or unused without a gradient too.
        violations.append("\(machine): '\(parameter.name)' does not decay, yet moved")
      }
    }
    return violations
  }

  private static func scaling(_ subject: ContractSubject) throws -> [String] {
    var plain = subject
    plain.changes["weight_decay"] = subject.card.defaults["weight_decay"].map { _ in 0 }
    // What starts with its state moves at the second update; until then all rates are the same.
    let update = subject.card.firstUpdate == .startsState ? 2 : 1
    func moved(_ factor: Double) throws -> [[Double]] {
      var run = try ContractRun(plain, on: .reference, steps: update)
      var values = plain.hyperparameters
      values["learning_rate"] = values.value("learning_rate") * factor
      for step in 0..<update { try run.stepMethod(run.problem.gradients[step], values) }
      return zip(run.weights, run.problem.weights).map { zip($0, $1).map { $0 - $1 } }
    }
    let (once, twice) = (try moved(1), try moved(2))
    var violations: [String] = []
    for (p, parameter) in subject.parameters.enumerated() {
      let largest = once[p].map { abs($0) }.max() ?? 0
      if largest == 0 { violations.append("'\(parameter.name)' does not move") }
      for (a, b) in zip(once[p], twice[p]) where !(abs(b - 2 * a) <= 1e-9 * largest) {
        violations.append("'\(parameter.name)' moves by \(a) and \(b)")
        break
      }
    }
    return violations
  }

  private static func memory(_ subject: ContractSubject) throws -> [String] {
    /// The fourth step itself, not where it starts from: the third is too early for what starts with its state.
    func fourth(_ first: (Double) -> Double) throws -> [[Double]] {
      var plain = subject
      plain.changes["weight_decay"] = subject.card.defaults["weight_decay"].map { _ in 0 }
      var run = try ContractRun(plain, on: .reference, steps: 4)
      var before: [[Double]] = []
      for step in 0..<4 {
        before = run.weights
        // The second gradient is the first that every method uses in its steps.
        let gradients = run.problem.gradients[step]
        try run.stepMethod(
          step == 1 ? gradients.map { $0.map(first) } : gradients, plain.hyperparameters)
      }
      return zip(run.weights, before).map { zip($0, $1).map { $0 - $1 } }
    }
    // Signs forget sizes: turn the gradient and make it ten times.
    let isForgotten = relativeDifference(try fourth { -10 * $0 }, try fourth { $0 }) < 1e-9
    return isForgotten ? ["the fourth step does not know the second gradient"] : []
  }

  private static func gains(_ subject: ContractSubject) throws -> [String] {
    guard subject.card.defaults["weight_decay"] != nil else { return [] }
    let update = subject.card.firstUpdate == .startsState ? 2 : 1
    func weights(_ decay: Double) throws -> [[Double]] {
      var changed = subject
      changed.changes["weight_decay"] = decay
      var run = try ContractRun(changed, on: .reference, steps: update)
      for step in 0..<update {
        try run.stepMethod(run.problem.gradients[step], changed.hyperparameters)
      }
      return run.weights
    }
    let (without, with) = (try weights(0), try weights(0.5))
    return subject.parameters.indices.compactMap { p in
      let decays = subject.referenceParameters[p].decays
      if decays != (without[p] == with[p]) { return nil }
      return "'\(subject.parameters[p].name)' \(decays ? "does not decay" : "decays")"
    }
  }
}
