// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import CPURuntime
@testable import OperationCases

/// A runtime that must agree with the reference on `OperationCases.all`.
struct RuntimeUnderTest: Sendable, CustomTestStringConvertible {
  let name: String
  let make: @Sendable () throws -> any Runtime

  var testDescription: String { name }

  /// One line for each runtime.
  static let all = [
    RuntimeUnderTest(name: "reference with float32 between operations") {
      ReferenceRuntime(roundsToBFloat16: true, roundsToFloat32: true)
    },
    RuntimeUnderTest(name: "cpu, 1 thread") { try CPURuntime(threads: 1) },
    RuntimeUnderTest(name: "cpu, 3 threads") { try CPURuntime(threads: 3) },
  ]
}

@Suite("Runtimes agree with the reference")
struct RuntimeAgreementTests {
  @Test("on every case", arguments: RuntimeUnderTest.all, OperationCases.all)
  func agrees(_ runtime: RuntimeUnderTest, _ operationCase: OperationCase) throws {
    let agreement = try RuntimeAgreement(
      operationCase, try runtime.make(), against: ReferenceRuntime())
    let worst = try #require(agreement.worst)
    #expect(worst.relativeError < operationCase.tolerance, "\(agreement)")
  }

  @Test(
    "the reference agrees with itself exactly",
    arguments: OperationCases.stages + OperationCases.random)
  func itself(_ operationCase: OperationCase) throws {
    let agreement = try RuntimeAgreement(
      operationCase, ReferenceRuntime(), against: ReferenceRuntime())
    let worst = try #require(agreement.worst)
    #expect(worst.relativeError == 0, "\(agreement)")
  }

  @Test("and give out a kept tensor that no operation reads")
  func untouchedOutput() throws {
    for under in RuntimeUnderTest.all {
      let graph = Graph()
      let program = try Program(graph: graph, outputs: [("a", graph.parameter("a", [3]))])
      let runtime = try under.make()
      let executable = try runtime.compile(program)
      let memory = try #require(try runtime.kept("a", for: .writing)).bindMemory(to: Float.self)
      _ = memory.update(fromContentsOf: [1, 2, 3])
      try executable.run()
      #expect(Array(executable.output("a").bindMemory(to: Float.self)) == [1, 2, 3], "\(under)")
    }
  }

  @Test("and keep one type for each label, even where the bytes are as many")
  func keptTypes() throws {
    func program(_ shape: Shape, _ type: ElementType) throws -> Program {
      let graph = Graph()
      return try Program(graph: graph, outputs: [("sum", graph.state("a", shape, type).sum())])
    }
    for under in RuntimeUnderTest.all {
      let runtime = try under.make()
      _ = try runtime.compile(program([4], .bfloat16))
      _ = try runtime.compile(program([4], .bfloat16))
      #expect(try runtime.kept("a", for: .reading)?.count == 8)
      let error = #expect(throws: GraphError.self) {
        try runtime.compile(program([2], .float32))
      }
      for text in ["'a'", "bfloat16[4]", "float32[2]"] {
        #expect(error?.message.contains(text) == true, "\(under.name): \(error?.message ?? "")")
      }
    }
  }

  @Test("rounding to bfloat16 stays within the tolerance of bfloat16 cases")
  func rounding() throws {
    var compared = 0
    for operationCase in OperationCases.all where operationCase.name.contains("bfloat16 products") {
      let agreement = try RuntimeAgreement(
        operationCase, ReferenceRuntime(roundsToBFloat16: false), against: ReferenceRuntime())
      let worst = try #require(agreement.worst)
      #expect(worst.relativeError > 1e-5, "\(agreement)")
      #expect(worst.relativeError < 2 * operationCase.tolerance, "\(agreement)")
      compared += 1
    }
    #expect(compared > 10)
  }

  @Test("a runtime that is slightly wrong is found, with the tensor's name")
  func findsFaults() throws {
    let operationCase = try #require(OperationCases.all.first { $0.name == "AdamW on [3, 5]" })
    let faults: [(Faulty.Fault, String)] = [
      (.output, "output gradient norm"), (.kept, "kept parameter"), (.notANumber, "output"),
    ]
    for (fault, label) in faults {
      let agreement = try RuntimeAgreement(
        operationCase, Faulty(fault), against: ReferenceRuntime())
      let worst = try #require(agreement.worst)
      #expect(worst.relativeError > operationCase.tolerance)
      #expect(worst.label.hasPrefix(label), "\(agreement)")
    }
    for fault in [Faulty.Fault.earlyCommit, .unsteady] {
      #expect(throws: RuntimeAgreement.Violation.self) {
        try RuntimeAgreement(operationCase, Faulty(fault), against: ReferenceRuntime())
      }
    }
  }
}

/// A reference runtime with one fault.
private final class Faulty: Runtime {
  enum Fault: Sendable { case output, kept, notANumber, earlyCommit, unsteady }

  let fault: Fault
  let base = ReferenceRuntime()
  init(_ fault: Fault) { self.fault = fault }

  var summary: String { "faulty" }
  var peakBytes: Int { base.peakBytes }
  func kept(_ label: String, for access: KeptAccess) -> UnsafeMutableRawBufferPointer? {
    base.kept(label, for: access)
  }

  func compile(_ program: Program) throws -> any Executable {
    FaultyExecutable(fault, try base.compile(program), base)
  }
}

private final class FaultyExecutable: Executable {
  let fault: Faulty.Fault
  let base: any Executable
  let runtime: ReferenceRuntime
  var runs: Float = 0
  init(_ fault: Faulty.Fault, _ base: any Executable, _ runtime: ReferenceRuntime) {
    (self.fault, self.base, self.runtime) = (fault, base, runtime)
  }

  func hostBuffer(_ label: String) -> UnsafeMutableRawBufferPointer? { base.hostBuffer(label) }

  func start() throws {
    let isCarriedOut = base.hostBuffer(RuntimeAgreement.conditionLabel)?.load(as: Float.self) != 0
    if fault == .earlyCommit { base.set(RuntimeAgreement.conditionLabel, 1) }
    try base.start()
    runs += 1
    if fault == .kept, isCarriedOut {
      runtime.kept("parameter", for: .readingAndWriting)?.storeBytes(
        of: 7, toByteOffset: 8, as: Float.self)
    }
  }

  func finish() throws {
    try base.finish()
    switch fault {
    case .output: change("gradient norm") { $0 * 1.001 }
    case .notANumber: change("finite") { _ in .nan }
    case .unsteady: change("gradient norm") { $0 + runs }
    case .earlyCommit, .kept: break
    }
  }

  private func change(_ label: String, _ body: (Float) -> Float) {
    let memory = UnsafeMutableRawBufferPointer(mutating: base.output(label))
    memory.storeBytes(of: body(memory.load(as: Float.self)), as: Float.self)
  }

  func output(_ label: String) -> UnsafeRawBufferPointer { base.output(label) }
}
