// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OptimizerBenches
import Optimizers
import TensorGraph
import Testing

/// What every registered method keeps to, under every one of its options.
@Suite("Every method")
struct ContractTests {
  /// Options choose between equations: what lies around the equations is checked once for each method.
  static let cases = ContractSubject.all.flatMap { subject in
    Contract.allCases.filter { subject.choices.isEmpty || $0.concernsEquations }.map {
      (subject, $0)
    }
  }

  @Test("keeps the contract", arguments: cases)
  func contract(_ subject: ContractSubject, _ check: Contract) throws {
    let violations = try check.violations(of: subject)
    #expect(
      violations.isEmpty,
      "\(subject.testDescription) \(check): \(violations.joined(separator: "; "))")
  }

  @Test("has a reference, and names its state")
  func completeness() {
    #expect(Set(OptimizerRegistry.names) == Set(OptimizerReferences.all.keys))
    #expect(Set(OptimizerRegistry.names) == Set(Contract.stateNames.keys))
  }

  @Test("is the one that a policy names, and its table records", arguments: ContractSubject.methods)
  func identity(_ subject: ContractSubject) throws {
    let policy = ParameterPolicy(method: subject.card.name)
    let optimizer = try policy.optimizer(for: subject.parameters)
    #expect(optimizer.groups.count == 1)
    let group = try #require(optimizer.groups.first)
    let method = try #require(group.method)
    #expect(ObjectIdentifier(type(of: method)) == ObjectIdentifier(subject.method))
    #expect(group.card?.name == subject.card.name)
    #expect(group.hyperparameters == subject.card.defaults)
    let table = OptimizerTable(optimizer)
    #expect(table.rows.allSatisfy { $0.method == subject.card.name })
    #expect(table.rows.map(\.parameter) == subject.parameters.map(\.name))
    #expect(table.stateBytes == optimizer.stateDeclarations.reduce(0) { $0 + $1.byteCount })
  }

  /// The weights of hidden matrices and the head after six steps.
  private func path(_ subject: ContractSubject, rate: Double? = nil) throws -> [[Double]] {
    var same = subject
    if let rate { same.changes["learning_rate"] = rate }
    var run = try ContractRun(same, on: .reference, steps: 6)
    for _ in 0..<6 { try run.stepMethodOnly() }
    return zip(subject.parameters, run.weights).filter {
      $0.0.role.isHiddenMatrix || $0.0.role == .head
    }
    .map { $1 }
  }

  @Test("goes its own way: no two methods have the same trajectory")
  func distinct() throws {
    let paths = try ContractSubject.methods.map { ($0.card.name, try path($0, rate: 0.01)) }
    for (index, (name, path)) in paths.enumerated() {
      for (other, theirs) in paths[..<index] {
        // Matrix methods have no head: compare what both have.
        let count = min(path.count, theirs.count)
        #expect(path.suffix(count) != theirs.suffix(count), "\(name) goes where \(other) goes")
      }
    }
  }

  @Test("means its options: every choice changes the trajectory")
  func options() throws {
    // At a constant factor the sum of gradients points where their average does, but for what is added to a norm;
    // `auto` and `fp32` are the same where a run multiplies in single precision.
    let equal: Set<String> = ["precision = fp32"]
    for subject in ContractSubject.all where subject.choices.count == 1 {
      let choice = subject.choices.map { "\($0.key) = \($0.value)" }[0]
      let standard = try path(ContractSubject(method: subject.method))
      let isEqual = try path(subject) == standard
      #expect(isEqual == equal.contains(choice), "\(subject.testDescription)")
    }
  }
}
