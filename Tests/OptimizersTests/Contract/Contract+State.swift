// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph

extension Contract {
  /// What a method keeps for a parameter, by the names of checkpoints.
  static let stateNames: [String: Set<String>] = [
    "sgd": ["momentum"],
    "adamw": ["first_moment", "second_moment"],
    "nadamw": ["first_moment", "second_moment"],
    "adafactor-adam": ["momentum", "row", "column", "second_moment"],
    "adafactor-bv": ["momentum", "row", "column", "second_moment"],
    "adafactor-2018": ["momentum", "row", "column", "second_moment"],
    "lion": ["momentum"],
    "signum": ["momentum"],
    "sophia-g": ["momentum", "curvature"],
    "adalayer": ["momentum", "second_moment"],
    "adalayer-star": ["momentum", "second_moment"],
    "adalayer-frozen": ["momentum", "second_moment"],
    "muon": ["momentum"],
    "normuon": ["momentum", "row_second_moment"],
    "schedule-free-adamw": ["z", "second_moment"],
    "schedule-free-sgd": ["z"],
    "ademamix": ["fast_moment", "slow_moment", "second_moment"],
    "adopt": ["momentum", "second_moment"],
    "mars-adamw": ["first_moment", "second_moment", "previous_gradient"],
    "adam-mini": ["first_moment", "second_moment"],
    "lamb": ["first_moment", "second_moment"],
    "prodigy": [
      "first_moment", "second_moment", "start", "accumulated", "d", "d_max", "numerator",
    ],
    "soap": [
      "first_moment", "second_moment", "left", "right", "left_basis", "right_basis",
    ],
  ]

  /// State that starts as a copy of the weights; all other state starts as zeros.
  static let copies: Set<String> = ["z", "start"]

  static func declarations(_ subject: ContractSubject) throws -> [String] {
    var violations: [String] = []
    let optimizer = try subject.optimizer()
    let declarations = optimizer.stateDeclarations
    let options = try subject.options()
    for parameter in subject.parameters {
      let own = declarations.filter { $0.parameter == parameter.name }
      let bytes = own.reduce(0) { $0 + $1.byteCount }
      let stated = subject.card.state.bytes(parameter, options)
      if bytes != stated {
        violations.append("'\(parameter.name)' keeps \(bytes) bytes; the card says \(stated)")
      }
    }
    let names = Set(declarations.map { name(of: $0) })
    if let expected = stateNames[subject.card.name], names != expected {
      violations.append("state is \(names.sorted()), not \(expected.sorted())")
    }
    let run = try ContractRun(subject, on: .reference, steps: 0)
    for declaration in declarations {
      let index = subject.parameters.firstIndex { $0.name == declaration.parameter }
      let isCopy = copies.contains(name(of: declaration))
      let expected =
        isCopy
        ? index.map { run.problem.weights[$0] } ?? []
        : [Double](repeating: 0, count: declaration.shape.count)
      if run.bench.kept(declaration.label) != expected {
        violations.append("'\(declaration.label)' does not start as \(isCopy ? "w" : "zeros")")
      }
    }
    return violations
  }

  /// `optimizer.NAME.PARAMETER`: the name.
  private static func name(of declaration: StateBuilder.Declaration) -> String {
    let parts = declaration.label.split(separator: ".", maxSplits: 2)
    return parts.count == 3 && parts[0] == "optimizer" ? String(parts[1]) : declaration.label
  }

  /// Gradients after two steps; `disturb` is what a broken runtime does to the memory that one lies in.
  static func gradients(
    _ subject: ContractSubject, disturb: (inout [UInt8]) -> Void = { _ in }
  ) throws -> [String] {
    var run = try ContractRun(subject, on: .cpu, steps: 2)
    var violations: [String] = []
    for step in 0..<2 {
      try run.advance()
      for (p, parameter) in subject.parameters.enumerated() {
        let given = run.problem.gradients[step][p].map { Float($0) }
        var bytes = run.bench.gradientBytes(parameter)
        disturb(&bytes)
        if bytes != given.withUnsafeBytes({ Array($0) }) {
          violations.append("the gradient of '\(parameter.name)' was changed at step \(step + 1)")
        }
      }
    }
    return violations
  }

  /// A run that goes on from a checkpoint; `keep` is what a broken one makes of what it should keep.
  static func resumption(
    _ subject: ContractSubject, keep: (inout OptimizerBench.Snapshot) -> Void = { _ in }
  ) throws -> [String] {
    // In the middle of warm-ups, between two refreshes of bases and two observations.
    let (saved, steps) = (11, 24)
    var whole = try ContractRun(subject, on: .cpu, steps: steps)
    for _ in 0..<saved { try whole.advance() }
    var snapshot = try whole.bench.snapshot()
    keep(&snapshot)
    for _ in saved..<steps { try whole.advance() }

    var resumed = try ContractRun(subject, on: .cpu, steps: steps)
    try resumed.resume(snapshot, at: saved, observed: whole.observedBefore(saved))
    for _ in saved..<steps { try resumed.stepMethodOnly() }
    let (end, expected) = (try resumed.bench.snapshot(), try whole.bench.snapshot())
    var violations: [String] = []
    for label in whole.bench.keptLabels where end.tensors[label] != expected.tensors[label] {
      violations.append("'\(label)' differs after going on from step \(saved)")
    }
    if end.clock != expected.clock { violations.append("the clock differs") }
    return violations
  }

  static func rest(_ subject: ContractSubject) throws -> [String] {
    var resting = subject
    var settings = subject.settings ?? subject.card.settings
    settings.every = 2
    settings.isPausable = true
    resting.settings = settings
    let steps = 18
    let paused: Set<Int> = [6, 7, 8, 13]
    var run = try ContractRun(resting, on: .reference, steps: steps)
    run.recordsKept = true
    let updates = WrapperReference.cadence(
      run.problem.gradients.map { Array($0.joined()) }, every: 2, pausedSteps: paused)
    for step in 0..<steps {
      run.bench.conditions.paused = paused.contains(step) ? ["all"] : []
      let sum = updates[step].map { run.split($0) }
      try run.advance(summed: sum)
      let error = run.error(run.weights, run.reference.weights)
      if isTooFarAtRest(error, subject) {
        return ["after step \(step + 1) off by \(error.relative) of the distance moved"]
      }
      if sum == nil, run.kept() != run.keptBeforeStep {
        return ["a bit changed at step \(step + 1), at which nothing is updated"]
      }
    }
    return []
  }

  private static func isTooFarAtRest(
    _ error: (relative: Double, ulps: Double), _ subject: ContractSubject
  ) -> Bool {
    let isIteration = subject.card.eligibility != .all
    let most =
      subject.roundsProducts
      ? Tolerance.bfloat16Products : isIteration ? Tolerance.singleConstants : Tolerance.double
    return !(error.relative <= most)
  }

  static func sizes(_ subject: ContractSubject) throws -> [String] {
    var violations: [String] = []
    for parameter in subject.parameters {
      let optimizer = Optimizer(
        subject.method, subject.hyperparameters, options: try subject.options(),
        parameters: [parameter])
      let kept = optimizer.stateDeclarations.map(\.shape.count) + [parameter.shape.count]
      let most = kept.max() ?? 0
      let program = try optimizer.updateProgram()
      for (node, isLive) in zip(program.graph.nodes, program.liveNodes()) where isLive {
        for type in node.results where type.shape.count > most {
          violations.append(
            "'\(parameter.name)' \(parameter.shape) needs a tensor \(type) by \(node.operation.name)"
          )
        }
      }
    }
    return violations
  }

  static func eligibility(_ subject: ContractSubject) -> [String] {
    guard let reference = OptimizerReferences.all[subject.card.name] else {
      return ["no reference"]
    }
    return ParameterRole.allCases.compactMap { role in
      let takes = !reference.needsHiddenMatrices || role.isHiddenMatrix
      return takes == subject.card.eligibility.accepts(role)
        ? nil : "\(role.key) is \(takes ? "refused" : "taken")"
    }
  }
}
