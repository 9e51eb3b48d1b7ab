// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph

/// A method and its reference, side by side on the same gradients.
struct ContractRun {
  let subject: ContractSubject
  let problem: ReferenceProblem
  let observations: ReferenceProblem
  let bench: OptimizerBench
  var reference: ReferenceRun
  private let parameters: [Parameter]
  /// Weights and state as the last step found them, after extra gradients; where ``recordsKept`` is set.
  private(set) var keptBeforeStep: [[Double]] = []
  var recordsKept = false
  private var observed = 0
  private var observedAt: [Int] = []
  private var step = 0
  private var updated = 0

  /// Targets of a batch.
  static let batchTokens = 4

  init(
    _ subject: ContractSubject, on machine: OptimizerBench.Subject, steps: Int,
    zeroGradients: Bool = false
  ) throws {
    self.subject = subject
    var problem = subject.problem(steps: steps)
    if zeroGradients {
      problem.gradients = problem.gradients.map { $0.map { $0.map { _ in 0 } } }
    }
    self.problem = problem
    observations = subject.problem(steps: 10, seed: 2)
    parameters = subject.parameters
    let initial = zip(parameters, problem.weights).map { ($0.name, $1) }
    bench = try OptimizerBench(
      try subject.optimizer(), on: machine,
      initial: Dictionary(uniqueKeysWithValues: initial))
    bench.conditions.batchTokens = Self.batchTokens
    reference = try ReferenceRun(
      subject, weights: problem.weights, batchTokens: Self.batchTokens)
  }

  /// Hyperparameters of a step: a rate that goes up and down, and a decay that rises.
  static func scheduled(_ subject: ContractSubject, _ step: Int) -> [String: Double] {
    var values = subject.hyperparameters
    values["learning_rate"] = values.value("learning_rate") * (1 + 0.5 * sin(Double(step)))
    if let decay = values["weight_decay"] {
      values["weight_decay"] = decay * (1 + Double(step) / 50)
    }
    return values
  }

  /// One step of the method alone, with a gradient for each parameter.
  mutating func stepMethod(_ gradients: [[Double]], _ values: [String: Double]) throws {
    observedAt.append(observed)
    for group in bench.optimizer.trained {
      bench.conditions.hyperparameters[group.name] = values
      for _ in 0..<bench.optimizer.observationsDue(group, bench.conditions, bench.clock) {
        let gradient = observations.gradients[observed % observations.gradients.count]
        observed += 1
        try bench.observe { gradient[index(of: $0)] }
        reference.observe(gradient)
      }
    }
    keptBeforeStep = recordsKept ? kept() : []
    try bench.step { gradients[index(of: $0)] }
  }

  /// One step of both.
  mutating func advance() throws {
    let values = Self.scheduled(subject, step)
    try stepMethod(problem.gradients[step], values)
    var withTokens = values
    withTokens["batch_tokens"] = Double(Self.batchTokens)
    reference.step(problem.gradients[step], withTokens)
    if step == 0 { adoptBases(problem.gradients[0]) }
    step += 1
  }

  /// One step of both at which the method rests, or updates with the sum of the gradients since its last update.
  mutating func advance(summed: [[Double]]?) throws {
    let values = Self.scheduled(subject, step)
    try stepMethod(problem.gradients[step], values)
    if let summed {
      var withTokens = values
      withTokens["batch_tokens"] = Double(Self.batchTokens)
      reference.step(summed, withTokens)
      if updated == 0 { adoptBases(summed) }
      updated += 1
    }
    step += 1
  }

  // MARK: - Going on

  /// Extra gradients given before a step.
  func observedBefore(_ step: Int) -> Int { observedAt[step] }

  /// Goes on from a checkpoint.
  mutating func resume(
    _ snapshot: OptimizerBench.Snapshot, at step: Int, observed: Int
  ) throws {
    try bench.restore(snapshot)
    self.step = step
    self.observed = observed
  }

  /// One step of the method, the reference stays.
  mutating func stepMethodOnly() throws {
    try stepMethod(problem.gradients[step], Self.scheduled(subject, step))
    step += 1
  }

  /// Weights and state in full precision, without the gradients that a group sums while it waits.
  func kept() -> [[Double]] {
    bench.keptLabels.filter { !$0.hasPrefix("optimizer.summed_gradient.") }
      .map { bench.kept($0) ?? [] }
  }

  /// Numbers of all tensors in a row, cut into tensors.
  func split(_ values: [Double]) -> [[Double]] {
    var start = 0
    return parameters.map { parameter in
      defer { start += parameter.shape.count }
      return Array(values[start..<start + parameter.shape.count])
    }
  }

  func index(of parameter: Parameter) -> Int {
    parameters.firstIndex { $0.name == parameter.name } ?? 0
  }

  /// The method's weights.
  var weights: [[Double]] {
    parameters.map { bench.kept($0.name) ?? [] }
  }

  /// What the method's evaluation reads.
  func evaluated() throws -> [[Double]] {
    let values = try bench.evaluated()
    return parameters.map { values[$0.name] ?? [] }
  }

  /// The largest error of a weight against the reference, in units of the largest movement and of the largest weight's last
  /// place in single precision.
  func error(_ ours: [[Double]], _ theirs: [[Double]]) -> (relative: Double, ulps: Double) {
    var worst = (relative: 0.0, ulps: 0.0)
    for p in parameters.indices {
      var (error, moved, size) = (0.0, 0.0, Double.leastNormalMagnitude)
      for i in theirs[p].indices {
        let difference = abs(ours[p][i] - theirs[p][i])
        error = difference.isNaN ? .infinity : max(error, difference)
        moved = max(moved, abs(theirs[p][i] - problem.weights[p][i]))
        size = max(size, abs(theirs[p][i]))
      }
      // Rounding of the weights themselves, which no method can avoid: 1e-16 a step.
      let excess = max(0, error - 1e-14 * size)
      worst.relative = max(worst.relative, excess == 0 ? 0 : excess / moved)
      worst.ulps = max(worst.ulps, error / Double(Float(size).ulp))
    }
    return worst
  }

  // MARK: - Bases

  /// Checks that the method's bases diagonalise what they should, and lets the reference go on with them.
  private mutating func adoptBases(_ gradients: [[Double]]) {
    guard var soap = reference.reference as? SOAPReference else { return }
    for (p, parameter) in parameters.enumerated() where parameter.shape.rank == 2 {
      let (m, n) = (parameter.shape.rows, parameter.shape.columns)
      let g = ReferenceMatrix(m, n, gradients[p])
      if let left = basis("left_basis", parameter, m), Self.diagonalises(g * g.transposed, left) {
        soap.leftBasis[p] = left
      }
      if let right = basis("right_basis", parameter, n), Self.diagonalises(g.transposed * g, right)
      {
        soap.rightBasis[p] = right
      }
    }
    reference.reference = soap
  }

  private func basis(_ name: String, _ parameter: Parameter, _ size: Int) -> ReferenceMatrix? {
    bench.kept("optimizer.\(name).\(parameter.name)").map {
      ReferenceMatrix(size, size, $0)
    }
  }

  /// Q^T Q = 1, and Q^T A Q diagonal and descending, to what single precision allows.
  private static func diagonalises(_ a: ReferenceMatrix, _ q: ReferenceMatrix) -> Bool {
    let tolerance = 1e-5
    let unit = q.transposed * q
    let turned = q.transposed * a * q
    let largest = turned.values.map { abs($0) }.max() ?? 0
    for i in 0..<q.rows {
      for j in 0..<q.rows {
        if abs(unit[i, j] - (i == j ? 1 : 0)) > tolerance { return false }
        if i != j, abs(turned[i, j]) > tolerance * largest { return false }
      }
      if i > 0, turned[i, i] > turned[i - 1, i - 1] + tolerance * largest { return false }
    }
    return true
  }
}
