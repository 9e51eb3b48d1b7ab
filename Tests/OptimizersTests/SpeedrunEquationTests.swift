// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// The equations of the NanoGPT speedrun's matrices one by one, as the methods run them, against numbers that were worked out apart
/// (records 51 to 53, https://github.com/KellerJordan/modded-nanogpt).
@Suite("Equations of the speedrun's matrices, from the methods themselves")
struct SpeedrunEquationTests {
  private static let name = "blocks.0.w"
  private static let group = "matrices"
  /// Gradients are so large that the floor of the norm, 1e-6, is no more than 1e-12 of it.
  private static let size = 1e6
  /// Programs have their coefficients in single precision: the map of these ends so far from that of the published digits, at most.
  private static let coefficientRounding = 6e-6

  private static func bench(
    _ shape: Shape, _ rule: ParameterRule, start: [Double]? = nil
  ) throws -> OptimizerBench {
    let parameter = Parameter(
      name: name, role: .mlpIn, layer: 0, shape: shape, initialization: .constant(0))
    var rule = rule
    rule.name = group
    rule.roles = [.mlpIn]
    let optimizer = try ParameterPolicy(method: "adamw", rules: [rule]).optimizer(for: [parameter])
    let zeros = [Double](repeating: 0, count: shape.count)
    return try OptimizerBench(optimizer, on: .reference, initial: [name: start ?? zeros])
  }

  /// How far one gradient moves the weights, downwards.
  private static func step(_ bench: OptimizerBench, _ gradient: [Double]) throws -> [Double] {
    let before = try #require(bench.kept(name))
    try bench.step { _ in gradient }
    return zip(before, try #require(bench.kept(name))).map { $0 - $1 }
  }

  /// A step that is the orthogonal factor of the gradient, and nothing else.
  private static func factor(_ shape: Shape, of gradient: [Double]) throws -> [Double] {
    var rule = ParameterRule()
    rule.method = "muon"
    rule.hyperparameters = ["learning_rate": 1, "momentum": 0, "weight_decay": 0]
    rule.options = ["coefficients": "polar-express", "scale": "none"]
    return try step(bench(shape, rule), gradient)
  }

  private static func normuon(_ values: [String: Double]) -> ParameterRule {
    var rule = ParameterRule()
    rule.method = "normuon"
    rule.hyperparameters = ["learning_rate": 1, "momentum": 0, "weight_decay": 0]
      .merging(values) { $1 }
    return rule
  }

  // MARK: - The orthogonal factor

  /// Two singular values that fill the norm: the matrix is divided by 1.02 times it.
  private static func pair(_ first: Double) -> (Double, Double) {
    (first, max(0, 1 / (1.02 * 1.02) - first * first).squareRoot())
  }

  @Test(
    "Polar Express maps the singular values of a diagonal matrix as computed apart",
    arguments: [
      (1e-4, 0.09880619), (1e-3, 0.85887264), (3e-3, 0.96638289), (0.01, 1.02711018),
      (0.05, 0.90855828), (0.1, 1.05916114), (0.3, 0.98314195), (0.5, 0.91061088),
      (0.7, 0.93563357), (0.9, 0.87492166), (1 / 1.02, 0.90353742),
    ])
  func scalarMap(_ start: Double, _ end: Double) throws {
    let (first, second) = Self.pair(start)
    let found = try Self.factor([2, 2], of: [first * Self.size, 0, 0, second * Self.size])
    #expect(abs(found[0] - end) <= Self.coefficientRounding, "\(found[0])")
    // And no further: with the rounded coefficients, and the factor 1.02 rounded too, nothing else is left.
    let rounded = NewtonSchulz.polarExpress.map { a, b, c in
      (Double(Float(a)), Double(Float(b)), Double(Float(c)))
    }
    let exact = ReferenceMatrix(1, 1, [first * 1.02 / Double(Float(1.02))])
    #expect(abs(found[0] - NewtonSchulz.iterated(exact, rounded)[0, 0]) <= 1e-9, "\(found[0])")
    #expect(found[1] == 0 && found[2] == 0)
  }

  @Test("Polar Express of [[1, 2, 3], [4, 5, 6]] and its singular values are those computed apart")
  func matrix() throws {
    let found = try Self.factor([2, 3], of: [1, 2, 3, 4, 5, 6])
    let expected = [-0.5578, 0.0931, 0.7439, 0.6393, 0.4970, 0.3547]
    // Four decimals were given.
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 5.1e-5) }
    let values = Self.singularValues(found)
    #expect(abs(values.0 - 0.9448) <= 5.1e-5 && abs(values.1 - 0.8730) <= 5.1e-5, "\(values)")
    // They are what the map makes of the singular values 9.5080 and 0.7729 of the matrix.
    let before = Self.singularValues([1, 2, 3, 4, 5, 6])
    #expect(abs(before.0 - 9.5080) <= 5.1e-5 && abs(before.1 - 0.7729) <= 5.1e-5)
    let norm = 1.02 * 91.0.squareRoot() + 1e-6
    let alone = try [before.0, before.1].map { value in
      let (first, second) = Self.pair(value / norm)
      return try Self.factor([2, 2], of: [first * Self.size, 0, 0, second * Self.size])[0]
    }
    #expect(abs(alone[0] - values.1) <= 1e-6 && abs(alone[1] - values.0) <= 1e-6, "\(alone)")
  }

  /// Of a matrix of two rows, the larger first.
  private static func singularValues(_ x: [Double]) -> (Double, Double) {
    let width = x.count / 2
    func product(_ a: Int, _ b: Int) -> Double {
      (0..<width).reduce(0) { $0 + x[a * width + $1] * x[b * width + $1] }
    }
    let (half, cross) = ((product(0, 0) + product(1, 1)) / 2, product(0, 1))
    let difference = (product(0, 0) - product(1, 1)) / 2
    let root = (difference * difference + cross * cross).squareRoot()
    return ((half + root).squareRoot(), (half - root).squareRoot())
  }

  // MARK: - Rows

  /// A gradient whose orthogonal factor is a multiple of a matrix, and that multiple.
  ///
  /// Small singular values stay small, and where they end rises with where they start; so the first of the pair is found that
  /// ends in the ratio of the matrix's own.
  private static func gradient(for wanted: ReferenceMatrix) -> (gradient: [Double], factor: Double)
  {
    let (squares, axes) = (wanted * wanted.transposed).eigenvectors
    let (large, small) = (squares[0].squareRoot(), squares[1].squareRoot())
    func end(_ start: Double) -> Double {
      NewtonSchulz.iterated(ReferenceMatrix(1, 1, [start]), NewtonSchulz.polarExpress)[0, 0]
    }
    var (low, high) = (0.0, 1e-3)
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if end(middle) / end(pair(middle).1) < small / large { low = middle } else { high = middle }
    }
    let (second, first) = pair(low)
    var change = ReferenceMatrix(zeros: 2, 2)
    change[0, 0] = first / large * size
    change[1, 1] = second / small * size
    return ((axes * change * axes.transposed * wanted).values, end(first) / large)
  }

  @Test("Two steps of the row normaliser, from its state to its step, are those computed apart")
  func rows() throws {
    let bench = try Self.bench([2, 2], Self.normuon(["beta2": 0.95]))
    let state = Scalars.prefix + "row_second_moment." + Self.name
    // Four decimals were given, and inputs are found to 1e-6.
    let tolerance = 5.2e-5
    let one = Self.gradient(for: ReferenceMatrix(2, 2, [1, 2, 3, 4]))
    let first = try Self.step(bench, one.gradient).map { $0 / one.factor }
    for (a, b) in zip(first, [1.7321, 3.4641, 2.3238, 3.0984]) {
      #expect(abs(a - b) <= tolerance, "\(a)")
    }
    let after = try #require(bench.kept(state)).map { $0 / (one.factor * one.factor) }
    for (a, b) in zip(after, [0.125, 0.625]) { #expect(abs(a - b) <= 1e-5, "\(a)") }

    // This factor is another multiple of its matrix: a decay of its own makes the parts of the mean what they would be.
    let two = Self.gradient(for: ReferenceMatrix(2, 2, [2, 0, 0, 1]))
    let ratio = (one.factor / two.factor) * (one.factor / two.factor)
    let decay = 0.95 / (0.95 + 0.05 * ratio)
    bench.conditions.hyperparameters[Self.group] = ["beta2": decay]
    let second = try Self.step(bench, two.gradient).map { $0 / two.factor }
    for (a, b) in zip(second, [2.1434, 0, 0, 0.6372]) { #expect(abs(a - b) <= tolerance, "\(a)") }
    let scale = decay * one.factor * one.factor / 0.95
    let end = try #require(bench.kept(state)).map { $0 / scale }
    for (a, b) in zip(end, [0.21875, 0.61875]) { #expect(abs(a - b) <= 1e-5, "\(a)") }
  }

  // MARK: - Momentum

  @Test("Three steps of Nesterov momentum are what a pen gives")
  func nesterov() throws {
    let bench = try Self.bench([1, 2], Self.normuon(["momentum": 0.95]))
    let expected = [(1.0, 0.05, 0.0975), (-2, -0.0525, -0.149875), (0.5, -0.024875, 0.00136875)]
    for (index, (g, m, u)) in expected.enumerated() {
      // The factor of a row points where U does; beside the gradient is one that is always 1, whose U is 1 - 0.95^(t + 1).
      let step = try Self.step(bench, [g, 1])
      let momentum = try #require(bench.kept(Scalars.prefix + "momentum." + Self.name))
      #expect(abs(momentum[0] - m) <= 1e-15, "\(momentum[0])")
      let beside = 1 - pow(0.95, Double(index + 2))
      #expect(abs(step[0] / step[1] * beside - u) <= 1e-14, "\(step)")
    }
  }

  // MARK: - Decay

  @Test(
    "A weight of 0.5 with a step of 0.8 times 0.046 of either sign ends where it was computed apart",
    arguments: [(0.8, 0.4625652), (-0.8, 0.5368)])
  func cautiousStep(_ v: Double, _ expected: Double) throws {
    var rule = Self.normuon(["learning_rate": 0.023, "weight_decay": 1.2])
    rule.settings.learningRateMultiplier = 2
    rule.settings.weightDecayMultiplier = 0.5
    let bench = try Self.bench([1, 2], rule, start: [0.5, 0])
    // The factor of a row has the norm 0.90353742; the second number takes what the first leaves.
    let norm = 0.90353742
    let rest = (norm * norm - v * v).squareRoot()
    try bench.step { _ in [v, rest].map { $0 / norm * Self.size } }
    let found = try #require(bench.kept(Self.name))
    #expect(abs(found[0] - expected) <= 0.046 * Self.coefficientRounding, "\(found[0])")
  }
}
