// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// Two ways to leave a group alone: it makes no updates, or it makes them with zeros.
@Suite struct PausedGroupTests {
  static let parameter = Parameter(
    name: "w", role: .scalar, shape: [2], initialization: .constant(0))
  static let start = [0.5, -0.25]
  static let gradients = [[1.0, 2], [-3, 4], [5, -6], [7, 8], [-9, 1], [2, 3]]

  /// One group that updates at every so many steps, in double precision.
  static func bench(every: Int = 1, silenced: Bool) throws -> OptimizerBench {
    var rule = ParameterRule()
    rule.name = "scalars"
    rule.roles = [.scalar]
    rule.hyperparameters = ["learning_rate": 0.1, "beta1": 0.5, "beta2": 0.75]
    rule.settings.every = every
    let policy = ParameterPolicy(method: "adamw", rules: [rule])
    let optimizer = try policy.optimizer(
      for: [parameter], pausable: silenced ? [] : ["scalars"],
      silenceable: silenced ? ["scalars"] : [])
    return try OptimizerBench(optimizer, on: .reference, initial: ["w": start])
  }

  private func values(_ bench: OptimizerBench, _ state: String = "") throws -> [Double] {
    try #require(bench.kept(state.isEmpty ? "w" : "optimizer.\(state).w"))
  }

  @Test(
    "A silenced group makes its updates with zeros: averages decay, weights go on, updates count")
  func silenced() throws {
    let bench = try Self.bench(silenced: true)
    let plain = try Self.bench(silenced: true)
    for step in 0..<4 {
      let isSilent = step == 1 || step == 2
      bench.conditions.silenced = isSilent ? ["scalars"] : []
      let (m, v) = (try values(bench, "first_moment"), try values(bench, "second_moment"))
      let before = try values(bench)
      try bench.step { _ in Self.gradients[step] }
      try plain.step { _ in isSilent ? [0, 0] : Self.gradients[step] }
      if isSilent {
        #expect(try values(bench, "first_moment") == m.map { 0.5 * $0 })
        #expect(try values(bench, "second_moment") == v.map { 0.75 * $0 })
        #expect(try values(bench) != before)
      }
      // As if somebody had handed it zeros.
      #expect(try values(bench) == values(plain))
    }
    #expect(bench.clock["scalars"].updates == 4)
  }

  @Test("A group that holds keeps everything, and its next update goes on from the old average")
  func holds() throws {
    let bench = try Self.bench(silenced: false)
    let short = try Self.bench(silenced: false)
    for step in 0..<4 {
      let isPaused = step == 1 || step == 2
      bench.conditions.paused = isPaused ? ["scalars"] : []
      let before = try ["", "first_moment", "second_moment"].map { try values(bench, $0) }
      try bench.step { _ in Self.gradients[step] }
      if isPaused {
        #expect(try ["", "first_moment", "second_moment"].map { try values(bench, $0) } == before)
      } else {
        try short.step { _ in Self.gradients[step] }
      }
    }
    // As if the steps in between had never been.
    #expect(try values(bench) == values(short))
    #expect(bench.clock["scalars"].updates == 2 && bench.clock["scalars"].steps == 4)
  }

  @Test(
    "Gradients summed before or during a pause are dropped, in both ways", arguments: [false, true])
  func summed(silenced: Bool) throws {
    let bench = try Self.bench(every: 2, silenced: silenced)
    // Updates at steps 1, 3 and 5; the pause begins in the midst of a sum and ends in another.
    var expected = [0.0, 0]
    for step in 0..<6 {
      let isPaused = (1...4).contains(step)
      if silenced {
        bench.conditions.silenced = isPaused ? ["scalars"] : []
      } else {
        bench.conditions.paused = isPaused ? ["scalars"] : []
      }
      try bench.step { _ in Self.gradients[step] }
      if step % 2 == 1, silenced || !isPaused {
        let used = isPaused ? [0, 0] : Self.gradients[5]
        expected = zip(expected, used).map { 0.5 * $0 + 0.5 * $1 }
      }
      #expect(try values(bench, "first_moment") == expected, "step \(step)")
    }
    #expect(bench.clock["scalars"].updates == (silenced ? 3 : 1))
  }

  @Test("The gradients of a silenced group do not count in the global norm")
  func norm() throws {
    let other = Parameter(name: "v", role: .head, shape: [1, 1], initialization: .constant(0))
    var rule = ParameterRule()
    rule.name = "scalars"
    rule.roles = [.scalar]
    let optimizer = try ParameterPolicy(
      method: "sgd", hyperparameters: ["learning_rate": 1, "momentum": 0, "weight_decay": 0],
      rules: [rule]
    ).optimizer(for: [Self.parameter, other], silenceable: ["scalars"])
    let bench = try OptimizerBench(
      optimizer, on: .reference, initial: ["w": Self.start, "v": [0]])
    bench.conditions.gradientClip = 1
    bench.conditions.silenced = ["scalars"]
    try bench.step { $0.name == "v" ? [3] : [4, 0] }
    #expect(bench.kept("v") == [-1], "clipped by its own norm alone")
    bench.conditions.silenced = []
    try bench.step { $0.name == "v" ? [3] : [4, 0] }
    #expect(abs((bench.kept("v")?[0] ?? 0) + 1.6) <= 1e-15)
  }
}
