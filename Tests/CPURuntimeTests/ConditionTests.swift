// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import CPURuntime

@Suite("A program's condition")
struct ConditionTests {
  /// `a` becomes `a - rate * a`; outputs the sum of `a` and the number of runs that were carried out.
  private func program(_ condition: (Graph, _ sum: Tensor) -> Tensor) throws -> Program {
    let graph = Graph()
    let (a, runs) = (graph.parameter("a", [3, 50]), graph.state("runs", []))
    let sum = a.sum()
    return try Program(
      graph: graph, outputs: [("sum", sum), ("runs", runs), ("next", runs + 1)],
      assignments: [(a, a - graph.scalar("rate") * a), (runs, runs + 1)],
      condition: condition(graph, sum))
  }

  private func bits(_ runtime: any Runtime) throws -> [UInt32] {
    Array(try #require(try runtime.kept("a", for: .reading)).bindMemory(to: UInt32.self))
  }

  /// Compiled, with all of `a` at 1.
  private func compiled(
    _ under: RuntimeUnderTest, _ condition: (Graph, _ sum: Tensor) -> Tensor
  ) throws -> (runtime: any Runtime, executable: any Executable) {
    let runtime = try under.make()
    let executable = try runtime.compile(program(condition))
    try #require(try runtime.kept("a", for: .writing)).bindMemory(to: Float.self)
      .update(repeating: 1)
    executable.set("rate", 0.5)
    return (runtime, executable)
  }

  @Test(
    "of 0 leaves kept tensors as they are, to the bit, and outputs are made",
    arguments: RuntimeUnderTest.all)
  func zero(_ under: RuntimeUnderTest) throws {
    let (runtime, executable) = try compiled(under) { graph, _ in graph.scalar("proceeds") }
    let before = try bits(runtime)
    for zero in [Float(0), -0.0] {
      executable.set("proceeds", zero)
      try executable.run()
      #expect(try bits(runtime) == before)
      #expect(executable.scalar("sum") == 150)
      #expect(executable.scalar("runs") == 0 && executable.scalar("next") == 1)
    }
    for (count, number) in [Float(1), -2, 1e-30, .nan].enumerated() {
      executable.set("proceeds", number)
      try executable.run()
      #expect(executable.scalar("sum") == 150 / Float(1 << count), "before the assignments")
      #expect(executable.scalar("runs") == Float(count + 1), "what is kept after the run")
    }
  }

  @Test("may come from the program's own outputs", arguments: RuntimeUnderTest.all)
  func ownOutputs(_ under: RuntimeUnderTest) throws {
    let (runtime, executable) = try compiled(under) { graph, sum in
      isFinite(sum) * lessOrEqual(graph.scalar("limit"), sum)
    }
    // 150, 75, 37.5: the third run finds its own result below the limit.
    executable.set("limit", 40)
    for expected: Float in [150, 75, 37.5, 37.5] {
      try executable.run()
      #expect(executable.scalar("sum") == expected)
    }
    #expect(executable.scalar("runs") == 2)
    try #require(try runtime.kept("a", for: .readingAndWriting)).storeBytes(
      of: .infinity, as: Float.self)
    let before = try bits(runtime)
    try executable.run()
    #expect(executable.scalar("sum") == .infinity)
    #expect(try bits(runtime) == before)
  }

  @Test(
    "may be a constant, or a kept tensor that the run itself replaces",
    arguments: RuntimeUnderTest.all)
  func leaves(_ under: RuntimeUnderTest) throws {
    let never = try compiled(under) { graph, _ in graph.constant(0) }
    try never.executable.run()
    #expect(never.executable.scalar("runs") == 0)
    let counting = try compiled(under) { graph, _ in graph.state("runs", []) }
    try counting.executable.run()
    #expect(counting.executable.scalar("runs") == 0)
    try #require(try counting.runtime.kept("runs", for: .writing)).storeBytes(of: 1, as: Float.self)
    for expected in [Float(2), 3] {
      try counting.executable.run()
      #expect(counting.executable.scalar("runs") == expected)
    }
  }

  @Test("keeps the CPU runtime from the work of the assignments, whose time it tells apart")
  func seconds() throws {
    let runtime = try CPURuntime(threads: 1)
    let executable = try runtime.compile(program { graph, _ in graph.scalar("proceeds") })
    #expect(executable.commitSeconds == nil, "before any run")
    try executable.run()
    #expect(executable.commitSeconds == 0)
    executable.set("proceeds", 1)
    try executable.run()
    #expect(try #require(executable.commitSeconds) > 0)
  }

  @Test("does not bind the stages of the CPU runtime when the host runs them apart")
  func stages() throws {
    let runtime = try CPURuntime(threads: 1)
    let compiled = try runtime.compile(program { graph, _ in graph.constant(0) })
    let executable = try #require(compiled as? any StagedExecutable)
    executable.run(.compute)
    #expect(executable.scalar("runs") == 0)
    executable.run(.commit)
    #expect(executable.scalar("runs") == 1)
  }
}
