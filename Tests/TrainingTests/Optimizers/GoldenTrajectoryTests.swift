// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// Our methods against public implementations of the same.
@Suite struct GoldenTrajectoryTests {
  typealias Subject = OptimizerBench.Subject

  /// Half the spacing of single precision at 1: what each step's rounding of the weights may add.
  static let rounding = 0x1p-24

  @Test("Every method of the fixtures is registered, and most of their cases agree")
  func casesExist() {
    let cases = GoldenCase.manifest.cases
    #expect(Set(cases.map(\.method)).isSubset(of: OptimizerRegistry.names))
    #expect(cases.count > 60 && cases.filter(\.agrees).count > 50)
  }

  @Test(
    "Weights stay with the public implementation for twenty steps",
    arguments: GoldenCase.all.filter(\.agrees), Subject.allCases)
  func agreement(golden: GoldenCase, subject: Subject) throws {
    for worst in try run(golden, on: subject).worst {
      #expect(
        worst.error <= worst.bound(golden, subject),
        "\(worst.what): off by \(worst.error), moved by \(worst.moved)")
    }
  }

  @Test(
    "State ends as in the public implementation",
    arguments: GoldenCase.all.filter { $0.agrees && !$0.states.isEmpty }, Subject.allCases)
  func states(golden: GoldenCase, subject: Subject) throws {
    let (trajectory, bench) = try finished(golden, on: subject)
    for name in golden.states {
      var compared = 0
      for parameter in trajectory.parameters {
        // Either side may have no such state for some parameters: factored ones, or those of another rule.
        let label = "optimizer.\(name).\(parameter.name)"
        guard let theirs = try trajectory.state(name, parameter), let ours = bench.kept(label)
        else { continue }
        // Second moments and sums of sums are no better than squares of what weights move by.
        let bound = subject == .reference ? golden.tolerance : 5 * golden.singlePrecision
        #expect(distance(ours, theirs) <= bound * norm(theirs), "\(label)")
        compared += 1
      }
      #expect(compared > 0, "no parameter has a state '\(name)' on both sides")
    }
  }

  @Test(
    "What is recorded as a disagreement is one, and the card names it",
    arguments: GoldenCase.all.filter { !$0.agrees })
  func disagreement(golden: GoldenCase) throws {
    let worst = try run(golden, on: .reference).worst
    #expect(worst.contains { $0.error > 100 * golden.tolerance * $0.moved })
    #expect(!golden.differs.isEmpty)
    // What wrappers do is on no card.
    guard golden.settings.isEmpty else { return }
    let card = try OptimizerRegistry.method(named: golden.method).card
    let notes = (card.deviations + card.caveats).joined(separator: "\n")
    let names = ["torch": "PyTorch"]
    #expect(
      notes.contains(names[golden.package] ?? golden.package),
      "the card of \(golden.method) does not speak of \(golden.package): \(golden.differs)")
  }

  // MARK: - Running

  /// The largest error of a parameter over the stored steps, in units of what is allowed.
  struct Worst {
    var what: String
    var step: Int
    var error, moved, size: Double

    func bound(_ golden: GoldenCase, _ subject: Subject) -> Double {
      switch subject {
      case .reference: golden.tolerance * moved
      case .cpu:
        max(golden.tolerance, golden.singlePrecision) * moved
          + GoldenTrajectoryTests.rounding * Double(step) * size
      }
    }
  }

  private func run(_ golden: GoldenCase, on subject: Subject) throws -> (
    worst: [Worst], bench: OptimizerBench
  ) {
    var worst: [Worst] = []
    let (_, bench) = try finished(golden, on: subject) { trajectory, bench, stored, step in
      let averages = try bench.evaluated()
      for parameter in trajectory.parameters {
        let start = try trajectory.initial(parameter.name)
        let ours = bench.kept(parameter.name) ?? []
        let theirs = try trajectory.weights(parameter, stored: stored)
        worst.append(
          Worst(
            what: "\(parameter.name) after step \(step)", step: step,
            error: distance(ours, theirs), moved: distance(theirs, start), size: norm(theirs)))
        guard let theirs = try trajectory.average(parameter, stored: stored) else {
          #expect(averages[parameter.name] == ours, "evaluation reads the trained weights")
          continue
        }
        worst.append(
          Worst(
            what: "average of \(parameter.name) after step \(step)", step: step,
            error: distance(averages[parameter.name] ?? [], theirs),
            moved: distance(theirs, start), size: norm(theirs)))
      }
    }
    #expect(
      worst.count >= golden.parameters.count * GoldenCase.manifest.storedSteps.count)
    return (worst, bench)
  }

  @discardableResult
  private func finished(
    _ golden: GoldenCase, on subject: Subject,
    atStored: (GoldenTrajectory, OptimizerBench, _ stored: Int, _ step: Int) throws -> Void = {
      _, _, _, _ in
    }
  ) throws -> (GoldenTrajectory, OptimizerBench) {
    let manifest = GoldenCase.manifest
    let trajectory = try GoldenTrajectory(golden)
    let method = try OptimizerRegistry.method(named: golden.method)
    var settings = method.card.settings
    if let text = golden.settings["cautious"] {
      settings.caution = try #require(GroupSettings.Caution(rawValue: text))
    }
    let optimizer = Optimizer(
      method, try method.card.complete(golden.hyperparameters),
      options: try MethodOptions(method.card, golden.options), settings: settings,
      parameters: trajectory.parameters)
    for (parameter, declaration) in zip(trajectory.parameters, trajectory.declarations) {
      try #require(optimizer.groups[0].decays(parameter) == declaration.decays)
    }
    var initial: [String: [Double]] = [:]
    for parameter in trajectory.parameters {
      initial[parameter.name] = try trajectory.initial(parameter.name)
    }
    let bench = try OptimizerBench(optimizer, on: subject, initial: initial)
    bench.conditions.batchTokens = golden.batchTokens
    let schedule = try #require(manifest.schedules[golden.schedule])
    let peak = try #require(golden.hyperparameters["learning_rate"])
    var observed: [Int] = []
    for step in 0..<manifest.steps {
      bench.conditions.hyperparameters["all"] = ["learning_rate": peak * schedule[step]]
      if bench.wantsObservation {
        try bench.observe { try trajectory.sampled($0, index: observed.count) }
        observed.append(step)
      }
      try bench.step { try trajectory.gradient($0, step: step) }
      if let stored = manifest.storedSteps.firstIndex(of: step + 1) {
        try atStored(trajectory, bench, stored, step + 1)
      }
    }
    #expect(observed == golden.observedSteps)
    return (trajectory, bench)
  }

  private func norm(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  private func distance(_ a: [Double], _ b: [Double]) -> Double {
    a.count == b.count ? norm(zip(a, b).map { $0 - $1 }) : .infinity
  }
}
