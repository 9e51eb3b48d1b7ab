// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Optimizers
import TensorGraph
import Testing

/// Who updates what.
@Suite struct ParameterPolicyTests {
  /// A small model's parameters, two layers.
  static let parameters: [Parameter] = {
    func parameter(
      _ name: String, _ role: ParameterRole, _ layer: Int?, _ shape: Shape
    ) -> Parameter {
      Parameter(name: name, role: role, layer: layer, shape: shape, initialization: .constant(1))
    }
    var all = [parameter("embedding.weight", .embedding, nil, [11, 4])]
    for layer in 0..<2 {
      all += [
        parameter("blocks.\(layer).attention.norm.gain", .normGain, layer, [4]),
        parameter("blocks.\(layer).attention.query.weight", .attentionQuery, layer, [4, 4]),
        parameter("blocks.\(layer).attention.query_norm.gain", .queryKeyNormGain, layer, [2]),
        parameter("blocks.\(layer).mlp.in.weight", .mlpIn, layer, [16, 4]),
      ]
    }
    return all + [
      parameter("scale", .scalar, nil, []), parameter("head.weight", .head, nil, [11, 4]),
    ]
  }()

  private func groups(_ policy: ParameterPolicy) throws -> [String: [String]] {
    let optimizer = try policy.optimizer(for: Self.parameters)
    return Dictionary(
      uniqueKeysWithValues: optimizer.groups.map { ($0.name, $0.members.map(\.name)) })
  }

  @Test("Without rules, one group holds every parameter in the model's order")
  func base() throws {
    #expect(
      try groups(ParameterPolicy(method: "adamw")) == ["base": Self.parameters.map(\.name)])
  }

  @Test("The first rule that matches a parameter wins, and the rest goes to the base")
  func firstMatchWins() throws {
    var first = ParameterRule()
    first.name = "upper"
    first.layers = 1...1
    first.shapeClass = .matrix
    var second = ParameterRule()
    second.pattern = "blocks.*.attention.*"
    let found = try groups(ParameterPolicy(method: "adamw", rules: [first, second]))
    #expect(found["upper"] == ["blocks.1.attention.query.weight", "blocks.1.mlp.in.weight"])
    #expect(
      found["rule-2"] == [
        "blocks.0.attention.norm.gain", "blocks.0.attention.query.weight",
        "blocks.0.attention.query_norm.gain", "blocks.1.attention.norm.gain",
        "blocks.1.attention.query_norm.gain",
      ])
    #expect(
      found["base"] == ["embedding.weight", "blocks.0.mlp.in.weight", "scale", "head.weight"])
  }

  @Test("A rule that matches nothing is refused, with its number and its conditions")
  func unusedRule() throws {
    var all = ParameterRule()
    all.shapeClass = .matrix
    var late = ParameterRule()
    late.name = "late"
    late.roles = [.head]
    let error = try #require(throws: OptimizerError.self) {
      try ParameterPolicy(method: "adamw", rules: [all, late]).optimizer(for: Self.parameters)
    }
    #expect(error.code == .unusedRule)
    #expect(error.message.contains("rule 2 ('late')"))
    #expect(error.message.contains("roles head"))
  }

  @Test(
    "A rule of the base method inherits its numbers; one of another method starts from that card")
  func defaults() throws {
    var same = ParameterRule()
    same.name = "same"
    same.roles = [.head]
    same.hyperparameters = ["beta2": 0.5]
    var other = ParameterRule()
    other.name = "other"
    other.roles = [.embedding]
    other.method = "sgd"
    let optimizer = try ParameterPolicy(
      method: "adamw", hyperparameters: ["learning_rate": 0.25, "beta1": 0.75],
      rules: [same, other]
    ).optimizer(for: Self.parameters)
    let numbers = Dictionary(
      uniqueKeysWithValues: optimizer.groups.map { ($0.name, $0.hyperparameters) })
    #expect(numbers["same"]?["beta1"] == 0.75)
    #expect(numbers["same"]?["beta2"] == 0.5)
    #expect(numbers["same"]?["learning_rate"] == 0.25)
    #expect(numbers["other"] == SGD.card.defaults)
    #expect(numbers["base"]?["beta2"] == 0.95)
  }

  @Test("A coupled rule takes the base's learning rate, an independent one its own")
  func coupling() throws {
    for isCoupled in [false, true] {
      var rule = ParameterRule()
      rule.roles = [.embedding]
      rule.method = "sgd"
      rule.isCoupled = isCoupled
      rule.settings.learningRateMultiplier = 0.5
      let optimizer = try ParameterPolicy(
        method: "adamw", hyperparameters: ["learning_rate": 0.25], rules: [rule]
      ).optimizer(for: Self.parameters)
      let row = try #require(OptimizerTable(optimizer).rows.first)
      #expect(row.parameter == "embedding.weight")
      #expect(row.learningRate == (isCoupled ? 0.125 : 0.05))
    }
  }

  @Test("Frozen parameters have no method, no state and no gradient")
  func frozen() throws {
    var rule = ParameterRule()
    rule.roles = [.normGain, .queryKeyNormGain]
    rule.isTrained = false
    let optimizer = try ParameterPolicy(method: "adamw", rules: [rule]).optimizer(
      for: Self.parameters)
    let names = Set(optimizer.trainedParameters.map(\.name))
    #expect(names.count == Self.parameters.count - 4)
    #expect(!names.contains { $0.contains("norm") })
    #expect(!optimizer.stateDeclarations.contains { $0.label.contains("norm") })
    let program = try optimizer.updateProgram()
    #expect(!program.leaves.contains { $0.label.contains("norm.gain") })
    for row in OptimizerTable(optimizer).rows where row.parameter.contains("norm") {
      #expect(row.method == nil)
      #expect(row.stateBytes == 0)
    }
  }

  @Test("Decay that would apply to nothing is refused; with decays = true it applies to gains")
  func decayOfGains() throws {
    var rule = ParameterRule()
    rule.name = "gains"
    rule.roles = [.normGain]
    rule.hyperparameters = ["weight_decay": 0.5]
    let error = try #require(throws: OptimizerError.self) {
      try ParameterPolicy(method: "adamw", rules: [rule]).optimizer(for: Self.parameters)
    }
    #expect(error.code == .contradiction)
    #expect(error.message.contains("decays = true"))
    rule.settings.decays = true
    let optimizer = try ParameterPolicy(method: "adamw", rules: [rule]).optimizer(
      for: Self.parameters)
    for row in OptimizerTable(optimizer).rows {
      let expected =
        row.group == "gains"
        ? 0.5 : ["scalar", "norm_gain", "query_key_norm_gain"].contains(row.role) ? 0 : 0.1
      #expect(row.weightDecay == expected, "\(row.parameter)")
    }
  }

  @Test("A pause of a group that is not there is refused with the nearest name")
  func pause() throws {
    let policy = ParameterPolicy(method: "adamw")
    let error = try #require(throws: OptimizerError.self) {
      try policy.optimizer(for: Self.parameters, pausable: ["bass"])
    }
    #expect(error.code == .unknownGroup)
    #expect(error.message.contains("did you mean 'base'?"))
    let optimizer = try policy.optimizer(for: Self.parameters, pausable: ["base"])
    #expect(optimizer.groups[0].settings.isPausable)
  }

  @Test("The table's state bytes are those that the runtime will keep")
  func table() throws {
    let optimizer = try ParameterPolicy(method: "adamw").optimizer(for: Self.parameters)
    let table = OptimizerTable(optimizer)
    #expect(table.rows.map(\.parameter) == Self.parameters.map(\.name))
    #expect(table.stateBytes == Self.parameters.reduce(0) { $0 + 8 * $1.shape.count })
    #expect(table.rows.reduce(0) { $0 + $1.stateBytes } == table.stateBytes)
    #expect(table.rows.map(\.role)[1] == "norm_gain")
  }

  @Test(
    "Patterns match whole names, with * for any text",
    arguments: [
      ("*", 11), ("blocks.*", 8), ("*.weight", 6), ("blocks.1.*.weight", 2), ("head", 0),
      ("head*", 1), ("*e*d*e*", 2), ("", 0), ("scale", 1),
    ])
  func patterns(_ pattern: String, count: Int) {
    var rule = ParameterRule()
    rule.pattern = pattern
    #expect(Self.parameters.filter { rule.matches($0, base: AdamW.card) }.count == count)
  }
}
