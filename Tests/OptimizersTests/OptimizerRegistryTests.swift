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
      for hyperparameter in method.card.hyperparameters {
        #expect(hyperparameter.accepts(hyperparameter.defaultValue), "\(hyperparameter.name)")
        #expect(!hyperparameter.source.isEmpty, "\(hyperparameter.name)")
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
    let complete = try AdamW.complete(["learning_rate": 0.5])
    #expect(complete["learning_rate"] == 0.5)
    #expect(complete["beta2"] == 0.95)
    let unknown = try #require(throws: OptimizerError.self) { try AdamW.complete(["beta3": 0.5]) }
    #expect(unknown.code == .unknownHyperparameter)
    #expect(unknown.message.contains("did you mean 'beta"))
    for (name, value) in [
      ("beta1", 1.0), ("beta2", -0.1), ("epsilon", .nan), ("learning_rate", -1),
    ] {
      let error = try #require(throws: OptimizerError.self) { try AdamW.complete([name: value]) }
      #expect(error.code == .value)
      #expect(error.name == name)
    }
  }

  @Test("State bytes on the card are those of the state the method makes")
  func stateBytes() throws {
    for type in OptimizerRegistry.methods {
      let graph = Graph()
      let parameter = Parameter(
        name: "w", role: .mlpIn, shape: [8, 4], initialization: .constant(0))
      let weight = graph.parameter("w", parameter.shape)
      var state = StateBuilder(parameter, in: graph)
      _ = type.init().update(
        weight, gradient: graph.input("g", parameter.shape, .float32), state: &state,
        scalars: Scalars(in: graph, decays: true))
      try graph.check()
      let bytes = state.declarations.reduce(0) { $0 + $1.shape.count * $1.elementType.byteCount }
      #expect(Double(bytes) == type.card.stateBytesPerParameter * 32, "\(type.card.name)")
      #expect(state.assignments.count == state.declarations.count)
      for declaration in state.declarations {
        #expect(declaration.label.hasPrefix("optimizer."))
        #expect(declaration.label.hasSuffix(".w"))
      }
    }
  }

  @Test("AdamW's corrections are exact where single precision would lose digits")
  func corrections() {
    let scalars = AdamW().scalars(["beta1": 0.9, "beta2": 0.999], update: 1)
    #expect(scalars["one_minus_beta2"] == 1 - 0.999)
    #expect(scalars["beta2_correction"] == 1 - 0.999)
    #expect(Float(scalars["one_minus_beta2"] ?? 0) != 1 - Float(0.999))
  }
}
