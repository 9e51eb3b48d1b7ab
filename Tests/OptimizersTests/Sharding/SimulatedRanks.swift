// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// Several ranks, each with what it has itself and what the exchanges of the plan bring it.
///
/// Its own are a copy of the weights and the sums of the gradients of its own micro-batches; what it was not sent is not a number.
final class SimulatedRanks {
  let plan: ShardingPlan
  private let parameters: [Parameter]
  private var benches: [OptimizerBench?] = []
  /// Weights by rank.
  private(set) var replicas: [[String: [Double]]]

  init(
    _ optimizer: Optimizer, _ rules: ShardingRules, weights: [String: [Double]]
  ) throws {
    plan = try ShardingPlan(optimizer, rules)
    parameters = optimizer.trainedParameters
    replicas = Array(repeating: weights, count: rules.ranks)
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
                ($0.name, (weights[$0.name] ?? []).at(numbers($0.name, rank)))
              })))
    }
  }

  /// The numbers of a parameter that a rank's optimizer has, where it has any.
  private func numbers(_ name: String, _ rank: Int) -> Range<Int> {
    guard let parameter = parameters.first(where: { $0.name == name }) else { return 0..<0 }
    guard case .rows(let ranges) = plan.shares[name] else { return 0..<parameter.shape.count }
    let width = parameter.shape.rank > 1 ? parameter.shape.count / parameter.shape.rows : 1
    return ranges[rank].lowerBound * width..<ranges[rank].upperBound * width
  }

  // MARK: - One step

  /// One step, from the gradients of all micro-batches.
  func step(
    _ gradients: [[String: [Float]]], pausing: Set<String> = [], clip: Double = .infinity
  ) throws {
    let share = gradients.count / plan.rules.ranks
    let sums = (0..<plan.rules.ranks).map { rank in
      let own = gradients[rank * share..<(rank + 1) * share]
      return Dictionary(
        uniqueKeysWithValues: parameters.map { parameter in
          (parameter.name, TreeSum.sum(own.map { $0[parameter.name] ?? [] }))
        })
    }
    var exchange = GradientExchange(sums, microBatches: gradients.count)
    var norms: [String: Double] = [:]
    for entry in plan.exchanges { apply(entry, &exchange, &norms) }
    expectOnlyOwned(exchange)
    for rank in 0..<plan.rules.ranks {
      guard let bench = benches[rank] else { continue }
      bench.conditions.gradientClip = clip
      bench.conditions.gradientNorms = norms
      bench.conditions.paused = pausing.intersection(bench.optimizer.trained.map(\.name))
      try bench.step { mean($0, rank, exchange).map(Double.init) }
      for parameter in bench.optimizer.trainedParameters {
        guard let own = bench.kept(parameter.name) else { continue }
        replicas[rank][parameter.name]?.replaceSubrange(numbers(parameter.name, rank), with: own)
      }
    }
    for entry in plan.exchanges { gather(entry) }
  }

  /// What a rank has of a parameter's mean gradient.
  private func mean(_ parameter: Parameter, _ rank: Int, _ exchange: GradientExchange) -> [Float] {
    (exchange.means[rank][parameter.name] ?? []).at(numbers(parameter.name, rank))
  }

  /// Sums go out, means come back to those who are to have them.
  private func apply(
    _ entry: ShardingPlan.Exchange, _ exchange: inout GradientExchange,
    _ norms: inout [String: Double]
  ) {
    let ranks = plan.rules.ranks
    switch entry {
    case .allReduce(let name):
      for rank in 0..<ranks { exchange.reduce(name, numbers(name, rank), to: rank) }
    case .scatterRows(let name):
      for rank in 0..<ranks { exchange.reduce(name, numbers(name, rank), to: rank) }
    case .scatterBucket(let bucket):
      for rank in 0..<ranks {
        for name in plan.buckets[bucket].units(of: rank, ranks: ranks).flatMap(\.parameters) {
          exchange.reduce(name, numbers(name, rank), to: rank)
        }
      }
    case .allReduceSquares(let groups):
      for group in groups {
        var sum = ExactSquares()
        for rank in 0..<ranks {
          sum.add(plan.squares(of: group, rank: rank) { mean($0, rank, exchange) })
        }
        norms[group] = sum.value.squareRoot()
      }
    }
  }

  /// A rank has the means of what it updates, and of nothing else.
  private func expectOnlyOwned(_ exchange: GradientExchange) {
    for rank in 0..<plan.rules.ranks {
      let owned = Dictionary(
        uniqueKeysWithValues: plan.optimizer(of: rank).trainedParameters.map {
          ($0.name, $0.shape.count)
        })
      for (name, means) in exchange.means[rank] {
        let known = means.count { !$0.isNaN }
        #expect(known == owned[name] ?? 0, "rank \(rank), \(name)")
      }
    }
  }

  /// New weights go from those who made them to the others.
  private func gather(_ entry: ShardingPlan.Exchange) {
    let ranks = plan.rules.ranks
    switch entry {
    case .allReduce, .allReduceSquares: break
    case .scatterRows(let name):
      for rank in 0..<ranks { send(name, numbers(name, rank), from: rank) }
    case .scatterBucket(let bucket):
      for rank in 0..<ranks {
        for name in plan.buckets[bucket].units(of: rank, ranks: ranks).flatMap(\.parameters) {
          send(name, numbers(name, rank), from: rank)
        }
      }
    }
  }

  private func send(_ name: String, _ range: Range<Int>, from source: Int) {
    let values = (replicas[source][name] ?? []).at(range)
    for rank in replicas.indices where rank != source {
      replicas[rank][name]?.replaceSubrange(range, with: values)
    }
  }
}

/// Gradients on their way: what each rank has added up, and the means that have reached it.
private struct GradientExchange {
  private let sums: [[String: [Float]]]
  private let microBatches: Int
  private(set) var means: [[String: [Float]]]

  init(_ sums: [[String: [Float]]], microBatches: Int) {
    self.sums = sums
    self.microBatches = microBatches
    means = sums.map { $0.mapValues { [Float](repeating: .nan, count: $0.count) } }
  }

  /// Adds up all ranks' sums of some numbers, in order, for one rank; the mean is a product with a power of two.
  mutating func reduce(_ name: String, _ range: Range<Int>, to rank: Int) {
    let parts = sums.map { ($0[name] ?? []).at(range) }
    let mean = TreeSum.sum(parts).map { $0 / Float(microBatches) }
    means[rank][name]?.replaceSubrange(range, with: mean)
  }
}

extension Array {
  /// Some of its elements.
  fileprivate func at(_ range: Range<Int>) -> [Element] { Array(self[range]) }
}
