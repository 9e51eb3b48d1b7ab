// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// Ranks as they would train: each takes the gradients of its own micro-batches, updates what it owns with the methods' own
/// equations on a runtime of its own, and hands the new weights round.
@Suite struct ShardedTrainingTests {
  static let microBatches = 8

  /// Several ranks with the same weights.
  final class Ranks {
    let plan: ShardingPlan
    private let parameters: [Parameter]
    private var benches: [OptimizerBench?] = []
    private(set) var weights: [String: [Double]]

    init(
      _ optimizer: Optimizer, _ rules: ShardingRules, weights: [String: [Double]]
    ) throws {
      plan = try ShardingPlan(optimizer, rules)
      parameters = optimizer.trainedParameters
      self.weights = weights
      for rank in 0..<rules.ranks {
        let own = plan.optimizer(of: rank)
        // A rank may own nothing, and takes part in the exchanges only.
        benches.append(
          own.trainedParameters.isEmpty
            ? nil
            : try OptimizerBench(
              own, on: .cpu,
              initial: Dictionary(
                uniqueKeysWithValues: own.trainedParameters.map {
                  ($0.name, cut(weights[$0.name] ?? [], $0, rank))
                })))
      }
    }

    /// A rank's part of a parameter's numbers.
    private func cut(_ values: [Double], _ parameter: Parameter, _ rank: Int) -> [Double] {
      let range = numbers(parameter.name, rank)
      return Array(values[range])
    }

    private func numbers(_ name: String, _ rank: Int) -> Range<Int> {
      guard let parameter = parameters.first(where: { $0.name == name }) else { return 0..<0 }
      guard case .rows(let ranges) = plan.shares[name] else { return 0..<parameter.shape.count }
      let width = parameter.shape.rank > 1 ? parameter.shape.count / parameter.shape.rows : 1
      return ranges[rank].lowerBound * width..<ranges[rank].upperBound * width
    }

    /// One step, from the gradients of all micro-batches.
    func step(_ gradients: [[String: [Float]]], pausing: Set<String> = []) throws {
      let ranks = plan.rules.ranks
      let share = gradients.count / ranks
      // Each rank adds up its own, and the exchange adds up the ranks' in order; the mean is a product with a power of two.
      var means: [String: [Double]] = [:]
      for parameter in parameters {
        let parts = (0..<ranks).map { rank in
          TreeSum.sum(
            gradients[rank * share..<(rank + 1) * share].map { $0[parameter.name] ?? [] })
        }
        means[parameter.name] = TreeSum.sum(parts).map { Double($0 / Float(gradients.count)) }
      }
      for rank in 0..<ranks {
        guard let bench = benches[rank] else { continue }
        bench.conditions.paused = pausing.intersection(bench.optimizer.trained.map(\.name))
        try bench.step { cut(means[$0.name] ?? [], $0, rank) }
      }
      gather()
    }

    private func gather() {
      for parameter in parameters {
        var values = weights[parameter.name] ?? []
        for rank in 0..<plan.rules.ranks {
          guard let own = benches[rank]?.kept(parameter.name) else { continue }
          values.replaceSubrange(numbers(parameter.name, rank), with: own)
        }
        weights[parameter.name] = values
      }
    }

    /// Whether ranks that each made the same update have the same weights.
    func replicasAgree() -> Bool {
      plan.shares.filter { $0.value == .replicated }.keys.allSatisfy { name in
        Set(benches.compactMap { $0?.kept(name) }).count == 1
      }
    }
  }

  /// Numbers that single precision holds, different for every name, micro-batch and step.
  private static func numbers(_ name: String, _ count: Int, _ seed: Int) -> [Float] {
    let offset = name.utf8.reduce(seed * 7919) { $0 &* 31 &+ Int($1) } & 0xFFFF
    return (0..<count).map { Float(sin(Double(($0 + 1) * (offset % 613 + 1)) + Double(offset))) }
  }

  /// Some steps of a small model of the speedrun's kind, on some ranks.
  private static func trained(
    ranks: Int, buckets: [Int]? = nil, uneven: Bool = false
  ) throws -> Ranks {
    let parameters = ShardingPlanTests.parameters(
      vocabulary: uneven ? 20 : 32, width: 12, heads: 2, layers: 2)
    // Small tables are cut here as large ones are there, and one group updates at every second step.
    var rules = ShardingRules(ranks: ranks)
    rules.replicatedBelow = 64
    rules.bucketSizes = buckets
    rules.unevenRows = uneven ? .padded : .refused
    var cadence = ParameterRule()
    cadence.roles = [.head, .valueEmbedding, .scalar]
    cadence.method = "adamw"
    cadence.settings.every = 2
    cadence.settings.decayCaution = .inclusive
    var gates = ParameterRule()
    gates.roles = [.gate]
    let optimizer = try ParameterPolicy(method: "normuon", rules: [cadence, gates])
      .optimizer(for: parameters)
    let weights = Dictionary(
      uniqueKeysWithValues: parameters.map {
        (
          $0.name,
          numbers($0.name, $0.shape.count, 0).map { 0.1 * Double($0) }.map { Double(Float($0)) }
        )
      })
    let run = try Ranks(optimizer, rules, weights: weights)
    for step in 0..<4 {
      let gradients = (0..<microBatches).map { microBatch in
        Dictionary(
          uniqueKeysWithValues: parameters.map {
            ($0.name, numbers($0.name, $0.shape.count, 1 + step * microBatches + microBatch))
          })
      }
      try run.step(gradients)
    }
    return run
  }

  @Test("Any number of ranks ends with the bits of one", arguments: [2, 4, 8])
  func sameBits(ranks: Int) throws {
    let one = try Self.trained(ranks: 1)
    let many = try Self.trained(ranks: ranks, buckets: ranks == 8 ? [2, 5] : nil)
    #expect(many.weights == one.weights)
    #expect(many.replicasAgree())
    let start = Self.numbers("head.weight", 4, 0).map { 0.1 * $0 }
    #expect(one.weights["head.weight"]?.prefix(4).map { Float($0) } != start)
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
    #expect(eight.weights == one.weights)
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
