// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// Ranks as they would train: each takes the gradients of its own micro-batches, has sent to it what the plan says, updates what it
/// owns with the methods' own equations on a runtime of its own, and hands the new weights round.
@Suite struct ShardedTrainingTests {
  static let microBatches = 8

  /// Numbers that single precision holds, different for every name, micro-batch and step.
  private static func numbers(_ name: String, _ count: Int, _ seed: Int) -> [Float] {
    let offset = name.utf8.reduce(seed * 7919) { $0 &* 31 &+ Int($1) } & 0xFFFF
    return (0..<count).map { Float(sin(Double(($0 + 1) * (offset % 613 + 1)) + Double(offset))) }
  }

  static let steps = 4

  /// A small model of the speedrun's kind.
  private static func parameters(uneven: Bool, limit: Int = 64) -> [Parameter] {
    let model = ShardingPlanTests.parameters(
      vocabulary: uneven ? 20 : 32, width: 12, heads: 2, layers: 2)
    if limit < 1024 { return model }
    // Tables just below the published limit, and just not.
    return model
      + [("below", 33), ("above", 32)].map { name, rows in
        Parameter(
          name: name, role: .valueEmbedding, layer: nil, shape: [rows, 1024 / rows],
          initialization: .constant(0))
      }
  }

  /// Tables and scalars at every second step, matrices by another method; or, with clips, each group by a norm of its own.
  private static func optimizer(_ parameters: [Parameter], clips: Bool) throws -> Optimizer {
    var cadence = ParameterRule()
    cadence.name = "tables"
    cadence.roles = [.head, .valueEmbedding, .scalar]
    cadence.method = clips ? "sgd" : "adamw"
    cadence.settings.every = 2
    cadence.settings.decayCaution = .inclusive
    var gates = ParameterRule()
    gates.roles = [.gate]
    if clips {
      cadence.hyperparameters = ["learning_rate": 0.5, "momentum": 0]
      cadence.settings.gradientClip = 0.5
      gates.settings.gradientClip = 0.25
    }
    return try ParameterPolicy(method: "normuon", rules: [cadence, gates])
      .optimizer(for: parameters, pausable: ["tables"])
  }

  private static func weights(_ parameters: [Parameter]) -> [String: [Double]] {
    Dictionary(
      uniqueKeysWithValues: parameters.map {
        (
          $0.name,
          numbers($0.name, $0.shape.count, 0).map { 0.1 * Double($0) }.map { Double(Float($0)) }
        )
      })
  }

  /// Gradients of every micro-batch of a step; norms differ from step to step.
  private static func gradients(_ parameters: [Parameter], step: Int) -> [[String: [Float]]] {
    (0..<microBatches).map { microBatch in
      Dictionary(
        uniqueKeysWithValues: parameters.map {
          ($0.name, numbers($0.name, $0.shape.count, 1 + step * microBatches + microBatch))
        })
    }
  }

  /// Some steps on some ranks, at one of which a group may pause.
  private static func trained(
    ranks: Int, buckets: [Int]? = nil, uneven: Bool = false, clips: Bool = false,
    clip: Double = .infinity, limit: Int = 64, pausedStep: Int? = nil
  ) throws -> SimulatedRanks {
    let parameters = parameters(uneven: uneven, limit: limit)
    // Small tables are cut here as large ones are there, and one group updates at every second step.
    var rules = ShardingRules(ranks: ranks)
    rules.replicatedBelow = limit
    rules.bucketSizes = buckets
    rules.unevenRows = uneven ? .padded : .refused
    rules.clipsAllGradients = clip < .infinity
    let run = try SimulatedRanks(
      optimizer(parameters, clips: clips), rules, weights: weights(parameters))
    for step in 0..<steps {
      try run.step(
        gradients(parameters, step: step), pausing: step == pausedStep ? ["tables"] : [], clip: clip
      )
    }
    return run
  }

  @Test("Any number of ranks ends with the bits of one", arguments: [2, 4, 8])
  func sameBits(ranks: Int) throws {
    let one = try Self.trained(ranks: 1)
    let many = try Self.trained(ranks: ranks, buckets: ranks == 8 ? [2, 5] : nil)
    expectSame(many, one)
    let start = Self.numbers("head.weight", 4, 0).map { 0.1 * $0 }
    #expect(one.replicas[0]["head.weight"]?.prefix(4).map { Float($0) } != start)
  }

  /// Every rank has the weights of the only one, to the bit.
  private func expectSame(_ many: SimulatedRanks, _ one: SimulatedRanks) {
    #expect(one.replicas.count == 1 && many.replicas.count == many.plan.rules.ranks)
    for (rank, replica) in many.replicas.enumerated() {
      #expect(replica == one.replicas[0], "rank \(rank)")
      #expect(replica.values.allSatisfy { $0.allSatisfy(\.isFinite) })
    }
  }

  @Test(
    "With the published limit, a table below it that is replicated and one above that is cut, and a paused step",
    arguments: [2, 4, 8])
  func publishedLimit(ranks: Int) throws {
    let limit = ShardingRules(ranks: ranks).replicatedBelow
    #expect(limit == 1024)
    let one = try Self.trained(ranks: 1, limit: limit, pausedStep: 1)
    let many = try Self.trained(ranks: ranks, limit: limit, pausedStep: 1)
    #expect(many.plan.exchanges.contains(.allReduce(parameter: "below")))
    #expect(many.plan.exchanges.contains(.scatterRows(parameter: "above")))
    #expect(many.plan.exchanges.contains(.scatterBucket(0)))
    #expect(many.plan.shares["below"] == .replicated)
    expectSame(many, one)
    // The step that pauses would have been one of two updates of the tables, and is none of the matrices'.
    let awake = try Self.trained(ranks: 1, limit: limit)
    #expect(awake.replicas[0]["above"] != one.replicas[0]["above"])
    #expect(awake.replicas[0]["below"] != one.replicas[0]["below"])
    let matrix = "blocks.0.mlp.in.weight"
    #expect(awake.replicas[0][matrix] == one.replicas[0][matrix])
  }

  @Test(
    "Groups that clip by their own norm, and a clip of all gradients, end with the bits of one rank",
    arguments: [2, 4, 8], [Double.infinity, 1])
  func clipping(ranks: Int, clip: Double) throws {
    let one = try Self.trained(ranks: 1, clips: true, clip: clip)
    let many = try Self.trained(ranks: ranks, clips: true, clip: clip)
    expectSame(many, one)
    guard case .allReduceSquares(let groups) = many.plan.exchanges.last else {
      Issue.record("no norms are exchanged")
      return
    }
    #expect(groups.count == (clip < .infinity ? 3 : 2))
  }

  @Test(
    "One rank clips as an optimizer does that is not dealt out", arguments: [Double.infinity, 1])
  func clippingWhole(clip: Double) throws {
    let sharded = try Self.trained(ranks: 1, clips: true, clip: clip)
    let parameters = Self.parameters(uneven: false)
    let bench = try OptimizerBench(
      Self.optimizer(parameters, clips: true), on: .cpu, initial: Self.weights(parameters))
    bench.conditions.gradientClip = clip
    for step in 0..<Self.steps {
      let parts = Self.gradients(parameters, step: step)
      try bench.step { parameter in
        TreeSum.sum(parts.map { $0[parameter.name] ?? [] })
          .map { Double($0 / Float(Self.microBatches)) }
      }
    }
    // A norm that is rounded otherwise: some units in the last place of weights of about 1.
    for (name, values) in sharded.replicas[0] {
      let whole = try #require(bench.kept(name))
      #expect(zip(values, whole).allSatisfy { abs($0 - $1) < 1e-5 }, "\(name)")
    }
    // It has clipped: without, tables go elsewhere.
    let start = Self.weights(parameters)["head.weight"] ?? []
    let moved = zip(sharded.replicas[0]["head.weight"] ?? [], start).map { $0 - $1 }
    let distance = moved.reduce(0) { $0 + $1 * $1 }.squareRoot()
    // Two updates, each with the sum of two gradients whose norm is at most the clip.
    #expect(distance > 0 && distance <= 2 * 2 * 0.5 * 0.5 * (1 + 1e-5), "\(distance)")
  }

  @Test("Sums of squares are exact: in any order, dealt out in any way, small and large together")
  func exactSquares() {
    let numbers = Self.numbers("x", 999, 1) + [0x1p-140, .leastNonzeroMagnitude, 3e19, -2e-20]
    var whole = ExactSquares()
    whole.add(numbers)
    var parts = ExactSquares()
    for part in 0..<3 {
      var own = ExactSquares()
      own.add(numbers.indices.filter { $0 % 3 == part }.reversed().map { numbers[$0] })
      parts.add(own)
    }
    #expect(parts == whole)
    var few = ExactSquares()
    few.add([3, -4, 0])
    #expect(few.value == 25)
    var tiny = ExactSquares()
    tiny.add([Float.leastNonzeroMagnitude, Float.leastNormalMagnitude])
    #expect(tiny.value == 0x1p-298 + 0x1p-252)
    var large = ExactSquares()
    large.add([Float.greatestFiniteMagnitude])
    #expect(
      large.value == Double(Float.greatestFiniteMagnitude) * Double(Float.greatestFiniteMagnitude))
    large.add([.infinity])
    #expect(large.value.isNaN)
  }

  @Test("Rows that are padded change nothing but who has them")
  func padded() throws {
    let one = try Self.trained(ranks: 1, uneven: true)
    let eight = try Self.trained(ranks: 8, uneven: true)
    guard case .rows(let ranges) = eight.plan.shares["head.weight"] else {
      Issue.record("the table is not cut")
      return
    }
    #expect(ranges.last?.isEmpty == true)
    expectSame(eight, one)
  }

  @Test("A sum in pairs has the same bits however many ranks make it; one in turn has not")
  func treeSum() {
    let parts = (0..<8).map { Self.numbers("x", 1000, $0) }
    let whole = TreeSum.sum(parts)
    for ranks in [1, 2, 4, 8] {
      let share = 8 / ranks
      let found = TreeSum.sum(
        (0..<ranks).map { TreeSum.sum(Array(parts[$0 * share..<($0 + 1) * share])) })
      #expect(found == whole, "\(ranks) ranks")
    }
    let inTurn = parts.dropFirst().reduce(parts[0]) { zip($0, $1).map { $0 + $1 } }
    #expect(inTurn != whole)
    #expect(TreeSum.sum([[1], [2], [4]]) == [7])
  }
}
