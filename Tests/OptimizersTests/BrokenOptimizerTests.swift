// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// A check that finds nothing wrong is worth what it finds where something is.
@Suite("The contract finds")
struct BrokenOptimizerTests {
  @Test("every mistake of published optimizers", arguments: BrokenOptimizers.cases)
  func mistakes(_ broken: BrokenOptimizers.Case) throws {
    let subject = ContractSubject(method: broken.method, choices: broken.choices)
    for check in broken.found {
      let violations = try check.violations(of: subject)
      #expect(!violations.isEmpty, "\(check) does not see that \(broken.mistake)")
    }
  }

  @Test("nothing else in them: a mistake in one place is no alarm everywhere")
  func silence() throws {
    // What has nothing to do with a mistake stays quiet.
    let quiet: [(any OptimizerMethod.Type, Contract)] = [
      (BrokenOptimizers.Adam<BrokenOptimizers.Uncorrected>.self, .shrinks),
      (BrokenOptimizers.Adam<BrokenOptimizers.HiddenCounter>.self, .follows),
      (BrokenOptimizers.Adam<BrokenOptimizers.TrainingSteps>.self, .follows),
      (BrokenOptimizers.UntransposedMuon.self, .follows),
      (BrokenOptimizers.Adam<BrokenOptimizers.SpareState>.self, .follows),
    ]
    for (method, check) in quiet {
      #expect(try check.violations(of: ContractSubject(method: method)) == [])
    }
  }

  @Test("every check has a mistake that it must find")
  func coverage() {
    let planted = BrokenOptimizers.cases.reduce(into: Set<Contract>()) { $0.formUnion($1.found) }
    // Changed gradients are planted below: equations cannot change what they read.
    #expect(planted.union([.readsGradients]) == Set(Contract.allCases))
  }

  @Test("a gradient that was written to")
  func changedGradient() throws {
    let subject = ContractSubject(method: OptimizerRegistry.standard)
    #expect(try Contract.gradients(subject) == [])
    let found = try Contract.gradients(subject) { bytes in
      if !bytes.isEmpty { bytes[0] ^= 1 }
    }
    #expect(found.count == 2 * subject.parameters.count)
  }

  @Test("a checkpoint without some state, with state in bfloat16, or with an old clock")
  func damagedCheckpoints() throws {
    let subject = ContractSubject(method: OptimizerRegistry.standard)
    #expect(try Contract.resumption(subject) == [])
    let forgotten = try Contract.resumption(subject) { snapshot in
      snapshot.tensors = snapshot.tensors.filter { !$0.key.hasPrefix("optimizer.second_moment") }
    }
    #expect(!forgotten.isEmpty)
    let narrowed = try Contract.resumption(subject) { snapshot in
      for (label, bytes) in snapshot.tensors where label.hasPrefix("optimizer.") {
        // The lower halves of little-endian fp32 numbers.
        snapshot.tensors[label] = bytes.enumerated().map { $0.offset % 4 < 2 ? 0 : $0.element }
      }
    }
    #expect(!narrowed.isEmpty)
    let fresh = try JSONEncoder().encode(OptimizerClock())
    #expect(try !Contract.resumption(subject) { $0.clock = fresh }.isEmpty)
  }

  @Test("a method that steps another one's equations")
  func otherMethod() throws {
    /// Plain descent under the name of Signum.
    struct Impostor: OptimizerMethod {
      static let card = Signum.card
      init(_ options: MethodOptions) {}
      func update(
        _ w: Tensor, gradient g: Tensor, state: inout StateBuilder, scalars: Scalars
      ) -> Update {
        let m = state.zeros("momentum", like: w)
        state["momentum"] = scalars.average("momentum", m, g)
        return .step(scalars.learningRate * g)
      }
    }
    #expect(try !Contract.follows.violations(of: ContractSubject(method: Impostor.self)).isEmpty)
  }

  @Test("a policy that gives a vector to a method for matrices")
  func ineligible() throws {
    let gain = Parameter(
      name: "gain", role: .normGain, shape: [4], initialization: .constant(1))
    var rule = ParameterRule()
    rule.roles = [.normGain]
    for subject in ContractSubject.methods where subject.card.eligibility != .all {
      let policy = ParameterPolicy(method: subject.card.name, rules: [rule])
      let error = try #require(throws: OptimizerError.self) {
        try policy.optimizer(for: [gain] + subject.parameters)
      }
      #expect(error.code == .ineligible)
      #expect(error.name == "gain")
    }
  }
}
