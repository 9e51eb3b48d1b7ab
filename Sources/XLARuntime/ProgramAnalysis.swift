// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// A program as XLA sees it.
public struct ProgramAnalysis: Codable, Equatable, Sendable {
  /// Bytes that one device's share takes, as the plugin's compiler planned it.
  public struct Memory: Codable, Equatable, Sendable {
    /// Weights, state and inputs.
    public let arguments: Int
    /// New weights and state, and outputs.
    public let outputs: Int
    /// The part of the outputs that is written over arguments.
    public let aliased: Int
    /// What lives only while the program runs.
    public let temporary: Int
    /// Machine code and constants.
    public let generatedCode: Int
    /// All that has to be there while it runs.
    public let total: Int
  }

  /// Seconds that the plugin took to compile it.
  public let compileSeconds: Double
  /// Nil where the plugin does not tell.
  public let memory: Memory?
  /// The compiler's estimates by their names, such as `flops` and `bytes accessed`; empty where the plugin does not tell.
  public let costs: [String: Double]
}

extension XLARuntime {
  /// A program as StableHLO text; needs no plugin.
  ///
  /// - Parameters:
  ///   - program: any program.
  ///   - devices: of how many devices share it.
  ///   - sharding: what is cut among them.
  /// - Returns: one module.
  /// - Throws: ``XLAError`` for an operation that has no lowering.
  public static func stableHLO(
    of program: Program, devices: Int = 1, sharding: ShardingRules = ShardingRules()
  ) throws -> String {
    try LoweredProgram(program, plan: ShardingPlan(devices: devices, rules: sharding)).text
  }

  /// Compiles a program for no other purpose than to ask about it.
  ///
  /// - Parameter program: any program.
  /// - Returns: what the plugin says.
  /// - Throws: ``XLAError`` when the program has no lowering or the plugin cannot compile it.
  public func analysis(of program: Program) throws -> ProgramAnalysis {
    let text = try LoweredProgram(program, runs: store.runs, plan: store.plan).text
    let clock = ContinuousClock.now
    let loaded = try store.client.compile(text, CompileOptions(partitions: store.devices.count))
    let seconds = (ContinuousClock.now - clock) / .seconds(1)
    return ProgramAnalysis(
      compileSeconds: seconds,
      memory: loaded.memory.map {
        ProgramAnalysis.Memory(
          arguments: $0.arguments, outputs: $0.outputs, aliased: $0.aliased,
          temporary: $0.temporary, generatedCode: $0.generatedCode, total: $0.total)
      },
      costs: loaded.costs)
  }
}
