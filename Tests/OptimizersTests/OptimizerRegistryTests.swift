// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Optimizers
import TensorGraph
import Testing

@Suite struct OptimizerRegistryTests {
  @Test("Every method is found under its card's name, once")
  func names() throws {
    #expect(Set(OptimizerRegistry.names).count == OptimizerRegistry.methods.count)
    for method in OptimizerRegistry.methods {
      let found = try OptimizerRegistry.method(named: method.card.name)
      #expect(ObjectIdentifier(found) == ObjectIdentifier(method))
      #expect(method.card.hyperparameters.first?.name == "learning_rate")
    }
  }

  @Test("A card says where it comes from, and accepts its own defaults and search spaces")
  func cards() {
    for card in OptimizerRegistry.methods.map({ $0.card }) {
      #expect(card.paper.contains("https://"), "\(card.name)")
      #expect(card.equation.contains("w = "), "\(card.name)")
      #expect(Set(card.keys).count == card.keys.count, "\(card.name)")
      for hyperparameter in card.hyperparameters {
        let place = "\(hyperparameter.name) of \(card.name)"
        #expect(hyperparameter.accepts(hyperparameter.defaultValue), "\(place)")
        #expect(!hyperparameter.source.isEmpty && !hyperparameter.summary.isEmpty, "\(place)")
        for value in hyperparameter.search?.values ?? [] {
          #expect(hyperparameter.accepts(value), "\(place): \(value)")
        }
      }
      for option in card.options {
        let place = "\(option.name) of \(card.name)"
        #expect(Set(option.choices).count >= 2, "\(place)")
        #expect(Set(option.choices).count == option.choices.count, "\(place)")
        #expect(!option.source.isEmpty && !option.summary.isEmpty, "\(place)")
      }
    }
  }

  @Test("An unknown name is refused with the nearest one")
  func unknownMethod() throws {
    let error = try #require(throws: OptimizerError.self) {
      try OptimizerRegistry.method(named: "adanw")
    }
    #expect(error.code == .unknownMethod)
    #expect(error.message.contains("'adanw'"))
    #expect(error.message.contains("did you mean 'adamw'?"))
  }

  @Test("Hyperparameters are completed from the card; unknown ones and values out of range refused")
  func hyperparameters() throws {
    let complete = try AdamW.card.complete(["learning_rate": 0.5])
    #expect(complete["learning_rate"] == 0.5)
    #expect(complete["beta2"] == 0.95)
    let unknown = try #require(throws: OptimizerError.self) {
      try AdamW.card.complete(["beta3": 0.5])
    }
    #expect(unknown.code == .unknownHyperparameter)
    #expect(unknown.message.contains("did you mean 'beta"))
    for (name, value) in [
      ("beta1", 1.0), ("beta2", -0.1), ("epsilon", .nan), ("learning_rate", -1),
    ] {
      let error = try #require(throws: OptimizerError.self) {
        try AdamW.card.complete([name: value])
      }
      #expect(error.code == .value)
      #expect(error.name == name)
    }
  }

  @Test("An option or a choice that a card does not have is refused with the nearest one")
  func options() throws {
    let unknown = try #require(throws: OptimizerError.self) {
      try MethodOptions(SGD.card, ["nestrov": "true"])
    }
    #expect(unknown.code == .unknownHyperparameter)
    #expect(unknown.message.contains("did you mean 'nesterov'?"))
    let choice = try #require(throws: OptimizerError.self) {
      try MethodOptions(SGD.card, ["form": "heavy_ball"])
    }
    #expect(choice.code == .value)
    #expect(choice.message.contains("did you mean 'heavy-ball'?"))
  }

  @Test(
    "Under all options: state bytes are the card's, some program fills every state tensor, the host gives every scalar",
    arguments: OptimizerRegistry.names)
  func traced(_ name: String) throws {
    let method = try OptimizerRegistry.method(named: name)
    for options in try allOptions(method.card) {
      for parameter in parameters where method.card.eligibility.accepts(parameter.role) {
        let place = "\(parameter.name) with \(options.values.sorted { $0.key < $1.key })"
        let optimizer = Optimizer(method, options: options, parameters: [parameter])
        let group = try #require(optimizer.groups.first)
        let state = optimizer.stateDeclarations
        let own = state.filter { $0.parameter == parameter.name }
        #expect(
          own.reduce(0) { $0 + $1.byteCount } == method.card.state.bytes(parameter, options),
          "\(place)")
        var programs = [
          try optimizer.updateProgram(), try optimizer.observationProgram(of: group),
        ]
        for upkeep in Upkeep.allCases {
          if let program = try optimizer.upkeepProgram(of: group, upkeep) {
            programs.append(program)
          }
        }
        var clock = OptimizerClock()
        let given = Set(optimizer.numbers(StepConditions(), advancing: &clock).keys)
        #expect(programs.reduce(Set()) { $0.union(scalarLabels($1)) }.isSubset(of: given))
        let filled = programs.reduce(Set()) { $0.union(assigned($1)) }
        #expect(filled.isSuperset(of: state.map(\.label)), "\(place)")
      }
    }
  }

  /// Every kind of shape: tall, wide and square matrices on both sides of 32, tables, vectors, single numbers.
  private let parameters = [
    Parameter(
      name: "embedding", role: .embedding, shape: [40, 33], initialization: .constant(0)),
    Parameter(name: "head", role: .head, shape: [40, 33], initialization: .constant(0)),
    Parameter(
      name: "query", role: .attentionQuery, layer: 0, shape: [8, 12], heads: 2,
      initialization: .constant(0)),
    Parameter(name: "in", role: .mlpIn, layer: 0, shape: [64, 16], initialization: .constant(0)),
    Parameter(name: "out", role: .mlpOut, layer: 0, shape: [32, 32], initialization: .constant(0)),
    Parameter(name: "gain", role: .normGain, shape: [48], initialization: .constant(1)),
    Parameter(name: "scalar", role: .scalar, shape: [], initialization: .constant(0)),
  ]

  private func allOptions(_ card: OptimizerCard) throws -> [MethodOptions] {
    var combinations: [[String: String]] = [[:]]
    for option in card.options {
      combinations = combinations.flatMap { given in
        option.choices.map { given.merging([option.name: $0]) { $1 } }
      }
    }
    return try combinations.map { try MethodOptions(card, $0) }
  }

  private func scalarLabels(_ program: Program) -> Set<String> {
    Set(program.leaves.filter { $0.kind == .scalar }.map(\.label))
  }

  private func assigned(_ program: Program) -> Set<String> {
    Set(
      program.assignments.compactMap {
        (program.graph.nodes[$0.target.value.node].operation as? Leaf)?.label
      })
  }

  @Test("AdamW's corrections are exact where single precision would lose digits")
  func corrections() {
    var memory: [String: Double] = [:]
    let scalars = AdamW().scalars(["beta1": 0.9, "beta2": 0.999], update: 1, memory: &memory)
    #expect(scalars["one_minus_beta2"] == 1 - 0.999)
    #expect(scalars["beta2_correction"] == 1 - 0.999)
    #expect(Float(scalars["one_minus_beta2"] ?? 0) != 1 - Float(0.999))
  }
}
