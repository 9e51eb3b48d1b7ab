// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import TensorGraph
import Testing

@testable import OperationCases

/// Passes may change how a program runs, never what it means.
@Suite("Passes keep the meaning of")
struct PassMeaningTests {
  /// Sums in another order differ by some roundings of 2^-53.
  static let tolerance = 1e-12

  @Test("programs whose cross entropy is shared", arguments: OperationCases.steps)
  func sharing(_ operationCase: OperationCase) throws {
    try expectEqual(operationCase) { try $0.sharingCrossEntropy() }
  }

  @Test(
    "programs with narrow products, apart from rounding",
    arguments: OperationCases.steps + OperationCases.updates + OperationCases.stages)
  func precision(_ operationCase: OperationCase) throws {
    try expectEqual(operationCase) { try $0.withBFloat16Products() }
  }

  @Test("programs in either order of passes", arguments: OperationCases.steps)
  func order(_ operationCase: OperationCase) throws {
    try expectEqual(operationCase) { try $0.withBFloat16Products().sharingCrossEntropy() }
  }

  @Test("programs copied node by node", arguments: OperationCases.all)
  func copies(_ operationCase: OperationCase) throws {
    let program = try operationCase.build()
    let copy = try program.rewritten { node, inputs, graph in
      graph.apply(node.operation, inputs)
    }
    #expect(copy.outputs.map(\.label) == program.outputs.map(\.label))
    #expect(copy.outputs.map(\.tensor.type) == program.outputs.map(\.tensor.type))
    #expect(copy.graph.nodes.count == program.liveNodes().filter { $0 }.count)
    #expect(copy.cost == program.cost)
  }

  /// Runs a program and what a pass makes of it on runtimes without rounding.
  private func expectEqual(
    _ operationCase: OperationCase, _ pass: @escaping @Sendable (Program) throws -> Program
  ) throws {
    let runtimes = [
      ReferenceRuntime(roundsToBFloat16: false), ReferenceRuntime(roundsToBFloat16: false),
    ]
    let program = try operationCase.build()
    let changed = try pass(program)
    #expect(changed.outputs.map(\.tensor.type) == program.outputs.map(\.tensor.type))
    let executables = [try runtimes[0].prepare(program), try runtimes[1].prepare(changed)]
    for (runtime, executable) in zip(runtimes, executables) {
      for leaf in program.leaves {
        let fill = operationCase.fills[leaf.label] ?? .normal(1)
        let numbers = fill.numbers(leaf.label, leaf.type)
        runtime.setKept64(leaf.label, numbers)
        executable.set64(leaf.label, numbers)
      }
      try executable.run()
    }
    var compared: [(String, [Double], [Double])] = program.outputs.map {
      ($0.label, executables[1].output64($0.label), executables[0].output64($0.label))
    }
    for leaf in program.leaves where leaf.kind == .parameter || leaf.kind == .state {
      compared.append(
        (
          leaf.label, try #require(runtimes[1].kept64(leaf.label)),
          try #require(runtimes[0].kept64(leaf.label))
        ))
    }
    for (label, a, b) in compared {
      let difference = RuntimeAgreement.difference(
        label, a, b, negligible: operationCase.negligible)
      #expect(difference.relativeError < Self.tolerance, "\(label)")
    }
  }
}
