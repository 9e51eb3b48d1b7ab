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

  @Test("AdamW's corrections are exact where single precision would lose digits")
  func corrections() {
    var memory: [String: Double] = [:]
    let scalars = AdamW().scalars(["beta1": 0.9, "beta2": 0.999], update: 1, memory: &memory)
    #expect(scalars["one_minus_beta2"] == 1 - 0.999)
    #expect(scalars["beta2_correction"] == 1 - 0.999)
    #expect(Float(scalars["one_minus_beta2"] ?? 0) != 1 - Float(0.999))
  }
}
