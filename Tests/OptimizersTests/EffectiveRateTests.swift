// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// The learning rate over the root of the second moment, for the methods that have one.
@Suite struct EffectiveRateTests {
  static let head = Parameter(
    name: "head", role: .head, shape: [3, 4], initialization: .constant(1))
  static let gain = Parameter(
    name: "gain", role: .normGain, shape: [4], initialization: .constant(1))

  typealias Gradient = (Parameter) -> [Double]

  /// Rates of the head and of the gain after steps with gradients.
  func rates(
    _ method: any OptimizerMethod.Type, _ hyperparameters: [String: Double] = [:],
    options: [String: String] = [:], gradients: [Gradient]
  ) throws -> (head: [Double]?, gain: [Double]?) {
    let accepted = [Self.head, Self.gain].filter { method.card.eligibility.accepts($0.role) }
    guard !accepted.isEmpty else { return (nil, nil) }
    let optimizer = Optimizer(
      method, hyperparameters, options: try MethodOptions(method.card, options),
      parameters: accepted)
    let ones = Dictionary(
      uniqueKeysWithValues: accepted.map {
        ($0.name, [Double](repeating: 1, count: $0.shape.count))
      }
    )
    let bench = try OptimizerBench(optimizer, on: .cpu, initial: ones)
    for gradient in gradients {
      for _ in 0..<5 where bench.wantsObservation { try bench.observe(gradient) }
      try bench.step(gradient)
    }
    return (
      try bench.effectiveRates(of: .head)["head"], try bench.effectiveRates(of: .normGain)["gain"]
    )
  }

  /// How many numbers the head's and the gain's rates are; the other methods have none.
  static let counts: [String: (head: Int, gain: Int)] = [
    "adamw": (12, 4), "nadamw": (12, 4), "ademamix": (12, 4), "schedule-free-adamw": (12, 4),
    "mars-adamw": (12, 4), "adopt": (12, 4), "adam-mini": (3, 1), "adalayer": (1, 1),
    "adalayer-star": (3, 1), "adalayer-frozen": (3, 1), "adafactor-adam": (12, 4),
    "adafactor-bv": (12, 4), "adafactor-2018": (12, 4),
  ]

  @Test(
    "After gradients of one size c, the rate is lr / (c + epsilon) in every block",
    arguments: OptimizerRegistry.names)
  func constantGradient(name: String) throws {
    let method = try OptimizerRegistry.method(named: name)
    let c = 0.01
    var changes = ["learning_rate": 0.02]
    if name == "adalayer-frozen" { changes["statistics_batches"] = 5 }
    let signs: Gradient = { parameter in
      (0..<parameter.shape.count).map { $0 % 3 == 1 ? -c : c }
    }
    // Where steps are relative to the weights, these would have their say too.
    let options = name == "adafactor-2018" ? ["parameter_scale": "false"] : [:]
    let found = try rates(method, changes, options: options, gradients: [signs, signs, signs])
    guard let counts = Self.counts[name] else {
      #expect(found.head == nil && found.gain == nil, "\(found)")
      return
    }
    let (head, gain) = (try #require(found.head), try #require(found.gain))
    #expect(head.count == counts.head && gain.count == counts.gain)
    // MARS corrects gradients by their change, which is none after the first, ADOPT does not correct its average of squares.
    let isOther = ["mars-adamw", "adopt"].contains(name)
    let epsilon = method.card.defaults["epsilon"] ?? 0
    for rate in head + gain where !isOther {
      #expect(abs(rate / (0.02 / (c + epsilon)) - 1) < 1e-4, "\(rate)")
    }
    #expect((head + gain).allSatisfy { $0 > 0 && $0.isFinite })
  }

  @Test("Each row of the head has its own rate, by its own gradients")
  func rows() throws {
    let star = try OptimizerRegistry.method(named: "adalayer-star")
    let gradient: Gradient = { parameter in
      (0..<parameter.shape.count).map { [0.1, 0.01, 0.001][min(2, $0 / 4)] }
    }
    let found = try rates(
      star, ["learning_rate": 1, "epsilon": 1e-12], gradients: [gradient])
    let head = try #require(found.head)
    for (rate, expected) in zip(head, [10, 100, 1000.0]) {
      #expect(abs(rate / expected - 1) < 1e-4, "\(head)")
    }
  }

  @Test("The position of epsilon is the one of the update")
  func epsilonPosition() throws {
    let adamw = try OptimizerRegistry.method(named: "adamw")
    let gradient: Gradient = { .init(repeating: 0.1, count: $0.shape.count) }
    let changes = ["learning_rate": 1, "epsilon": 0.01, "beta2": 0.99]
    let after = try rates(adamw, changes, gradients: [gradient]).gain
    let before = try rates(
      adamw, changes, options: ["epsilon_position": "before-correction"], gradients: [gradient]
    ).gain
    // v = 0.01 g^2: sqrt(v) = 0.01, and the correction's root is 0.1.
    let (first, second) = (try #require(after?.first), try #require(before?.first))
    #expect(abs(first - 1 / 0.11) < 1e-3)
    #expect(abs(second - 0.1 / 0.02) < 1e-3)
  }
}
