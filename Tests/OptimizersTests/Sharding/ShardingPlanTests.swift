// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// Who updates what on several ranks; the published layout is that of record 52 of the NanoGPT speedrun
/// (https://github.com/KellerJordan/modded-nanogpt, pull request 177).
@Suite struct ShardingPlanTests {
  /// The parameters of the record, or of a small model of its kind.
  static func parameters(
    vocabulary: Int = 50_304, width: Int = 768, heads: Int = 6, layers: Int = 11
  ) -> [Parameter] {
    func parameter(
      _ name: String, _ role: ParameterRole, _ shape: Shape, _ layer: Int? = nil
    ) -> Parameter {
      Parameter(
        name: name, role: role, layer: layer, shape: shape, initialization: .constant(0))
    }
    var all = [
      parameter("head.weight", .head, [vocabulary, width]),
      parameter("smear.gate.weight", .gate, [1, 12]), parameter("smear.lambda", .scalar, [1]),
      parameter("residual_lambdas", .scalar, [11]),
      parameter("attention_lambdas", .scalar, [22]),
    ]
    all += (0..<3).map {
      parameter("value_embeddings.\($0).weight", .valueEmbedding, [vocabulary, width])
    }
    for layer in 0..<layers {
      // The seventh of the record's layers has no attention; so has the second of two.
      if layer != (layers > 6 ? 6 : 1) {
        for (name, role) in [
          ("query", ParameterRole.attentionQuery), ("key", .attentionKey),
          ("value", .attentionValue), ("output", .attentionOutput),
        ] {
          all.append(
            parameter("blocks.\(layer).attention.\(name).weight", role, [width, width], layer))
        }
        all.append(parameter("blocks.\(layer).attention.gate.weight", .gate, [heads, 12], layer))
      }
      all.append(parameter("blocks.\(layer).mlp.in.weight", .mlpIn, [4 * width, width], layer))
      all.append(parameter("blocks.\(layer).mlp.out.weight", .mlpOut, [width, 4 * width], layer))
    }
    return all
  }

  /// The record's rules, as far as they say who updates what.
  static func optimizer(_ parameters: [Parameter]) throws -> Optimizer {
    var tables = ParameterRule()
    tables.roles = [.head, .valueEmbedding, .scalar]
    tables.method = "adamw"
    tables.options = ["epsilon_position": "before-correction"]
    var smear = ParameterRule()
    smear.pattern = "smear.gate.weight"
    smear.method = "adamw"
    var gates = ParameterRule()
    gates.roles = [.gate]
    return try ParameterPolicy(method: "normuon", rules: [smear, tables, gates])
      .optimizer(for: parameters)
  }

  @Test("On eight ranks the record's matrices go in buckets of ten, sixteen and sixteen")
  func published() throws {
    var rules = ShardingRules(ranks: 8)
    rules.bucketSizes = [10, 16, 16]
    let plan = try ShardingPlan(Self.optimizer(Self.parameters()), rules)
    #expect(plan.buckets.map(\.slots) == [16, 16, 16])
    let labels = (0..<8).map { rank in
      plan.buckets.map { $0.units(of: rank, ranks: 8).map(\.label) }
    }
    for rank in 0..<5 {
      #expect(labels[rank] == [["gate", "gate"], ["attention", "attention"], ["mlp", "mlp"]])
    }
    // The last three have no gate at all, and take part with padding.
    for rank in 5..<8 { #expect(labels[rank] == [[], ["mlp", "mlp"], ["mlp", "mlp"]]) }
    #expect(
      plan.shares["blocks.0.attention.key.weight"] == .whole(bucket: 1, rank: 0))
    #expect(plan.shares["blocks.10.mlp.out.weight"] == .whole(bucket: 2, rank: 7))
    #expect(plan.shares["blocks.7.attention.gate.weight"] == .whole(bucket: 0, rank: 3))

    let eighth = 50_304 / 8
    let rows = (0..<8).map { $0 * eighth..<($0 + 1) * eighth }
    #expect(plan.shares["head.weight"] == .rows(rows))
    for small in ["smear.gate.weight", "smear.lambda", "residual_lambdas", "attention_lambdas"] {
      #expect(plan.shares[small] == .replicated, "\(small)")
    }
    // Small ones are launched first: four small parameters, gates, then what is large.
    #expect(plan.exchanges.prefix(1) == [.allReduce(parameter: "smear.lambda")])
    #expect(plan.exchanges[4] == .scatterBucket(0))
    #expect(
      plan.exchanges.suffix(4).allSatisfy { if case .scatterRows = $0 { true } else { false } })
    #expect(plan.exchanges.count == 4 + 4 + 3)
  }

  @Test("On other numbers of ranks there is a bucket for each kind", arguments: [1, 2, 4])
  func buckets(ranks: Int) throws {
    let plan = try ShardingPlan(
      Self.optimizer(Self.parameters()), ShardingRules(ranks: ranks))
    #expect(plan.buckets.map { $0.units.count } == [10, 10, 22])
    #expect(plan.buckets.map { $0.slots } == [10, 10, 22].map { ($0 + ranks - 1) / ranks * ranks })
    #expect(plan.buckets.allSatisfy { Set($0.units.map(\.label)).count == 1 })
  }

  @Test("Every parameter is updated by one rank or by all, whole", arguments: [1, 2, 3, 4, 8])
  func complete(ranks: Int) throws {
    let parameters = Self.parameters()
    var rules = ShardingRules(ranks: ranks)
    rules.unevenRows = .padded
    let plan = try ShardingPlan(Self.optimizer(parameters), rules)
    var counts: [String: Int] = [:]
    for rank in 0..<ranks {
      for parameter in plan.optimizer(of: rank).trainedParameters {
        counts[parameter.name, default: 0] += parameter.shape.count
      }
    }
    for parameter in parameters {
      let times = plan.shares[parameter.name] == .replicated ? ranks : 1
      #expect(counts[parameter.name] == times * parameter.shape.count, "\(parameter.name)")
    }
  }

  @Test("Uneven rows are refused, or padded so that the last ranks have fewer")
  func uneven() throws {
    let table = Parameter(
      name: "head.weight", role: .head, shape: [9, 128], initialization: .constant(0))
    let optimizer = try ParameterPolicy(method: "adamw").optimizer(for: [table])
    var rules = ShardingRules(ranks: 4)
    let error = try #require(throws: OptimizerError.self) { try ShardingPlan(optimizer, rules) }
    #expect(error.message.contains("9 rows, which 4 ranks cannot share evenly"))
    rules.unevenRows = .padded
    let plan = try ShardingPlan(optimizer, rules)
    #expect(plan.shares["head.weight"] == .rows([0..<3, 3..<6, 6..<9, 9..<9]))
    #expect(plan.optimizer(of: 3).trainedParameters.isEmpty)
  }

  @Test("What mixes a group, and buckets that do not fit, are refused")
  func mistakes() throws {
    let parameters = Self.parameters(vocabulary: 64, width: 16)
    let mixing = try ParameterPolicy(method: "prodigy").optimizer(for: parameters)
    #expect(throws: OptimizerError.self) { try ShardingPlan(mixing, ShardingRules(ranks: 2)) }
    var rules = ShardingRules(ranks: 8)
    rules.bucketSizes = [10, 16]
    let error = try #require(throws: OptimizerError.self) {
      try ShardingPlan(Self.optimizer(parameters), rules)
    }
    #expect(error.message.contains("do not fit 42 units"))
    // A mask's mean is over the parameter: it cannot be cut.
    var settings = GroupSettings.Changes()
    settings.caution = .rescaled
    let cautious = try ParameterPolicy(method: "adamw", settings: settings)
      .optimizer(for: [parameters[0]])
    let plan = try ShardingPlan(cautious, ShardingRules(ranks: 2))
    #expect(plan.shares["head.weight"] == .whole(bucket: 0, rank: 0))
  }

  // MARK: - What cards say

  /// Weights after a few updates of parameters that follow one another, of so many rows each.
  private func weights(
    _ method: any OptimizerMethod.Type, rows: [Int], width: Int
  ) throws -> [Double] {
    var start = 0
    var ranges: [String: Range<Int>] = [:]
    let parameters = rows.enumerated().map { index, count in
      defer { start += count * width }
      ranges["p\(index)"] = start..<start + count * width
      return Parameter(
        name: "p\(index)", role: .mlpIn, shape: [count, width], initialization: .constant(0))
    }
    func numbers(_ seed: Int) -> [Double] {
      (0..<start).map { Double((($0 + 3) * 7919 + seed * 104_729) % 2003) / 1001 - 1 }
    }
    func cut(_ values: [Double], _ name: String) -> [Double] {
      ranges[name].map { Array(values[$0]) } ?? []
    }
    // A distance that is measured shows only once steps have gone further than its first guess.
    let lively = ["d0": 1e-2].filter { method.card.defaults[$0.key] != nil }
    let bench = try OptimizerBench(
      Optimizer(method, lively, parameters: parameters), on: .reference,
      initial: Dictionary(
        uniqueKeysWithValues: parameters.map { ($0.name, cut(numbers(0), $0.name)) }))
    for step in 1...5 {
      // Some want one before an update, some a few before the first.
      for extra in 0..<3 where bench.wantsObservation {
        try bench.observe { cut(numbers(50 + step + extra), $0.name) }
      }
      try bench.step { cut(numbers(step < 5 ? 1 : 2), $0.name) }
    }
    return parameters.flatMap { bench.kept($0.name) ?? [] }
  }

  @Test(
    "A card says what an update depends on: the number, the parameter or the group",
    arguments: OptimizerRegistry.names)
  func scopes(name: String) throws {
    let method = try OptimizerRegistry.method(named: name)
    // Some factor large matrices only.
    let (rows, width) = name.hasPrefix("adafactor") ? (68, 34) : (8, 3)
    let whole = try weights(method, rows: [rows], width: width)
    let halves = try weights(method, rows: [rows / 2, rows / 2], width: width)
    // What goes by rows does not see a cut between them, but another width.
    let turned = try weights(method, rows: [rows / 2], width: 2 * width)
    #expect((whole == halves && whole == turned) == (method.card.scope == .element))
    let first = try weights(method, rows: [rows / 2], width: width)
    #expect((Array(halves[..<first.count]) == first) == (method.card.scope != .group))
  }
}
