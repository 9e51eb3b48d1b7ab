// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import XLARuntime

@Suite("Reports of programs")
struct ProgramReportTests {
  @Test("A lowered program tells its graph, its text and its operations, without a plugin")
  func lowered() throws {
    let program = try SmallProgram.make()
    let report = try ProgramReport(lowering: program)
    #expect(report.compiled == nil)
    #expect(report.text == (try LoweredProgram(program).text))
    #expect(report.graphOperations["parameter"] == 1)
    #expect(report.graphOperations["state"] == 1)
    #expect(report.graphOperations["scalar"] == 1)
    #expect(report.graphOperations.values.reduce(0, +) == report.graph.count)
    #expect(report.graph[0] == "node 0, parameter weight() -> float32[8, 12]")
    // The loss's product and the two of its gradient.
    #expect(report.operations["stablehlo.dot_general"] == 3)
    #expect(report.operations["stablehlo.tanh"] == 1)
    #expect(report.operations.keys.allSatisfy { $0.hasPrefix("stablehlo.") })
  }

  @Test("Operations inside loops count where they are written, and a loop is one")
  func loops() throws {
    let builder = HLOBuilder()
    let start = builder.constant(1)
    _ = builder.loop(3, [start]) { _, values in [values[0] + values[0]] }
    let text = builder.lines.joined(separator: "\n")
    let counts = ProgramReport.operations(of: text)
    #expect(counts["stablehlo.while"] == 1)
    #expect(counts["stablehlo.add"] == 2)
    #expect(counts["stablehlo.return"] == 2)
  }

  @Test(
    "A compiled program tells its memory, costs and instructions",
    .enabled(if: PluginUnderTest.isPresent))
  func compiled() throws {
    let runtime = try XLARuntime(client: PluginUnderTest.client(), devices: 1)
    let report = try runtime.report(on: SmallProgram.make())
    let compiled = try #require(report.compiled)
    let tensor = 8 * 12 * 4
    let memory = try #require(compiled.memory)
    // Weight, momentum and one scalar; loss, gradient, weight, momentum, of which the last two overwrite.
    #expect(memory.arguments == 2 * tensor + 4)
    #expect(memory.aliased == 2 * tensor)
    #expect(memory.outputs >= 3 * tensor + 4)
    #expect(
      memory.total == memory.arguments + memory.outputs - memory.aliased + memory.temporary
        + memory.code)
    let product = 2.0 * 8 * 8 * 12
    #expect(try #require(compiled.flops) >= 3 * product)
    #expect(try #require(compiled.bytesAccessed) > Double(3 * tensor))
    #expect(compiled.seconds > 0)
    #expect(compiled.instructions["parameter", default: 0] >= 3)
    #expect(compiled.text?.contains("ENTRY") == true)
    #expect(runtime.compilations.isEmpty)
  }

  @Test(
    "Among devices, the exchanges that the partitioner added are told",
    .enabled(if: PluginUnderTest.isPresent))
  func exchanges() throws {
    var sharding = ShardingRules()
    sharding.level = .parameters
    sharding.smallestCut = 1
    let runtime = try XLARuntime(
      client: PluginUnderTest.client(), devices: 2, sharding: sharding)
    let compiled = try #require(try runtime.report(on: SmallProgram.make()).compiled)
    let exchanges = compiled.instructions.filter {
      $0.key.hasPrefix("all-") || $0.key.hasPrefix("reduce-scatter")
    }
    #expect(!exchanges.isEmpty, "\(compiled.instructions)")
    let memory = try #require(compiled.memory)
    // Half of weight and momentum, and the scalar.
    #expect(memory.arguments == 8 * 12 * 4 + 4)
  }
}
