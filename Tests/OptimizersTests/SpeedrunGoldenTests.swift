// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// Numbers worked out from the rules of the NanoGPT speedrun's records 51 to 53 (https://github.com/KellerJordan/modded-nanogpt),
/// against the methods as they run, with the rules of a policy around them.
@Suite("Golden numbers of the speedrun, from the methods themselves")
struct SpeedrunGoldenTests {
  private func parameter(_ shape: Shape, _ role: ParameterRole) -> Parameter {
    Parameter(
      name: "blocks.0.w", role: role, layer: 0, shape: shape, initialization: .constant(0))
  }

  /// A bench in double precision for one parameter under one rule.
  private func bench(
    _ parameter: Parameter, _ rule: ParameterRule, start: [Double]
  ) throws -> OptimizerBench {
    var rule = rule
    rule.roles = [parameter.role]
    let optimizer = try ParameterPolicy(method: "adamw", rules: [rule]).optimizer(for: [parameter])
    return try OptimizerBench(optimizer, on: .reference, initial: [parameter.name: start])
  }

  /// The weights after each step.
  private func path(
    _ shape: Shape, _ role: ParameterRole, _ rule: ParameterRule, start: [Double],
    gradients: [[Double]]
  ) throws -> [[Double]] {
    let parameter = parameter(shape, role)
    let bench = try bench(parameter, rule, start: start)
    return try gradients.map { gradient in
      try bench.step { _ in gradient }
      return try #require(bench.kept(parameter.name))
    }
  }

  private func adam(_ values: [String: Double]) -> ParameterRule {
    var rule = ParameterRule()
    rule.method = "adamw"
    rule.hyperparameters = values.merging(["epsilon": 1e-8]) { given, _ in given }
    rule.options = ["epsilon_position": "before-correction"]
    rule.settings.decayScale = .learningRateSquared
    rule.settings.decayCaution = .inclusive
    return rule
  }

  private func matrices(_ values: [String: Double], _ statistics: String = "rows") -> ParameterRule
  {
    var rule = ParameterRule()
    rule.method = "normuon"
    rule.hyperparameters = ["learning_rate": 1, "momentum": 0, "weight_decay": 0]
      .merging(values) { $1 }
    rule.options = ["statistics": statistics]
    return rule
  }

  /// Twelve digits are given; a handful of operations in double precision.
  static let digits12 = 5.1e-13

  @Test(
    "Adam's triples: decay is quadratic in the rate, cautious with >=, epsilon before the correction",
    arguments: [
      (0.008, [0.491999843578, 0.496108070556, 0.492369767902]),
      (0.6, [-0.100899731672, 0.207398911192, -0.073335199246]),
    ])
  func adamTriples(_ rate: Double, _ expected: [Double]) throws {
    let rule = adam([
      "beta1": 0.65, "beta2": 0.95, "learning_rate": rate, "weight_decay": 0.005,
    ])
    let found = try path([1, 1], .head, rule, start: [0.5], gradients: [[0.1], [-0.2], [0.3]])
    for (a, b) in zip(found, expected) { #expect(abs(a[0] - b) <= Self.digits12) }
  }

  @Test("Adam of the scalars, with betas of its own and no decay")
  func adamScalars() throws {
    let rule = adam(["beta1": 0.9, "beta2": 0.99, "learning_rate": 0.04, "weight_decay": 0])
    let found = try path([1], .scalar, rule, start: [1.1], gradients: [[0.1], [-0.2], [0.3]])
    for (a, b) in zip(found, [1.060000040000, 1.074624341987, 1.060930061059]) {
      #expect(abs(a[0] - b) <= Self.digits12)
    }
  }

  @Test(
    "A row of twelve becomes a vector of norm 0.9, whatever its scale, but for the floor of 1e-6")
  func vectors() throws {
    // The length is the one at which the three published norms agree; the map depends on nothing else.
    let length = 4.1887
    let direction = (1...12).map { Double($0) * ($0 % 3 == 0 ? -1 : 1) }
    let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
    for (scale, expected) in [(1, 0.9036), (1e-3, 0.9455), (1e-5, 0.9126)] {
      let gradient = direction.map { $0 / norm * length * scale }
      let found = try path(
        [1, 12], .gate, matrices([:]), start: Array(repeating: 0, count: 12), gradients: [gradient])
      let moved = found[0].reduce(0) { $0 + $1 * $1 }.squareRoot()
      // Four digits are given, and the length is known to four.
      #expect(abs(moved - expected) <= 1e-4, "\(scale)")
    }
  }

  @Test(
    "Polar Express of [[1, 2, 3], [4, 5, 6]], rows normalised: the norm stays, its split is even")
  func matrix() throws {
    let expected = [-0.5578, 0.0931, 0.7439, 0.6393, 0.4970, 0.3547]
    let rows = [0..<3, 3..<6].map { row in
      row.reduce(0) { $0 + expected[$1] * expected[$1] }.squareRoot()
    }
    let whole = (rows[0] * rows[0] + rows[1] * rows[1]).squareRoot()
    // After one update from zeros each row has the same norm: s_r is its own mean square.
    let normalised = expected.indices.map {
      expected[$0] / rows[$0 / 3] * whole / 2.0.squareRoot()
    }
    let found = try path(
      [2, 3], .mlpIn, matrices([:]), start: Array(repeating: 0, count: 6),
      gradients: [[1, 2, 3, 4, 5, 6]])
    for (a, b) in zip(found[0], normalised) { #expect(abs(a + b) <= 2e-4) }
  }

  @Test("Statistics along the longer axis are those of the transposed matrix")
  func longerAxis() throws {
    func transposed(_ x: [Double], _ rows: Int) -> [Double] {
      let columns = x.count / rows
      return (0..<columns).flatMap { c in (0..<rows).map { x[$0 * columns + c] } }
    }
    let gradients = (0..<4).map { step in (0..<10).map { sin(Double(7 * step + 3 * $0 * $0)) } }
    let start = (0..<10).map { cos(Double($0)) }
    let values = ["momentum": 0.9, "learning_rate": 0.1, "weight_decay": 1.2]
    let wide = try path(
      [2, 5], .mlpOut, matrices(values, "longer-axis"), start: start, gradients: gradients)
    let tall = try path(
      [5, 2], .mlpOut, matrices(values), start: transposed(start, 2),
      gradients: gradients.map { transposed($0, 2) })
    for (a, b) in zip(wide, tall) {
      for (x, y) in zip(transposed(a, 2), b) { #expect(abs(x - y) <= 1e-12) }
    }
    let rows = try path([2, 5], .mlpOut, matrices(values), start: start, gradients: gradients)
    #expect(rows != wide)
    // A tall matrix has its rows along the longer axis anyway.
    let same = try path(
      [5, 2], .mlpOut, matrices(values, "longer-axis"), start: transposed(start, 2),
      gradients: gradients.map { transposed($0, 2) })
    #expect(same == tall)
  }

  @Test("Gates go to a method of matrices only where a rule names their role")
  func gates() throws {
    let gate = parameter([6, 12], .gate)
    let hidden = Parameter(
      name: "blocks.0.mlp.in.weight", role: .mlpIn, layer: 0, shape: [4, 4],
      initialization: .constant(0))
    let alone = try ParameterPolicy(method: "normuon").optimizer(for: [gate, hidden])
    #expect(alone.group(of: gate.name)?.card?.name == "adamw")
    var rule = ParameterRule()
    rule.roles = [.gate]
    rule.method = "normuon"
    let named = try ParameterPolicy(method: "normuon", rules: [rule])
      .optimizer(for: [gate, hidden])
    #expect(named.group(of: gate.name)?.card?.name == "normuon")
    #expect(named.group(of: gate.name)?.decays(gate) == false)
    rule.roles = nil
    rule.shapeClass = .matrix
    let error = try #require(throws: OptimizerError.self) {
      try ParameterPolicy(method: "adamw", rules: [rule]).optimizer(for: [gate, hidden])
    }
    #expect(error.message.contains("gates where the rule's roles name them"))
  }

  @Test("A rule for a part that is switched off may match nothing where it says so")
  func optionalRules() throws {
    let hidden = Parameter(
      name: "w", role: .mlpIn, layer: 0, shape: [4, 4], initialization: .constant(0))
    var rule = ParameterRule()
    rule.roles = [.gate]
    #expect(throws: OptimizerError.self) {
      try ParameterPolicy(method: "adamw", rules: [rule]).optimizer(for: [hidden])
    }
    rule.isOptional = true
    let optimizer = try ParameterPolicy(method: "adamw", rules: [rule]).optimizer(for: [hidden])
    #expect(optimizer.groups.map(\.name) == ["base"])
  }
}
