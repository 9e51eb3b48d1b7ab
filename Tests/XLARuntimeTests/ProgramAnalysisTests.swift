// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import XLARuntime

@Suite("What is told about programs")
struct ProgramAnalysisTests {
  @Test("Operations of a text are counted by kind, without a plugin")
  func operations() throws {
    let text = try XLARuntime.stableHLO(of: SmallProgram.make())
    let counts = ProgramAnalysis.operations(of: text)
    // The loss's product and the two of its gradient.
    #expect(counts["stablehlo.dot_general"] == 3)
    #expect(counts["stablehlo.tanh"] == 1)
    let lines = text.split(separator: "\n").filter { $0.contains("stablehlo.") }
    #expect(counts.values.reduce(0, +) == lines.count)
  }

  @Test("A loop is one operation, and what stands in it counts once")
  func loops() {
    let builder = HLOBuilder()
    let start = builder.constant(1)
    _ = builder.loop(3, [start]) { _, values in [values[0] + values[0]] }
    let counts = ProgramAnalysis.operations(of: builder.lines.joined(separator: "\n"))
    #expect(counts["stablehlo.while"] == 1)
    #expect(counts["stablehlo.add"] == 2)
    #expect(counts["stablehlo.return"] == 2)
  }

  @Test(
    "A compiled program tells its text, memory, costs and instructions",
    .enabled(if: PluginUnderTest.isPresent))
  func compiled() throws {
    let runtime = try XLARuntime(client: PluginUnderTest.client())
    let program = try SmallProgram.make()
    let analysis = try runtime.analysis(of: program)
    #expect(analysis.text == (try XLARuntime.stableHLO(of: program, for: "xla:cpu")))
    #expect(analysis.operations == ProgramAnalysis.operations(of: analysis.text))
    let tensor = 8 * 12 * 4
    let memory = try #require(analysis.memory)
    // Weight, momentum and one scalar; loss, gradient, weight and momentum, of which the last two overwrite.
    #expect(memory.arguments == 2 * tensor + 4)
    #expect(memory.aliased == 2 * tensor)
    #expect(memory.outputs >= 3 * tensor + 4)
    #expect(
      memory.total == memory.arguments + memory.outputs - memory.aliased + memory.temporary
        + memory.generatedCode)
    let product = 2.0 * 8 * 8 * 12
    #expect(try #require(analysis.flops) >= 3 * product)
    #expect(try #require(analysis.bytesAccessed) > Double(3 * tensor))
    #expect(analysis.compileSeconds > 0)
    #expect(analysis.instructions["parameter", default: 0] >= 3)
    // Nothing was compiled for a run.
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
    let analysis = try runtime.analysis(of: SmallProgram.make())
    let exchanges = analysis.instructions.filter {
      $0.key.hasPrefix("all-") || $0.key.hasPrefix("reduce-scatter")
    }
    #expect(!exchanges.isEmpty, "\(analysis.instructions)")
    // Half of weight and momentum, and the scalar.
    #expect(analysis.memory?.arguments == 8 * 12 * 4 + 4)
  }
}
